"""PyTorch, compiled by inductor into one graph."""

import functools

import torch
from torch.nn import functional as F

from benchmarks.peers import Peer
from benchmarks.peers.pytorch import Tensor, TorchModel, build_with
from benchmarks.scenarios import Scenario


class SparseModel(TorchModel):
    """Experts without a transfer to Python: a dynamic number of rows for each."""

    def combine(
        self, x: Tensor, weights: Tensor, chosen: Tensor, counts: Tensor, i: int
    ) -> Tensor:
        """For each expert the rows that chose it."""
        gate_up, down = self.layer(i, "gate_up"), self.layer(i, "down")
        y = torch.zeros_like(x)
        for e in range(self.config.num_experts):
            rows, slots = torch.where(chosen == e)
            gate, up = F.linear(x[rows], gate_up[e]).chunk(2, dim=-1)
            part = F.linear(F.silu(gate) * up, down[e])
            y = y.index_add(0, rows, part * weights[rows, slots, None])
        return y


class DenseModel(TorchModel):
    """Every expert on every token; those that were not chosen count zero."""

    def combine(
        self, x: Tensor, weights: Tensor, chosen: Tensor, counts: Tensor, i: int
    ) -> Tensor:
        """Twice the products where half the experts are chosen, but no gather."""
        gate_up, down = self.layer(i, "gate_up"), self.layer(i, "down")
        share = torch.zeros(x.shape[0], self.config.num_experts)
        share = share.scatter(1, chosen, weights)
        gate, up = torch.matmul(x, gate_up.transpose(1, 2)).chunk(2, dim=-1)
        parts = torch.matmul(F.silu(gate) * up, down.transpose(1, 2))
        return (parts * share.T[:, :, None]).sum(0)


def build(scenario: Scenario, seed: int) -> Peer:
    """Compiled PyTorch: one graph, or an error."""
    torch._dynamo.config.capture_dynamic_output_shape_ops = True
    version = f"PyTorch {torch.__version__} compiled"
    model = DenseModel if scenario.work == "train" else SparseModel
    compiled = functools.partial(torch.compile, fullgraph=True)
    return build_with(scenario, seed, model, compiled, version)
