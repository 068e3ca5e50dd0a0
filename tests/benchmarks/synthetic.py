"""Results as a quiet machine would give them, computed and not measured."""

import random
from pathlib import Path
from typing import Any

from benchmarks import plans
from benchmarks.budget import FULL, THRESHOLDS
from benchmarks.estimation import ratio_interval, verdict
from benchmarks.results import load
from benchmarks.scenarios import ALL, SCENARIOS, Scenario
from benchmarks.summary import Record, add_efficiency, scaling, summarise_scenario
from benchmarks.tricks import TRICKS

TIMER_COST = 50e-9


def saved(path: str = "runs/bench.json") -> dict[str, Any]:
    """What a run wrote."""
    return load(Path(path))


def time_record(scenario: Scenario, replica: int, seconds: float) -> Record:
    """One process: blocks at or a little above its floor."""
    rng = random.Random(f"{scenario.id} {replica}")
    floor = seconds * (1 + 0.01 * rng.random())
    loops = max(1, round(0.005 / floor))
    blocks = [floor * loops * (1 + rng.expovariate(10)) for _ in range(FULL.blocks)]
    data: Record = {
        "loops": loops,
        "block_ns": [round(1e9 * block) for block in blocks],
        "cpu_share": 1.0 * max(1, min(2, scenario.workers)),
        "error": 3e-7,
    }
    if scenario.work == "cold":
        shares = {"interpreter": 0.1, "numpy": 0.5, "package": 0.2}
        shares |= {"build": 0.1, "forward": 0.1}
        data["stages"] = {k: round(1e9 * floor * v) for k, v in shares.items()}
    return record(scenario, "time", data, replica)


def record(scenario: Scenario, kind: str, data: Record, replica: int = 0) -> Record:
    """A line of the journal."""
    named = {"kind": kind, "scenario": scenario.id, "attempt": 0, "replica": replica}
    return named | {"data": data}


def seconds_of(scenario: Scenario) -> float:
    """Some time that grows with the work."""
    kernels = {"matmul": 6e-6, "softmax": 5e-6, "rmsnorm": 8e-6, "cold": 0.12}
    work = {"train": 3.0, "forward": 1.0, "decode": 0.2}.get(scenario.work, 1.0)
    tokens = scenario.batch * scenario.seq
    size = (scenario.hidden / 64) ** 1.4
    crowd = 1.05 ** max(0, scenario.workers - 1)
    model = (2e-4 + 1e-5 * tokens) * work * size * crowd
    return kernels.get(scenario.work, model)


LIMITS = {
    "products": 4.1e-4,
    "optimiser": 1.3e-4,
    "optimiser_bytes": 28,
    "update": 3e-4,
    "step": 9.3e-4,
    "dispatch": 8.7e-5,
    "ratio": 1.72,
    "product_share": 0.44,
    "optimiser_share": 0.14,
    "dispatch_share": 0.094,
    "interpreter_share_at_most": 0.19,
    "calls": 251,
    "indexing": 90,
    "call_seconds": 3.5e-7,
    "index_seconds": 1.2e-7,
    "matrix_products": 29,
    "flops": 37130000,
    "activation_bytes": 1200000,
    "active_flops": 37090000,
    "bandwidth": 9e10,
    "peak_flops": 1.02e11,
    "utilisation": 0.39,
}


def records_of(scenario: Scenario) -> list[Record]:
    """Everything that a full run writes down about a scenario."""
    seconds = seconds_of(scenario)
    records = [time_record(scenario, n, seconds) for n in range(FULL.processes)]
    allocation = {"peak_traced_bytes": 2116518, "retained_bytes": 5038}
    allocation["live_array_bytes"] = 2102048
    collections = {"calls": 321, "collections": [2, 1, 0]}
    collections |= {"pause_seconds": 1e-4, "pause_share": 3.3e-4}
    workers = max(1, scenario.workers)
    resident = {"peak_resident_bytes": 53833728 * workers}
    records.append(record(scenario, "memory", resident))
    if scenario.work != "cold":
        records.append(record(scenario, "allocation", allocation))
        records.append(record(scenario, "collections", collections))
    if scenario.has_limits:
        limits = range(FULL.limit_processes)
        records += [record(scenario, "limits", LIMITS, n) for n in limits]
    return records


