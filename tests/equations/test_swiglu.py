"""SiLU (E04) and SwiGLU (E05): the four witnesses of each."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from witnesses.pairs import (
    assert_close,
    check_complex_step,
    check_conduct,
    check_float32,
    check_symbols,
    pair_of,
)

from moe.equations.swiglu import (
    gated_silu,
    gated_silu_backward,
    silu,
    silu_backward,
    swiglu,
    swiglu_backward,
)

SILU = pair_of(silu, silu_backward, "x")
GATED_SILU = pair_of(gated_silu, gated_silu_backward, "gate_up")
LAYER = ("x", "gate_up", "down")
SWIGLU = pair_of(swiglu, swiglu_backward, *LAYER)


def values(*shape, scale=2.0, seed=0):
    return scale * np.random.default_rng(seed).standard_normal(shape)


def layer(tokens=4, width=3, hidden=5, seed=0):
    return {
        "x": values(tokens, width, seed=seed),
        "gate_up": values(2 * hidden, width, scale=1.0, seed=seed + 1),
        "down": values(width, hidden, scale=1.0, seed=seed + 2),
    }


def stated_silu(x):
    return x / (1 + sp.exp(-x))


@pytest.mark.E04
@pytest.mark.symbols
def test_silu_symbols():
    def equation(arrays):
        y = np.empty_like(arrays["x"])
        for index, x in np.ndenumerate(arrays["x"]):
            y[index] = stated_silu(x)
        return (y,)

    check_symbols(SILU, {"x": values(2, 2)}, ("x",), equation)


@pytest.mark.E05
@pytest.mark.symbols
def test_gated_silu_symbols():
    def equation(arrays):
        gate_up = arrays["gate_up"]
        h = np.empty((2, 3), object)
        for n, f in np.ndindex(h.shape):
            h[n, f] = stated_silu(gate_up[n, f]) * gate_up[n, 3 + f]
        return (h,)

    check_symbols(GATED_SILU, {"gate_up": values(2, 6)}, ("gate_up",), equation)


@pytest.mark.E05
@pytest.mark.symbols
@pytest.mark.parametrize("sizes", [(2, 2, 2), (1, 3, 2)])
def test_swiglu_symbols(sizes):
    def equation(arrays):
        x, gate_up, down = (arrays[name] for name in LAYER)
        width, hidden = down.shape
        y = np.zeros_like(x)
        for n, c, f in np.ndindex(len(x), width, hidden):
            gate = sum(gate_up[f, j] * x[n, j] for j in range(width))
            up = sum(gate_up[hidden + f, j] * x[n, j] for j in range(width))
            y[n, c] += down[c, f] * stated_silu(gate) * up
        return (y,)

    check_symbols(SWIGLU, layer(*sizes), LAYER, equation)


@pytest.mark.E04
@pytest.mark.differences
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_silu_gradient(scale):
    check_complex_step(SILU, {"x": values(3, 4, scale=scale)}, ("x",))


@pytest.mark.E05
@pytest.mark.differences
@pytest.mark.parametrize("scale", [1e-3, 1.0, 10.0])
def test_gated_silu_gradient(scale):
    gate_up = values(3, 8, scale=scale)
    check_complex_step(GATED_SILU, {"gate_up": gate_up}, ("gate_up",))


@pytest.mark.E05
@pytest.mark.differences
def test_swiglu_gradient():
    check_complex_step(SWIGLU, layer(), LAYER)


def scalar_silu(x):
    """The equation for one float, by the form that cannot overflow."""
    return x / (1 + math.exp(-x)) if x > 0 else x * math.exp(x) / (1 + math.exp(x))


@pytest.mark.E04
@pytest.mark.oracle
def test_silu_loop():
    x = np.linspace(-700, 700, 1401).reshape(3, 467)
    y, _ = silu(x)
    expected = np.array([[scalar_silu(v) for v in row] for row in x.tolist()])
    np.testing.assert_allclose(y, expected, rtol=1e-13)


@pytest.mark.E04
@pytest.mark.oracle
@pytest.mark.parametrize(
    ("dtype", "points", "tolerance"),
    [
        (np.float32, (-88.5, -80, -8.25, -1, -0.125, 0.5, 3, 80), 1e-6),
        (np.float64, (-709.5, -709, -80, -8.25, -1, -0.125, 0.5, 3, 700), 1e-13),
    ],
)
def test_silu_and_slope_to_fifty_digits(dtype, points, tolerance):
    """Each value to its own last digits: far left they are all but zero."""
    variable = sp.Symbol("x")
    slope = sp.diff(stated_silu(variable), variable)
    y, cache = silu(np.array(points, dtype))
    dx = silu_backward(np.full(len(points), 0.75, dtype), cache)
    for index, point in enumerate(map(sp.Rational, points)):
        want = float(stated_silu(point).evalf(50))
        np.testing.assert_allclose(y[index], want, rtol=tolerance)
        want = 0.75 * float(slope.subs(variable, point).evalf(50))
        np.testing.assert_allclose(dx[index], want, rtol=tolerance)


@pytest.mark.E05
@pytest.mark.oracle
@pytest.mark.parametrize("sizes", [(4, 3, 5), (3, 4, 4), (1, 6, 1)])
def test_swiglu_loop(sizes):
    arguments = layer(*sizes, seed=7)
    x, gate_up, down = (arguments[name].tolist() for name in LAYER)
    tokens, width, hidden = sizes
    expected = np.zeros((tokens, width))
    for n in range(tokens):
        for f in range(hidden):
            gate = sum(gate_up[f][c] * x[n][c] for c in range(width))
            up = sum(gate_up[hidden + f][c] * x[n][c] for c in range(width))
            for c in range(width):
                expected[n, c] += down[c][f] * scalar_silu(gate) * up
    y, _ = swiglu(**arguments)
    assert_close("swiglu: y", y, expected, 1e-14)


@pytest.mark.E05
@pytest.mark.oracle
def test_gated_silu_loop():
    gate_up = values(6, 10, scale=20.0)
    h, cache = gated_silu(gate_up)
    dh = values(6, 5, seed=1)
    dgate_up = gated_silu_backward(dh, cache)
    want_h, want = np.empty((6, 5)), np.empty((6, 10))
    for n, f in np.ndindex(6, 5):
        gate, up = gate_up[n, f], gate_up[n, 5 + f]
        sigmoid = scalar_silu(gate) / gate
        want_h[n, f] = scalar_silu(gate) * up
        slope = sigmoid + gate * sigmoid * (1 - sigmoid)
        want[n, f] = slope * up * dh[n, f]
        want[n, 5 + f] = scalar_silu(gate) * dh[n, f]
    assert_close("gated_silu: h", h, want_h, 1e-14)
    assert_close("gated_silu: gradient", dgate_up, want, 1e-14)


@pytest.mark.E04
@pytest.mark.properties
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 1, 3), (0, 2)])
def test_silu_conduct(shape):
    check_conduct(SILU, {"x": values(*shape)}, ("x",))
    check_float32(SILU, {"x": values(*shape)}, ("x",))


@pytest.mark.E04
@pytest.mark.properties
@given(x=arrays(float, 5, elements=st.floats(-1e6, 1e6, allow_subnormal=False)))
def test_silu_and_its_mirror_image(x):
    """silu(x) - silu(-x) = x, so their slopes add up to one."""
    y, cache = silu(x)
    mirrored, mirrored_cache = silu(-x)
    np.testing.assert_allclose(y - mirrored, x, rtol=1e-15)
    one = silu_backward(np.ones(5), cache) + silu_backward(np.ones(5), mirrored_cache)
    np.testing.assert_allclose(one, 1, rtol=1e-14)


@pytest.mark.E04
@pytest.mark.properties
@pytest.mark.parametrize(
    ("dtype", "cut", "off"), [(np.float32, -88.75, 4e-37), (np.float64, -709.8, 1e-305)]
)
def test_silu_far_out_is_zero_or_the_identity(dtype, cut, off):
    """The warning of an overflow would be an error here."""
    x = np.array([-1e30, -1e4, cut - 1, cut, 1e4, 1e30], dtype)
    y, cache = silu(x)
    assert not y[:4].any()
    assert abs(cut) * math.exp(cut) < off
    np.testing.assert_array_equal(y[4:], x[4:])
    dx = silu_backward(np.full(6, 2, dtype), cache)
    np.testing.assert_array_equal(dx, [0, 0, 0, 0, 2, 2])


@pytest.mark.E04
@pytest.mark.properties
def test_silu_does_not_hide_what_is_not_a_number():
    y, cache = silu(np.array([1.0, math.nan, -2.0]))
    np.testing.assert_array_equal(np.isnan(y), [0, 1, 0])
    dx = silu_backward(np.array([1.0, 1.0, math.nan]), cache)
    np.testing.assert_array_equal(np.isnan(dx), [0, 1, 1])


@pytest.mark.E05
@pytest.mark.properties
def test_swiglu_conduct():
    gate_up = {"gate_up": values(4, 6)}
    check_conduct(GATED_SILU, gate_up, ("gate_up",))
    check_float32(GATED_SILU, gate_up, ("gate_up",))
    check_conduct(SWIGLU, layer(), LAYER)
    check_float32(SWIGLU, layer(tokens=20, width=16, hidden=24), LAYER)


@pytest.mark.E05
@pytest.mark.properties
def test_output_is_linear_in_up():
    arguments = layer()
    y, _ = swiglu(**arguments)
    arguments["gate_up"][5:] *= -3
    tripled, _ = swiglu(**arguments)
    assert_close("up times -3", tripled, -3 * y, 1e-14)


@pytest.mark.E05
@pytest.mark.properties
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_open_gate_passes_up_and_a_shut_one_nothing(dtype):
    gate_up = np.array([[800, -800, 0, 3, 5, 7]], dtype)
    h, cache = gated_silu(gate_up)
    np.testing.assert_array_equal(h, [[2400, 0, 0]])
    dgate_up = gated_silu_backward(np.array([[2, 2, 2]], dtype), cache)
    np.testing.assert_array_equal(dgate_up, [[6, 0, 7, 1600, 0, 0]])


@pytest.mark.E05
@pytest.mark.properties
def test_tokens_do_not_see_each_other_and_hidden_units_have_no_order():
    arguments = layer()
    y, _ = swiglu(**arguments)
    alone, _ = swiglu(arguments["x"][2:3], arguments["gate_up"], arguments["down"])
    assert_close("token 2 alone", alone, y[2:3], 1e-14)
    order = np.array([3, 0, 4, 1, 2])
    gate_up = arguments["gate_up"][np.concatenate((order, 5 + order))]
    reordered, _ = swiglu(arguments["x"], gate_up, arguments["down"][:, order])
    assert_close("hidden units reordered", reordered, y, 1e-14)


@pytest.mark.E05
@pytest.mark.properties
def test_swiglu_does_not_hide_what_is_not_a_number():
    arguments = layer()
    arguments["x"][1, 0] = math.nan
    (y,), cache = SWIGLU.forward(arguments)
    np.testing.assert_array_equal(np.isnan(y).all(axis=1), [0, 1, 0, 0])
    np.testing.assert_array_equal(np.isnan(y).any(axis=1), [0, 1, 0, 0])
    dx, dgate_up, ddown = swiglu_backward(values(4, 3), cache)
    np.testing.assert_array_equal(np.isnan(dx).any(axis=1), [0, 1, 0, 0])
    assert np.isnan(dgate_up).all()
    assert np.isnan(ddown).all()


@pytest.mark.E05
@pytest.mark.properties
def test_no_tokens():
    arguments = layer(tokens=0)
    (y,), cache = SWIGLU.forward(arguments)
    dx, dgate_up, ddown = swiglu_backward(y, cache)
    assert y.shape == dx.shape == (0, 3)
    np.testing.assert_array_equal(dgate_up, np.zeros((10, 3)))
    np.testing.assert_array_equal(ddown, np.zeros((3, 5)))
