"""Markers in Markdown: where a number or a table comes from.

Both are HTML comments, invisible on the page:

    takes <!-- figure main:scenarios.dispatch_warm.time.best ms -->1 ms<!-- /figure -->

    <!-- generated times memory -->
    | ... |
    <!-- /generated -->

A figure is `KEY UNIT DIGITS`, unit and digits optional: see `quantities.with_unit`. It
stands within a line, never first. What stands between the markers is written by
`scripts/check_docs.py --write`, and without it compared.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.quantities import with_unit
from benchmarks.reports.sources import NotMeasuredError, ReportError, Results

MARKED = re.compile(
    r"<!-- (?P<kind>figure|generated) (?P<arguments>[^>]*?) -->"
    r"(?P<text>.*?)"
    r"<!-- /(?P=kind) -->",
    re.DOTALL,
)
ANY_MARKER = re.compile(r"<!-- /?(?:figure|generated)\b[^>]*-->")
# Markdown takes a comment at the start of a line for a block of its own.
FIRST_ON_LINE = re.compile(r"^[ \t>]*<!-- figure", re.MULTILINE)
Generator = Callable[..., str]


@dataclass(frozen=True)
class Problem:
    """Something wrong on a page.

    Attributes:
        place: Offset in the page.
        message: What.
    """

    place: int
    message: str


def figure_text(arguments: str, results: Results) -> str:
    """What a figure marker must hold.

    Raises:
        ReportError: If the key, the unit or the digits are wrong.
    """
    key, *rest = arguments.split()
    value = results.value(key)
    if isinstance(value, str) and not rest:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReportError(f"the key {key} is no number: {value!r}")
    unit = rest[0] if rest and rest[0] != "-" else ""
    try:
        digits = int(rest[1]) if len(rest) > 1 else 3
        return with_unit(value, unit, digits)
    except ValueError as error:
        raise ReportError(f"the figure {arguments!r}: {error}") from None


def generated_text(
    arguments: str, results: Results, generators: dict[str, Generator]
) -> str:
    """What a generated block must hold, blank lines around it included.

    Raises:
        ReportError: If there is no such generator or it lacks results.
    """
    name, *rest = arguments.split()
    if name not in generators:
        raise ReportError(f"there is no generator {name!r}")
    return f"\n\n{generators[name](results, *rest).strip()}\n\n"


def expected(
    match: re.Match[str], results: Results, generators: dict[str, Generator]
) -> str:
    """What the marker of a match must hold."""
    is_figure = match["kind"] == "figure"
    try:
        if is_figure:
            return figure_text(match["arguments"], results)
        return generated_text(match["arguments"], results, generators)
    except NotMeasuredError as missing:
        command = f"*Not measured yet; a quiet machine does it with* `{missing}`."
        return "(not measured yet)" if is_figure else f"\n\n{command}\n\n"


def problems(
    page: str, results: Results, generators: dict[str, Generator]
) -> Iterator[Problem]:
    """Markers that are broken, stale or lead nowhere."""
    for match in MARKED.finditer(page):
        try:
            wanted = expected(match, results, generators)
        except ReportError as error:
            yield Problem(match.start(), str(error))
            continue
        if match["text"] != wanted:
            what = match["arguments"]
            shown = match["text"].strip()[:40] if match["kind"] == "figure" else ""
            where = f" says {shown!r}, is {wanted!r}" if shown else " is stale"
            yield Problem(match.start(), f"{what}{where}")
    for match in FIRST_ON_LINE.finditer(page):
        yield Problem(match.start(), "a figure that begins a line ends its paragraph")
    for marker in ANY_MARKER.finditer(MARKED.sub(blank, page)):
        yield Problem(marker.start(), f"a marker without its other half: {marker[0]}")


def blank(match: re.Match[str]) -> str:
    """As many characters and lines, with nothing on them."""
    return re.sub(r"[^\n]", " ", match[0])


def rewritten(page: str, results: Results, generators: dict[str, Generator]) -> str:
    """The page with every marker filled anew.

    Raises:
        ReportError: If one of them cannot be.
    """

    def fill(match: re.Match[str]) -> str:
        head = f"<!-- {match['kind']} {match['arguments']} -->"
        text = expected(match, results, generators)
        return f"{head}{text}<!-- /{match['kind']} -->"

    return MARKED.sub(fill, page)
