"""The model's interface: options, defaults, caches, profiles, bad ids."""

import numpy as np
import pytest
from small_model import IDS, SMALL, make

from moe import Config, KeyValueCache, Model, Parameters
from moe.block import block, geometry, rotation_tables


def test_rotations_of_a_model_are_computed_once_and_cannot_be_written_to():
    tables = rotation_tables(SMALL, np.dtype(float))
    assert rotation_tables(SMALL, np.dtype(float)) is tables
    for table in tables:
        with pytest.raises(ValueError, match="read-only"):
            table[0, 0] = 2.0


def test_a_block_by_itself_uses_the_first_layer_of_a_cache():
    model = make()
    at = geometry(SMALL, 1, 5, 0, np.dtype(float))
    x = np.random.default_rng(0).standard_normal((5, SMALL.hidden_size))
    caches = [KeyValueCache(SMALL, 1, 5, np.float64) for _ in range(2)]
    for cache in caches:
        cache.keys[...] = cache.values[...] = np.nan
    block(x, model.parameters.blocks[0], SMALL, at, caches[0])
    block(x, model.parameters.blocks[0], SMALL, at, caches[1], layer=0)
    for name in ("keys", "values"):
        first, second = (getattr(cache, name) for cache in caches)
        assert np.isfinite(first[0]).all()
        np.testing.assert_array_equal(first, second)


def test_defaults():
    model = make()
    logits, _, cache = model.forward(IDS)
    plain = model.backward(logits, cache)
    one = model.backward(logits, cache, dbalance_loss=1.0)
    np.testing.assert_array_equal(plain.flat, one.flat)
    assert not model.recompute
    fresh = Model.initialise(model.config, rng=3)
    assert fresh.parameters.flat.dtype == np.float32


def test_initialise_passes_everything_on():
    model = Model.initialise(SMALL, rng=3, dtype=np.float64)
    expected = Parameters.initialise(SMALL, rng=3, dtype=np.float64)
    assert model.parameters.flat.dtype == np.float64
    np.testing.assert_array_equal(model.parameters.flat, expected.flat)


def test_options_are_named():
    with pytest.raises(TypeError, match="positional argument"):
        Model(make().parameters, True)
    with pytest.raises(TypeError, match="positional argument"):
        Model.initialise(SMALL, 3)


@pytest.mark.parametrize("profile", [Config.tiny, Config.small])
def test_profiles_run_forward_and_backward(profile):
    model = Model.initialise(profile(), rng=0)
    ids = np.random.default_rng(0).integers(0, 1000, (1, 5))
    logits, _, cache = model.forward(ids)
    assert logits.shape == (1, 5, 1000)
    gradients = model.backward(logits, cache)
    assert np.isfinite(gradients.flat).all()


BAD_IDS = {
    "float": (np.zeros((1, 2)), TypeError, "ids must hold integers, got dtype float64"),
    "one axis": (np.zeros(3, int), ValueError, r"ids.shape must be .* got \(3,\)"),
    "no batch": (
        np.zeros((0, 3), int),
        ValueError,
        r"ids.shape must be .* got \(0, 3\)",
    ),
    "no tokens": (
        np.zeros((2, 0), int),
        ValueError,
        r"ids.shape must be .* got \(2, 0\)",
    ),
    "too large": (np.array([[0, 11]]), ValueError, r"ids must be in \[0, 11\), got 11"),
    "negative": (np.array([[0, -1]]), ValueError, r"ids must be in \[0, 11\), got -1"),
    "too long": (
        np.zeros((1, 13), int),
        ValueError,
        "sequence length must be at most 12, got 13",
    ),
}


@pytest.mark.parametrize("case", BAD_IDS)
def test_bad_ids(case):
    ids, error, message = BAD_IDS[case]
    with pytest.raises(error, match=message):
        make().forward(ids)


def test_a_full_cache_says_so():
    model = make()
    kv_cache = KeyValueCache(model.config, 1, 3, np.float64)
    model.forward(IDS[:1, :3], kv_cache)
    with pytest.raises(ValueError, match="sequence length must be at most 3, got 4"):
        model.forward(IDS[:1, 3:4], kv_cache)


def test_a_cache_longer_than_the_model_does_not_lengthen_it():
    model = make()
    kv_cache = KeyValueCache(model.config, 1, 20, np.float64)
    model.forward(np.zeros((1, 12), int), kv_cache)
    with pytest.raises(ValueError, match="sequence length must be at most 12, got 13"):
        model.forward(IDS[:1, :1], kv_cache)
