"""Slips of the pen in the docstrings' formulas: each is caught, or changes nothing."""

import random

import pytest
from documents.edits import edits
from documents.equations import check, formulas
from documents.latex import LatexError

from moe.derivations.chain import ProofError

FORMULAS = formulas()
EACH = 3  # of every formula's slips, drawn by seed; `scripts/mutate_docs.py` tries all
REFUSALS = (LatexError, ProofError)


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.label)
def test_a_slip_in_a_formula_is_noticed(formula):
    slips = [text for _, text in edits(formula.text)]
    others = [f for f in FORMULAS if f.entry == formula.entry and f != formula]
    for text in random.Random(formula.label).sample(slips, min(EACH, len(slips))):
        with pytest.raises(REFUSALS):
            check(formula._replace(text=text), others)


def test_every_kind_of_slip_is_tried():
    kinds = {kind for formula in FORMULAS for kind, _ in edits(formula.text)}
    assert kinds == {
        *("sign", "number", "exponent", "index"),
        *("name", "function", "fraction", "missing"),
    }


@pytest.mark.parametrize(
    "formula", [f for f in FORMULAS if f.tag], ids=lambda f: f.label
)
def test_a_wrong_tag_is_noticed(formula):
    others = [f for f in FORMULAS if f.entry == formula.entry and f != formula]
    wrong = chr(ord(formula.tag[-1]) + 1)
    with pytest.raises(REFUSALS):
        check(formula._replace(tag=formula.tag[:-1] + wrong), others)
