"""RoPE rotation (E07), frequencies (E08), NTK scaling (E09): four witnesses each."""

import cmath
import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from witnesses.pairs import (
    COMPLEX_STEP,
    COMPLEX_TOLERANCE,
    Pair,
    assert_close,
    assert_same,
    check_complex_step,
    check_conduct,
    check_float32,
    check_symbols,
)
from witnesses.symbols import expression, expressions, symbol, symbols

from moe.equations.rope import (
    ntk_base,
    quarter_turn,
    rope,
    rope_backward,
    rope_frequencies,
    rope_tables,
)

WRT = ("x",)


def forward(inputs):
    y, cache = rope(inputs["x"], inputs["cos"], inputs["sin"])
    return (y,), cache


def backward(cotangents, cache):
    return {"x": rope_backward(*cotangents, cache)}


PAIR = Pair("rope", forward, backward)


def inputs(shape=(2, 3, 4, 6), start=5, seed=0):
    """Tokens at positions from `start` on, turned at base 100."""
    frequencies = rope_frequencies(shape[3], 100.0)
    positions = np.arange(start, start + shape[1])
    cos, sin = rope_tables(positions, frequencies, float)
    x = np.random.default_rng(seed).standard_normal(shape)
    return {"x": x, "cos": cos, "sin": sin}


def turn(x, positions):
    """Turn `x` of shape (T, D), one row per position, at base 100."""
    frequencies = rope_frequencies(x.shape[1], 100.0)
    tables = rope_tables(np.asarray(positions), frequencies, float)
    return rope(x[None, :, None], *tables)[0][0, :, 0]


@pytest.mark.E07
@pytest.mark.symbols
def test_rotation_symbols():
    """Two pairs, two positions, three heads, any positions and frequencies."""
    places, theta = symbols("m", np.ones(2)), symbols("theta", np.ones(2))
    cos, sin = rope_tables(places, theta, object)
    given_inputs = {**inputs((1, 2, 3, 4)), "cos": cos, "sin": sin}

    def equation(arrays):
        x = arrays["x"]
        y = np.empty_like(x)
        for b, t, h, i in np.ndindex(1, 2, 3, 2):
            angle = places[t].expr * theta[i].expr
            even, odd = x[b, t, h, 2 * i : 2 * i + 2]
            y[b, t, h, 2 * i] = sp.cos(angle) * even - sp.sin(angle) * odd
            y[b, t, h, 2 * i + 1] = sp.sin(angle) * even + sp.cos(angle) * odd
        return (y,)

    check_symbols(PAIR, given_inputs, WRT, equation)


@pytest.mark.E07
@pytest.mark.symbols
def test_scores_depend_on_the_distance_alone():
    places, theta = symbols("m", np.ones(2)), symbols("theta", np.ones(2))
    x = symbols("x", np.ones((2, 4)))
    y, _ = rope(x[None, :, None], *rope_tables(places, theta, object))
    query, key = expressions(y[0, :, 0])
    stated, (m, n) = 0, expressions(places)
    for i, frequency in enumerate(expressions(theta)):
        (a, b), (c, d) = expressions(x)[:, 2 * i : 2 * i + 2]
        angle = sp.expand((m - n) * frequency)
        stated += (a * c + b * d) * sp.cos(angle) + (a * d - b * c) * sp.sin(angle)
    want = np.array([sp.expand_trig(stated)])
    assert_same("score", np.array([query @ key]), want)


@pytest.mark.E07
@pytest.mark.differences
@pytest.mark.parametrize("start", [0, 5, 30_000])
def test_rotation_gradient(start):
    check_complex_step(PAIR, inputs((2, 2, 3, 4), start), WRT)


@pytest.mark.E07
@pytest.mark.differences
def test_moving_on_turns_by_a_quarter_times_the_frequency():
    """The derivative of a turned pair by its position."""
    frequencies = rope_frequencies(6, 100.0)
    moved = np.array([4.0, 9.0]) + 1j * COMPLEX_STEP
    x = np.random.default_rng(2).standard_normal((1, 2, 3, 6))
    y, _ = rope(x.astype(complex), *rope_tables(moved, frequencies, complex))
    expected = quarter_turn(y.real) * np.repeat(frequencies, 2)
    assert_close("dy/dm", y.imag / COMPLEX_STEP, expected, COMPLEX_TOLERANCE)


