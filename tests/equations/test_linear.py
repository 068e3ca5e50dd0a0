"""Linear (E03): its four witnesses."""

import numpy as np
import pytest
from witnesses.pairs import (
    Pair,
    assert_close,
    check_complex_step,
    check_conduct,
    check_float32,
    check_symbols,
)

from moe.equations.linear import linear, linear_backward

pytestmark = pytest.mark.E03
BOTH = pytest.mark.parametrize(
    "wrt", [("x", "weight"), ("x", "weight", "bias")], ids=["no bias", "bias"]
)


def forward(inputs):
    y, cache = linear(inputs["x"], inputs["weight"], inputs.get("bias"))
    return (y,), cache


def backward(cotangents, cache):
    dx, dweight, dbias = linear_backward(*cotangents, cache)
    gradients = {"x": dx, "weight": dweight}
    return gradients if dbias is None else {**gradients, "bias": dbias}


PAIR = Pair("linear", forward, backward)


def inputs(wrt, tokens=5, width=4, outputs=3, seed=0):
    rng = np.random.default_rng(seed)
    given = {
        "x": rng.standard_normal((tokens, width)),
        "weight": rng.standard_normal((outputs, width)),
        "bias": rng.standard_normal(outputs),
    }
    return {name: given[name] for name in wrt}


@pytest.mark.symbols
@BOTH
@pytest.mark.parametrize("shape", [(2, 3, 4), (3, 2, 2)])
def test_symbols(wrt, shape):
    def equation(arrays):
        x, weight = arrays["x"], arrays["weight"]
        y = np.empty((len(x), len(weight)), object)
        for n, o in np.ndindex(y.shape):
            y[n, o] = sum(x[n, c] * weight[o, c] for c in range(x.shape[1]))
            if "bias" in arrays:
                y[n, o] += arrays["bias"][o]
        return (y,)

    check_symbols(PAIR, inputs(wrt, *shape), wrt, equation)


@pytest.mark.differences
@BOTH
def test_gradient(wrt):
    check_complex_step(PAIR, inputs(wrt), wrt)


def loop(x, weight, bias):
    """The equation, one product at a time."""
    y = np.zeros((len(x), len(weight)))
    for n in range(len(x)):
        for o in range(len(weight)):
            total = float(bias[o])
            for c in range(x.shape[1]):
                total += float(x[n, c]) * float(weight[o, c])
            y[n, o] = total
    return y


def backward_loop(x, weight, dy):
    """Every product of the equation hands its gradient to both factors."""
    dx, dweight = np.zeros_like(x), np.zeros_like(weight)
    dbias = np.zeros(len(weight))
    for n, o in np.ndindex(dy.shape):
        dbias[o] += dy[n, o]
        for c in range(x.shape[1]):
            dx[n, c] += dy[n, o] * weight[o, c]
            dweight[o, c] += dy[n, o] * x[n, c]
    return dx, dweight, dbias


@pytest.mark.oracle
@pytest.mark.parametrize("shape", [(7, 5, 5), (1, 6, 2), (4, 1, 3)])
def test_loops(shape):
    given = inputs(("x", "weight", "bias"), *shape, seed=3)
    (y,), cache = forward(given)
    assert_close("linear: y", y, loop(**given), 1e-14)
    dy = np.random.default_rng(4).standard_normal(y.shape)
    expected = backward_loop(given["x"], given["weight"], dy)
    names = ("x", "weight", "bias")
    got = linear_backward(dy, cache)
    for name, gradient, want in zip(names, got, expected, strict=True):
        assert_close(f"linear: gradient of {name}", gradient, want, 1e-14)


@pytest.mark.properties
@BOTH
def test_conduct(wrt):
    check_conduct(PAIR, inputs(wrt), wrt)
    check_float32(PAIR, inputs(wrt, tokens=40, width=30), wrt)


@pytest.mark.properties
def test_a_unit_vector_reads_a_column_of_the_weight():
    given = inputs(("weight", "bias"))
    y, _ = linear(np.eye(4), given["weight"])
    np.testing.assert_array_equal(y, given["weight"].T)
    y, _ = linear(np.zeros((2, 4)), given["weight"], given["bias"])
    np.testing.assert_array_equal(y, [given["bias"]] * 2)


@pytest.mark.properties
def test_without_bias_there_is_no_gradient_of_one():
    _, cache = linear(**inputs(("x", "weight")))
    _, _, dbias = linear_backward(np.full((5, 3), 0.5), cache)
    assert dbias is None


@pytest.mark.properties
def test_out_is_overwritten_and_returned():
    given = inputs(("x", "weight", "bias"))
    y, cache = linear(**given)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    out = np.full_like(given["weight"], np.nan)
    _, dweight, _ = linear_backward(dy, cache, out=out)
    assert dweight is out
    np.testing.assert_array_equal(out, linear_backward(dy, cache)[1])


@pytest.mark.properties
def test_parts_of_a_batch_add_up():
    given = inputs(("x", "weight", "bias"))
    y, cache = linear(**given)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    dx, dweight, dbias = linear_backward(dy, cache)
    parts = []
    for rows in (slice(0, 2), slice(2, 5)):
        part, part_cache = linear(given["x"][rows], given["weight"], given["bias"])
        assert_close("y of a part", part, y[rows], 1e-14)
        parts.append(linear_backward(dy[rows], part_cache))
    (dx_0, dweight_0, dbias_0), (dx_1, dweight_1, dbias_1) = parts
    assert_close("dx of the parts", np.concatenate((dx_0, dx_1)), dx, 1e-14)
    assert_close("dweight of the parts", dweight_0 + dweight_1, dweight, 1e-14)
    assert_close("dbias of the parts", dbias_0 + dbias_1, dbias, 1e-14)


@pytest.mark.properties
def test_gradient_of_x_is_the_transposed_map():
    given = inputs(("x", "weight"))
    y, cache = linear(**given)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    dx, dweight, _ = linear_backward(dy, cache)
    forward_product = (dy * y).sum()
    assert_close("<dx, x>", (dx * given["x"]).sum(), forward_product, 1e-14)
    assert_close("<dW, W>", (dweight * given["weight"]).sum(), forward_product, 1e-14)


@pytest.mark.properties
def test_no_tokens():
    given = inputs(("x", "weight", "bias"), tokens=0)
    y, cache = linear(**given)
    assert y.shape == (0, 3)
    dx, dweight, dbias = linear_backward(y, cache)
    assert dx.shape == (0, 4)
    np.testing.assert_array_equal(dweight, np.zeros((3, 4)))
    np.testing.assert_array_equal(dbias, np.zeros(3))


@pytest.mark.properties
def test_not_a_number_stays_in_its_token():
    given = inputs(("x", "weight", "bias"))
    given["x"][1, 2] = np.nan
    (y,), cache = forward(given)
    np.testing.assert_array_equal(np.isnan(y).any(axis=1), [0, 1, 0, 0, 0])
    _, dweight, _ = linear_backward(np.full(y.shape, 0.5), cache)
    np.testing.assert_array_equal(np.isnan(dweight), [[0, 0, 1, 0]] * 3)
