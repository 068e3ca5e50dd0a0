"""Every mistake in the sources fails the build, and the message says which it is."""

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from sitebuild import anatomy, code, derivation, links, pipeline, symbols
from sitebuild.errors import SiteError
from sitebuild.mathml import MathError, inline
from sitebuild.placeholders import Page, expand

from moe.derivations import load_entry
from moe.derivations.chain import Derivation, ProofError
from moe.equations import STEMS
from moe.registry import BY_ID

RMSNORM = "equations/rmsnorm.md"


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A copy of the sources, to be broken."""
    return shutil.copytree(pipeline.DOCS, tmp_path / "docs")


def change(docs: Path, path: str, old: str, new: str) -> None:
    text = (docs / path).read_text(encoding="utf-8")
    assert old in text
    (docs / path).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("formula", [r"$\frac{s_n$", r"$\nosuchcommand$"])
def test_broken_latex(docs: Path, tmp_path: Path, formula: str) -> None:
    change(docs, RMSNORM, "$s_n$", formula)
    with pytest.raises(MathError, match="broken LaTeX"):
        pipeline.build(tmp_path / "site", docs)


def test_what_mkdocs_finds(
    docs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is a warning of its own, and one warning is enough to fail the build."""
    mistakes = {
        "[x](nowhere.md)": "'nowhere.md'",
        "[x](linear.md#nowhere)": "'linear.md#nowhere'",
        "[x](#nothing)": "'#nothing'",
        "[x][moe.nowhere]": "'moe.nowhere'",
        '<img src="https://x.org/x.png" alt="">': "x.org",
    }
    change(docs, RMSNORM, "## Evidence", "\n\n".join([*mistakes, "## Evidence"]))
    (docs / "orphan.md").write_text("# Orphan\n", encoding="utf-8")
    with pytest.raises(SiteError, match="warnings in strict mode"):
        pipeline.build(tmp_path / "site", docs)
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    for said in (*mistakes.values(), "orphan.md"):
        assert any(said in warning for warning in warnings), said


def test_what_the_built_pages_show(docs: Path, tmp_path: Path) -> None:
    mistakes = '<a href="x.html">x</a> <p id="E02">x</p>\n\n## Evidence'
    change(docs, RMSNORM, "## Evidence", mistakes)
    with pytest.raises(SiteError) as error:
        pipeline.build(tmp_path / "site", docs)
    assert str(error.value).splitlines() == [
        "equations/rmsnorm.html: id 'E02' stands twice",
        "equations/rmsnorm.html: 'x.html' leads nowhere",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ nosuch E02 }}", "no placeholder 'nosuch'"),
        ("{{ equation E99 }}", "no entry 'E99'"),
        ("{{ badge E99 }}", "no entry 'E99'"),
        ("as {{ badge E99 }} says", "no entry 'E99'"),
        ("{{ equation E03 }}", "E03 belongs on docs/equations/linear.md#E03"),
        ("{{ code nosuch }}", "no function 'nosuch'"),
        ("{{ code }}", "takes 1 argument"),
        ("text {{ code rmsnorm }}", "stands alone on its line"),
        ("    {{ code rmsnorm }}", "stands alone on its line"),
        ("```run\nprint(1/0)\n```", "ZeroDivisionError"),
        ("```run\nprint(\n```", "no Python"),
        ("```example\nx = 1\n```", "calls no function"),
        ("```run\nprint(1)", "never closed"),
    ],
)
def test_mistake_in_a_placeholder(text: str, said: str) -> None:
    with pytest.raises(SiteError, match=r"docs/equations/rmsnorm.md, line 3:") as error:
        expand(Page(RMSNORM), f"# Title\n\n{text}\n")
    assert said in str(error.value)


def test_placeholder_of_an_equation_elsewhere() -> None:
    with pytest.raises(SiteError, match="only a page in docs/equations/"):
        expand(Page("index.md"), "{{ equation E02 }}\n")


@pytest.mark.parametrize(
    "part",
    [
        "{{ badge E02 }}",
        "{{ equation E02 }}",
        "{{ symbols E02 }}",
        "{{ derivation E02 }}",
        "{{ evidence E02 }}",
        "{{ code rmsnorm }}",
        "{{ code rmsnorm_backward }}",
    ],
)
def test_missing_part(docs: Path, tmp_path: Path, part: str) -> None:
    change(docs, RMSNORM, part, "")
    with pytest.raises(SiteError, match=f"docs/{RMSNORM} lacks {part}"):
        pipeline.write_sources(docs, tmp_path / "source")


def test_function_that_no_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_another(module: str) -> dict[str, code.Function]:
        known = functions(module)
        return known | {"another": next(iter(known.values()))}

    functions = code.functions
    monkeypatch.setattr(code, "functions", with_another)
    with pytest.raises(SiteError) as error:
        anatomy.require_complete([])
    for stem in STEMS:
        assert f"docs/equations/{stem}.md lacks {{{{ code another }}}}" in str(
            error.value
        )


@pytest.mark.parametrize("entry_id", BY_ID)
def test_symbol_without_a_row(monkeypatch: pytest.MonkeyPatch, entry_id: str) -> None:
    whole = load_entry(entry_id)
    for gone in whole.symbols:
        rows = tuple(row for row in whole.symbols if row != gone)
        short = dataclasses.replace(whole, symbols=rows)
        monkeypatch.setattr(symbols, "load_entry", lambda _, short=short: short)
        said = (
            rf"{entry_id}: no row in the symbol table for {re.escape(str(gone.base))}$"
        )
        with pytest.raises(SiteError, match=said):
            symbols.table(entry_id)


def test_code_that_names_an_unknown_equation() -> None:
    shown = code.function("moe.equations.rmsnorm", "rmsnorm")
    with pytest.raises(SiteError, match=r"names equations \['2b'\]"):
        code.listing(shown, {}, {"2a", "2c"})


def test_wrong_step(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load_entry("E02")
    first, *others = whole.chains
    step = dataclasses.replace(first.steps[-1], expression=-first.steps[-1].expression)
    chain = dataclasses.replace(first, steps=(*first.steps[:-1], step))
    wrong = Derivation("E02", whole.equation, whole.symbols, (chain, *others))
    monkeypatch.setattr(derivation, "load_entry", lambda _: wrong)
    derivation.checks.cache_clear()
    with pytest.raises(ProofError):
        derivation.steps("E02")
    derivation.checks.cache_clear()


def test_latex_error_names_the_formula() -> None:
    with pytest.raises(MathError, match=r"broken LaTeX in '\\\\sqrt\{x'"):
        inline(r"\sqrt{x")


def test_broken_link_between_built_pages(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<p id="x"></p><a href="b.html#y">b</a>')
    (tmp_path / "b.html").write_text('<p id="z"></p><a href="a.html#x">a</a>')
    with pytest.raises(SiteError, match=r"^a.html: 'b.html#y' leads nowhere$"):
        links.require_sound(tmp_path)
    (tmp_path / "b.html").write_text('<p id="y"></p>')
    links.require_sound(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_not_a_site_is_left_alone(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "thesis"
    kept = out / "chapter.txt" if kind == "folder" else out
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("three years of work", encoding="utf-8")
    with pytest.raises(SiteError, match="holds something that is not a site"):
        pipeline.build(out)
    assert kept.read_text(encoding="utf-8") == "three years of work"
