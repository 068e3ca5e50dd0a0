"""The derivations of all entries: steps hold, slips are refused, all is in order."""

import dataclasses
import importlib
import inspect
import re

import pytest
import sympy
from sympy import cos
from witnesses import evidence

from moe.derivations import load, load_entry, rope
from moe.derivations.chain import ProofError, check, check_step
from moe.derivations.printing import latex, pretty
from moe.registry import ENTRIES


def marks(entry):
    return (getattr(pytest.mark, entry.id), pytest.mark.derivation)


def of_every_entry():
    return [pytest.param(e, marks=marks(e), id=e.id) for e in ENTRIES]


def of_every_chain():
    return [
        pytest.param(
            load_entry(e.id), chain, marks=marks(e), id=f"{e.id}-{chain.title}"
        )
        for e in ENTRIES
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


def chains_with_a_sign():
    return [param for param in of_every_chain() if param.values[1].result != 0]


@pytest.mark.parametrize(("derivation", "chain"), chains_with_a_sign())
def test_a_flipped_sign_is_refused_in_every_line(derivation, chain):
    for line, step in zip(chain.expressions, chain.steps, strict=False):
        is_equation = isinstance(line, sympy.Eq)
        flipped = sympy.Eq(line.lhs, -line.rhs) if is_equation else -line
        mutant = dataclasses.replace(chain, start=flipped, steps=(step,))
        with pytest.raises(ProofError):
            check_step(derivation, mutant, 1)


def test_a_printed_mistake_of_a_teaching_site_is_refused():
    """RoPE's last line with `cos((m - n) m theta)`: the position does not drop out."""
    derivation, chain = load_entry("E07"), rope.DISTANCE
    right, wrong = rope.between, rope.between * rope.m[rope.t]
    mistake = chain.result.xreplace({cos(right): cos(wrong)})
    assert mistake != chain.result
    with pytest.raises(ProofError, match="Only the distance counts"):
        check_step(derivation, with_last_line(chain, mistake), len(chain.steps))


# What is written: tables, tags, titles, print.


@pytest.mark.parametrize("entry", of_every_entry())
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


def test_load_refuses_what_the_registry_does_not_have():
    with pytest.raises(KeyError, match="layernorm"):
        load("layernorm")
    with pytest.raises(KeyError, match="E22"):
        load_entry("E22")