@pytest.mark.E07
@pytest.mark.oracle
@pytest.mark.parametrize("shape", [(2, 3, 3, 6), (1, 4, 2, 2), (2, 5, 1, 8)])
def test_rotation_loop(shape):
    """Every pair as a complex number, multiplied by exp(i m theta); undone likewise."""
    given_inputs = inputs(shape, start=2040)
    (y,), cache = forward(given_inputs)
    dx = rope_backward(given_inputs["x"], cache)
    pairs = given_inputs["x"].view(complex)
    want_y, want_dx = np.empty_like(pairs), np.empty_like(pairs)
    for b, t, h, i in np.ndindex(pairs.shape):
        factor = cmath.exp(1j * (2040 + t) * 100.0 ** (-2 * i / shape[3]))
        want_y[b, t, h, i] = pairs[b, t, h, i] * factor
        want_dx[b, t, h, i] = pairs[b, t, h, i] / factor
    assert_close("rope: y", y, want_y.view(float), 1e-12)
    assert_close("rope: dx", dx, want_dx.view(float), 1e-12)


@pytest.mark.E07
@pytest.mark.oracle
@pytest.mark.parametrize(("dtype", "off"), [(np.float32, 1e-7), (np.float64, 4e-12)])
def test_tables_far_out(dtype, off):
    """Against 30 digits. An angle near 30000 is rounded by 2e-12, no more."""
    positions = np.array([0, 1, 2047, 30_000, 32_767])
    frequencies = rope_frequencies(6, 10_000.0)
    cos, sin = rope_tables(positions, frequencies, dtype)
    assert cos.dtype == sin.dtype == dtype
    for t, d in np.ndindex(cos.shape):
        angle = sp.Rational(frequencies[d // 2]) * positions[t]
        assert abs(cos[t, d] - float(sp.cos(angle).evalf(30))) < off
        assert abs(sin[t, d] - float(sp.sin(angle).evalf(30))) < off


@pytest.mark.E07
@pytest.mark.properties
def test_rotation_conduct():
    check_conduct(PAIR, inputs(), WRT)
    check_float32(PAIR, inputs(), WRT)


@pytest.mark.E07
@pytest.mark.properties
@given(m=st.integers(0, 30_000), n=st.integers(0, 30_000), shift=st.integers(0, 3000))
def test_shifting_both_positions_leaves_the_score(m, n, shift):
    q, k = np.random.default_rng(m).standard_normal((2, 1, 8))
    near = (turn(q, [m]) * turn(k, [n])).sum()
    far = (turn(q, [m + shift]) * turn(k, [n + shift])).sum()
    assert abs(near - far) < 1e-10  # rounding of angles up to 33000


@pytest.mark.E07
@pytest.mark.properties
def test_turns_keep_lengths_add_up_and_can_be_undone():
    x = np.random.default_rng(1).standard_normal((4, 6))
    positions = np.array([0, 1, 77, 30_000])
    y = turn(x, positions)
    np.testing.assert_array_equal(y[0], x[0])
    pairs, turned = x.reshape(4, 3, 2), y.reshape(4, 3, 2)
    assert_close("length", (turned**2).sum(2), (pairs**2).sum(2), 1e-14)
    again, at_once = turn(y, positions + 3), turn(x, 2 * positions + 3)
    assert_close("turned again", again, at_once, 1e-10)
    assert_close("turned back", turn(y, -positions), x, 1e-14)
    (y,), cache = forward(inputs(start=30_000))
    assert_close("backward", rope_backward(y, cache), inputs()["x"], 1e-14)


@pytest.mark.E07
@pytest.mark.properties
def test_not_a_number_stays_in_its_pair():
    x, cos, sin = inputs().values()
    x[1, 2, 3, 5] = math.nan
    y, cache = rope(x, cos, sin)
    for result in (y, rope_backward(x, cache)):
        where = np.argwhere(np.isnan(result)).tolist()
        assert where == [[1, 2, 3, 4], [1, 2, 3, 5]]


@pytest.mark.E08
@pytest.mark.symbols
@pytest.mark.parametrize("width", [2, 4, 6, 64])
def test_frequency_symbols(width):
    base = symbol("b", 100.0, positive=True)
    got = expressions(rope_frequencies(width, base))
    want = [base.expr ** sp.Rational(-2 * i, width) for i in range(width // 2)]
    assert_same("rope_frequencies", got, np.array(want, object))


@pytest.mark.E08
@pytest.mark.differences
@pytest.mark.parametrize("width", [2, 6, 64])
def test_frequency_slope(width):
    moved = rope_frequencies(width, 500.0 + 1j * COMPLEX_STEP)
    exponents = [-2 * i / width for i in range(width // 2)]
    slopes = np.array([e * math.exp((e - 1) * math.log(500.0)) for e in exponents])
    assert_close("dtheta/db", moved.imag / COMPLEX_STEP, slopes, COMPLEX_TOLERANCE)


@pytest.mark.E08
@pytest.mark.oracle
@pytest.mark.parametrize("base", [10_000, 10_000.0, 1e6, 87_381.3])
@pytest.mark.parametrize("width", [2, 4, 48, 64, 128])
def test_frequency_loop(width, base):
    theta = rope_frequencies(width, base)
    assert theta.dtype == np.float64
    exponents = [sp.Rational(-2 * i, width) for i in range(width // 2)]
    expected = [float(sp.Float(base, 40) ** exponent) for exponent in exponents]
    # An exponent rounds at 1e-16, times log(base) = 14.
    np.testing.assert_allclose(theta, expected, rtol=5e-15)


@pytest.mark.E08
@pytest.mark.properties
@given(pairs=st.integers(1, 80), base=st.floats(1.001, 1e9))
def test_frequencies_fall_from_one_and_stay_above_one_over_base(pairs, base):
    theta = rope_frequencies(2 * pairs, base)
    assert theta[0] == 1
    assert (np.diff(theta) < 0).all()
    assert theta[-1] * base > 1


@pytest.mark.E09
@pytest.mark.symbols
@pytest.mark.parametrize("width", [4, 6, 8, 64])
def test_ntk_symbols(width):
    """The new base; its slowest pair is alpha times slower, its fastest the same."""
    b, alpha = (symbol(name, 4.0, positive=True) for name in ("b", "alpha"))
    stretched = ntk_base(b, alpha, width)
    stated = b.expr * alpha.expr ** sp.Rational(width, width - 2)
    assert_same("ntk_base", np.array([expression(stretched)]), np.array([stated]))
    theta = expressions(rope_frequencies(width, stretched))
    theta = np.array([sp.expand_power_base(frequency) for frequency in theta])
    before = expressions(rope_frequencies(width, b))
    assert_same("slowest", theta[-1:], before[-1:] / alpha.expr)
    assert_same("fastest", theta[:1], before[:1])


@pytest.mark.E09
@pytest.mark.differences
@pytest.mark.parametrize("width", [4, 6, 64])
@pytest.mark.parametrize("alpha", [1.0, 1.5, 8.0])
def test_ntk_slopes(width, alpha):
    ratio = width / (width - 2)
    by_base = ntk_base(500.0 + 1j * COMPLEX_STEP, alpha, width).imag / COMPLEX_STEP
    expected = math.exp(ratio * math.log(alpha))
    assert_close("db'/db", by_base, np.array(expected), COMPLEX_TOLERANCE)
    moved = ntk_base(500.0, alpha + 1j * COMPLEX_STEP, width)
    expected = 500 * ratio * math.exp((ratio - 1) * math.log(alpha))
    slope = np.array(moved.imag / COMPLEX_STEP)
    assert_close("db'/dalpha", slope, np.array(expected), COMPLEX_TOLERANCE)


@pytest.mark.E09
@pytest.mark.oracle
@pytest.mark.parametrize("width", [4, 6, 48, 64, 128])
@pytest.mark.parametrize(("base", "alpha"), [(10_000.0, 8.0), (500, 4), (1e6, 1.3)])
def test_ntk_by_bisection(width, base, alpha):
    """The base that makes the slowest pair alpha times slower, found by search."""
    slow = (width - 2) / width
    low, high = math.log(base), math.log(base) + 4 * math.log(alpha)
    target = slow * math.log(base) + math.log(alpha)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if slow * middle < target else (low, middle)
    got = ntk_base(base, alpha, width)
    assert_close("ntk_base", np.array(got), np.array(math.exp(low)), 1e-13)


@pytest.mark.E09
@pytest.mark.properties
@given(st.integers(2, 64), st.floats(2, 1e6), st.floats(1, 64), st.floats(1, 64))
def test_stretches_multiply_and_one_changes_nothing(pairs, base, first, second):
    width = 2 * pairs
    assert ntk_base(base, 1.0, width) == base
    twice = ntk_base(ntk_base(base, first, width), second, width)
    at_once = ntk_base(base, first * second, width)
    assert_close("in two steps", np.array(twice), np.array(at_once), 1e-13)
    theta, before = (rope_frequencies(width, b) for b in (at_once, base))
    stretch = before / theta
    assert_close("ends", stretch[[0, -1]], np.array([1, first * second]), 1e-12)
    assert (np.diff(stretch) >= -1e-12).all()
