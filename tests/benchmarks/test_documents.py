"""Pages against results: what is right passes, any changed digit does not."""

import json
import re
import shutil
from pathlib import Path

import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.processes import ROOT
from benchmarks.reports import checking, markers, numbers, tables
from benchmarks.reports.markdown import bounds
from benchmarks.reports.markers import MARKED
from benchmarks.reports.sources import ReportError, Results
from benchmarks.results import validate

README = """\
# Fast

A forward
pass takes <!-- figure main:scenarios.dispatch_warm.time.best ms -->x<!-- /figure -->,
or <!-- figure self_test:self_tests[0].ratio x -->x<!-- /figure --> of what
it takes itself. At $2 x$ nothing is claimed, nor in `range(10)` for 3 things.

<!-- generated limits main -->
<!-- /generated -->
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """README, the benchmark pages and synthetic results, all in order."""
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs" / "benchmarks", root / "docs" / "benchmarks")
    (root / "README.md").write_text(README)
    folder = root / "benchmarks" / "results"
    folder.mkdir(parents=True)
    for name in ("cited", "convergence", "convergence_torch", "instructions"):
        shutil.copy(ROOT / "benchmarks" / "results" / f"{name}.json", folder)
    for name, result in synthetic.all_results().items():
        validate(result, name)
        (folder / f"{name}.json").write_text(json.dumps(result))
    rows = [json.dumps(row) + "\n" for row in synthetic.history()]
    (folder / "history.jsonl").write_text("".join(rows))
    for page in checking.pages(root):
        checking.write_page(page, Results(folder))
    return root


def results_of(site: Path) -> Results:
    return Results(site / "benchmarks" / "results")


def problems(site: Path) -> list[str]:
    found = results_of(site)
    return [
        line
        for page in checking.pages(site)
        for line in checking.check_page(page, found)
    ]


def test_pages_that_were_written_are_right(site: Path) -> None:
    assert problems(site) == []
    assert "1 x" not in (site / "README.md").read_text().split("generated")[0]


def digits_of_results(page: Path) -> list[int]:
    """Places of the digits that a reader takes for a result."""
    text = page.read_text()
    places = []
    for match in MARKED.finditer(text):
        start, end = match.span("text")
        places += [start + d.start() for d in re.finditer(r"\d", text[start:end])]
    return places


@pytest.fixture(scope="module")
def digits(site: Path) -> list[tuple[Path, int]]:
    places = [(p, d) for p in checking.pages(site) for d in digits_of_results(p)]
    assert len(places) > 1000
    return places


@settings(max_examples=200, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), shift=st.integers(1, 9))
def test_any_changed_digit_is_found(
    site: Path, digits: list[tuple[Path, int]], share: float, shift: int
) -> None:
    page, place = digits[int(share * len(digits))]
    text = page.read_text()
    other = str((int(text[place]) + shift) % 10)
    try:
        page.write_text(text[:place] + other + text[place + 1 :])
        found = checking.check_page(page, results_of(site))
    finally:
        page.write_text(text)
    assert len(found) == 1, f"{page.name}:{place}: {text[place]} -> {other}: {found}"


def test_any_changed_digit_of_a_picture_is_found(site: Path) -> None:
    page = site / "docs" / "benchmarks" / "limits.md"
    picture = page.parent / "charts" / "peers.svg"
    drawn = picture.read_text()
    place = re.search(r"\d\.\d+ x", drawn)
    assert place is not None
    try:
        for digit in "0123456789":
            picture.write_text(
                drawn[: place.start()] + digit + drawn[place.start() + 1 :]
            )
            same = picture.read_text() == drawn
            assert bool(checking.check_page(page, results_of(site))) is not same
    finally:
        picture.write_text(drawn)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("It takes 1.14 ms.", "'1.14 ms' has no key"),
        ("It is 1.7 x faster.", "'1.7 x' has no key"),
        ("It is 12x faster.", "'12x' has no key"),
        ("Under 4 GiB.", "'4 GiB' has no key"),
        ("About 35 %.", "'35 %' has no key"),
        ("3 times as fast", "'3 times' has no key"),
        ("| 5,600 us |", "'5,600 us' has no key"),
        ("```text\n0.5 s\n```", "'0.5 s' has no key"),
        ("`1.14 ms`", "'1.14 ms' has no key"),
        ("<!-- figure main:nothing.here ms -->1<!-- /figure -->", "no longer exists"),
        ("<!-- figure main:scenarios ms -->1<!-- /figure -->", "is no number"),
        ("<!-- figure nofile:a ms -->1<!-- /figure -->", "no result nofile.json"),
        (
            "<!-- figure main:duration parsec -->1<!-- /figure -->",
            "unknown unit 'parsec'",
        ),
        (
            "<!-- figure main:duration s -->401 s<!-- /figure -->",
            "says '401 s', is '400",
        ),
        ("<!-- figure main:duration s -->400 s", "without its other half"),
        ("<!-- figure main:duration s -->400 s<!-- /figure -->", "begins a line"),
        ("<!-- generated stages -->\nold\n<!-- /generated -->", "stages is stale"),
        ("<!-- generated riches -->\n<!-- /generated -->", "no generator 'riches'"),
    ],
)
def test_what_is_wrong_is_named(
    site: Path, tmp_path: Path, text: str, message: str
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{text}\n")
    found = checking.check_page(page, results_of(site))
    assert found
    assert any(message in line for line in found), found
    assert found[0].startswith(f"{page}:3:") or "```" in text


@pytest.mark.parametrize(
    "text",
    [
        "Attention of 2 x 3 matrices, 1280x720 px, `(2, 32, 64)`, 22 scenarios",
        "$y = 2 x$ and $$ 3 s $$",
        "```python\ntime.sleep(5)  # 5 s\n```",
        "[link](pages/5%20s.md) and [another](https://example.org/5ms)",
        "hidden 64, batch 2, E07, 0.3.31, top-2 moves, 4 blocks",
        "<!-- a comment: 5 ms -->",
    ],
)
def test_what_is_no_measurement_is_left_alone(text: str) -> None:
    assert list(numbers.unkeyed(text)) == []


def test_an_unpublishable_result_is_no_source(site: Path, tmp_path: Path) -> None:
    refused = synthetic.result(publishable=False, reasons=["noise"])
    (tmp_path / "main.json").write_text(json.dumps(refused))
    with pytest.raises(ReportError, match="must not be published: noise"):
        Results(tmp_path).value("main:duration")


def test_every_chart_says_in_words_what_it_shows(site: Path) -> None:
    charts = sorted((site / "docs" / "benchmarks" / "charts").glob("*.svg"))
    assert [chart.stem for chart in charts] == sorted(checking.charts.CHARTS)
    for chart in charts:
        text = chart.read_text()
        described = re.search(r"<desc[^>]*>(.*?)</desc>", text, re.DOTALL)
        assert described is not None
        assert re.search(r"\d", described[1])
        assert 'role="img"' in text
        assert "<title" in text


def test_a_result_to_come_is_named_with_its_command(tmp_path):
    results = Results(tmp_path)
    page = (
        "It takes <!-- figure main:duration s -->400 s<!-- /figure -->.\n\n"
        "<!-- generated stages -->\nold\n<!-- /generated -->\n"
    )
    assert len(list(markers.problems(page, results, tables.GENERATORS))) == 2
    written = markers.rewritten(page, results, tables.GENERATORS)
    assert "(not measured yet)" in written
    assert "python scripts/bench.py --json benchmarks/results/main.json" in written
    assert not list(markers.problems(written, results, tables.GENERATORS))


@pytest.mark.parametrize(
    ("ends", "unit", "text"),
    [
        ((1.23, 1.32), "x", "1.23 to 1.32 x"),
        ((4.94e-4, 5.12e-4), "s", "494 to 512 us"),
        ((9.98e-4, 1.02e-3), "s", "998 us to 1.02 ms"),
    ],
)
def test_a_unit_that_both_ends_share_stands_once(
    ends: tuple[float, float], unit: str, text: str
) -> None:
    assert bounds(*ends, unit) == text
