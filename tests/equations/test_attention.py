"""Causal grouped-query attention (E10): its four witnesses."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from witnesses.pairs import (
    Pair,
    assert_close,
    check_complex_step,
    check_conduct,
    check_float32,
    check_symbols,
)

from moe.equations.attention import (
    attention,
    attention_backward,
    causal_mask,
    fold_heads,
    unfold_heads,
)

pytestmark = pytest.mark.E10
WRT = ("q", "k", "v")


def forward(inputs):
    """Attention under the causal mask of as many queries and keys as there are."""
    q, k, v = (inputs[name] for name in WRT)
    dtype = float if q.dtype == object else q.real.dtype
    y, cache = attention(q, k, v, causal_mask(q.shape[1], k.shape[1], dtype))
    return (y,), cache


def backward(cotangents, cache):
    return dict(zip(WRT, attention_backward(*cotangents, cache), strict=True))


PAIR = Pair("attention", forward, backward)


def inputs(batch=2, queries=3, keys=3, heads=4, groups=2, width=4, scale=1.0):
    rng = np.random.default_rng(0)
    return {
        "q": scale * rng.standard_normal((batch, queries, heads, width)),
        "k": rng.standard_normal((batch, keys, groups, width)),
        "v": rng.standard_normal((batch, keys, groups, width)),
    }


def visible(t, queries, keys):
    """The keys that query `t` may read: the last query stands at the last key."""
    return range(keys - queries + t + 1)


def equation(arrays):
    q, k, v = (arrays[name] for name in WRT)
    (_, queries, heads, width), (_, keys, groups, _) = q.shape, k.shape
    y = np.empty_like(q)
    for b, t, h in np.ndindex(q.shape[:3]):
        g, seen = h // (heads // groups), visible(t, queries, keys)
        parts = [sp.exp(q[b, t, h] @ k[b, s, g] / sp.sqrt(width)) for s in seen]
        for d in range(width):
            mixed = sum(parts[s] * v[b, s, g, d] for s in seen)
            y[b, t, h, d] = mixed / sum(parts)
    return (y,)


@pytest.mark.symbols
@pytest.mark.parametrize(
    ("batch", "queries", "keys", "heads", "groups", "width"),
    [(1, 3, 3, 2, 1, 2), (1, 3, 3, 4, 2, 2), (2, 1, 2, 2, 2, 2), (1, 2, 3, 4, 2, 1)],
)
def test_symbols(batch, queries, keys, heads, groups, width):
    given_inputs = inputs(batch, queries, keys, heads, groups, width)
    check_symbols(PAIR, given_inputs, WRT, equation)


@pytest.mark.differences
@pytest.mark.parametrize(
    "sizes", [(2, 3, 3, 4, 2, 4), (1, 2, 5, 6, 2, 2), (2, 4, 4, 3, 3, 3)]
)
def test_gradient(sizes):
    check_complex_step(PAIR, inputs(*sizes), WRT)


def loop(q, k, v):
    """The equation, one query of one head at a time; its derivative likewise.

    Returns:
        The output, and a function from its gradient to those of q, k and v.
    """
    (batch, queries, heads, width), (_, keys, groups, _) = q.shape, k.shape
    y, weights = np.zeros_like(q), {}
    for b, t, h in np.ndindex(batch, queries, heads):
        g = int(h / (heads / groups))
        scores = []
        for s in visible(t, queries, keys):
            products = [q[b, t, h, d] * k[b, s, g, d] for d in range(width)]
            scores.append(math.fsum(products) / width**0.5)
        parts = [math.exp(score - max(scores)) for score in scores]
        weights[b, t, h] = p = [part / math.fsum(parts) for part in parts]
        for s, weight in enumerate(p):
            y[b, t, h] += weight * v[b, s, g]

    def derivative(dy):
        dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
        for (b, t, h), p in weights.items():
            g = int(h / (heads / groups))
            for s, r in np.ndindex(len(p), len(p)):
                slope = p[s] * (float(s == r) - p[r]) / width**0.5
                dscore = slope * sum(dy[b, t, h] * v[b, s, g])
                dq[b, t, h] += dscore * k[b, r, g]
                dk[b, r, g] += dscore * q[b, t, h]
            for s, weight in enumerate(p):
                dv[b, s, g] += weight * dy[b, t, h]
        return dq, dk, dv

    return y, derivative


@pytest.mark.oracle
@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize(
    "sizes",
    [(2, 5, 5, 4, 2, 4), (1, 3, 7, 6, 2, 4), (2, 4, 4, 3, 1, 5), (1, 4, 4, 4, 4, 4)],
)
def test_loop(sizes, scale):
    given_inputs = inputs(*sizes, scale=scale)
    (y,), cache = forward(given_inputs)
    want, derivative = loop(**given_inputs)
    assert_close("attention: y", y, want, 1e-13)
    dy = np.random.default_rng(3).standard_normal(y.shape)
    wants = derivative(dy)
    for name, got, want in zip(WRT, attention_backward(dy, cache), wants, strict=True):
        assert_close(f"attention: gradient of {name}", got, want, 1e-13)


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (4, 4), (1, 5), (3, 5)])
def test_mask_and_folding_by_index(queries, keys, dtype):
    mask = causal_mask(queries, keys, dtype)
    assert mask.dtype == dtype
    assert mask.shape == (queries, keys)
    for t, s in np.ndindex(queries, keys):
        assert mask[t, s] == (0 if s in visible(t, queries, keys) else -math.inf)
    x = inputs(2, queries, keys, heads=6, groups=2)["q"].astype(dtype)
    folded = fold_heads(x, 2)
    for b, t, h in np.ndindex(x.shape[:3]):
        row = t * 3 + h % 3
        np.testing.assert_array_equal(folded[b, h // 3, row], x[b, t, h])
    np.testing.assert_array_equal(unfold_heads(folded, queries), x)


@pytest.mark.properties
@pytest.mark.parametrize("sizes", [(2, 3, 3, 4, 2, 4), (1, 1, 4, 2, 1, 2)])
def test_conduct(sizes):
    check_conduct(PAIR, inputs(*sizes), WRT)
    check_float32(PAIR, inputs(*sizes), WRT, 2e-6)


@pytest.mark.properties
def test_mask_is_float64_unless_told_otherwise():
    assert causal_mask(2, 3).dtype == np.float64


@pytest.mark.properties
@given(t=st.integers(0, 5), seed=st.integers(0, 99))
def test_later_tokens_change_nothing(t, seed):
    given_inputs = inputs(queries=6, keys=6)
    cut = {name: array[:, : t + 1].copy() for name, array in given_inputs.items()}
    (short,), short_cache = forward(cut)
    rng = np.random.default_rng(seed)
    for array in given_inputs.values():
        array[:, t + 1 :] = 100 * rng.standard_normal(array[:, t + 1 :].shape)
    (y,), cache = forward(given_inputs)
    assert_close("y of the sequence so far", y[:, : t + 1], short, 1e-14)
    dy = rng.standard_normal(y.shape)
    dy[:, t + 1 :] = 0
    short_gradients = attention_backward(dy[:, : t + 1], short_cache)
    for got, want in zip(attention_backward(dy, cache), short_gradients, strict=True):
        assert_close("gradient so far", got[:, : t + 1], want, 1e-13)
        assert not got[:, t + 1 :].any()


@pytest.mark.properties
@pytest.mark.parametrize("queries", [1, 2, 4])
def test_a_step_behind_earlier_keys_equals_the_end_of_the_full_pass(queries):
    given_inputs = inputs(queries=6, keys=6)
    (y,), _ = forward(given_inputs)
    (step,), _ = forward({**given_inputs, "q": given_inputs["q"][:, -queries:]})
    assert_close("last rows", step, y[:, -queries:], 1e-14)


@pytest.mark.properties
def test_a_shared_head_is_its_copies_and_its_gradient_their_sum():
    given_inputs = inputs(heads=6, groups=2)
    (y,), cache = forward(given_inputs)
    k, v = (given_inputs[name][:, :, [0, 0, 0, 1, 1, 1]] for name in "kv")
    (copied,), copies_cache = forward({**given_inputs, "k": k, "v": v})
    assert_close("y with copied heads", copied, y, 1e-14)
    dy = np.random.default_rng(3).standard_normal(y.shape)
    dq, dk, dv = attention_backward(dy, cache)
    all_dq, all_dk, all_dv = attention_backward(dy, copies_cache)
    assert_close("dq", all_dq, dq, 1e-13)
    for name, got, copies in (("dk", dk, all_dk), ("dv", dv, all_dv)):
        by_group = copies.reshape(2, 3, 2, 3, 4).sum(axis=3)
        assert_close(name, got, by_group, 1e-13)


@pytest.mark.properties
def test_the_first_token_sees_itself_and_equal_keys_share_evenly():
    given_inputs = inputs(queries=4, keys=4)
    (y,), _ = forward(given_inputs)
    v = given_inputs["v"]
    np.testing.assert_array_equal(y[:, 0], v[:, 0, [0, 0, 1, 1]])
    given_inputs["k"][...] = given_inputs["k"][:, :1]
    (y,), _ = forward(given_inputs)
    means = np.cumsum(v, axis=1) / np.arange(1, 5)[:, None, None]
    assert_close("mean of the values so far", y, means[:, :, [0, 0, 1, 1]], 1e-14)


@pytest.mark.properties
def test_earlier_keys_have_no_order_and_a_common_offset_of_keys_no_effect():
    given_inputs = inputs(queries=1, keys=5)
    (y,), _ = forward(given_inputs)
    order = np.array([3, 0, 4, 1, 2])
    k, v = (given_inputs[name][:, order] for name in "kv")
    (reordered,), _ = forward({**given_inputs, "k": k, "v": v})
    assert_close("keys reordered", reordered, y, 1e-14)
    (moved,), _ = forward({**given_inputs, "k": given_inputs["k"] + 3.0})
    assert_close("keys moved", moved, y, 1e-13)


@pytest.mark.properties
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_of_ten_thousand_pick_the_best_key(dtype):
    q, k, v = (a.astype(dtype) for a in inputs(scale=1e4, heads=2, width=3).values())
    y, cache = attention(q, k, v, causal_mask(3, 3, dtype))
    for b, t, h in np.ndindex(2, 3, 2):
        best = max(range(t + 1), key=lambda s: q[b, t, h] @ k[b, s, h])
        np.testing.assert_array_equal(y[b, t, h], v[b, best, h])
    dy = np.random.default_rng(3).standard_normal(y.shape).astype(dtype)
    for gradient in attention_backward(dy, cache):
        assert np.isfinite(gradient).all()


@pytest.mark.properties
def test_slices_of_one_array_work_like_copies():
    """The model hands over q, k and v as slices of one product."""
    qkv = np.random.default_rng(5).standard_normal((2, 3, 8, 4))
    before = qkv.copy()
    parts = {"q": qkv[:, :, :4], "k": qkv[:, :, 4:6], "v": qkv[:, :, 6:]}
    (y,), _ = forward(parts)
    (want,), _ = forward({name: part.copy() for name, part in parts.items()})
    assert_close("y from slices", y, want, 1e-14)
    np.testing.assert_array_equal(qkv, before)


@pytest.mark.properties
def test_not_a_number_reaches_its_readers_and_no_other_batch():
    for name, readers in (("q", [1]), ("k", [1, 2, 3]), ("v", [1, 2, 3])):
        given_inputs = inputs(queries=4, keys=4)
        given_inputs[name][0, 1, 0, 0] = math.nan
        (y,), _ = forward(given_inputs)
        assert np.isfinite(y[1]).all()
        assert np.isnan(y[0, readers, 0, 0]).all()
