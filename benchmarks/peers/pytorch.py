"""PyTorch, eager: the same model as a PyTorch programmer would write it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.peers import Peer
from benchmarks.scenarios import Scenario
from benchmarks.workloads import TRAINING, config_of, token_batch
from moe import Config, Model
from moe.equations.rope import ntk_base, rope_frequencies

Tensor = torch.Tensor


class TorchModel:
    """The model on the tensors of our parameters.

    Attributes:
        tensors: By our names.
        config: Shape of the model.
    """

    def __init__(
        self,
        config: Config,
        seed: int,
        trains: bool,
        dtype: np.typing.DTypeLike = np.float32,
    ) -> None:
        """Copy our initial parameters."""
        torch.set_num_threads(1)
        ours = Model.initialise(config, rng=seed, dtype=dtype).parameters
        self.config = config
        self.tensors = {
            name: torch.tensor(array).requires_grad_(trains)
            for name, array in ours.tensors.items()
        }
        base = ntk_base(config.rope_base, config.ntk_alpha, config.head_dim)
        frequencies = rope_frequencies(config.head_dim, base)
        self._frequencies = torch.tensor(frequencies)

    def layer(self, index: int, name: str) -> Tensor:
        """A tensor of a layer."""
        return self.tensors[f"layers.{index}.{name}"]

    def rotations(self, start: int, tokens: int) -> tuple[Tensor, Tensor]:
        """Cosine and sine of every position, each twice."""
        angles = torch.arange(start, start + tokens)[:, None] * self._frequencies
        angles = angles.repeat_interleave(2, dim=1)
        dtype = self.tensors["embedding"].dtype
        return angles.cos().to(dtype), angles.sin().to(dtype)

    def attention(
        self, x: Tensor, i: int, turn: tuple[Tensor, Tensor], cache: list[Tensor] | None
    ) -> Tensor:
        """Grouped-query attention with the keys and values of `cache` in front."""
        c, (cos, sin) = self.config, turn
        batch, tokens, _ = x.shape
        qkv = F.linear(x, self.layer(i, "qkv"))
        qkv = qkv.view(batch, tokens, -1, c.head_dim).transpose(1, 2)
        qk, v = qkv[:, : c.num_heads + c.num_kv_heads], qkv[:, -c.num_kv_heads :]
        pairs = qk.unflatten(-1, (-1, 2))
        turned = torch.stack((-pairs[..., 1], pairs[..., 0]), dim=-1).flatten(-2)
        qk = qk * cos + turned * sin
        q, k = qk[:, : c.num_heads], qk[:, c.num_heads :]
        if cache is not None:
            keys, values = cache
            keys[i, :, :, -tokens:], values[i, :, :, -tokens:] = k, v
            k, v = keys[i], values[i]
        y = F.scaled_dot_product_attention(
            q, k, v, is_causal=cache is None, enable_gqa=True
        )
        return F.linear(y.transpose(1, 2).flatten(2), self.layer(i, "output"))

    def experts(self, x: Tensor, i: int) -> tuple[Tensor, Tensor]:
        """Chosen experts of every token, and the balance loss."""
        c = self.config
        p = F.softmax(F.linear(x, self.layer(i, "router")), dim=-1)
        weights, chosen = p.topk(c.top_k, dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        counts = chosen.flatten().bincount(minlength=c.num_experts)
        load = counts / chosen.numel()
        loss = c.balance_alpha * c.num_experts * (load * p.mean(0)).sum()
        return self.combine(x, weights, chosen, counts, i), loss

    def combine(
        self, x: Tensor, weights: Tensor, chosen: Tensor, counts: Tensor, i: int
    ) -> Tensor:
        """Tokens sorted by expert, one slice for each."""
        order = chosen.flatten().argsort(stable=True)
        rows = order // self.config.top_k
        parts = x[rows].split(counts.tolist())
        gate_up, down = self.layer(i, "gate_up"), self.layer(i, "down")
        outputs = []
        for e, part in enumerate(parts):
            gate, up = F.linear(part, gate_up[e]).chunk(2, dim=-1)
            outputs.append(F.linear(F.silu(gate) * up, down[e]))
        weighted = torch.cat(outputs) * weights.flatten()[order, None]
        return torch.zeros_like(x).index_add(0, rows, weighted)

    def forward(
        self, ids: Tensor, start: int = 0, cache: list[Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits and balance loss."""
        c, width = self.config, (self.config.hidden_size,)
        x = F.embedding(ids, self.tensors["embedding"])
        turn = self.rotations(start, ids.shape[1])
        balance = x.new_zeros(())
        for i in range(c.num_layers):
            y = F.rms_norm(x, width, self.layer(i, "attention_norm"), c.norm_eps)
            x = x + self.attention(y, i, turn, cache)
            y = F.rms_norm(x, width, self.layer(i, "experts_norm"), c.norm_eps)
            mixed, loss = self.experts(y.flatten(0, 1), i)
            x, balance = x + mixed.view_as(x), balance + loss
        x = F.rms_norm(x, width, self.tensors["final_norm"], c.norm_eps)
        return F.linear(x, self.tensors["lm_head"]), balance

    def loss(self, ids: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy plus balance loss."""
        logits, balance = self.forward(ids)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten()) + balance


def train_step(model: TorchModel, loss_of: Any, ids: Tensor, targets: Tensor) -> Any:
    """One step after another: backward, clip, fused AdamW."""
    matrices = [t for t in model.tensors.values() if t.ndim > 1]
    gains = [t for t in model.tensors.values() if t.ndim == 1]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": TRAINING.weight_decay},
        {"params": gains, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(
        groups,
        lr=TRAINING.learning_rate,
        betas=TRAINING.betas,
        eps=TRAINING.eps,
        fused=True,
    )
    parameters = [*matrices, *gains]

    def call() -> Tensor:
        optimiser.zero_grad(set_to_none=True)
        loss: Tensor = loss_of(ids, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, TRAINING.max_grad_norm)
        optimiser.step()
        return loss

    return call


def build_with(
    scenario: Scenario,
    seed: int,
    model_type: type[TorchModel],
    compiled: Callable[[Any], Any],
    version: str,
) -> Peer:
    """Build the work of a scenario.

    Args:
        scenario: A forward, train or decode scenario.
        seed: Of weights and inputs.
        model_type: Which form of the model.
        compiled: Wraps the function that is compiled, if any.
        version: Of the library.

    Returns:
        The peer.
    """
    trains = scenario.work == "train"
    model = model_type(config_of(scenario), seed, trains)
    ids, targets = map(torch.tensor, token_batch(scenario, seed))
    if trains:
        step = train_step(model, compiled(model.loss), ids, targets)
        return Peer(version, step, lambda loss: loss.detach().numpy())
    forward = compiled(model.forward)
    if scenario.work == "forward":

        @torch.inference_mode()
        def call() -> Tensor:
            logits: Tensor = forward(ids)[0]
            return logits

    else:
        cache = filled_cache(model, ids)
        new = targets[:, -1:]

        @torch.inference_mode()
        def call() -> Tensor:
            logits: Tensor = forward(new, scenario.seq, cache)[0]
            return logits

    return Peer(version, call, lambda logits: logits.numpy())


@torch.inference_mode()
def filled_cache(model: TorchModel, ids: Tensor) -> list[Tensor]:
    """Keys and values of `ids`, with room for one token behind them."""
    c, (batch, tokens) = model.config, ids.shape
    shape = (c.num_layers, batch, c.num_kv_heads, tokens + 1, c.head_dim)
    cache = [torch.zeros(shape), torch.zeros(shape)]
    for position in range(tokens):
        # One token at a time: a query sees exactly what was read before it.
        seen = [part[:, :, :, : position + 1] for part in cache]
        model.forward(ids[:, position : position + 1], position, seen)
    return cache


def build(scenario: Scenario, seed: int) -> Peer:
    """Eager PyTorch."""
    version = f"PyTorch {torch.__version__} eager"
    return build_with(scenario, seed, TorchModel, lambda function: function, version)
