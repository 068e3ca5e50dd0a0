"""Overfit one batch: the convergence run of the original study.

The tiny profile learns two sequences of eight consecutive ids for 1000 steps. Writes
benchmarks/results/convergence.json and docs/assets/convergence.svg; cross-entropy and
balance loss are reported apart. The same seed gives the same bits.

Example:
  python scripts/convergence.py
"""

import one_blas_thread  # noqa: F401 (before NumPy is imported)

# isort: split
import json
import math
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from console import Parser, run_main
from pictures import draw_curves
from tqdm import tqdm

import moe
from moe import Config, Model, Trainer, TrainingConfig
from moe.arrays import Array
from moe.equations.cross_entropy import cross_entropy

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks/results/convergence.json"
PICTURE = ROOT / "docs/assets/convergence.svg"
CONFIG = Config.tiny()
TRAINING = TrainingConfig(learning_rate=1e-3, warmup_steps=10, total_steps=1000)
SEED = 0
BATCH, SEQ = 2, 8
STEPS_BETWEEN_POINTS = 10
LARGEST_FINAL_CROSS_ENTROPY = 0.005
# Cited, not measured here.
ORIGINAL_STUDY = {
    "source": "rosetta-moe, losses after its 1000 steps, Apple M1",
    "final_loss": {"Julia": 0.0208, "Go": 0.0247, "Python": 0.0233, "Rust": 0.0001},
    "note": "Python's includes the balance loss, which alone is 0.02 for two layers "
    "at uniform routing.",
}


def consecutive_ids() -> tuple[Array, Array]:
    """Two rows of eight consecutive ids, and the id after each."""
    ids = np.arange(BATCH * SEQ).reshape(BATCH, SEQ)
    return ids, ids + 1


def state(trainer: Trainer, ids: Array, targets: Array) -> dict[str, Any]:
    """Losses and routing on the batch, as the model now is.

    Args:
        trainer: What is being trained.
        ids: `(B, T)` token ids.
        targets: `(B, T)` the id that follows each.

    Returns:
        Step, both losses in nats, and for each layer the share of the assignments
        that each expert received.
    """
    logits, balance_loss, cache = trainer.model.forward(ids)
    loss, _ = cross_entropy(logits.reshape(-1, CONFIG.vocab_size), targets.ravel())
    _, _, blocks, _, _ = cache
    return {
        "step": trainer.step,
        "cross_entropy": float(loss),
        "balance_loss": float(balance_loss),
        "expert_load": [expert_load(block_cache).tolist() for block_cache in blocks],
    }


def expert_load(block_cache: tuple[Any, ...]) -> Array:
    """`(E,)` load of the experts, from what `moe.block.block` keeps."""
    _, experts_cache = block_cache
    _, _, _, balance_cache, _ = experts_cache
    load: Array = balance_cache[0]
    return load


def converge() -> list[dict[str, Any]]:
    """Train, and look at the model before, every ten steps, and after."""
    ids, targets = consecutive_ids()
    trainer = Trainer(Model.initialise(CONFIG, rng=SEED), TRAINING)
    states = [state(trainer, ids, targets)]
    for _ in tqdm(range(TRAINING.total_steps), unit="step", dynamic_ncols=True):
        trainer.train_step(ids, targets)
        if trainer.step % STEPS_BETWEEN_POINTS == 0:
            states.append(state(trainer, ids, targets))
    return states


def draw(states: list[dict[str, Any]]) -> None:
    """The picture of both losses over the steps."""
    first, last = states[0], states[-1]
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    draw_curves(
        PICTURE,
        title="Overfitting one batch of 16 consecutive ids",
        description=(
            f"Cross-entropy falls from {first['cross_entropy']:.2f} to "
            f"{last['cross_entropy']:.0e} nats in {last['step']} steps; the balance "
            f"loss goes from {first['balance_loss']:.4f} to "
            f"{last['balance_loss']:.4f}."
        ),
        x_label="step",
        y_label="nats per token",
        curves={
            "cross-entropy": [(s["step"], s["cross_entropy"]) for s in states],
            "balance loss": [(s["step"], s["balance_loss"]) for s in states],
        },
        levels={"ln 1000": math.log(CONFIG.vocab_size)},
        log_scale=True,
    )


def main() -> int:
    parser = Parser(__doc__)
    parser.parse_args()
    states = converge()
    first, last = states[0], states[-1]
    result = {
        "command": "python scripts/convergence.py",
        "initial": first,
        "final": last,
        "log_vocab_size": math.log(CONFIG.vocab_size),
        "original_study": ORIGINAL_STUDY,
        "batch": BATCH,
        "seq": SEQ,
        "seed": SEED,
        "config": asdict(CONFIG),
        "training_config": asdict(TRAINING),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "literate-moe": moe.__version__,
        },
        "states": states,
    }
    with parser.bad_input():
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
        draw(states)
    for name, at in (("before", first), ("after", last)):
        print(
            f"{name:<8} cross-entropy {at['cross_entropy']:<12.4g} "
            f"balance loss {at['balance_loss']:.4g}"
        )
    if last["cross_entropy"] >= LARGEST_FINAL_CROSS_ENTROPY:
        limit = LARGEST_FINAL_CROSS_ENTROPY
        print(
            f"{parser.prog}: cross-entropy did not fall below {limit}", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    run_main(main)
