"""The one small model on which ours and PyTorch's are compared."""

import numpy as np

from moe import Config, Parameters, TrainingConfig

CONFIG = Config(
    vocab_size=29,
    hidden_size=12,
    num_layers=2,
    num_heads=4,
    num_kv_heads=2,
    head_dim=6,
    num_experts=4,
    top_k=2,
    ffn_size=10,
    max_seq_len=32,
    rope_base=100.0,
    ntk_alpha=2.0,
    norm_eps=1e-3,
    balance_alpha=0.2,
)
# Clipping bites in the first steps, the warmup ends and the decay ends within ten.
TRAINING = TrainingConfig(
    learning_rate=0.02,
    min_learning_rate=0.002,
    warmup_steps=3,
    total_steps=8,
    betas=(0.8, 0.9),
    eps=1e-6,
    weight_decay=0.3,
    max_grad_norm=0.5,
)
STEPS = 10


def parameters() -> Parameters:
    """Every tensor away from its special values, gains included."""
    rng = np.random.default_rng(2026)
    result = Parameters(CONFIG, 0.3 * rng.standard_normal(CONFIG.num_parameters))
    for tensor in result.tensors.values():
        if tensor.ndim == 1:
            tensor += 1
    return result


def batches() -> tuple[np.ndarray, np.ndarray]:
    """Ids and targets `(STEPS, B, T)`, with repeated ids."""
    text = np.random.default_rng(7).integers(0, CONFIG.vocab_size, (STEPS, 3, 12))
    return text[:, :, :-1], text[:, :, 1:]
