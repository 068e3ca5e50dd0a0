"""README: its table is fresh, its code runs, its commands and files exist."""

import contextlib
import inspect
import io
import re
import textwrap
from pathlib import Path

import pytest
import readme

from moe.equations.rmsnorm import rmsnorm, rmsnorm_backward

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_table_is_fresh():
    assert readme.refreshed(TEXT) == TEXT


def test_a_changed_formula_makes_it_stale():
    changed = TEXT.replace("x_t = W[id_t]", "x_t = W[id]")
    assert changed != TEXT
    assert readme.refreshed(changed) == TEXT


def test_a_missing_mark_is_an_error():
    with pytest.raises(ValueError, match=r"README.md must hold the lines"):
        readme.refreshed(TEXT.replace(readme.END, ""))


def statements(source):
    """Code lines of a function without signature and docstring."""
    body = source.split('"""')[-1] if '"""' in source else source.split(":\n", 1)[1]
    return [line.strip() for line in body.splitlines() if line.strip()]


def test_the_code_shown_is_the_code_shipped():
    shown = blocks("python")[0].split("\n\n\n")
    for text, function in zip(shown, (rmsnorm, rmsnorm_backward), strict=True):
        assert statements(text) == statements(inspect.getsource(function))


def test_the_example_runs_and_prints_what_it_says():
    example = blocks("python")[1]
    said = re.findall(r"^# (.*)$", example, re.MULTILINE)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(textwrap.dedent(example), {})
    assert printed.getvalue().splitlines() == said


def test_every_file_and_script_named_exists():
    linked = re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT)
    scripts = re.findall(r"python (scripts/\w+\.py)", TEXT)
    tree = re.findall(r"^  (\w+\.py|\w+/) ", blocks("text")[0], re.MULTILINE)
    for path in {*linked, *scripts, *(f"moe/{name}" for name in tree)}:
        assert (ROOT / path).exists(), path


def test_ci_runs_the_two_commands():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for block in blocks("sh"):
        install, command = block.strip().split(" && ")
        assert install.replace("pip", "", 1).strip() in ci
        assert command in ci
