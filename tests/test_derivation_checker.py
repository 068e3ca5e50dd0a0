"""The checker of derivations: what it must accept, refuse and say; and the printer."""

import dataclasses

import pytest
import sympy

from moe.derivations.chain import (
    Chain,
    Derivation,
    Equation,
    ProofError,
    Step,
    Symbol,
    check,
)
from moe.derivations.compare import compare
from moe.derivations.notation import Largest, Partial, array, index, size
from moe.derivations.printing import latex, pretty

n = size("n")
i, j = index("i", n), index("j", n)
x, y = array("x"), array("y")


def one_step(start, expression, equation=()):
    """A derivation with a single step from `start` to `expression`."""
    symbols = (Symbol(x[i], "x", (n,), ""), Symbol(y[i], "y", (n,), ""))
    chain = Chain("A chain", y[i], start, (Step("a rule", "A reason.", expression),))
    return Derivation("E00", equation, symbols, (chain,)), chain


def test_the_refusal_says_where_and_what():
    derivation, chain = one_step(x[i] ** 2, x[i] * y[i])
    with pytest.raises(ProofError) as refusal:
        check(derivation, chain)
    message = str(refusal.value)
    for part in ("E00", "'A chain'", "step 1", "(a rule)", "'i': 0", "x_{i}^{2}"):
        assert part in message
    assert "that is x_0**2" in message
    assert "that is x_0*y_0" in message


def test_true_for_two_but_not_for_three_is_refused():
    derivation, chain = one_step(sympy.Sum(x[i], i), x[0] + x[1])
    with pytest.raises(ProofError, match="'n': 3"):
        check(derivation, chain)


def test_names_stand_for_their_equations():
    half = (Equation("0a", y[i], x[i] / 2),)
    assert check(*one_step(x[i], 2 * y[i], half))
    with pytest.raises(ProofError):
        check(*one_step(x[i], 2 * y[i]))


def test_a_partial_goes_through_equations_but_not_through_its_variable():
    square = (Equation("0a", y[i], x[i] ** 2),)
    assert check(*one_step(Partial(x[i] * y[i], x[i]), 3 * x[i] ** 2, square))
    assert check(*one_step(Partial(x[i] * y[i], y[i]), x[i], square))
    assert check(*one_step(2 * Partial(x[i] * y[i], y[i]), 2 * x[i], square))


def test_every_array_of_whole_numbers_is_tried():
    chosen = array("chosen", integer=True, nonnegative=True)
    derivation, chain = one_step(chosen[i] ** 2, chosen[i])
    zero_or_one = Symbol(chosen[i], "chosen", (n,), "", below=2)
    up_to_two = Symbol(chosen[i], "chosen", (n,), "", below=3)
    check(dataclasses.replace(derivation, symbols=(zero_or_one,)), chain)
    with pytest.raises(ProofError):
        check(dataclasses.replace(derivation, symbols=(up_to_two,)), chain)


def test_an_undefined_side_is_refused():
    derivation, chain = one_step(x[i] / (x[i] - x[i]), x[i] / (x[i] - x[i]))
    with pytest.raises(ProofError):
        check(derivation, chain)


def test_an_equation_keeps_its_solution():
    a, b = sympy.symbols("a b", positive=True)
    symbols = (Symbol(n, "n", (), ""), Symbol(x[i], "x", (n,), ""))
    for solution, holds in ((2 * b, True), (b / 2, False)):
        steps = (Step("a rule", "A reason.", sympy.Eq(a, solution)),)
        chain = Chain("A chain", a, sympy.Eq(a**2, 4 * b**2), steps)
        derivation = Derivation("E00", (), symbols, (chain,))
        if holds:
            assert check(derivation, chain)[0].method == "exact"
        else:
            with pytest.raises(ProofError):
                check(derivation, chain)


def test_what_sympy_cannot_simplify_is_decided_by_digits_and_said_so():
    a = sympy.Symbol("a", positive=True)
    nested, plain = sympy.sqrt(a + 1 + 2 * sympy.sqrt(a)), sympy.sqrt(a) + 1
    assert compare(nested, plain) == "50 digits"
    almost = plain * (1 + sympy.Rational(1, 10**40))
    assert compare(nested, almost) is None


def test_all_cases_of_a_minimum_are_met():
    """Above 1 and nowhere else the sides differ, and few points lie there."""
    t, end, start = sympy.symbols("t T T_w", positive=True)
    progress = sympy.Max(0, (t - start) / (end - start))
    assert compare(sympy.Min(1, progress), sympy.Min(2, progress)) is None
    g, c = sympy.symbols("g:6", real=True), sympy.Symbol("c", positive=True)
    norm = sympy.sqrt(sum(element**2 for element in g))
    assert compare(sympy.Min(1, c / norm), sympy.Min(2, c / norm)) is None


def test_both_cases_of_a_minimum_are_compared_exactly():
    c, norm = sympy.symbols("c nu", positive=True)
    factor = sympy.Min(1, c / norm)
    assert compare(factor, c / sympy.Max(norm, c)) == "exact"
    assert compare(factor, c / norm) is None
    assert compare(factor, sympy.Integer(1)) is None


def test_a_limit_is_taken():
    at_zero = sympy.Limit(sympy.sin(x[i]) / x[i], x[i], 0)
    check(*one_step(at_zero, sympy.Integer(1)))
    with pytest.raises(ProofError):
        check(*one_step(at_zero, sympy.Integer(0)))


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        (Partial(y[i], x[i]), r"\frac{\partial y_{i}}{\partial x_{i}}"),
        (array("dgamma")[i], r"\mathrm{d}\gamma_{i}"),
        (sympy.Sum(x[i], i) / n, r"\frac{1}{n}\,\sum_{i} x_{i}"),
        (sympy.Sum(x[i], (i, 0, 1)), r"\sum_{i=0}^{1} x_{i}"),
        (
            sympy.KroneckerDelta(i, j) * x[i] * (1 - y[i]),
            r"x_{i}\,\delta_{ij}\,\left(1 - y_{i}\right)",
        ),
        (array("W_gate")[i, 2 * i + 1], r"W_{\mathrm{gate},\,i,\,2i + 1}"),
        (Largest(x[i], i), r"\max_{i} x_{i}"),
        (sympy.Symbol("eta_base"), r"\eta_{\mathrm{base}}"),
        (x[i] / n * (1 - y[i]), r"\frac{x_{i}}{n}\,\left(1 - y_{i}\right)"),
        (
            sympy.Sum(y[i] * (1 - sympy.Sum(x[j], j)) ** 2, i),
            r"\sum_{i} y_{i}\,\left(1 - \sum_{j} x_{j}\right)^{2}",
        ),
    ],
)
def test_latex(expression, printed):
    assert latex(expression) == printed


def test_a_sum_beside_a_fraction_keeps_its_parentheses_in_a_terminal():
    assert pretty(x[i] / n * (1 - y[i])).splitlines()[1] == "────⋅(1 - y[i])"
