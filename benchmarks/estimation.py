r"""Estimates, their intervals, and the words that they allow.

Noise of a shared machine only ever adds time, so the minimum of a process estimates
what the code needs. Processes differ (addresses, hash seeds, neighbours), so they and
not the blocks inside them are the units of replication.
"""

import math
from collections.abc import Sequence
from statistics import fmean, median, stdev
from typing import NamedTuple

from benchmarks.budget import CONFIDENCE, SAME_WITHIN, SMALLEST_EFFECT, TRIMMED


class Interval(NamedTuple):
    """From `low` to `high`; covers the truth in `coverage` of all repetitions."""

    low: float
    high: float
    coverage: float


def median_interval(
    sample: Sequence[float], confidence: float = CONFIDENCE
) -> Interval:
    r"""Distribution-free interval of the median, from order statistics.

    Between the k-th smallest and the k-th largest of n lies the median with
    probability $1 - 2 \sum_{i<k} \binom{n}{i} 2^{-n}$. The largest k that still
    reaches `confidence` is taken; where none does, k = 1, and the coverage says how
    much that is.

    Args:
        sample: Independent values, at least one.
        confidence: Wanted coverage.

    Returns:
        The interval and its exact coverage (for a continuous distribution).

    References:
        David and Nagaraja, *Order Statistics*, 2003, section 7.1.
    """
    ordered, n = sorted(sample), len(sample)
    rank, coverage = 1, 1 - 2 * 0.5**n
    for k in range(2, n // 2 + 1):
        narrower = 1 - 2 * sum(math.comb(n, i) for i in range(k)) * 0.5**n
        if narrower < confidence:
            break
        rank, coverage = k, narrower
    return Interval(ordered[rank - 1], ordered[-rank], coverage)


def student_cdf(t: float, freedom: int) -> float:
    r"""Cumulative distribution of Student's t, for whole degrees of freedom.

    With $\theta = \arctan(t / \sqrt{\nu})$ it is a finite sum of powers of
    $\cos\theta$.

    Args:
        t: Any real number.
        freedom: $\nu$, at least 1.

    Returns:
        $P(T \le t)$.

    References:
        Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.7.3, 26.7.4.
    """
    angle = math.atan2(t, math.sqrt(freedom))
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = term if freedom > 1 or not odd else 0.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= math.cos(angle) ** 2 * (k - 1) / k
        total += term
    inside = math.sin(angle) * total
    if odd:
        inside = 2 / math.pi * (angle + inside)
    return 0.5 + inside / 2


def student_quantile(probability: float, freedom: int) -> float:
    """Inverse of `student_cdf` for probabilities of 1/2 and above, by bisection."""
    low, high = 0.0, 1.0
    while student_cdf(high, freedom) < probability:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        if student_cdf(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return high


def ratio_interval(
    ratios: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, Interval]:
    r"""Trimmed mean of the ratios of independent pairs, and its t-interval.

    A pair that meets a bad moment has a ratio far off, and one of them would widen a
    plain t-interval for all. On logarithms a fifth is cut off at either end. With
    $g$ of $n$ cut at each, $h = n - 2g$ left, and $s_w$ the standard deviation of the
    sample in which the cut values are replaced by the nearest that is left, the
    interval is $\bar x_t \pm t_{h-1}\, s_w \sqrt n / h$.

    Args:
        ratios: One per pair, all above 0, at least two.
        confidence: Wanted coverage.

    Returns:
        The mean and the interval, both as ratios.

    References:
        Tukey and McLaughlin, *Less Vulnerable Confidence and Significance Procedures
        for Location Based on a Single Sample*, Sankhya A 25, 1963.
    """
    logs, n = sorted(math.log(ratio) for ratio in ratios), len(ratios)
    cut = int(TRIMMED * n)
    left = logs[cut : n - cut]
    winsorised = [left[0]] * cut + left + [left[-1]] * cut
    mean = fmean(left)
    t = student_quantile((1 + confidence) / 2, len(left) - 1)
    half = t * stdev(winsorised) * math.sqrt(n) / len(left)
    interval = Interval(math.exp(mean - half), math.exp(mean + half), confidence)
    return math.exp(mean), interval


def verdict(
    ratio: float,
    interval: Interval,
    same_within: float = SAME_WITHIN,
    smallest_effect: float = SMALLEST_EFFECT,
) -> str:
    """What may be said of candidate time over baseline time.

    Args:
        ratio: Candidate over baseline.
        interval: Of the ratio.
        same_within: Inside 1 +- this, both are the same.
        smallest_effect: Differences up to this are never called one.

    Returns:
        `faster`, `slower`, `same` or `unresolved`.
    """
    if interval.high < 1 and 1 - ratio > smallest_effect:
        return "faster"
    if interval.low > 1 and ratio - 1 > smallest_effect:
        return "slower"
    if 1 - same_within < interval.low and interval.high < 1 + same_within:
        return "same"
    return "unresolved"


def quartiles(sample: Sequence[float]) -> tuple[float, float, float]:
    """First quartile, median and third quartile, interpolated linearly."""
    ordered = sorted(sample)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (place - below) * (ordered[above] - ordered[below])

    return at(0.25), median(ordered), at(0.75)


def power_law(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Exponent p of the best `time = c * size**p`, by least squares on logarithms.

    Args:
        sizes: At least two different, all above 0.
        times: As many, all above 0.

    Returns:
        The exponent.
    """
    x = [math.log(size) for size in sizes]
    y = [math.log(time) for time in times]
    x_mean, y_mean = fmean(x), fmean(y)
    covariance = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
    return covariance / sum((a - x_mean) ** 2 for a in x)


def straight_line(
    sizes: Sequence[float], times: Sequence[float]
) -> tuple[float, float]:
    """Intercept and slope of `time = intercept + slope * size`, by least squares."""
    x_mean, y_mean = fmean(sizes), fmean(times)
    pairs = zip(sizes, times, strict=True)
    covariance = sum((a - x_mean) * (b - y_mean) for a, b in pairs)
    slope = covariance / sum((a - x_mean) ** 2 for a in sizes)
    return y_mean - slope * x_mean, slope
