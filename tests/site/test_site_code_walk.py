"""Every function line by line on letters: what the page shows is what ran."""

import re
from pathlib import Path

import pytest
from code_inputs import STEPS
from code_trace import Line
from sitebuild import code, code_walk

ROW = re.compile(
    r'<li class="step trace-row" id="walk-(\w+)-(\d+)"(.*?)</li>', re.DOTALL
)


def text(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


@pytest.mark.parametrize("stem", STEPS)
def test_lines_are_those_of_the_function(site: Path, stem: str) -> None:
    html = (site / "equations" / f"{stem}.html").read_text(encoding="utf-8")
    shown: dict[str, list[str]] = {}
    for name, number, row in ROW.findall(html):
        shown.setdefault(name, []).append(row)
        assert int(number) == len(shown[name])
    for name, lines in code_walk.walks(stem).items():
        source = "\n".join(
            line for _, line in code.function(f"moe.equations.{stem}", name).lines
        )
        assert len(lines) >= 1
        assert all(line.source in source for line in lines)
        formulas = [row.count("<math") for row in shown.get(name, [])]
        made = [len(line.changes) for line in lines]
        assert formulas == (made if any(made) else [])


def test_formula_names_what_the_line_read() -> None:
    html = code_walk.folded("rmsnorm", "rmsnorm")
    rows = {int(number): row for _, number, row in ROW.findall(html)}
    assert len(rows) == 5
    assert "r = 1 / np.sqrt(s + eps)" in text(rows[2])
    assert "<msqrt>" in rows[2]
    assert re.findall(r'data-symbol="(\w+)"', rows[2].split("<math")[1]) == [
        "r",
        "s",
        "epsilon",
    ]
    assert "(1, 2)" in text(rows[4])


def test_name_that_only_the_code_has_stands_as_in_the_code() -> None:
    html = code_walk.folded("rmsnorm", "rmsnorm_backward")
    assert "𝚑𝚊𝚕𝚏_𝚍𝚜" in text(html)


def test_loop_repeats_no_line_that_says_nothing() -> None:
    lines = [
        Line(number, f"line {number}", changes)
        for number, changes in [(1, ()), (2, ("x",)), (1, ()), (2, ("y",)), (3, ())]
    ]
    assert [line.number for line in code_walk.told(lines)] == [1, 2, 2, 3]


def test_what_is_unpacked_was_told_before() -> None:
    first, second, *_ = code_walk.walks("rmsnorm")["rmsnorm_backward"]
    assert first.source.strip() == "x, gamma, r = cache"
    assert first.changes == ()
    assert [change.name for change in second.changes] == ["dy_x"]


def test_function_without_an_expression_has_no_walk() -> None:
    assert code_walk.folded("experts", "dispatch") == ""
    assert code_walk.folded("schedule", "learning_rate") == ""
