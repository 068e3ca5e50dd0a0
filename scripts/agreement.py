"""To how many digits two curves agree, and for how many steps."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

# More than float64 holds: no curve agrees to so many.
MOST_DIGITS = 17


def differences(points: Sequence[dict[str, Any]]) -> list[tuple[int, float]]:
    """Step and relative difference of the cross-entropies at every point.

    Args:
        points: With `step`, and `cross_entropy` and `balance_loss` of both sides
            under `ours` and `pytorch`.
    """
    return [
        (point["step"], abs(ours - theirs) / theirs)
        for point in points
        for ours, theirs in [
            (point["ours"]["cross_entropy"], point["pytorch"]["cross_entropy"])
        ]
    ]


def agreement(points: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How far the cross-entropies of both sides go together.

    Two numbers agree to d digits where their relative difference is at most 10**-d.

    Args:
        points: As for `differences`, in the order of the steps.

    Returns:
        Digits of agreement at all points, and for each number of digits the last step
        up to which every point agrees to so many.
    """
    found = differences(points)
    rows = []
    for digits in range(1, MOST_DIGITS):
        kept = list(takewhile(lambda pair, d=digits: pair[1] <= 10.0**-d, found))
        if kept:
            rows.append({"digits": digits, "steps": kept[-1][0]})
    last = found[-1][0]
    throughout = max((r["digits"] for r in rows if r["steps"] == last), default=0)
    return {"digits_throughout": throughout, "digits": rows}
