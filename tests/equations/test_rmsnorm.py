"""RMSNorm (E02): its four witnesses."""

import numpy as np
import pytest
import sympy as sp
from witnesses.pairs import (
    Pair,
    assert_close,
    check_complex_step,
    check_conduct,
    check_symbols,
)

from moe.equations.rmsnorm import rmsnorm, rmsnorm_backward

pytestmark = pytest.mark.E02
EPS = 0.03  # large enough that a test sees where it is added


def forward(inputs):
    y, cache = rmsnorm(inputs["x"], inputs["gamma"], EPS)
    return (y,), cache


def backward(cotangents, cache):
    dx, dgamma = rmsnorm_backward(*cotangents, cache)
    return {"x": dx, "gamma": dgamma}


PAIR = Pair("rmsnorm", forward, backward)
WRT = ("x", "gamma")


def inputs(tokens=3, channels=5, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x": scale * rng.standard_normal((tokens, channels)),
        "gamma": rng.uniform(0.5, 2.0, channels),
    }


@pytest.mark.symbols
def test_symbols():
    def equation(arrays):
        x, gamma = arrays["x"], arrays["gamma"]
        eps = sp.Rational(3, 100)
        y = np.empty_like(x)
        for n, c in np.ndindex(x.shape):
            square = sum(x[n, j] ** 2 for j in range(x.shape[1])) / x.shape[1]
            y[n, c] = x[n, c] / sp.sqrt(square + eps) * gamma[c]
        return (y,)

    check_symbols(PAIR, inputs(tokens=2, channels=3), WRT, equation)


@pytest.mark.differences
@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e3])
def test_gradient(scale):
    check_complex_step(PAIR, inputs(scale=scale), WRT)


def loop(x, gamma, eps):
    """The equation, one channel at a time."""
    y = np.zeros_like(x)
    for n in range(len(x)):
        total = 0.0
        for value in x[n]:
            total += value**2
        for c in range(len(gamma)):
            y[n, c] = gamma[c] * x[n, c] / (total / len(gamma) + eps) ** 0.5
    return y


@pytest.mark.oracle
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_loop(scale):
    given = inputs(scale=scale)
    (y,), _ = forward(given)
    assert_close("rmsnorm: y", y, loop(given["x"], given["gamma"], EPS), 1e-14)


@pytest.mark.properties
def test_conduct():
    check_conduct(PAIR, inputs(), WRT)


@pytest.mark.properties
def test_gradient_of_the_gain_is_written_where_the_caller_says():
    (y,), cache = forward(inputs())
    out = np.full(5, np.nan)
    dx, dgamma = rmsnorm_backward(y, cache, out=out)
    assert dgamma is out
    expected_dx, expected = rmsnorm_backward(y, cache)
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(dx, expected_dx)


@pytest.mark.properties
def test_rows_have_unit_root_mean_square_before_the_gain():
    x = inputs(scale=100.0)["x"]
    y, _ = rmsnorm(x, np.ones(5), 1e-12)
    assert_close("mean square", (y * y).mean(axis=1), np.ones(3), 1e-12)


@pytest.mark.properties
def test_tokens_do_not_see_each_other():
    given = inputs()
    y, _ = rmsnorm(given["x"], given["gamma"], EPS)
    alone, _ = rmsnorm(given["x"][1:2], given["gamma"], EPS)
    assert_close("token 1 alone", y[1:2], alone, 1e-15)


@pytest.mark.properties
def test_zero_token_stays_zero_and_finite():
    y, cache = rmsnorm(np.zeros((1, 4)), np.full(4, 2.0), 1e-6)
    dx, _ = rmsnorm_backward(np.arange(4.0)[None], cache)
    assert not y.any()
    assert_close("slope at zero", dx, 2e3 * np.arange(4.0)[None], 1e-12)


@pytest.mark.properties
def test_not_a_number_is_not_hidden():
    x = inputs()["x"]
    x[1, 2] = np.nan
    y, _ = rmsnorm(x, np.ones(5), EPS)
    assert np.isnan(y[1]).all()
    assert np.isfinite(y[[0, 2]]).all()
