"""The derivations: every step holds, wrong ones are refused, and code does the same.

The chains of all entries are checked here; what a derivation of E01 to E10 says is
also computed on random arrays and compared with what the shipped functions return.
"""

import dataclasses
import importlib.util
import inspect
import re

import pytest
import sympy
from sympy import cos
from witnesses import evidence

from moe.derivations import load, load_entry, rope
from moe.derivations.chain import (
    Chain,
    Derivation,
    Equation,
    ProofError,
    Step,
    Symbol,
    check,
    check_step,
)
from moe.derivations.compare import compare
from moe.derivations.notation import Largest, Partial, array, index, size
from moe.derivations.printing import latex, pretty
from moe.registry import ENTRIES

WRITTEN = [entry for entry in ENTRIES if importlib.util.find_spec(entry.derivation)]


def marks(entry):
    return (getattr(pytest.mark, entry.id), pytest.mark.derivation)


def of_every_entry():
    return [pytest.param(e, marks=marks(e), id=e.id) for e in WRITTEN]


def of_every_chain():
    return [
        pytest.param(
            load_entry(e.id), chain, marks=marks(e), id=f"{e.id}-{chain.title}"
        )
        for e in WRITTEN
        for chain in load_entry(e.id).chains
    ]


@pytest.mark.parametrize(("derivation", "chain"), of_every_chain())
def test_every_step_holds(derivation, chain):
    for checked in check(derivation, chain):
        exact = checked.method == "exact"
        evidence.note(exact=exact, digits=not exact)


# Wrong last lines: each a small change that a slip of the pen makes.


def with_change(expression, applies, change):
    """Apply a change to the first part that it fits; None where it fits nowhere."""
    if applies(expression):
        return change(expression)
    if expression.is_Atom or isinstance(
        expression, sympy.Indexed | sympy.KroneckerDelta | sympy.Idx
    ):
        return None
    if isinstance(expression, sympy.Piecewise):
        (value, condition), *others = expression.args
        changed = with_change(value, applies, change)
        return changed and sympy.Piecewise((changed, condition), *others)
    inner = 1 if isinstance(expression, sympy.Sum) else len(expression.args)
    for i, arg in enumerate(expression.args[:inner]):
        changed = with_change(arg, applies, change)
        if changed is not None:
            args = list(expression.args)
            args[i] = changed
            return expression.func(*args)
    return None


def flip_sign(expression):
    return None if expression == 0 else -expression


def add_one(expression):
    return expression + 1


def drop_a_term(expression):
    return with_change(expression, lambda e: e.is_Add, lambda e: e.func(*e.args[1:]))


def change_an_exponent(expression):
    return with_change(
        expression, lambda e: e.is_Pow, lambda e: sympy.Pow(e.base, e.exp + 1)
    )


def square_a_factor(expression):
    return with_change(
        expression,
        lambda e: isinstance(e, sympy.Indexed) and e.is_real and not e.is_integer,
        lambda e: e**2,
    )


SLIPS = {
    "sign": flip_sign,
    "one": add_one,
    "term": drop_a_term,
    "exponent": change_an_exponent,
    "factor": square_a_factor,
}


def wrong_last_lines():
    return [
        pytest.param(*chain.values, slip, marks=chain.marks, id=f"{chain.id}-{name}")
        for chain in of_every_chain()
        for name, slip in SLIPS.items()
        if slip(chain.values[1].result) is not None
    ]


@pytest.mark.parametrize(("derivation", "chain", "slip"), wrong_last_lines())
def test_a_slip_in_the_last_line_is_refused(derivation, chain, slip):
    last, wrong = chain.steps[-1], slip(chain.result)
    if isinstance(last.expression, sympy.Eq):
        wrong = sympy.Eq(last.expression.lhs, wrong)
    mutant = with_last_line(chain, wrong)
    with pytest.raises(ProofError, match=f"step {len(chain.steps)} "):
        check_step(derivation, mutant, len(chain.steps))


