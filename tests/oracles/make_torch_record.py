"""Write `torch_record.npz`: what PyTorch computes, in float64, for the shared setting.

pip install torch==2.13.0
PYTHONPATH=tests python tests/oracles/make_torch_record.py
"""

from pathlib import Path

import numpy as np
import torch

from oracles import setting, torch_model

RECORD = Path(__file__).with_name("torch_record.npz")


def leaves() -> dict[str, torch.Tensor]:
    """The shared parameters as leaf tensors."""
    tensors = setting.parameters().tensors
    return {n: torch.tensor(w).requires_grad_() for n, w in tensors.items()}


def record() -> dict[str, np.ndarray]:
    """Logits, losses and gradients of the first batch; losses of ten steps."""
    ids, targets = (torch.tensor(a) for a in setting.batches())
    tensors = leaves()
    logits, _ = torch_model.forward(tensors, ids[0], setting.CONFIG)
    cross_entropy, balance = torch_model.loss(
        tensors, ids[0], targets[0], setting.CONFIG
    )
    (cross_entropy + balance).backward()
    arrays = {
        "ids": ids.numpy(),
        "targets": targets.numpy(),
        "logits": logits.detach().numpy(),
        "cross_entropy": cross_entropy.detach().numpy(),
        "balance": balance.detach().numpy(),
    }
    arrays |= {f"gradient/{n}": w.grad.numpy() for n, w in tensors.items()}
    trained = leaves()
    arrays["losses"] = np.array(
        torch_model.train(trained, ids, targets, setting.CONFIG, setting.TRAINING)
    )
    arrays |= {f"trained/{n}": w.detach().numpy() for n, w in trained.items()}
    return arrays


if __name__ == "__main__":
    np.savez_compressed(RECORD, **record())
    print(
        f"wrote {RECORD.name}, {RECORD.stat().st_size} bytes, torch {torch.__version__}"
    )
