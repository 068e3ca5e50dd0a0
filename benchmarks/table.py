"""Rows for the terminal."""

from typing import Any

from benchmarks.budget import CONFIDENCE
from benchmarks.quantities import with_unit
from benchmarks.scenarios import ALL, AXES, SCENARIOS, Scenario

COLUMNS = (
    ("scenario", "<20"),
    ("best", ">9"),
    ("+-", ">7"),
    ("typical", ">9"),
    ("peak alloc", ">10"),
    ("resident", ">9"),
    ("step/floor", ">10"),
)


def line(cells: list[str]) -> str:
    """One row, aligned."""
    columns = zip(cells, COLUMNS, strict=True)
    return "  ".join(f"{cell:{spec}}" for cell, (_, spec) in columns).rstrip()


def header() -> str:
    """Names of the columns."""
    return line([name for name, _ in COLUMNS])


def row(scenario: Scenario, summary: dict[str, Any], quick: bool) -> str:
    """One scenario; its time only where it may be told."""
    if summary["status"] != "stable" and not quick:
        return (
            f"{scenario.id:<20}  {summary['status']}: {'; '.join(summary['reasons'])}"
        )
    time = summary["time"]
    low, high = time["interval"]
    half_width = (high - low) / 2 / time["best"]
    allocation = summary.get("allocation", {}).get("peak_traced_bytes")
    resident = summary.get("memory", {}).get("over_idle_bytes")
    ratio = summary.get("limits", {}).get("ratio")
    cells = [
        scenario.id,
        with_unit(time["best"], "s"),
        # Two or three processes give no interval worth the name.
        with_unit(half_width, "%", 2) if time["coverage"] > CONFIDENCE else "",
        with_unit(time["typical"], "s"),
        "" if allocation is None else with_unit(allocation, "B"),
        "" if resident is None else with_unit(max(0, resident), "B"),
        "" if ratio is None else with_unit(ratio, "x"),
    ]
    marks = []
    if summary.get("oversubscribed"):
        marks.append("oversubscribed")
    if sum(summary.get("collections", {}).get("collections", [])):
        share = summary["collections"]["pause_share"]
        marks.append(f"garbage collection {with_unit(share, '%', 2)}")
    return line(cells) + ("  " + ", ".join(marks) if marks else "")


def listing() -> str:
    """All scenarios by axis."""
    rows = []
    for axis, meaning in AXES.items():
        rows.append(f"{axis}: {meaning}")
        for scenario in ALL.values():
            if scenario.axis == axis:
                rows.append(f"  {scenario.id:<20} {describe(scenario)}")
    return "\n".join([f"{len(SCENARIOS)} scenarios, and studies beside them", *rows])


def describe(scenario: Scenario) -> str:
    """What a scenario does, in words."""
    width = scenario.hidden
    kernels = {
        "matmul": f"matrix product {width} x {width} x {width}",
        "softmax": f"softmax of {width} numbers",
        "rmsnorm": f"RMSNorm of ({scenario.batch}, {scenario.seq}, {width})",
    }
    if scenario.work in kernels:
        return kernels[scenario.work]
    shape = f"batch {scenario.batch}, seq {scenario.seq}, hidden {width}"
    works = {
        "forward": "forward pass",
        "train": "train step",
        "decode": "one token behind so many",
        "cold": "new interpreter to first logits",
    }
    workers = f", {scenario.workers} at once" if scenario.workers else ""
    return f"{works[scenario.work]}, {shape}{workers}"


def comparison_row(comparison: dict[str, Any]) -> str:
    """One comparison: ratio, interval, verdict."""
    name = f"{comparison['scenario']:<20}  {comparison['baseline']:<14}"
    if "status" in comparison:
        return f"{name} {comparison['status']}: {comparison['reason']}"
    low, high = comparison["interval"]
    return (
        f"{name} {with_unit(comparison['baseline_seconds'], 's'):>9}"
        f"  {comparison['candidate']:<14}"
        f" {with_unit(comparison['candidate_seconds'], 's'):>9}"
        f"  ratio {comparison['ratio']:.3f} [{low:.3f}, {high:.3f}]"
        f"  {comparison['verdict']}"
    )
