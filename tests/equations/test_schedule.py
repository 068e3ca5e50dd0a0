"""Linear warmup (E18) and cosine decay (E19): their four witnesses."""

import cmath
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from witnesses.compare import assert_same
from witnesses.pairs import (
    CENTRAL_STEP,
    CENTRAL_TOLERANCE,
    COMPLEX_STEP,
    COMPLEX_TOLERANCE,
    assert_close,
)
from witnesses.symbols import Traced, expression, symbol

from moe.equations.schedule import cosine_decay, learning_rate, linear_warmup

BASE, MINIMUM, WARMUP, TOTAL = 0.75, 0.125, 8, 24


def points():
    """Base and minimum, warmup and total, as symbols."""
    return (
        symbol("base", BASE),
        symbol("minimum", MINIMUM),
        symbol("warmup", WARMUP, positive=True),
        symbol("total", TOTAL, positive=True),
    )


def equals(label, got, want):
    assert_same(label, np.array(expression(got)), np.array(sp.sympify(want)))


@pytest.mark.E18
@pytest.mark.symbols
@pytest.mark.parametrize("step", [1, 3, WARMUP - 1])
def test_warmup_is_the_equation(step):
    base, minimum, warmup, total = points()
    t = symbol("t", step)
    want = base.expr * t.expr / warmup.expr
    equals("linear_warmup", linear_warmup(t, base, warmup), want)
    equals("learning_rate", learning_rate(t, base, minimum, warmup, total), want)


@pytest.mark.E18
@pytest.mark.symbols
def test_warmup_goes_from_zero_to_the_base():
    base, _, warmup, _ = points()
    equals("linear_warmup", linear_warmup(0, base, warmup), 0)
    equals("linear_warmup", linear_warmup(warmup, base, warmup), base.expr)


@pytest.mark.E19
@pytest.mark.symbols
@pytest.mark.parametrize("step", [WARMUP + 1, 13, TOTAL - 1])
def test_decay_is_the_equation(step):
    base, minimum, warmup, total = points()
    t = symbol("t", step)
    progress = (t.expr - warmup.expr) / (total.expr - warmup.expr)
    fall = (1 + sp.cos(sp.pi * progress)) / 2
    want = minimum.expr + (base.expr - minimum.expr) * fall
    equals("cosine_decay", cosine_decay(t, base, minimum, warmup, total), want)
    equals("learning_rate", learning_rate(t, base, minimum, warmup, total), want)


@pytest.mark.E19
@pytest.mark.symbols
@pytest.mark.parametrize("step", [0, WARMUP - 1, WARMUP])
def test_decay_has_not_begun_before_its_start(step):
    base, minimum, warmup, total = points()
    got = cosine_decay(symbol("t", step), base, minimum, warmup, total)
    equals("cosine_decay", got, base.expr)


@pytest.mark.E19
@pytest.mark.symbols
def test_decay_at_rational_progress():
    """Cosines of 0, 60, 90, 120 and 150 degrees are exact."""
    base, minimum, _, _ = points()
    last = (2 - sp.sqrt(3)) / 4
    for step, share in ((0, 1), (4, "3/4"), (6, "1/2"), (8, "1/4"), (10, last)):
        want = minimum.expr + sp.sympify(share) * (base.expr - minimum.expr)
        for warmup in (0, 5):
            got = cosine_decay(
                Traced.of(step + warmup), base, minimum, warmup, 12 + warmup
            )
            equals(f"cosine_decay at {step}", got, want)


@pytest.mark.E18
@pytest.mark.E19
@pytest.mark.symbols
def test_the_pieces_meet_at_the_base():
    base, minimum, warmup, total = points()
    met = learning_rate(warmup, base, minimum, warmup, total)
    equals("learning_rate at the end of the warmup", met, base.expr)
    unwarmed = learning_rate(0, base, minimum, 0, total)
    equals("learning_rate without warmup at step 0", unwarmed, base.expr)