def with_last_line(chain, expression):
    step = dataclasses.replace(chain.steps[-1], expression=expression)
    return dataclasses.replace(chain, steps=(*chain.steps[:-1], step))


# The checker itself: what it must accept, refuse and say.

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


def test_a_printed_mistake_of_a_teaching_site_is_refused():
    """RoPE's last line with `cos((m - n) m theta)`: the position does not drop out."""
    derivation, chain = load_entry("E07"), rope.DISTANCE
    right, wrong = rope.between, rope.between * rope.m[rope.t]
    mistake = chain.result.xreplace({cos(right): cos(wrong)})
    assert mistake != chain.result
    with pytest.raises(ProofError, match="Only the distance counts"):
        check_step(derivation, with_last_line(chain, mistake), len(chain.steps))


# What is written: tables, tags, titles, print.


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_entry_has_a_derivation(entry):
    derivation = load_entry(entry.id)
    assert derivation.entry == entry.id
    assert derivation.chains
    assert all(chain.steps for chain in derivation.chains)
    titles = [chain.title for chain in derivation.chains]
    assert len(set(titles)) == len(titles)


def names_in(expression):
    """Arrays and numbers of an expression, without indices."""
    arrays = {element.base for element in expression.atoms(sympy.Indexed)}
    labels = {name.label for name in arrays | expression.atoms(sympy.Idx)}
    sides = {limit.args[-1] for limit in expression.atoms(sympy.Limit)}  # + and -
    return arrays | (expression.atoms(sympy.Symbol) - labels - sides)


@pytest.mark.parametrize("entry", of_every_entry())
def test_every_symbol_is_in_the_table(entry):
    derivation = load_entry(entry.id)
    rows = {row.base for row in derivation.symbols}
    expressions = [side for e in derivation.equation for side in (e.name, e.value)]
    expressions += [e for chain in derivation.chains for e in chain.expressions]
    for expression in expressions:
        missing = names_in(expression) - rows
        assert not missing, f"{entry.id}: {missing} of {expression}"
    assert all(row.meaning for row in derivation.symbols)


@pytest.mark.parametrize("entry", of_every_entry())
def test_the_tags_are_those_of_the_code(entry):
    """Every tag of the code is an equation of the derivation, or cited in its text."""
    module = importlib.import_module(entry.module)
    derivation, number = load_entry(entry.id), str(int(entry.id[1:]))
    in_code = re.findall(rf"\\tag\{{({number}[a-z])\}}", inspect.getsource(module))
    tags = {equation.tag for equation in derivation.equation}
    others = {tag for tag in tags if tag[:-1] != number}
    assert tags - others <= set(in_code)
    assert {tag[:-1] for tag in others} <= {str(int(e[1:])) for e in entry.uses}
    steps = [step for chain in derivation.chains for step in chain.steps]
    text = " ".join(
        [s.why for s in steps] + [row.meaning for row in derivation.symbols]
    )
    for tag in in_code:
        assert tag in tags or f"({tag})" in text, f"({tag}) is not in the derivation"


@pytest.mark.parametrize(("derivation", "chain"), of_every_chain())
def test_every_line_prints(derivation, chain):
    relations = [equation.relation for equation in derivation.equation]
    for expression in (*relations, *chain.expressions):
        text = latex(expression)
        assert not re.search(r"operatorname|mathrel|substack|\[", text), text
        lines = pretty(expression).splitlines()
        assert max(map(len, lines)) <= 80
        assert not any("↪" in line or "Partial" in line for line in lines)


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
    ],
)
def test_latex(expression, printed):
    assert latex(expression) == printed


def test_load_refuses_what_the_registry_does_not_have():
    with pytest.raises(KeyError, match="layernorm"):
        load("layernorm")
    with pytest.raises(KeyError, match="E22"):
        load_entry("E22")
