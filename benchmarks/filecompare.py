"""Two result files side by side: a hint, never a verdict on small differences.

They were measured at different times, perhaps on different machines. A difference is
told only where the machines agree and the intervals are apart by more than what one
machine drifts between two moments.
"""

from typing import Any

from benchmarks.budget import DRIFT
from benchmarks.estimation import Interval, verdict
from benchmarks.quantities import with_unit

SAME_MACHINE = (
    ("cpu", "model"),
    ("os", "name"),
    ("blas", "vendor"),
    ("blas", "version"),
    ("blas", "architecture"),
    ("blas", "threads_seen"),
    ("numpy", "version"),
    ("python", "version"),
)


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs between the machines of two results."""
    found = []
    for section, key in SAME_MACHINE:
        before, after = (r["environment"][section].get(key) for r in (old, new))
        if before != after:
            found.append(f"{section} {key}: {before} and {after}")
    return found


def compare_results(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Lines for the terminal.

    Args:
        old: Content of a result file.
        new: Content of another.

    Returns:
        What differs in the machines, then one line for each common scenario.
    """
    machines = differences(old, new)
    lines = [f"not the same machine: {difference}" for difference in machines]
    for name, before in old.get("scenarios", {}).items():
        after = new.get("scenarios", {}).get(name)
        if after is not None:
            lines.append(compare_row(name, before, after, bool(machines)))
    advice = "what --against COMMIT measures in turn is worth more"
    return [*lines, f"The files are of different moments: {advice}."]


def compare_row(
    name: str, before: dict[str, Any], after: dict[str, Any], other_machine: bool
) -> str:
    """One scenario in both files."""
    states = (before["status"], after["status"])
    if states != ("stable", "stable"):
        return f"{name:<20}  not compared: {' and '.join(states)}"
    (low, high), (new_low, new_high) = (s["time"]["interval"] for s in (before, after))
    old_best, new_best = before["time"]["best"], after["time"]["best"]
    # What two moments differ by is added to both ends.
    drift = 1 + DRIFT
    interval = Interval(new_low / high / drift, new_high / low * drift, coverage=0.0)
    word = verdict(new_best / old_best, interval)
    return (
        f"{name:<20}  {with_unit(old_best, 's'):>9}  {with_unit(new_best, 's'):>9}"
        f"  ratio {new_best / old_best:.3f}"
        f"  {'not the same machine' if other_machine else word}"
    )
