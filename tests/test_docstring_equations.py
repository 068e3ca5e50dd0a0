"""Every displayed formula of a docstring is the derivation's equation of that tag."""

import pytest
from documents.equations import check, formulas

FORMULAS = formulas()


def of_the_same_entry(formula):
    return [f for f in FORMULAS if f.entry == formula.entry and f != formula]


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.label)
def test_a_formula_is_what_the_derivation_says(formula):
    assert check(formula, of_the_same_entry(formula)) >= 1
