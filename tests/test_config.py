"""Config, TrainingConfig and Parameters: counts, layout, and every bad value."""

import dataclasses

import numpy as np
import pytest

from moe import Config, Parameters, TrainingConfig
from moe.parameters import tensor_shapes

PROFILES = {
    # name: (config, parameters, active parameters)
    "tiny": (Config.tiny(), 542_528, 345_920),
    "small": (Config.small(), 7_134_464, 3_988_736),
    "full": (Config.full(), 6_882_678_528, 1_786_599_168),
}


@pytest.mark.parametrize("name", PROFILES)
def test_parameter_counts(name):
    config, total, active = PROFILES[name]
    assert config.num_parameters == total
    assert config.num_active_parameters == active
    sizes = {n: int(np.prod(s)) for n, s in tensor_shapes(config).items()}
    assert sum(sizes.values()) == total
    unused = config.num_experts - config.top_k
    expert = sum(s for n, s in sizes.items() if n.endswith(("gate_up", "down")))
    assert total - active == expert * unused // config.num_experts


BAD_CONFIGS = {
    "vocab_size": (0, "vocab_size must be an integer of at least 1, got 0"),
    "hidden_size": (64.0, "hidden_size must be an integer of at least 1, got 64.0"),
    "num_layers": (True, "num_layers must be an integer of at least 1, got True"),
    "num_heads": (6, "num_heads must be a multiple of num_kv_heads = 4, got 6"),
    "head_dim": (5, "head_dim must be even, because RoPE turns pairs, got 5"),
    "top_k": (5, "top_k must be an integer from 1 to 4, got 5"),
    "ffn_size": ("256", "ffn_size must be an integer of at least 1, got '256'"),
    "max_seq_len": (-1, "max_seq_len must be an integer of at least 1, got -1"),
    "rope_base": (1.0, r"rope_base must be a number in \(1, inf\), got 1.0"),
    "ntk_alpha": (0.5, r"ntk_alpha must be a number in \[1, inf\), got 0.5"),
    "norm_eps": (0.0, r"norm_eps must be a number in \(0, inf\), got 0.0"),
    "balance_alpha": (np.nan, r"balance_alpha must be a number in \[0, inf\), got nan"),
}


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_bad_config(name):
    value, message = BAD_CONFIGS[name]
    good = dataclasses.replace(Config.tiny(), num_kv_heads=4)
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(good, **{name: value})


def test_ntk_scaling_needs_more_than_one_pair():
    dataclasses.replace(Config.tiny(), head_dim=2)
    with pytest.raises(
        ValueError, match="head_dim must be above 2 where ntk_alpha > 1"
    ):
        dataclasses.replace(Config.tiny(), head_dim=2, ntk_alpha=2.0)


BAD_TRAINING = {
    "learning_rate": (0, r"learning_rate must be a number in \(0, inf\), got 0"),
    "min_learning_rate": (1.0, r"min_learning_rate must be a number in \[0, 0.003\]"),
    "warmup_steps": (1000, "warmup_steps must be an integer from 0 to 999, got 1000"),
    "total_steps": (0, "total_steps must be an integer of at least 1, got 0"),
    "betas": ((0.9, 1.0), r"betas must be a number in \[0, 1\), got 1.0"),
    "eps": (-1e-8, r"eps must be a number in \(0, inf\), got -1e-08"),
    "weight_decay": (np.inf, r"weight_decay must be a number in \[0, inf\), got inf"),
    "max_grad_norm": (0.0, r"max_grad_norm must be a number in \(0, inf\), got 0.0"),
    "micro_batches": (0, "micro_batches must be an integer of at least 1, got 0"),
}


@pytest.mark.parametrize("name", BAD_TRAINING)
def test_bad_training_config(name):
    value, message = BAD_TRAINING[name]
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**{name: value})


def test_betas_are_a_pair():
    with pytest.raises(ValueError, match="betas must be a pair of numbers"):
        TrainingConfig(betas=(0.9, 0.95, 0.99))


def test_configs_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config.tiny().top_k = 3


def test_views_cover_the_buffer_in_order_without_overlap():
    config = Config.tiny()
    parameters = Parameters(config, np.arange(config.num_parameters, dtype=float))
    laid = np.concatenate([t.ravel() for t in parameters.tensors.values()])
    np.testing.assert_array_equal(laid, parameters.flat)
    parameters.blocks[1].down[3, 2, 1] = -5
    assert parameters.tensors["layers.1.down"][3, 2, 1] == -5
    assert (parameters.flat == -5).sum() == 1


def test_decay_reaches_all_matrices_and_no_gain():
    parameters = Parameters.zeros(Config.tiny())
    parameters.flat[: parameters.num_decayed] = 1
    for name, tensor in parameters.tensors.items():
        assert (tensor == (tensor.ndim > 1)).all(), name


def test_a_buffer_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"flat.shape must be \(542528,\), got \(3,\)"):
        Parameters(Config.tiny(), np.zeros(3))


def test_initialisation_is_what_its_docstring_says():
    config = Config.small()
    parameters = Parameters.initialise(config, rng=1)
    again = Parameters.initialise(config, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(parameters.flat, again.flat)
    assert (Parameters.initialise(config, rng=2).flat != parameters.flat).any()
    wide = Parameters.initialise(config, rng=1, dtype=np.float64)
    assert wide.flat.dtype == np.float64
    np.testing.assert_allclose(wide.flat, parameters.flat, rtol=1e-6)
