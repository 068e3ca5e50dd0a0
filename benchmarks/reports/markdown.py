"""Markdown tables."""

from collections.abc import Iterable

from benchmarks.quantities import with_unit


def table(head: str, rows: Iterable[list[str]]) -> str:
    """A table; all columns but the first are aligned to the right.

    Args:
        head: Names of the columns, separated by `|`.
        rows: Cells.

    Returns:
        Markdown.
    """
    names = [name.strip() for name in head.split("|")]
    rule = ["---", *["---:"] * (len(names) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, rule, *rows))


def bounds(low: float, high: float, unit: str) -> str:
    """An interval."""
    return f"{with_unit(low, unit)} to {with_unit(high, unit)}"
