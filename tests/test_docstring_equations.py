"""Every displayed formula of a docstring is the derivation's equation of that tag."""

import re
from pathlib import Path

import pytest
from documents.equations import check, formulas
from documents.latex import LatexError, read

import moe.equations

FORMULAS = formulas()


def of_the_same_entry(formula):
    return [f for f in FORMULAS if f.entry == formula.entry and f != formula]


@pytest.mark.parametrize(
    "formula",
    [
        pytest.param(f, marks=getattr(pytest.mark, f.entry), id=f.label)
        for f in FORMULAS
    ],
)
def test_a_formula_is_what_the_derivation_says(formula):
    assert check(formula, of_the_same_entry(formula)) >= 1


def test_no_formula_is_left_out():
    folder = Path(moe.equations.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    displayed = sum(len(re.findall(r"\$\$.*?\$\$", s, re.DOTALL)) for s in sources)
    assert len(FORMULAS) == displayed


@pytest.mark.parametrize(
    "text",
    [
        r"x_n",  # no relation
        r"y_n = x_n \otimes w_n",
        r"y_n = ( x_n",
        r"y_n = \frac{x_n}",
        r"y_n = x_n w_n )",
        r"y_n = \sum x_n",
        r"\begin{cases} x & n \end{pmatrix} = y",
    ],
)
def test_what_is_not_understood_is_refused(text):
    with pytest.raises(LatexError):
        read(text)