@pytest.mark.E18
@pytest.mark.differences
@pytest.mark.parametrize("step", [0, 3, WARMUP])
def test_slopes_of_the_warmup(step):
    """A straight line by step and base, a hyperbola by the length."""
    point = {"step": step, "base": BASE, "warmup": WARMUP}
    want = {
        "step": BASE / WARMUP,
        "base": step / WARMUP,
        "warmup": -BASE * step / WARMUP**2,
    }
    for name, value in point.items():
        moved = linear_warmup(**{**point, name: value + 1j * COMPLEX_STEP})
        slope = moved.imag / COMPLEX_STEP
        assert_close(f"by {name}", slope, want[name], COMPLEX_TOLERANCE)


def difference(function, name, value, **others):
    """Central difference by one argument."""
    ends = (
        function(**{name: value + h}, **others) for h in (CENTRAL_STEP, -CENTRAL_STEP)
    )
    above, below = ends
    return (above - below) / (2 * CENTRAL_STEP)


@pytest.mark.E19
@pytest.mark.differences
@pytest.mark.parametrize("step", [WARMUP + 1, 13, 16, TOTAL - 1])
def test_slopes_of_the_decay(step):
    length = TOTAL - WARMUP
    progress = (step - WARMUP) / length
    by_progress = -(BASE - MINIMUM) * math.pi / 2 * math.sin(math.pi * progress)
    want = {
        "step": by_progress / length,
        "base": math.cos(math.pi * progress / 2) ** 2,
        "minimum": math.sin(math.pi * progress / 2) ** 2,
        "warmup": by_progress * (step - TOTAL) / length**2,
        "total": -by_progress * (step - WARMUP) / length**2,
    }
    point = dict(zip(want, (step, BASE, MINIMUM, WARMUP, TOTAL), strict=True))
    for name, value in point.items():
        others = {n: v for n, v in point.items() if n != name}
        slope = difference(cosine_decay, name, value, **others)
        assert_close(f"by {name}", slope, want[name], CENTRAL_TOLERANCE)


@pytest.mark.E19
@pytest.mark.differences
@pytest.mark.parametrize("step", [0, WARMUP, TOTAL, 2 * TOTAL])
def test_decay_is_flat_at_both_ends_and_beyond(step):
    others = {"base": BASE, "minimum": MINIMUM, "warmup": WARMUP, "total": TOTAL}
    slope = difference(cosine_decay, "step", step, **others)
    # Half the curvature at an end times the step of the difference.
    curvature = (BASE - MINIMUM) / 2 * (math.pi / (TOTAL - WARMUP)) ** 2
    assert abs(slope) <= curvature * CENTRAL_STEP


@pytest.mark.E18
@pytest.mark.oracle
@pytest.mark.parametrize("warmup", [1, 2, 7, 100])
def test_warmup_loop(warmup):
    """Equal increments, added up without rounding."""
    rate = Fraction(0)
    for step in range(warmup + 1):
        got = linear_warmup(step, 3e-4, warmup)
        assert_close(f"step {step}", got, float(rate), 1e-15)
        rate += Fraction(3e-4) / warmup


def loop(base, minimum, warmup, total):
    """Rates of steps 0 to 2 `total`: a line, then a pointer that turns by pi."""
    rates = [step / warmup * base for step in range(warmup)]
    pointer, turn = 1 + 0j, cmath.exp(1j * math.pi / (total - warmup))
    for _ in range(warmup, total):
        rates.append((1 + pointer.real) / 2 * base + (1 - pointer.real) / 2 * minimum)
        pointer *= turn
    return rates + [minimum] * (total + 1)


@pytest.mark.E18
@pytest.mark.E19
@pytest.mark.oracle
@pytest.mark.parametrize(
    ("warmup", "total"), [(0, 1), (0, 10), (1, 2), (5, 20), (9, 10)]
)
@pytest.mark.parametrize("minimum", [0.0, 3e-5, 3e-4])
def test_loop(warmup, total, minimum):
    settings = (3e-4, minimum, warmup, total)
    got = [learning_rate(step, *settings) for step in range(2 * total + 1)]
    assert_close("learning_rate", got, loop(*settings), 1e-14)


