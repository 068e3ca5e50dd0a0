"""scripts/step.py: pages of a derivation, keys, exit codes."""

import io
import subprocess
import sys
from pathlib import Path

import derivation_pages
import pytest
import step
from derivation_pages import derivation_pages as pages_of

from moe.derivations import load_entry
from moe.derivations.chain import Checked, ProofError
from moe.registry import ENTRIES

SCRIPT = Path(step.__file__)


def run(*arguments, keys=""):
    """Run the script as a user does; all output is UTF-8."""
    return subprocess.run(
        [sys.executable, "-X", "utf8", SCRIPT, *arguments],
        input=keys,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def unchecked(monkeypatch):
    """Pages without the time that checking takes: every step counts as exact."""
    monkeypatch.setattr(
        derivation_pages, "check_step", lambda *_: Checked("exact", ({"n": 2},), 0.0)
    )


def walk(pages, keys, monkeypatch):
    """Page numbers that a walk shows for these keys, counted from 1."""
    shown = []
    monkeypatch.setattr(
        step, "show", lambda _, number: shown.append(number + 1) or True
    )
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(keys) + "\n"))
    assert step.walk(pages) == 0
    return shown


def test_all_prints_every_step_and_how_it_was_checked():
    done = run("E04", "--all")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    steps = [s for chain in load_entry("E04").chains for s in chain.steps]
    for one in steps:
        assert one.rule in done.stdout
    assert done.stdout.count("Checked: exact, for every index, with") == len(steps)
    assert "n = 2; n = 3" in done.stdout
    assert "E05" not in done.stdout


def test_keys_from_a_pipe():
    done = run("E04", keys="n\nb\n\nq\n")
    assert done.returncode == 0, done.stderr
    places = [
        line.split()[-1] for line in done.stdout.splitlines() if "E04 SiLU" in line
    ]
    assert places == ["1/7", "2/7", "1/7", "2/7"]


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (["n", "", "N", "q"], [1, 2, 3, 4]),
        (["b", "b", "3", "b", "q"], [1, 1, 1, 3, 2]),
        (["7", "1", "q"], [1, 7, 1]),
        (["7", ""], [1, 7]),
        ([], [1, 2]),
    ],
    ids=["next", "back", "jump", "past the end", "end of input"],
)
def test_keys(keys, shown, monkeypatch):
    assert walk(pages_of("E04"), keys, monkeypatch) == shown


@pytest.mark.parametrize("key", ["x", "0", "8", "-1", "1.5"])
def test_a_wrong_key_is_named_and_asked_again(key, monkeypatch, capsys):
    assert walk(pages_of("E04"), [key, "q"], monkeypatch) == [1]
    assert f"'{key}' is none of: Enter, n, b, q, a number from 1 to 7" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("checked", "line"),
    [
        (Checked("exact", ({},), 0.25), "Checked: exact (0.25 s)"),
        (
            Checked("50 digits", ({"n": 2}, {"n": 3}), 1.0),
            "Checked: to 50 digits at 5 random points, for every index, "
            "with n = 2; n = 3 (1.00 s)",
        ),
    ],
    ids=["numbers alone", "50 digits"],
)
def test_what_was_checked_is_said(checked, line, monkeypatch):
    monkeypatch.setattr(derivation_pages, "check_step", lambda *_: checked)
    text, holds = pages_of("E04")[1].draw()
    assert holds
    assert " ".join(text.split()).endswith(line)


def test_a_stem_has_all_its_entries():
    titles = [page.title for page in pages_of("swiglu")]
    assert titles[0] == "E04 SiLU"
    assert any(title.startswith("E05 SwiGLU: ") for title in titles)
    assert len(titles) == len(pages_of("E04")) + len(pages_of("E05"))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
@pytest.mark.usefixtures("unchecked")
def test_every_page_fits_80_columns(entry):
    for page in pages_of(entry.id):
        text, holds = page.draw()
        assert holds
        for line in text.splitlines():
            assert len(line) <= 80, line


@pytest.mark.parametrize("name", ["layernorm", "E22", "e4", ""])
def test_an_unknown_stem_is_one_line_and_exit_code_2(name):
    done = run(name, "--all")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "STEM must be E01 to E21 or one of embedding, rmsnorm, " in line
    assert f"got {name!r}" in line


def test_a_wrong_step_is_shown_and_exit_code_1(monkeypatch, capsys):
    def refuse(*_):
        raise ProofError("E04, step 1: no")

    monkeypatch.setattr(derivation_pages, "check_step", refuse)
    monkeypatch.setattr(sys, "argv", ["step.py", "E04", "--all"])
    assert step.main() == 1
    assert "THIS STEP IS WRONG\nE04, step 1: no" in capsys.readouterr().out


@pytest.mark.usefixtures("unchecked")
def test_a_step_is_checked_once(monkeypatch):
    page = pages_of("E04")[1]
    first = page.draw()
    monkeypatch.delattr(derivation_pages, "check_step")
    assert page.draw() is first


def test_help_has_an_example():
    done = run("--help")
    assert done.returncode == 0
    assert "python scripts/step.py E09 --all" in done.stdout
