"""Temperature (E20) and top-p (E21): their four witnesses."""

import math
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from witnesses.compare import assert_same
from witnesses.pairs import COMPLEX_STEP, COMPLEX_TOLERANCE, assert_close
from witnesses.symbols import expressions, symbol, symbols

from moe.equations.sampling import draw, greedy, temperature, top_k, top_p

LOGITS = np.array([0.3, -1.2, 2.1, 0.9, -0.4])
BELOW_ONE = math.nextafter(1, 0)  # 1 in float32
# Unsorted, with a tie and two zeros, every sum exact.
DYADIC = np.array([2, 0, 1, 8, 0, 4, 1]) / 16
ORDER = [3, 5, 0, 2, 6]  # by probability: 8, 4, 2, 1, 1 sixteenths


@pytest.mark.E20
@pytest.mark.symbols
@pytest.mark.parametrize("tau", [0.25, 3.0])
def test_temperature_is_the_equation(tau):
    z, t = symbols("z", LOGITS[:4]), symbol("t", tau, positive=True)
    weights = [sp.exp(score / t.expr) for score in expressions(z)]
    want = np.array([weight / sum(weights) for weight in weights])
    assert_same("temperature", expressions(temperature(z, t)), want)


@pytest.mark.E20
@pytest.mark.symbols
def test_temperature_zero_takes_the_largest_logit():
    got = expressions(temperature(symbols("z", LOGITS), symbol("t", 0)))
    np.testing.assert_array_equal(got, [0, 0, 1, 0, 0])


@pytest.mark.E20
@pytest.mark.symbols
@pytest.mark.parametrize("scale", [1, 3])
def test_draw_on_symbols_finds_the_token_that_owns_the_point(scale):
    """Token v owns `[sum before v, sum through v)`, in shares of the whole sum."""
    p = symbols("p", scale * DYADIC)
    for sixteenths in range(16):
        owner = sum(np.cumsum(DYADIC) * 16 <= sixteenths)
        assert draw(p, symbol("u", sixteenths / 16)) == owner


def complex_slopes(function, point):
    """Derivative of every output by every element of an array, `[input, output]`."""
    rows = []
    for index in range(len(point)):
        moved = point.astype(complex)
        moved[index] += 1j * COMPLEX_STEP
        rows.append(function(moved).imag / COMPLEX_STEP)
    return np.array(rows)


@pytest.mark.E20
@pytest.mark.differences
@pytest.mark.parametrize("tau", [0.4, 1.0, 5.0])
def test_slopes_of_temperature(tau):
    """By tau: `-p_v (z_v - mean of z under p) / tau**2`; by z: Jacobian over tau."""
    p = np.exp(LOGITS / tau) / np.exp(LOGITS / tau).sum()
    heated = temperature(LOGITS.astype(complex), tau + 1j * COMPLEX_STEP)
    want = -p * (LOGITS - p @ LOGITS) / tau**2
    assert_close("by tau", heated.imag / COMPLEX_STEP, want, COMPLEX_TOLERANCE)
    got = complex_slopes(lambda z: temperature(z, tau), LOGITS)
    jacobian = (np.diag(p) - np.outer(p, p)) / tau
    assert_close("by logits", got, jacobian, COMPLEX_TOLERANCE)


@pytest.mark.E20
@pytest.mark.differences
def test_draw_steps_where_the_sums_are_and_nowhere_else():
    ends = np.cumsum(DYADIC)[:-1]
    assert [draw(DYADIC, end) for end in ends] == [2, 2, 3, 5, 5, 6]
    before = [draw(DYADIC, np.nextafter(end, 0)) for end in ends]
    assert before == [0, 0, 2, 3, 3, 5]


def temperature_loop(logits, tau):
    """The equation in 200 digits."""
    with localcontext(Context(prec=200)):
        weights = [(Decimal(z) / Decimal(tau)).exp() for z in logits.tolist()]
        return np.array([float(weight / sum(weights)) for weight in weights])


@pytest.mark.E20
@pytest.mark.oracle
@pytest.mark.parametrize("tau", [0.01, 0.7, 1.0, 40.0])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_temperature_loop(tau, scale):
    logits = scale * np.random.default_rng(0).standard_normal(12)
    got, want = temperature(logits, tau), temperature_loop(logits, tau)
    assert_close("temperature", got, want, 1e-14)
    # The rounding of a quotient grows in the exponential by its size.
    likely = want > 1e-40
    np.testing.assert_allclose(got[likely], want[likely], rtol=1e-13)


