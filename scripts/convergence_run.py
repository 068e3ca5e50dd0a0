"""The convergence run in NumPy: its setting, and what is looked at on the way."""

from typing import Any

import numpy as np
from tqdm import tqdm

from moe import Config, Model, Trainer, TrainingConfig
from moe.arrays import Array
from moe.equations.cross_entropy import cross_entropy

CONFIG = Config.tiny()
TRAINING = TrainingConfig(learning_rate=1e-3, warmup_steps=10, total_steps=1000)
SEED = 0
BATCH, SEQ = 2, 8
STEPS_BETWEEN_POINTS = 10


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


def converge(dtype: np.typing.DTypeLike = np.float32) -> list[dict[str, Any]]:
    """Train, and look at the model before, every ten steps, and after."""
    ids, targets = consecutive_ids()
    trainer = Trainer(Model.initialise(CONFIG, rng=SEED, dtype=dtype), TRAINING)
    states = [state(trainer, ids, targets)]
    steps = range(TRAINING.total_steps)
    for _ in tqdm(steps, f"NumPy, {np.dtype(dtype)}", unit="step", dynamic_ncols=True):
        trainer.train_step(ids, targets)
        if trainer.step % STEPS_BETWEEN_POINTS == 0:
            states.append(state(trainer, ids, targets))
    return states