@pytest.mark.E18
@pytest.mark.properties
def test_first_step_already_learns_and_every_step_adds_as_much():
    rates = [linear_warmup(step, BASE, WARMUP) for step in range(1, WARMUP + 1)]
    assert rates[0] == BASE / WARMUP
    np.testing.assert_array_equal(np.diff(rates), BASE / WARMUP)
    assert rates[-1] == BASE
    assert linear_warmup(1, BASE, 1) == BASE


@pytest.mark.E18
@pytest.mark.properties
@given(base=st.floats(1e-9, 1), warmup=st.integers(1, 10**18), data=st.data())
def test_warmup_is_proportional_to_base_and_step(base, warmup, data):
    step = data.draw(st.integers(1, warmup))
    rate = linear_warmup(step, base, warmup)
    assert 0 < rate <= base * (1 + 1e-15)
    assert_close(
        "twice the base", linear_warmup(step, 2 * base, warmup), 2 * rate, 1e-15
    )
    assert_close(
        "twice the step", linear_warmup(2 * step, base, warmup), 2 * rate, 1e-15
    )
    assert_close("step", rate / base, step / warmup, 1e-15)


schedules = st.fixed_dictionaries(
    {
        "base": st.floats(1e-6, 1),
        "minimum": st.floats(0, 1e-6),
        "warmup": st.integers(0, 50),
        "total": st.integers(51, 10**6),
    }
)


@pytest.mark.E19
@pytest.mark.properties
@given(settings=schedules, data=st.data())
def test_decay_never_rises_and_stays_between_its_ends(settings, data):
    step = data.draw(st.integers(0, 2 * settings["total"]))
    rate, later = (cosine_decay(t, **settings) for t in (step, step + 1))
    slack = 1e-15 * settings["base"]
    assert later <= rate + slack
    assert settings["minimum"] <= later + slack
    assert rate <= settings["base"] + slack


@pytest.mark.E19
@pytest.mark.properties
@given(settings=schedules, data=st.data())
def test_decay_is_symmetric_about_its_middle(settings, data):
    """What it has lost after k steps is what it has left k steps before the end."""
    gone = data.draw(st.integers(0, settings["total"] - settings["warmup"]))
    early = cosine_decay(settings["warmup"] + gone, **settings)
    late = cosine_decay(settings["total"] - gone, **settings)
    assert_close("sum", early + late, settings["base"] + settings["minimum"], 1e-14)


@pytest.mark.E19
@pytest.mark.properties
@pytest.mark.parametrize("step", [TOTAL, TOTAL + 1, 2 * TOTAL, 10**18])
def test_after_the_end_the_rate_is_the_minimum(step):
    for minimum in (0.0, MINIMUM):
        rate = learning_rate(step, BASE, minimum, WARMUP, TOTAL)
        assert abs(rate - minimum) <= 1e-16


@pytest.mark.E18
@pytest.mark.E19
@pytest.mark.properties
def test_the_highest_rate_is_the_base_at_the_end_of_the_warmup():
    rates = [learning_rate(t, BASE, MINIMUM, WARMUP, TOTAL) for t in range(1, TOTAL)]
    assert all(isinstance(rate, float) for rate in rates)
    assert rates.index(max(rates)) == WARMUP - 1
    assert rates[WARMUP - 1] == BASE
    rises = np.diff(rates) > 0
    assert rises[: WARMUP - 1].all()
    assert not rises[WARMUP - 1 :].any()


@pytest.mark.E19
@pytest.mark.properties
def test_equal_ends_make_a_constant():
    for step in range(2 * TOTAL):
        rate = cosine_decay(step, BASE, BASE, WARMUP, TOTAL)
        assert_close(f"step {step}", rate, BASE, 1e-15)
