"""Intervals against known distributions, quantiles against tables, verdicts."""

import math
import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.estimation import (
    Interval,
    median_interval,
    power_law,
    quartiles,
    ratio_interval,
    straight_line,
    student_cdf,
    student_quantile,
    verdict,
)

# Two-sided 95 % points of Student's t, from any printed table.
T_TABLE = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 7: 2.365, 8: 2.306, 30: 2.042}


@pytest.mark.parametrize(("freedom", "t"), T_TABLE.items())
def test_student_quantile_is_that_of_the_tables(freedom: int, t: float) -> None:
    assert student_quantile(0.975, freedom) == pytest.approx(t, abs=5e-4)


def test_student_cdf_of_one_and_two_degrees_has_its_closed_form() -> None:
    for t in (-3.0, -0.2, 0.0, 0.7, 5.0):
        cauchy = 0.5 + math.atan(t) / math.pi
        two = 0.5 + t / (2 * math.sqrt(2 + t * t))
        assert student_cdf(t, 1) == pytest.approx(cauchy, abs=1e-12)
        assert student_cdf(t, 2) == pytest.approx(two, abs=1e-12)


def coverage_of(draw, interval_of, truth: float, repetitions: int = 4000) -> float:
    """Share of repetitions whose interval holds the truth."""
    held = 0
    for _ in range(repetitions):
        low, high = interval_of(draw())
        held += low <= truth <= high
    return held / repetitions


# Four standard errors of a share estimated from 4000 repetitions: 4 sqrt(p q / n).
MARGIN = 4 * math.sqrt(0.05 * 0.95 / 4000)


@pytest.mark.parametrize("bad", [0.0, 0.1])
@pytest.mark.parametrize("pairs", [3, 8, 16, 32])
def test_ratio_interval_covers_as_often_as_it_says(pairs: int, bad: float) -> None:
    """Also where some pairs meet a bad moment, in which noise is ten times as large.

    It covers more often then, never less.
    """
    rng = random.Random(1)

    def noise() -> float:
        return rng.gauss(0, 0.2 if rng.random() < bad else 0.02)

    def draw() -> list[float]:
        return [1.05 * math.exp(noise()) for _ in range(pairs)]

    covered = coverage_of(draw, lambda sample: ratio_interval(sample)[1][:2], 1.05)
    assert covered > 0.95 - MARGIN
    assert covered < 0.95 + MARGIN or bad


def test_ratio_interval_of_a_sample_by_hand() -> None:
    """Of logarithms 0, ..., 7 the outer two are cut; 1, 1, 2, ..., 5, 6, 6 spread."""
    mean, (low, high, coverage) = ratio_interval([math.exp(k) for k in range(8)])
    assert math.log(mean) == pytest.approx(3.5)
    # 1, 1, 2, 3, 4, 5, 6, 6: squares around 3.5 sum to 30; t of 5 degrees is 2.5706.
    half = 2.5706 * math.sqrt(30 / 7) * math.sqrt(8) / 6
    assert math.log(high) - 3.5 == pytest.approx(half, rel=1e-4)
    assert 3.5 - math.log(low) == pytest.approx(half, rel=1e-4)
    assert coverage == 0.95


def test_one_wild_pair_does_not_widen_the_interval() -> None:
    calm = [0.99, 0.995, 1.0, 1.0, 1.0, 1.005, 1.01, 1.012]
    wild = [*calm[:-1], 1.5]
    _, (low, high, _) = ratio_interval(calm)
    _, (wild_low, wild_high, _) = ratio_interval(wild)
    assert (wild_low, wild_high) == pytest.approx((low, high), rel=1e-12)


@pytest.mark.parametrize("processes", [2, 8, 15])
def test_median_interval_covers_as_often_as_it_says(processes: int) -> None:
    """An exponential distribution above a floor: noise that only adds time."""
    rng = random.Random(2)

    def draw() -> list[float]:
        return [1 + rng.expovariate(1) for _ in range(processes)]

    claimed = median_interval(draw()).coverage
    covered = coverage_of(draw, lambda s: median_interval(s)[:2], 1 + math.log(2))
    assert covered == pytest.approx(claimed, abs=4 * math.sqrt(0.25 / 4000))
    assert claimed >= 0.95 or processes < 6


def test_median_interval_takes_the_narrowest_rank_that_suffices() -> None:
    """Of 15 values ranks 4 and 12: 1 - 2 (1 + 15 + 105 + 455) / 2^15 = 0.9648."""
    interval = median_interval([float(v) for v in range(1, 16)])
    assert interval[:2] == (4, 12)
    assert interval.coverage == pytest.approx(1 - 2 * 576 / 2**15)


@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=20))
def test_median_interval_holds_the_sample_median(sample: list[float]) -> None:
    low, high, _ = median_interval(sample)
    assert low <= median(sample) <= high


@pytest.mark.parametrize(
    ("ratio", "low", "high", "word"),
    [
        (1.00, 0.99, 1.01, "same"),
        (1.004, 1.002, 1.006, "same"),  # misses 1, but by nothing that matters
        (1.05, 1.03, 1.07, "slower"),
        (0.95, 0.93, 0.97, "faster"),
        (1.019, 1.005, 1.033, "unresolved"),  # too small an effect to be told
        (1.05, 0.99, 1.11, "unresolved"),  # the interval holds 1
        (0.90, 0.70, 1.20, "unresolved"),
        (1.00, 0.96, 1.02, "unresolved"),  # wider than what counts as the same
    ],
)
def test_verdicts(ratio: float, low: float, high: float, word: str) -> None:
    assert verdict(ratio, Interval(low, high, 0.95)) == word


@given(st.floats(0.5, 2.0), st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_verdict_turns_around_with_its_sides(
    ratio: float, below: float, above: float
) -> None:
    """What is faster the one way is slower the other, outside the asymmetric rim."""
    interval = Interval(ratio - below * ratio, ratio + above * ratio, 0.95)
    turned = Interval(1 / interval.high, 1 / max(interval.low, 1e-9), 0.95)
    words = verdict(ratio, interval), verdict(1 / ratio, turned)
    assert words not in [("faster", "faster"), ("slower", "slower")]
    if abs(math.log(ratio)) > 0.03 and words[0] != "unresolved":
        assert words in [("faster", "slower"), ("slower", "faster")]


def test_quartiles_interpolate() -> None:
    assert quartiles([4.0, 1.0, 3.0, 2.0, 5.0]) == (2.0, 3.0, 4.0)
    assert quartiles([1.0, 2.0]) == (1.25, 1.5, 1.75)


@given(st.floats(-1, 3), st.floats(1e-6, 10))
def test_power_law_finds_the_exponent(exponent: float, factor: float) -> None:
    sizes = [1.0, 2.0, 4.0, 8.0]
    times = [factor * size**exponent for size in sizes]
    assert power_law(sizes, times) == pytest.approx(exponent, abs=1e-9)


def test_straight_line_finds_intercept_and_slope() -> None:
    assert straight_line([1, 2, 4], [5, 7, 11]) == pytest.approx((3, 2))
