"""Two versions side by side: fresh pairs of processes that take turns.

Two absolute figures taken at different times must not be divided: the machine changes
in between. In a pair both processes live at once and run short blocks in turn (A B,
B A, A B...), so both meet the same machine; the pair's ratio is that of their fastest
blocks. Pairs are the replication: the interval is over pairs, never over blocks.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.budget import CONFIDENCE, MOST_CPU, Budget
from benchmarks.errors import CheckError
from benchmarks.estimation import ratio_interval, verdict
from benchmarks.processes import Worker
from benchmarks.scenarios import ALL


@dataclass(frozen=True)
class Side:
    """One of the two that are compared.

    Attributes:
        name: What it is called in the result.
        build: Arguments of the worker's `build` besides scenario and seed.
        moe_root: Folder with the package to measure; None for this checkout's.
        threads: Of BLAS.
    """

    name: str
    build: dict[str, Any] = field(default_factory=dict)
    moe_root: Path | None = None
    threads: int = 1


OURS = Side("numpy")


def run_pair(
    scenario: str, baseline: Side, candidate: Side, seed: int, budget: Budget
) -> dict[str, Any]:
    """One fresh pair of processes in lockstep.

    Args:
        scenario: Id.
        baseline: What is compared against.
        candidate: What is judged.
        seed: Of weights and inputs.
        budget: How long.

    Returns:
        Best seconds per call of each side, their `ratio` (candidate over baseline),
        the number of blocks, CPU shares, and how well a peer's results agreed.

    Raises:
        BenchmarkError: If a worker fails, a result is wrong, or a side uses more
            CPU time than one thread can.
    """
    sides = (baseline, candidate)
    with (
        Worker(moe_root=baseline.moe_root, threads=baseline.threads) as first,
        Worker(moe_root=candidate.moe_root, threads=candidate.threads) as second,
    ):
        workers = (first, second)
        built = [
            worker.ask("build", scenario=scenario, seed=seed, **side.build)
            for worker, side in zip(workers, sides, strict=True)
        ]
        seconds = [
            worker.ask(
                "warm_up",
                calls=budget.warmup_calls,
                blocks=budget.warmup_blocks,
                block_seconds=budget.pair_block_seconds,
            )["seconds"]
            for worker in workers
        ]
        # The same number of calls for both, so that both minima are of like samples.
        loops = max(1, round(budget.pair_block_seconds / min(seconds)))
        best, shares, blocks = [float("inf")] * 2, [0.0] * 2, 0
        end = time.perf_counter() + budget.pair_seconds
        while time.perf_counter() < end or blocks < 4:
            for turn in (0, 1) if blocks % 2 == 0 else (1, 0):
                timed = workers[turn].ask("time", loops=loops, blocks=1)
                best[turn] = min(best[turn], timed["block_ns"][0] * 1e-9 / loops)
                shares[turn] += timed["cpu_share"]
            blocks += 1
        shares = [share / blocks for share in shares]
        for worker, side, share in zip(workers, sides, shares, strict=True):
            worker.ask("check")
            if share > MOST_CPU * side.threads * max(1, ALL[scenario].workers):
                raise CheckError(
                    f"{side.name} used {share:.2f} s of CPU per second: more threads "
                    "than it was given"
                )
    agreement = {
        side.name: answer["agreement"]
        for side, answer in zip(sides, built, strict=True)
        if "agreement" in answer
    }
    return {
        "baseline_seconds": best[0],
        "candidate_seconds": best[1],
        "ratio": best[1] / best[0],
        "blocks": blocks,
        "loops": loops,
        "cpu_shares": shares,
        "agreement": agreement,
    }


def compare(
    scenario: str,
    baseline: Side,
    candidate: Side,
    seed: int,
    budget: Budget,
    tick: Callable[[], object] = lambda: None,
    expect: Callable[[int], object] = lambda more: None,
) -> dict[str, Any]:
    """Compare two sides over several fresh pairs, over more while they settle nothing.

    Who may stop at several looks has several chances to be wrong. The error that one
    interval is allowed is therefore divided among all looks (Bonferroni): whichever
    look is the last, its interval holds the truth as often as `CONFIDENCE` says.

    Args:
        scenario: Id.
        baseline: What is compared against.
        candidate: What is judged.
        seed: Of weights and inputs.
        budget: How many pairs and looks, and how long.
        tick: Called after each pair.
        expect: Called with their number before pairs beyond the first look.

    Returns:
        Ratio with interval and verdict, the best seconds of each side, and the
        ratio of every pair.
    """
    confidence = 1 - (1 - CONFIDENCE) / budget.looks
    pairs: list[dict[str, Any]] = []
    for look in range(budget.looks):
        if look:
            expect(budget.pairs)
        for _ in range(budget.pairs):
            pairs.append(run_pair(scenario, baseline, candidate, seed, budget))
            tick()
        ratio, interval = ratio_interval([pair["ratio"] for pair in pairs], confidence)
        if verdict(ratio, interval) != "unresolved":
            break
    return {
        "scenario": scenario,
        "baseline": baseline.name,
        "candidate": candidate.name,
        "ratio": ratio,
        "interval": list(interval[:2]),
        "half_width": (interval.high - interval.low) / 2,
        "verdict": verdict(ratio, interval),
        "baseline_seconds": min(pair["baseline_seconds"] for pair in pairs),
        "candidate_seconds": min(pair["candidate_seconds"] for pair in pairs),
        "agreement": pairs[0]["agreement"],
        "pairs": [pair["ratio"] for pair in pairs],
    }


INJECTED = 0.05


def self_test(
    seed: int,
    budget: Budget,
    tick: Callable[[], object] = lambda: None,
    expect: Callable[[int], object] = lambda more: None,
) -> dict[str, Any]:
    """Compare the warm forward pass with itself: the answer must be `same`.

    Args:
        seed: Of weights and inputs.
        budget: How many pairs and looks, and how long.
        tick: Called after each pair.
        expect: Called with their number before pairs beyond the first look.

    Returns:
        The comparison, and whether it `passed`.
    """
    again = Side("numpy again")
    result = compare("dispatch_warm", OURS, again, seed, budget, tick, expect)
    return result | {"passed": result["verdict"] == "same"}


def injected_test(
    seed: int,
    budget: Budget,
    tick: Callable[[], object] = lambda: None,
    expect: Callable[[int], object] = lambda more: None,
) -> dict[str, Any]:
    """Compare the warm forward pass with one slowed by 5 %: it must be `slower`."""
    slow = Side("numpy slowed", {"slowdown": INJECTED})
    result = compare("dispatch_warm", OURS, slow, seed, budget, tick, expect)
    return result | {"passed": result["verdict"] == "slower"}