def draw_loop(probabilities, uniform):
    """The first token whose exact sum with all before it has passed the point."""
    sums = list(accumulate(Fraction(p) for p in probabilities))
    return next(v for v, passed in enumerate(sums) if passed > uniform * sums[-1])


@pytest.mark.E20
@pytest.mark.oracle
@given(
    counts=st.lists(st.integers(0, 2**20), min_size=1, max_size=20).filter(any),
    uniform=st.integers(0, 2**20 - 1).map(lambda i: Fraction(i, 2**20)),
)
def test_draw_loop(counts, uniform):
    """Sums and products of these numbers are exact."""
    assert draw(np.array(counts, float), float(uniform)) == draw_loop(counts, uniform)


@pytest.mark.E20
@pytest.mark.properties
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tau", [0.0, 1e-307, 1e-50, 1e-36, 0.5, 1.0, 40.0])
def test_any_temperature_gives_a_distribution(dtype, tau):
    logits = np.array([1e4, 3.0, -np.inf, -1e4, 2.5, 1e4 - 1], dtype)
    before = logits.copy()
    p = temperature(logits, tau)
    np.testing.assert_array_equal(logits, before)
    assert p.dtype == dtype
    assert_close("sum", p.sum(), 1, 4 * np.finfo(dtype).eps)
    assert (np.diff(p[np.argsort(logits)]) >= 0).all()
    assert p[2] == 0
    if tau < 0.01:
        np.testing.assert_array_equal(p, [1, 0, 0, 0, 0, 0])


@pytest.mark.E20
@pytest.mark.properties
def test_ties_share_unless_greedy_takes_the_first():
    logits = np.array([1.0, 4.0, 2.0, 4.0])
    np.testing.assert_array_equal(temperature(logits, 1e-30), [0, 0.5, 0, 0.5])
    np.testing.assert_array_equal(temperature(logits, 0), [0, 1, 0, 0])
    np.testing.assert_array_equal(greedy(logits), [0, 1, 0, 0])
    hot = temperature(logits.astype(np.float32), 1e300)
    np.testing.assert_array_equal(hot, np.full(4, 0.25))


@pytest.mark.E20
@pytest.mark.properties
@given(
    logits=arrays(float, 6, elements=st.floats(-50, 50)),
    taus=st.lists(st.floats(0.01, 100), min_size=2, max_size=2).map(sorted),
)
def test_heat_flattens_and_a_shift_changes_nothing(logits, taus):
    cold, hot = (temperature(logits, tau) for tau in taus)
    assert hot.max() <= cold.max() * (1 + 1e-14)
    assert_close("shifted", temperature(logits + 8, taus[0]), cold, 1e-11)


@pytest.mark.E20
@pytest.mark.properties
@given(
    data=st.data(),
    dtype=st.sampled_from([np.float32, np.float64]),
    uniform=st.floats(0, 1, exclude_max=True) | st.sampled_from([0.0, BELOW_ONE]),
)
def test_impossible_tokens_are_never_drawn(data, dtype, uniform):
    width = 8 * np.dtype(dtype).itemsize
    some = st.floats(0, 1, width=width) | st.just(0.0)
    p = data.draw(arrays(dtype, st.integers(1, 12), elements=some).filter(np.any))
    token = draw(p, uniform)
    assert isinstance(token, int)
    assert p[token] > 0


@pytest.mark.E20
@pytest.mark.properties
def test_first_and_last_possible_token_are_drawn_at_the_ends():
    p = np.array([0, 0.1, 0, 0.7, 0.2, 0])
    for dtype in (np.float32, np.float64):
        assert draw(p.astype(dtype), 0.0) == 1
        assert draw(p.astype(dtype), BELOW_ONE) == 4


@pytest.mark.E21
@pytest.mark.symbols
@pytest.mark.parametrize(
    ("mass", "kept"),
    [(1, 1), (8, 1), (9, 2), (12, 2), (13, 3), (14, 3), (14.5, 4), (15, 4), (16, 5)],
)
def test_top_p_and_top_k_are_the_equation(mass, kept):
    p, chosen = symbols("p", DYADIC), ORDER[:kept]
    want = np.full(len(p), sp.Integer(0))
    for v in chosen:
        want[v] = p[v].expr / sum(p[u].expr for u in chosen)
    assert_same("top_p", expressions(top_p(p, symbol("P", mass / 16))), want)
    assert_same("top_k", expressions(top_k(p, kept)), want)


