"""Every exercise has a hint and a solution, and every solution runs."""

import ast
import re
import textwrap
from pathlib import Path

import pytest
from sitebuild.pipeline import DOCS

PAGES = sorted((DOCS / "equations").glob("*.md"))
_FOLDED = re.compile(r'^\?\?\? (\w+) "(\w+)"\n((?:\n|    .*\n)+)', re.MULTILINE)
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def folded(page: Path, kind: str) -> list[str]:
    text = page.read_text(encoding="utf-8") + "\n"
    return [
        textwrap.dedent(body)
        for _, title, body in _FOLDED.findall(text)
        if title == kind
    ]


SOLUTIONS = [
    pytest.param(solution, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, solution in enumerate(folded(page, "Solution"), 1)
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_exercise_has_hint_and_solution(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    _, _, exercises = text.partition("## Exercises")
    questions = re.findall(r"^\*\*\d+\.\*\*", exercises, re.MULTILINE)
    assert questions
    assert len(folded(page, "Hint")) == len(questions)
    assert len(folded(page, "Solution")) == len(questions)


@pytest.mark.parametrize("solution", SOLUTIONS)
def test_solution_runs(solution: str) -> None:
    programs = _PYTHON.findall(solution)
    assert any("assert " in program for program in programs)
    for program in programs:
        exec(compile(program, "<solution>", "exec"), {})


@pytest.mark.parametrize("solution", SOLUTIONS)
def test_wrong_solution_fails(solution: str) -> None:
    """Every claim of a solution is tried: the contrary of each is refused."""
    for program in _PYTHON.findall(solution):
        claims = [n for n in ast.walk(ast.parse(program)) if isinstance(n, ast.Assert)]
        for number in range(len(claims)):
            tree = ast.parse(program)
            claim = [n for n in ast.walk(tree) if isinstance(n, ast.Assert)][number]
            claim.test = ast.UnaryOp(ast.Not(), claim.test)
            contrary = compile(ast.fix_missing_locations(tree), "<solution>", "exec")
            with pytest.raises(AssertionError):
                exec(contrary, {})
