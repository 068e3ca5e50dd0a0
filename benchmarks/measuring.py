"""One measurement, one record: what is done in fresh processes for a scenario."""

import itertools
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.budget import Budget
from benchmarks.processes import ROOT, Worker, WorkerError, pinned_environment
from benchmarks.scenarios import Scenario

RESOURCES = ("allocation", "memory", "collections")
STAGES = ("interpreter", "numpy", "package", "build", "forward")


def time_once(
    scenario: Scenario, seed: int, budget: Budget, pool: str = "processes"
) -> dict[str, Any]:
    """Time blocks of calls in one fresh process, then check what they computed."""
    if scenario.work == "cold":
        return time_cold(scenario, seed, budget)
    with Worker() as worker:
        worker.ask("build", scenario=scenario.id, seed=seed, pool=pool)
        warm = worker.ask(
            "warm_up",
            calls=budget.warmup_calls,
            blocks=budget.warmup_blocks,
            block_seconds=budget.block_seconds,
        )
        loops = warm["loops"]
        blocks = budget.blocks_of(loops * warm["seconds"])
        timed = worker.ask("time", loops=loops, blocks=blocks)
        check = worker.ask("check")
    return {"loops": loops, **timed, "error": check["error"]}


def cold_start(scenario: Scenario, seed: int) -> dict[str, Any]:
    """Start one interpreter and follow it to its first logits.

    Returns:
        Nanoseconds of each of `STAGES`, the error of the logits, peak memory.

    Raises:
        WorkerError: If it fails.
    """
    script = ROOT / "benchmarks" / "cold_start.py"
    arguments = map(str, (scenario.batch, scenario.seq, seed))
    begin = time.perf_counter_ns()
    done = subprocess.run(
        [sys.executable, "-P", str(script), *arguments],
        capture_output=True,
        text=True,
        env=pinned_environment(),
        cwd=ROOT,
    )
    if done.returncode:
        raise WorkerError(f"cold start failed: {done.stderr.strip().splitlines()[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    stamps = [begin, *answer.pop("stamps")]
    durations = [end - start for start, end in itertools.pairwise(stamps)]
    return {"stages": dict(zip(STAGES, durations, strict=True)), **answer}


def time_cold(scenario: Scenario, seed: int, budget: Budget) -> dict[str, Any]:
    """Several cold starts in a row: each is a block of one call."""
    starts = [cold_start(scenario, seed) for _ in range(budget.cold_starts)]
    block_ns = [sum(start["stages"].values()) for start in starts]
    return {
        "loops": 1,
        "block_ns": block_ns,
        "cpu_share": None,
        "error": max(start["error"] for start in starts),
        "stages": starts[block_ns.index(min(block_ns))]["stages"],
    }


def measure_resource(
    scenario: Scenario, seed: int, budget: Budget, what: str
) -> dict[str, Any]:
    """Allocation, resident memory or garbage collections, in one fresh process."""
    if scenario.work == "cold":
        peak = cold_start(scenario, seed)["peak_resident_bytes"]
        return {"peak_resident_bytes": peak}
    arguments: dict[str, Any] = {}
    if what == "collections":
        arguments = {"seconds": budget.collection_seconds}
    with Worker() as worker:
        worker.ask("build", scenario=scenario.id, seed=seed)
        answer: dict[str, Any] = worker.ask("measure", what=what, **arguments)
    return answer


def measure_idle() -> dict[str, Any]:
    """Resident memory of a worker that does nothing, in one fresh process."""
    with Worker() as worker:
        answer: dict[str, Any] = worker.ask("idle_memory")
    return answer


def measure_limits(scenario: Scenario, seed: int, budget: Budget) -> dict[str, Any]:
    """The floors under a step of the model, in one fresh process."""
    with Worker() as worker:
        answer: dict[str, Any] = worker.ask(
            "limits", scenario=scenario.id, seed=seed, seconds=budget.limit_seconds
        )
    return answer
