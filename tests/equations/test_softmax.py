"""Softmax (E06): its four witnesses."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from witnesses.pairs import (
    Pair,
    assert_close,
    check_complex_step,
    check_conduct,
    check_float32,
    check_symbols,
)

from moe.equations.softmax import softmax, softmax_backward

pytestmark = pytest.mark.E06
WRT = ("x",)


def forward(inputs):
    p, cache = softmax(inputs["x"])
    return (p,), cache


def backward(cotangents, cache):
    return {"x": softmax_backward(*cotangents, cache)}


PAIR = Pair("softmax", forward, backward)


def inputs(shape=(2, 3, 4), scale=1.0, seed=0):
    return {"x": scale * np.random.default_rng(seed).standard_normal(shape)}


@pytest.mark.symbols
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 3)])
def test_symbols(shape):
    def equation(arrays):
        x = arrays["x"]
        p = np.empty_like(x)
        for *row, i in np.ndindex(x.shape):
            p[*row, i] = sp.exp(x[*row, i]) / sum(map(sp.exp, x[*row]))
        return (p,)

    check_symbols(PAIR, inputs(shape), WRT, equation)


@pytest.mark.symbols
def test_symbols_with_a_masked_score():
    """The equation without the masked term, and no gradient at its place."""
    masked = np.zeros((2, 3))
    masked[0, 2] = masked[1, 1] = -math.inf
    pair = Pair("masked", lambda a: forward({"x": a["x"] + masked}), backward)

    def equation(arrays):
        x = arrays["x"]
        p = np.zeros_like(x)
        for n, i in np.argwhere(masked == 0):
            total = sum(sp.exp(x[n, j]) for j in range(3) if masked[n, j] == 0)
            p[n, i] = sp.exp(x[n, i]) / total
        return (p,)

    check_symbols(pair, inputs((2, 3)), WRT, equation)


@pytest.mark.differences
@pytest.mark.parametrize("scale", [1.0, 1e-3, 30.0])
def test_gradient(scale):
    check_complex_step(PAIR, inputs(scale=scale), WRT)


def loop(row):
    """The equation for one row, one score at a time, and its Jacobian."""
    largest = -math.inf
    for score in row:
        largest = score if score > largest else largest
    parts = [math.exp(score - largest) for score in row]
    p = [part / math.fsum(parts) for part in parts]
    n = range(len(row))
    return p, [[p[i] * (float(i == j) - p[j]) for j in n] for i in n]


@pytest.mark.oracle
@pytest.mark.parametrize("scale", [0.1, 3.0, 300.0])
@pytest.mark.parametrize("shape", [(6,), (5, 1), (2, 3, 7), (2, 1, 3, 3)])
def test_loop(shape, scale):
    x = inputs(shape, scale)["x"]
    p, cache = softmax(x)
    dp = np.random.default_rng(5).standard_normal(shape)
    dx = softmax_backward(dp, cache)
    want_p, want_dx = np.empty(shape), np.empty(shape)
    for row in np.ndindex(shape[:-1]):
        want_p[row], jacobian = loop(x[row].tolist())
        for j in range(shape[-1]):
            terms = [dp[*row, i] * jacobian[i][j] for i in range(shape[-1])]
            want_dx[*row, j] = math.fsum(terms)
    np.testing.assert_allclose(p, want_p, rtol=1e-13)
    assert_close("softmax: p", p, want_p, 1e-15)
    np.testing.assert_allclose(dx, want_dx, rtol=1e-13, atol=1e-15)


@pytest.mark.oracle
def test_fifty_digits():
    """Probabilities from 1 down to 1e-304, each to its last digit."""
    scores = (50, 25, -650)
    p, _ = softmax(np.array(scores, float))
    total = sum(map(sp.exp, scores))
    expected = [float((sp.exp(score) / total).evalf(50)) for score in scores]
    np.testing.assert_allclose(p, expected, rtol=2e-15)


@pytest.mark.properties
def test_conduct():
    check_conduct(PAIR, inputs(), WRT)
    check_float32(PAIR, inputs(), WRT)


@pytest.mark.properties
@given(
    x=arrays(
        float,
        array_shapes(min_dims=1, max_dims=3, max_side=4),
        elements=st.floats(-1e300, 1e300) | st.floats(-40, 40),
    )
)
def test_rows_are_distributions_in_the_order_of_the_scores(x):
    p, _ = softmax(x)
    assert (p >= 0).all()
    assert_close("sum of a row", p.sum(axis=-1), np.ones(x.shape[:-1]), 1e-15)
    order = np.argsort(x, axis=-1, kind="stable")
    assert (np.diff(np.take_along_axis(p, order, axis=-1), axis=-1) >= 0).all()


@pytest.mark.properties
@given(
    x=arrays(float, (2, 4), elements=st.integers(-30, 30).map(float)),
    shift=arrays(float, (2, 1), elements=st.integers(-10_000, 10_000).map(float)),
)
def test_a_shift_of_a_row_changes_nothing(x, shift):
    np.testing.assert_array_equal(softmax(x + shift)[0], softmax(x)[0])


@pytest.mark.properties
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_of_any_size(dtype):
    x = np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4], [0, 1e4, 9999]], dtype)
    p, cache = softmax(x)
    big, small = 1 / (1 + math.exp(-1)), 1 / (1 + math.e)
    expected = [[0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3], [0, big, small]]
    np.testing.assert_allclose(p, expected, rtol=4 * np.finfo(dtype).eps)
    dx = softmax_backward(np.array([[1, 2, 4]] * 3, dtype), cache)
    assert_close("dx", dx[0], np.array([-0.75, 0, 0.75]), 1e-6)


@pytest.mark.properties
def test_minus_infinity_is_probability_zero_and_no_gradient():
    x = np.array([[-math.inf, 1.0, 2.0], [3.0, -math.inf, -math.inf]])
    p, cache = softmax(x)
    assert_close("others", p[0, 1:], softmax(x[0, 1:])[0], 1e-15)
    np.testing.assert_array_equal(p[:, 0], [0, 1])
    np.testing.assert_array_equal(p[1], [1, 0, 0])
    dx = softmax_backward(np.array([[5.0, 1.0, 2.0], [5.0, 6.0, 7.0]]), cache)
    assert dx[0, 0] == 0
    assert dx[0, 1] != 0
    assert not dx[1].any()


@pytest.mark.properties
def test_a_row_without_a_distribution_is_not_a_number():
    rows = [[0, math.nan, 1], [math.nan] * 3, [0, 1, 2]]
    p, _ = softmax(np.array(rows))
    assert np.isnan(p[:2]).all()
    assert_close("sum of the sound row", p[2].sum(), 1.0, 1e-15)
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        p, _ = softmax(np.array([[-math.inf] * 3, [math.inf, 0, 1]]))
    assert np.isnan(p).all()


@pytest.mark.properties
def test_gradient_is_orthogonal_to_a_shift_and_symmetric():
    p, cache = softmax(inputs((4, 5))["x"])
    rng = np.random.default_rng(2)
    u, w = rng.standard_normal((2, *p.shape))
    du, dw = softmax_backward(u, cache), softmax_backward(w, cache)
    assert np.abs(du.sum(axis=-1)).max() < 1e-15
    assert_close("<w, J u> = <u, J w>", (w * du).sum(-1), (u * dw).sum(-1), 1e-14)


@pytest.mark.properties
def test_one_score_is_certain():
    p, cache = softmax(inputs((3, 1), scale=100.0)["x"])
    np.testing.assert_array_equal(p, np.ones((3, 1)))
    assert not softmax_backward(np.array([[3.0], [4.0], [5.0]]), cache).any()


@pytest.mark.properties
def test_no_rows():
    p, cache = softmax(np.empty((0, 3)))
    assert p.shape == softmax_backward(p, cache).shape == (0, 3)