@pytest.mark.E21
@pytest.mark.differences
def test_kept_mass_steps_where_the_sums_are_and_nowhere_else():
    def kept_mass(p):
        return DYADIC[top_p(DYADIC, p) > 0].sum()

    sums = np.cumsum(DYADIC[ORDER])
    for below, here in zip([0, *sums], sums, strict=False):
        for p in (np.nextafter(below, 1), (below + here) / 2, here):
            assert kept_mass(p) == here


@pytest.mark.E21
@pytest.mark.differences
@pytest.mark.parametrize("kept", [1, 2, 3, 5])
def test_slopes_of_the_renormalisation(kept):
    """With the set held fixed: `(delta_uv - q_v) / mass` inside it, 0 elsewhere."""
    p = np.array([0.12, 0.3, 0.08, 0.35, 0.15])
    chosen = np.argsort(-p)[:kept]
    mass, q, inside = p[chosen].sum(), np.zeros(5), np.zeros((5, 1))
    q[chosen], inside[chosen] = p[chosen] / mass, 1
    want = inside * (np.diag(inside[:, 0]) - q) / mass
    for cut in (lambda a: top_p(a, mass - 0.01), lambda a: top_k(a, kept)):
        assert_close("slopes", complex_slopes(cut, p), want, COMPLEX_TOLERANCE)


def cut_loop(probabilities, stop):
    """Most likely first, lower ids first, in exact fractions, until told to stop."""
    exact = [Fraction(float(p)) for p in probabilities]
    order, kept = sorted(range(len(exact)), key=lambda v: (-exact[v], v)), []
    while len(kept) < len(exact) and not stop(kept, sum(exact[v] for v in kept)):
        kept.append(order[len(kept)])
    mass = sum(exact[v] for v in kept)
    return [float(e / mass) if v in kept else 0 for v, e in enumerate(exact)]


# Few different numbers make ties, more than sixteen a sort that is not stable.
numbers = st.lists(st.integers(0, 3) | st.integers(0, 4096), min_size=1, max_size=60)


@pytest.mark.E21
@pytest.mark.oracle
@given(counts=numbers.filter(any), mass=st.integers(1, 4096), k=st.integers(1, 70))
def test_cut_loop(counts, mass, k):
    p, mass = np.array(counts) / 2**12, sum(counts) * mass / 2**24
    assert_close("top_p", top_p(p, mass), cut_loop(p, lambda _, m: m >= mass), 1e-14)
    assert_close(
        "top_k", top_k(p, k), cut_loop(p, lambda kept, _: len(kept) == k), 1e-14
    )


scores = arrays(float, st.integers(1, 8), elements=st.floats(-20, 20))
distributions = scores.map(lambda z: np.exp(z) / np.exp(z).sum())


@pytest.mark.E21
@pytest.mark.properties
@given(p=distributions, mass=st.floats(0, 1, exclude_min=True))
def test_kept_set_is_enough_and_the_smallest(p, mass):
    q = top_p(p, mass)
    kept = q > 0
    assert_close("sum", q.sum(), 1, 1e-15)
    assert_close("shares", q[kept] * p[kept].sum(), p[kept], 1e-15)
    if mass < 1 - 1e-15:  # the sum of all may fall short of 1
        assert p[kept].sum() >= mass * (1 - 1e-15)
    assert p[kept].min() >= p[~kept].max(initial=0)
    assert p[kept].sum() - p[kept].min() < mass * (1 + 1e-15)


@pytest.mark.E21
@pytest.mark.properties
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ends_keep_one_and_all(dtype):
    p = np.array([0.1, 0.3, 0.0, 0.3, 0.1, 0.1, 0.1], dtype)
    before = p.copy()
    for one in (top_p(p, 1e-30), top_k(p, 1), greedy(p)):
        np.testing.assert_array_equal(one, [0, 1, 0, 0, 0, 0, 0])
    for everything in (top_p(p, 1.0), top_k(p, 7), top_k(p, 100)):
        assert everything.dtype == dtype
        assert_close("all", everything, p, 2 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(p, before)
    short = np.full(10, 0.1)
    assert np.cumsum(short)[-1] < 1
    assert_close("sums that fall short of 1", top_p(short, 1.0), short, 1e-15)


@pytest.mark.E20
@pytest.mark.E21
@pytest.mark.properties
def test_not_a_number_is_not_hidden():
    p = temperature(np.array([1.0, np.nan, 2.0]), 0.5)
    assert np.isnan(p).all()
    assert np.isnan(top_p(p, 0.5)).any()
    assert np.isnan(top_k(p, 2)).any()
