"""A comparison goes on while it settles nothing, and stays honest: pairs are faked."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benchmarks import lockstep
from benchmarks.budget import FULL, QUICK, Budget
from benchmarks.estimation import ratio_interval
from benchmarks.lockstep import OURS, compare


@pytest.fixture
def ratios(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], float]], None]:
    """Let every pair have the ratio that a function returns."""

    def use(draw: Callable[[], float]) -> None:
        def run_pair(*_: Any) -> dict[str, Any]:
            ratio = draw()
            seconds = {"baseline_seconds": 1.0, "candidate_seconds": ratio}
            return seconds | {"ratio": ratio, "agreement": {}}

        monkeypatch.setattr(lockstep, "run_pair", run_pair)

    return use


def looked(budget: Budget = FULL) -> tuple[dict[str, Any], list[int]]:
    """A comparison, and what was expected beyond the first look."""
    more: list[int] = []
    found = compare("dispatch_warm", OURS, OURS, 0, budget, expect=more.append)
    return found, more


def test_what_is_settled_at_once_takes_one_look(ratios: Any) -> None:
    rng = random.Random(1)
    ratios(lambda: 1.3 * math.exp(rng.gauss(0, 0.01)))
    found, more = looked()
    assert found["verdict"] == "slower"
    assert len(found["pairs"]) == FULL.pairs
    assert more == []


def test_what_stays_unresolved_takes_all_looks(ratios: Any) -> None:
    rng = random.Random(1)
    ratios(lambda: math.exp(rng.gauss(0, 0.5)))
    found, more = looked()
    assert found["verdict"] == "unresolved"
    assert len(found["pairs"]) == FULL.looks * FULL.pairs
    assert more == [FULL.pairs] * (FULL.looks - 1)


def test_more_pairs_settle_what_the_first_left_open(ratios: Any) -> None:
    noise = [0.08, -0.02, 0.06, -0.07, 0.03, -0.05, 0.02, -0.04]
    values = (math.exp(x) for x in noise + [0.004, -0.004] * 8)
    ratios(lambda: next(values))
    found, more = looked()
    assert found["verdict"] == "same"
    assert more == [FULL.pairs]


def test_the_error_is_divided_among_the_looks(ratios: Any) -> None:
    values = [1.30, 1.31, 1.29, 1.32, 1.28, 1.30, 1.31, 1.29]
    for budget, confidence in ((FULL, 1 - 0.05 / 8), (replace(FULL, looks=1), 0.95)):
        pairs = iter(values)
        ratios(lambda pairs=pairs: next(pairs))
        expected = ratio_interval(values, confidence)[1]
        assert looked(budget)[0]["interval"] == pytest.approx(expected[:2])
    assert QUICK.looks == 1


@pytest.mark.parametrize("truth", [1.0, 1.03])
def test_stopping_early_covers_as_often_as_it_says(ratios: Any, truth: float) -> None:
    """Eight looks at 95 % each would hold a truth of 1 in 83 % of these repetitions.

    The margin is four standard errors of a share from so many.
    """
    rng = random.Random(2)
    ratios(lambda: truth * math.exp(rng.gauss(0, 0.06)))
    repetitions = 1500
    held = 0
    for _ in range(repetitions):
        low, high = looked()[0]["interval"]
        held += low <= truth <= high
    margin = 4 * math.sqrt(0.05 * 0.95 / repetitions)
    assert held / repetitions > 0.95 - margin
