"""The lines of a function as pages: the code, and what the current line computed."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from code_inputs import STEPS
from code_trace import Change, Line
from derivation_pages import COLUMNS, Page

from moe.derivations.printing import pretty
from moe.registry import BY_ID, ENTRIES

MARK = "▶ "


def code_pages(name: str) -> list[Page]:
    """Pages of the functions of an entry (`E02`) or of a stem (`rope`).

    Raises:
        ValueError: If the registry has no such entry or stem.
    """
    if name not in BY_ID and name not in STEPS:
        allowed = f"E01 to {ENTRIES[-1].id} or one of {', '.join(STEPS)}"
        raise ValueError(f"STEM must be {allowed}, got {name!r}")
    entries = [entry for entry in ENTRIES if name in (entry.id, entry.stem)]
    wanted = {function for entry in entries for function in entry.functions}
    return [
        page
        for function, lines in STEPS[entries[0].stem]()
        if function.__name__ in wanted
        for page in _pages(function, lines)
    ]


def _pages(function: Callable[..., Any], lines: list[Line]) -> Iterator[Page]:
    for count, line in enumerate(lines, start=1):
        title = f"{function.__name__}, line {count} of {len(lines)}"
        text = f"{_listing(function, line)}\n\n{_values(line.changes)}"
        yield Page(title, lambda text=text: (text, True))  # type: ignore[misc]


def _listing(function: Callable[..., Any], current: Line) -> str:
    """Code of the function without its docstring, the current line marked."""
    source, first = inspect.getsourcelines(function)
    end_of_docstring = max(n for n, line in enumerate(source) if '"""' in line)
    body = source[end_of_docstring + 1 :]
    rows = []
    for number, line in enumerate(body, start=first + end_of_docstring + 1):
        mark = MARK if number == current.number else " " * len(MARK)
        rows.append(f"{mark}{line.rstrip()[4:]}"[:COLUMNS])
    return "\n".join([f"{function.__name__}:", *rows])


def _values(changes: tuple[Change, ...]) -> str:
    """Every changed variable: its shape, and one of its elements."""
    if not changes:
        return "(no new expression: this line chooses, unpacks or passes on)"
    blocks = []
    for change in changes:
        shape = f"  shape {change.shape}" if change.shape else ""
        head = f"{change.name}{shape}"
        prefix = f"    {pretty(change.element)} = "
        blocks.append(f"{head}\n{pretty(change.value, COLUMNS, prefix)}")
    return "\n\n".join(blocks)
