"""What the built site contains, and that it depends on its sources alone."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from sitebuild import delivery, evidence, font, mathml, pipeline, reference

from moe.derivations import load_entry
from moe.registry import ENTRIES, Entry

by_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)


def page_of(site: Path, entry: Entry) -> str:
    return (site / "equations" / f"{entry.stem}.html").read_text(encoding="utf-8")


def test_same_input_gives_same_bytes(site: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    command = [sys.executable, "scripts/site.py", "build", "--out", again]
    subprocess.run(command, check=True, cwd=pipeline.ROOT)
    assert digests(again) == digests(site)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_zip_depends_on_the_site_alone(site: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        delivery.pack(site, tmp_path / name / "site.zip")
    first, second = ((tmp_path / name / "site.zip").read_bytes() for name in "ab")
    assert first == second


@by_entry
def test_anchor_and_badge(site: Path, entry: Entry) -> None:
    html = page_of(site, entry)
    assert re.search(rf'<h[12] id="{entry.id}">', html)
    badge = f"{evidence.SHAPES[evidence.state(entry.id)]}</span> {entry.id} "
    assert badge + evidence.state(entry.id) in html


@by_entry
def test_every_step_and_equation_is_on_the_page(site: Path, entry: Entry) -> None:
    html = page_of(site, entry)
    derivation = load_entry(entry.id)
    steps = sum(len(chain.steps) for chain in derivation.chains)
    ids = re.findall(rf'<li class="step" id="{entry.id}-step-(\d+)"', html)
    assert [*map(int, ids)] == [*range(1, steps + 1)]
    number = int(entry.id[1:])
    own = {e.tag for e in derivation.equation if e.tag[:-1] == str(number)}
    assert own
    for tag in own:
        assert html.count(f'id="eq-{tag}"') == 1


@by_entry
def test_symbols_stand_in_table_and_formulas(site: Path, entry: Entry) -> None:
    html = page_of(site, entry)
    for row in load_entry(entry.id).symbols:
        key = re.escape(str(row.base))
        assert re.search(rf'<tr data-symbol-row="{key}"', html), row
        shown = rf'<m(?:i|row|sub|sup|subsup|over)[^>]* ?data-symbol="{key}"'
        # Once in the table; a symbol that no formula shows has no use for a row.
        assert len(re.findall(shown, html)) > 1, row


@by_entry
def test_function_lists_the_page_that_shows_it(site: Path, entry: Entry) -> None:
    path = site / reference.FOLDER / f"{entry.module}.html"
    html = path.read_text(encoding="utf-8")
    parts = dict(re.findall(r'<h2 id="([\w.]+)"(.*?)(?=<h2 |<footer)', html, re.DOTALL))
    for name in entry.functions:
        backlinks = parts[f"{entry.module}.{name}"].partition("Referenced by")[2]
        assert f"../equations/{entry.stem}.html" in backlinks, name


def test_no_latex_is_left(site: Path) -> None:
    for path in site.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        # Code may show LaTeX: the reference shows docstrings as they are.
        html = re.sub(r"<(pre|code|script)\b.*?</\1>", "", html, flags=re.DOTALL)
        assert not re.search(r"\$\$|\\\(|\\\[|\\frac|\\tag", html), path.name


def test_font_has_what_the_formulas_show(site: Path) -> None:
    pages = [p.read_text(encoding="utf-8") for p in site.rglob("*.html")]
    in_font = TTFont(site / font.TARGET).getBestCmap()
    missing = {c for c in mathml.characters(pages) if ord(c) not in in_font}
    assert missing <= {"\N{VARIATION SELECTOR-1}"}  # says which script L; has no glyph
    assert {"√", "∑", "\N{MATHEMATICAL ITALIC SMALL X}"} <= set(map(chr, in_font))


def test_graph_has_the_edges_of_the_registry(site: Path) -> None:
    html = (site / "traceability.html").read_text(encoding="utf-8")
    assert html.count('class="edge"') == sum(len(entry.uses) for entry in ENTRIES)
    for entry in ENTRIES:
        label = f"{entry.id} {entry.title}: {evidence.state(entry.id)}"
        assert f'aria-label="{label}"' in html
        assert html.count(f'href="equations/{entry.stem}.html#{entry.id}"') >= 3