def environment() -> dict[str, Any]:
    """A machine that does not exist."""
    moment = {"at": "2026-01-02T03:04:05+00:00", "load": 0.12}
    moment["canary"] = {"best": 8e-5, "median": 8.1e-5}
    blas = {
        "vendor": "OpenBLAS",
        "version": "0.3.31",
        "build_version": "0.3.31",
        "architecture": "SkylakeX",
        "threads_requested": 1,
        "threads_seen": 1,
        "threads_verified": True,
    }
    return {
        "git": {"commit": "0123456789abcdef", "describe": "v1", "dirty": False},
        "python": {"version": "3.11.7", "implementation": "CPython", "gil": True},
        "numpy": {"version": "2.4.6", "simd_found": []},
        "blas": blas,
        "package_version": "0.1.0",
        "timer": {"resolution": 1e-9, "cost": TIMER_COST},
        "cpu": {"model": "Abacus", "logical": 2, "available": 2, "virtual": True},
        "os": {"name": "Linux", "release": "6.18"},
        "memory_bytes": 25276510208,
        "environment": {},
        "before": moment,
        "after": moment,
    }


def comparison(scenario: str, baseline: str, ratio: float) -> dict[str, Any]:
    """Pairs that scatter a little around a ratio."""
    rng = random.Random(f"{scenario} {baseline}")
    pairs = [ratio * (1 + 0.004 * rng.gauss(0, 1)) for _ in range(FULL.pairs)]
    mean, interval = ratio_interval(pairs)
    return {
        "scenario": scenario,
        "baseline": baseline,
        "candidate": "numpy",
        "ratio": mean,
        "interval": list(interval[:2]),
        "half_width": (interval.high - interval.low) / 2,
        "verdict": verdict(mean, interval),
        "baseline_seconds": 1e-3,
        "candidate_seconds": 1e-3 * mean,
        "agreement": {baseline: {"version": "1", "what": "logits", "error": 2.8e-7}},
        "pairs": pairs,
    }


def result(**content: Any) -> dict[str, Any]:
    """A result file around some content."""
    return {
        "schema_version": 1,
        "quick": False,
        "interrupted": False,
        "publishable": True,
        "reasons": [],
        "command": "python scripts/bench.py",
        "seed": 0,
        "budget": FULL.as_dict(),
        "thresholds": THRESHOLDS,
        "duration": 400.0,
        "environment": environment(),
        **content,
    }


def measured(scenarios: list[Scenario]) -> dict[str, Any]:
    """The result of a full run over some scenarios."""
    summaries = {
        s.id: summarise_scenario(s, records_of(s), 4e7, FULL, TIMER_COST, cores=2)
        for s in scenarios
    }
    add_efficiency(summaries)
    test = comparison("dispatch_warm", "numpy", 1.001) | {"passed": True}
    cases = [{"case": "softmax", "outcome": "1.0", "passed": True}]
    return result(
        scenarios=summaries,
        scaling=scaling(summaries),
        self_tests=[test],
        stability=cases,
    )


def skipped(scenario: str, peer: str) -> dict[str, Any]:
    """A comparison that could not be made."""
    named = {"scenario": scenario, "baseline": peer, "candidate": "numpy"}
    return named | {"status": "skipped", "reason": "no train step"}


def history() -> list[dict[str, Any]]:
    """Two commits against a third."""
    step = {"ratio": 1.5, "interval": [1.4, 1.6]}
    rows = [("aaaaaaaaaa", "2026-01-01"), ("bbbbbbbbbb", "2026-01-02")]
    return [
        {"commit": commit, "date": date, "reference": "cccccccccc"}
        | dict.fromkeys(("dispatch_warm", "mem_train_step"), step)
        for commit, date in rows
    ]


def all_results() -> dict[str, dict[str, Any]]:
    """Every measured file that the pages ask for, by name."""
    hidden = [s for s in ALL.values() if s.axis == "hidden"]
    peers = [
        skipped(name, peer)
        if peer == "hf" and ALL[name].work == "train"
        else comparison(name, peer, 1.2 if peer == "jax" else 0.7)
        for name in plans.PEER_STEPS
        for peer in plans.PEERS
    ]
    worth = [
        comparison(name, trick.variant, 0.9 if trick.kept else 1.0)
        for trick in TRICKS
        for name in trick.scenarios
    ]
    threads = [comparison(s, side.name, 1.1) for s, side in plans.with_threads(2)]
    slowed = [comparison("dispatch_warm", f"slowed {n}", 1.053) for n in range(2)]
    itself = [comparison("dispatch_warm", f"itself {n}", 1.0) for n in range(2)]
    return {
        "main": measured(list(SCENARIOS.values())),
        "hidden": measured(hidden),
        "peers": result(comparisons=peers),
        "tricks": result(comparisons=worth),
        "threads": result(comparisons=threads),
        "self_test": result(
            self_tests=[test | {"passed": True} for test in itself],
            injected_tests=[test | {"passed": True} for test in slowed],
        ),
    }
