"""The convergence run in PyTorch: same weights, same batch, autograd and its AdamW.

To be imported only where PyTorch is installed.
"""

from typing import Any

import convergence_run
import numpy as np
import torch
from tqdm import tqdm

from benchmarks.peers.pytorch import TorchModel
from moe.equations.schedule import learning_rate


def converge(dtype: np.typing.DTypeLike) -> list[dict[str, Any]]:
    """Train as `convergence_run.converge` does, and look at both losses as often."""
    training = convergence_run.TRAINING
    ids, targets = map(torch.tensor, convergence_run.consecutive_ids())
    model = TorchModel(
        convergence_run.CONFIG, convergence_run.SEED, trains=True, dtype=dtype
    )
    parameters = list(model.tensors.values())
    optimiser = torch.optim.AdamW(
        [
            {
                "params": [p for p in parameters if p.ndim > 1],
                "weight_decay": training.weight_decay,
            },
            {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
        ],
        betas=training.betas,
        eps=training.eps,
    )
    states = [state(0, model, ids, targets)]
    steps = range(1, training.total_steps + 1)
    name = f"PyTorch, {np.dtype(dtype)}"
    for step in tqdm(steps, name, unit="step", dynamic_ncols=True):
        optimiser.zero_grad()
        model.loss(ids, targets).backward()
        clip(parameters, training.max_grad_norm)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(
                step,
                training.learning_rate,
                training.min_learning_rate,
                training.warmup_steps,
                training.total_steps,
            )
        optimiser.step()
        if step % convergence_run.STEPS_BETWEEN_POINTS == 0:
            states.append(state(step, model, ids, targets))
    return states


def clip(parameters: list[torch.Tensor], max_norm: float) -> None:
    """Clip by the global norm.

    As `torch.nn.utils.clip_grad_norm_`, without the 1e-6 that it adds to the norm.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    factor = torch.clamp(max_norm / norm, max=1.0)
    for gradient in gradients:
        gradient *= factor


@torch.no_grad()
def state(
    step: int, model: TorchModel, ids: torch.Tensor, targets: torch.Tensor
) -> dict[str, Any]:
    """Step, and both losses in nats."""
    logits, balance_loss = model.forward(ids)
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    return {
        "step": step,
        "cross_entropy": loss.item(),
        "balance_loss": balance_loss.item(),
    }
