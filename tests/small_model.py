"""A model small enough for every check, with nothing at its special value."""

import dataclasses

import numpy as np

from moe import Config, Model, Parameters

SMALL = Config(
    vocab_size=11,
    hidden_size=6,
    num_layers=2,
    num_heads=4,
    num_kv_heads=2,
    head_dim=4,
    num_experts=3,
    top_k=2,
    ffn_size=5,
    max_seq_len=12,
    rope_base=50.0,
    ntk_alpha=3.0,
    norm_eps=1e-3,
    balance_alpha=0.3,
)
IDS = np.array([[3, 1, 3, 7, 0], [10, 3, 3, 2, 9]])


def make(dtype=np.float64, seed=0, **changes):
    """A model with every tensor away from its special values, gains included."""
    config = dataclasses.replace(SMALL, **changes)
    rng = np.random.default_rng(seed)
    flat = 0.4 * rng.standard_normal(config.num_parameters)
    parameters = Parameters(config, flat.astype(dtype))
    for tensor in parameters.tensors.values():
        if tensor.ndim == 1:
            tensor += 1
    return Model(parameters)
