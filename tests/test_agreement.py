"""Digits of agreement: counted from points made for it."""

from typing import Any

import pytest
from agreement import agreement, differences


def points(*apart: float) -> list[dict[str, Any]]:
    """Losses of 2 nats; ours so much larger, relatively."""
    return [
        {
            "step": 10 * number,
            "ours": {"cross_entropy": 2 * (1 + more), "balance_loss": 7.0},
            "pytorch": {"cross_entropy": 2.0, "balance_loss": 3.0},
        }
        for number, more in enumerate(apart)
    ]


def test_differences_are_relative_and_have_no_sign() -> None:
    found = differences(points(0.25, -0.125, 0.0))
    assert found == [(0, 0.25), (10, 0.125), (20, 0.0)]


def test_a_digit_is_counted_as_long_as_every_point_has_it() -> None:
    found = agreement(points(0.0, 9e-4, 2e-2, 0.0, 5e-2))
    steps = {row["digits"]: row["steps"] for row in found["digits"]}
    assert found["digits_throughout"] == 1
    assert steps[1] == 40
    assert steps[2] == steps[3] == 10  # step 30 is equal, but step 20 was not
    assert {steps[digits] for digits in range(4, 17)} == {0}


@pytest.mark.parametrize("apart", [0.2, -1.5])
def test_no_digits(apart: float) -> None:
    assert agreement(points(apart, 0.0)) == {"digits_throughout": 0, "digits": []}
