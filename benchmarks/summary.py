"""From records to what may be published: pure functions, no clock, no processes."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median
from typing import Any

from benchmarks.budget import (
    MOST_CPU,
    SHORTEST_BLOCK,
    TIMER_MARGIN,
    WIDEST_INTERVAL,
    Budget,
)
from benchmarks.estimation import (
    median_interval,
    power_law,
    quartiles,
    straight_line,
)
from benchmarks.measuring import STAGES
from benchmarks.scenarios import Scenario

Record = dict[str, Any]
STARVED = 0.9  # share of a core below which the reason of a refusal is another program


def last_attempt(records: Iterable[Record]) -> list[Record]:
    """The records of the newest attempt: an unstable scenario is measured anew."""
    records = list(records)
    newest = max((record["attempt"] for record in records), default=0)
    return [record for record in records if record["attempt"] == newest]


def summarise_time(records: list[Record]) -> dict[str, Any]:
    """Headline, typical time and spread of one scenario.

    Args:
        records: Of one attempt, one per process, at least one.

    Returns:
        All times are seconds per call.
    """
    per_process, all_blocks = [], []
    for record in records:
        calls = [ns * 1e-9 / record["loops"] for ns in record["block_ns"]]
        per_process.append(min(calls))
        all_blocks += calls
    low, high, coverage = median_interval(per_process)
    first, typical, third = quartiles(all_blocks)
    shares = [r["cpu_share"] for r in records if r["cpu_share"] is not None]
    return {
        "best": median(per_process),
        "interval": [low, high],
        "coverage": coverage,
        "typical": typical,
        "quartiles": [first, third],
        "spread": max(per_process) / min(per_process) - 1,
        "per_process": per_process,
        "processes": len(records),
        "blocks": len(all_blocks),
        "shortest_block": min(min(r["block_ns"]) for r in records) * 1e-9,
        "cpu_share": median(shares) if shares else None,
        "attempts": records[0]["attempt"] + 1,
    }


def reasons_against(
    time: dict[str, Any], budget: Budget, timer_cost: float, workers: int = 0
) -> list[str]:
    """Why a time is not to be published; empty where it may be.

    Args:
        time: Of `summarise_time`.
        budget: What was asked for.
        timer_cost: Of reading the clock twice, in seconds.
        workers: Processes at once; 0 is in the measuring process itself.

    Returns:
        One clause for each reason.
    """
    reasons = []
    if time["processes"] < budget.processes:
        reasons.append(f"{time['processes']} of {budget.processes} processes")
    low, high = time["interval"]
    half_width = (high - low) / 2 / time["best"]
    if half_width > WIDEST_INTERVAL:
        reasons.append(
            f"interval is +-{half_width:.1%}, allowed is +-{WIDEST_INTERVAL:.0%}"
        )
    shortest = max(SHORTEST_BLOCK, TIMER_MARGIN * timer_cost)
    if time["shortest_block"] < shortest:
        reasons.append(
            f"a block took {time['shortest_block'] * 1e3:.2f} ms, "
            f"at least {shortest * 1e3:.2f} ms are needed"
        )
    share = time["cpu_share"]
    if share is not None and share > MOST_CPU * max(1, workers):
        reasons.append(f"it used {share:.2f} s of CPU per second")
    if reasons and share is not None and share < STARVED:
        reasons.append(f"it had {share:.0%} of a core")
    return reasons


def over_numpy(starts: list[dict[str, int]]) -> dict[str, Any]:
    """A cold start over that of an interpreter that only imports NumPy.

    Args:
        starts: Nanoseconds of every stage, one per round.

    Returns:
        Median ratio and its interval.
    """
    ratios = [sum(s.values()) / (s["interpreter"] + s["numpy"]) for s in starts]
    low, high, _ = median_interval(ratios)
    return {"ratio": median(ratios), "interval": [low, high]}


def middle(records: list[Record]) -> dict[str, Any]:
    """Median over processes of every figure of like records."""
    keys = [key for key, value in records[0].items() if isinstance(value, float | int)]
    return {key: median(record[key] for record in records) for key in keys}


def summarise_scenario(
    scenario: Scenario,
    records: list[Record],
    idle_bytes: float | None,
    budget: Budget,
    timer_cost: float,
    cores: int,
) -> dict[str, Any]:
    """Everything about one scenario.

    Args:
        scenario: What was measured.
        records: All records of it.
        idle_bytes: Resident memory of an idle worker.
        budget: What was asked for.
        timer_cost: Of reading the clock twice, in seconds.
        cores: That were available.

    Returns:
        A value of `scenarios` in the result file.
    """
    kinds: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        kinds[record["kind"]].append(record["data"] | {"attempt": record["attempt"]})
    summary: dict[str, Any] = {
        "axis": scenario.axis,
        "work": scenario.work,
        "hidden": scenario.hidden,
        "batch": scenario.batch,
        "seq": scenario.seq,
        "status": "incomplete",
        "reasons": ["not measured"],
    }
    times = last_attempt(kinds["time"])
    if times:
        summary["time"] = time = summarise_time(times)
        summary["error"] = max(record["error"] for record in times)
        reasons = reasons_against(time, budget, timer_cost, scenario.workers)
        complete = time["processes"] >= budget.processes
        status = "unstable" if complete else "incomplete"
        summary |= {"status": status if reasons else "stable", "reasons": reasons}
        if scenario.tokens:
            summary["tokens_per_second"] = scenario.tokens / time["best"]
        if scenario.work == "cold":
            summary["stages"] = {
                stage: median(record["stages"][stage] for record in times) * 1e-9
                for stage in STAGES
            }
            summary["over_numpy"] = over_numpy([r["stages"] for r in times])
    if kinds["threads"]:
        summary["threads"] = summarise_time(last_attempt(kinds["threads"]))
    for what in ("allocation", "memory", "collections"):
        for record in kinds[what]:
            summary[what] = {k: v for k, v in record.items() if k != "attempt"}
    if "memory" in summary and idle_bytes is not None:
        idle = idle_bytes * max(1, scenario.workers)
        summary["memory"]["over_idle_bytes"] = (
            summary["memory"]["peak_resident_bytes"] - idle
        )
    if kinds["limits"]:
        summary["limits"] = middle(kinds["limits"])
        del summary["limits"]["attempt"]
        ratios = [record["ratio"] for record in kinds["limits"]]
        summary["limits"]["ratio_interval"] = list(median_interval(ratios)[:2])
    if scenario.workers:
        summary["workers"] = scenario.workers
        summary["oversubscribed"] = scenario.workers > cores
    return summary


def add_efficiency(summaries: dict[str, dict[str, Any]]) -> None:
    """Write speed-up and efficiency into the parallel scenarios, against one worker.

    Every worker does one task per call, so with n workers and times `t_1` and `t_n`
    the speed-up is `n t_1 / t_n` and the efficiency `t_1 / t_n`.
    """
    for work in ("forward", "train"):
        rows = [s for s in summaries.values() if "workers" in s and s["work"] == work]
        one = next((s for s in rows if s["workers"] == 1 and "time" in s), None)
        for row in rows:
            if one is not None and "time" in row:
                efficiency = one["time"]["best"] / row["time"]["best"]
                row["efficiency"] = efficiency
                row["speedup"] = row["workers"] * efficiency


def scaling(summaries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """How time grows: exponents and straight lines, where enough was measured.

    Args:
        summaries: Values of `scenarios`.

    Returns:
        By name of the series: `sizes`, `seconds`, `exponent` of the power law, and for
        tokens the `fixed` seconds of a call and the `per_token`.
    """
    series = {
        "batch": ("mem_scale_batch_", "batch"),
        "seq": ("mem_scale_seq_", "seq"),
        "hidden_forward": ("hidden_forward_", "hidden"),
        "hidden_train": ("hidden_train_", "hidden"),
    }
    fits = {}
    for name, (prefix, key) in series.items():
        rows = [s for i, s in summaries.items() if i.startswith(prefix)]
        if len(rows) < 3 or any(row["status"] != "stable" for row in rows):
            continue
        sizes = [row[key] for row in rows]
        seconds = [row["time"]["best"] for row in rows]
        fits[name] = {
            "sizes": sizes,
            "seconds": seconds,
            "exponent": power_law(sizes, seconds),
        }
        if key in ("batch", "seq"):
            tokens = [row["batch"] * row["seq"] for row in rows]
            fixed, per_token = straight_line(tokens, seconds)
            fits[name] |= {"fixed": fixed, "per_token": per_token}
    return fits
