"""Router gating (E12): its four witnesses."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from witnesses.pairs import (
    Pair,
    assert_close,
    check_complex_step,
    check_conduct,
    check_symbols,
)

from moe.equations.router import router, router_backward

pytestmark = pytest.mark.E12
WRT = ("logits",)


def pair(top_k):
    def forward(inputs):
        weights, _, probabilities, cache = router(inputs["logits"], top_k)
        return (weights, probabilities), cache

    def backward(cotangents, cache):
        return {"logits": router_backward(*cotangents, cache)}

    return Pair("router", forward, backward)


def inputs(tokens=5, experts=4, seed=0):
    """Logits whose order no finite difference can change."""
    rng = np.random.default_rng(seed)
    ranks = rng.permuted(np.tile(np.arange(experts), (tokens, 1)), axis=1)
    return {"logits": 0.7 * ranks + rng.uniform(0, 0.3, (tokens, experts))}


@pytest.mark.symbols
@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_symbols(top_k):
    given_inputs = inputs(tokens=2, experts=3)
    order = np.argsort(-given_inputs["logits"], axis=1)[:, :top_k]

    def equation(arrays):
        z = arrays["logits"]
        p = np.empty_like(z)
        w = np.empty((len(z), top_k), object)
        for n, e in np.ndindex(z.shape):
            p[n, e] = sp.exp(z[n, e]) / sum(map(sp.exp, z[n]))
        for n, k in np.ndindex(w.shape):
            w[n, k] = p[n, order[n, k]] / sum(p[n, e] for e in order[n])
        return w, p

    check_symbols(pair(top_k), given_inputs, WRT, equation)


@pytest.mark.differences
@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_gradient(top_k):
    check_complex_step(pair(top_k), inputs(), WRT)


def loop(logits, top_k):
    """The equation, one token at a time, with the softmax over the chosen only."""
    chosen = []
    for row in logits:
        best = sorted(range(len(row)), key=lambda e: (-row[e], e))[:top_k]
        parts = [np.exp(row[e] - row[best[0]]) for e in best]
        chosen.append((best, [part / sum(parts) for part in parts]))
    return np.array([c[0] for c in chosen]), np.array([c[1] for c in chosen])


@pytest.mark.oracle
@pytest.mark.parametrize("top_k", [1, 2, 3, 4])
def test_loop(top_k):
    logits = 3 * inputs(tokens=20, seed=3)["logits"]
    weights, indices, _, _ = router(logits, top_k)
    want_indices, want_weights = loop(logits, top_k)
    np.testing.assert_array_equal(indices, want_indices)
    assert_close("router: weights", weights, want_weights, 1e-14)


@pytest.mark.properties
@pytest.mark.parametrize("top_k", [1, 3])
def test_conduct(top_k):
    check_conduct(pair(top_k), inputs(), WRT)


@pytest.mark.properties
def test_ties_go_to_the_lower_index():
    _, indices, _, _ = router(np.zeros((2, 4)), 3)
    np.testing.assert_array_equal(indices, [[0, 1, 2]] * 2)
    _, indices, _, _ = router(np.array([[0.0, 2.0, 2.0, 1.0]]), 2)
    np.testing.assert_array_equal(indices, [[1, 2]])
    # So many that a sort which is not stable would mix them.
    crowd = np.repeat([[0.0, 2.0, 1.0]], 40, axis=1)
    _, indices, _, _ = router(crowd, 70)
    np.testing.assert_array_equal(indices, [[*range(40, 80), *range(80, 110)]])


@pytest.mark.properties
@given(
    logits=arrays(float, (3, 4), elements=st.floats(-700, 700)),
    top_k=st.integers(1, 4),
)
def test_weights_are_a_distribution_over_the_best(logits, top_k):
    weights, indices, probabilities, _ = router(logits, top_k)
    assert_close("sum of weights", weights.sum(axis=1), np.ones(3), 1e-14)
    assert (np.diff(weights, axis=1) <= 0).all()
    for row, chosen in zip(probabilities, indices, strict=True):
        assert len(set(chosen)) == top_k
        rest = np.delete(row, chosen)
        assert row[chosen].min() >= rest.max(initial=0.0)


@pytest.mark.properties
def test_without_a_choice_the_weights_are_the_probabilities():
    weights, indices, probabilities, _ = router(inputs()["logits"], 4)
    rows = np.arange(5)[:, None]
    assert_close("weights", weights, probabilities[rows, indices], 1e-15)


@pytest.mark.properties
def test_one_expert_passes_no_gradient_through_its_weight():
    given_inputs = inputs()
    no_balance = np.zeros_like(given_inputs["logits"])
    _, _, _, cache = router(given_inputs["logits"], 1)
    dlogits = router_backward(np.full((5, 1), 3.0), no_balance, cache)
    assert not dlogits.any()
