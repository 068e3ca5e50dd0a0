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
    """An interval; a unit that both ends share stands once."""
    (least, first), (most, second) = (
        with_unit(end, unit).split(" ", 1) for end in (low, high)
    )
    return f"{least if first == second else f'{least} {first}'} to {most} {second}"
