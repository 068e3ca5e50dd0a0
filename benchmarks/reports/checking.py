"""`scripts/check_docs.py`: every number on a page is that of a result file."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import ROOT
from benchmarks.reports import charts, markers, numbers, tables
from benchmarks.reports.sources import ReportError, Results

EXAMPLES = """\
In a page, a number with a unit or a ratio is written

  takes <!-- figure main:scenarios.dispatch_warm.time.best ms -->1 ms<!-- /figure -->

and a table <!-- generated times memory --> ... <!-- /generated -->. --write fills in
what stands between them from benchmarks/results/*.json.
"""


def pages(root: Path) -> list[Path]:
    """README and every page of the docs."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def drawings(page: Path, text: str) -> Iterator[tuple[Path, str]]:
    """Pictures that a page shows and this package draws: file and name of the chart."""
    for target in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", text):
        name = Path(target).stem
        if target.startswith("charts/") and name in charts.CHARTS:
            yield page.parent / target, name


def check_page(page: Path, results: Results) -> list[str]:
    """What is wrong on a page.

    Args:
        page: File.
        results: Where the numbers come from.

    Returns:
        `file:line: problem`, in order.
    """
    text = page.read_text()
    found = [
        *markers.problems(text, results, tables.GENERATORS),
        *numbers.unkeyed(text),
    ]
    lines = [
        f"{page}:{text.count(chr(10), 0, problem.place) + 1}: {problem.message}"
        for problem in sorted(found, key=lambda problem: problem.place)
    ]
    for path, name in drawings(page, text):
        try:
            wanted = charts.CHARTS[name](results)
        except ReportError as error:
            lines.append(f"{path}: {error}")
            continue
        if not path.exists() or path.read_text() != wanted:
            lines.append(f"{path}: the picture is stale")
    return lines


def write_page(page: Path, results: Results) -> None:
    """Fill in every marker and draw every picture of a page.

    Raises:
        ReportError: If a result is missing.
    """
    try:
        text = markers.rewritten(page.read_text(), results, tables.GENERATORS)
        page.write_text(text)
        for path, name in drawings(page, text):
            path.parent.mkdir(exist_ok=True)
            path.write_text(charts.CHARTS[name](results))
    except ReportError as error:
        raise ReportError(f"{page}: {error}") from None


def main(argv: list[str] | None = None) -> int:
    """Entry point.

    Args:
        argv: Arguments; None for those of the process.

    Returns:
        0 if every page holds, 1 if not, 2 for a wrong command line.
    """
    parser = argparse.ArgumentParser(
        prog="check_docs.py",
        description="Check that every number in README and docs is that of its JSON.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--write", action="store_true", help="refresh what is stale")
    arguments = parser.parse_args(argv)
    results = Results(ROOT / "benchmarks" / "results")
    problems = []
    for page in pages(ROOT):
        if arguments.write:
            try:
                write_page(page, results)
            except ReportError as error:
                problems.append(str(error))
        problems += check_page(page, results)
    for problem in problems:
        print(problem.replace(f"{ROOT}/", ""), file=sys.stderr)
    if problems:
        print(f"{len(problems)} problems", file=sys.stderr)
        return 1
    print(f"{len(pages(ROOT))} pages: every number is that of its result")
    return 0
