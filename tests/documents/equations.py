"""Every displayed formula of a docstring, checked against the entry's derivation."""

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import sympy

from documents.latex import LatexError, Statement, read
from documents.meaning import Meaning
from moe.derivations import adamw, clipping, experts, load_entry, router
from moe.derivations.chain import Chain, Derivation, Step, check_step
from moe.derivations.elements import free_indices
from moe.derivations.notation import size
from moe.registry import ENTRIES

FORMULA = re.compile(r"\$\$(.*?)\$\$", re.DOTALL)
TAG = re.compile(r"\\tag\{(\d+)([a-z])\}")

# What a docstring calls otherwise than the derivation does, by entry.
NAMES: dict[str, dict[str, Any]] = {
    "E11": {"W_gate,up": experts.U, "W_down": experts.D},
    "E12": {"b": router.b},
    "E16": {"W": adamw.W},
    "E17": {"norm g": clipping.nu},
}
# Names of a formula's own, which it defines itself.
OWN_NAMES = {"E10": ("g",)}
# Sizes at which slips show that the derivation's own sizes, smaller, would hide.
LARGER = {
    "E10": dict(zip(map(size, "TSGRD"), (4, 5, 1, 1, 1), strict=True)),
    "E21": {size("V"): 4},
}
# In these a name means what was before on the right and what comes of it on the left.
m, v, g, r, t = adamw.m, adamw.v, adamw.g, adamw.r, adamw.t
BEFORE = {
    "16a": {"m": m[r - 1], "g": g[r]},
    "16b": {"v": v[r - 1], "g": g[r]},
    "16c": {"m": m[t], "v": v[t]},
}
AFTER = {
    "16a": {"m": m[r]},
    "16b": {"v": v[r]},
    "16d": {"W": adamw.updated},
    "17b": {"g": clipping.h},
}


class Formula(NamedTuple):
    """A displayed formula.

    Attributes:
        entry: Of the function in whose docstring it stands, or of its tag.
        function: Name of that function.
        tag: `2a`, or empty.
        text: LaTeX without the tag.
    """

    entry: str
    function: str
    tag: str
    text: str

    @property
    def label(self) -> str:
        """For messages: its tag or its first word."""
        return f"{self.function} {self.tag or self.text.split('=')[0].strip()}"


def formulas() -> list[Formula]:
    """All displayed formulas of all entries, in their order."""
    return [formula for entry in ENTRIES for formula in _formulas_of(entry)]


def _formulas_of(entry: Any) -> Iterator[Formula]:
    module = importlib.import_module(entry.module)
    for function in entry.functions:
        for found in FORMULA.findall(inspect.getdoc(getattr(module, function)) or ""):
            tag = TAG.search(found)
            number, letter = tag.groups() if tag else (entry.id[1:], "")
            text = " ".join(TAG.sub("", found).split())
            label = f"{number}{letter}" if tag else ""
            yield Formula(f"E{int(number):02}", function, label, text)


def check(formula: Formula, others: list[Formula]) -> int:
    """Hold a formula to the derivation of its entry.

    Args:
        formula: What to check.
        others: All formulas of the entry: one may define a name that this one uses.

    Returns:
        How many statements were compared.

    Raises:
        LatexError: If it cannot be read, or says what the derivation does not know.
        ProofError: If it says something else.
    """
    derivation = load_entry(formula.entry)
    if formula.entry in LARGER:
        sizes = (*derivation.runs, LARGER[formula.entry])
        derivation = dataclasses.replace(derivation, sizes=sizes)
    own = OWN_NAMES.get(formula.entry, ())
    names = NAMES.get(formula.entry, {})
    statements = read(formula.text)
    right = Meaning(derivation, names | BEFORE.get(formula.tag, {}))
    left = Meaning(derivation, names | AFTER.get(formula.tag, {}))
    for meaning in (left, right):
        meaning.learn(statements)
        for statement in (s for f in (*others, formula) for s in read(f.text)):
            if statement.sides[0].parts[0] in own:
                meaning.define(*statement.sides)
    compared = [s for s in statements if s.sides[0].parts[0] not in own]
    if not compared:
        raise LatexError(f"{formula.label} defines a name and says nothing else")
    for statement in compared:
        _check_statement(statement, formula.tag, derivation, left, right)
    return len(compared)


def _check_statement(
    statement: Statement,
    tag: str,
    derivation: Derivation,
    left: Meaning,
    right: Meaning,
) -> None:
    sides = [left.of(statement.sides[0]), *map(right.of, statement.sides[1:])]
    if statement.relations == ("=", ".."):
        _check_range(*sides)
    elif statement.relations in (("=",), ("<-",)):
        for name, value in _pairs(*sides):
            _check_equation(name, value, tag, derivation)
    else:
        for i, relation in enumerate(statement.relations):
            _check_order(sides[i], relation, sides[i + 1], tag, derivation)


def _pairs(left: Any, right: Any) -> Iterator[tuple[Any, Any]]:
    """The sides of an equation, element by element for matrices."""
    if isinstance(left, sympy.MatrixBase) and left.shape == right.shape:
        yield from zip(left, right, strict=True)
    else:
        yield left, right


def _check_range(letter: Any, first: Any, last: Any) -> None:
    if not isinstance(letter, sympy.Idx):
        raise LatexError(f"{letter} is no index")
    if (letter.lower, letter.upper) != (first, last):
        raise LatexError(f"{letter} runs from {letter.lower} to {letter.upper}")


def _check_equation(name: Any, value: Any, tag: str, derivation: Derivation) -> None:
    """One equation, or one gradient where there is no tag."""
    for chain in _stated(tag, derivation):
        letters = _same_name(name, chain.target)
        if letters is None:
            continue
        strange = free_indices(value) - free_indices(name)
        if strange:
            raise LatexError(f"{strange} on the right of {name} alone")
        value = value.xreplace(letters)
        if not isinstance(chain.target, sympy.Indexed | sympy.Symbol):
            if value != chain.start:
                raise LatexError(f"{name} is not {value}")
            return
        step = Step("the docstring", "It says the same.", value)
        stated = Chain(chain.title, chain.target, chain.start, (step,))
        try:
            check_step(derivation, stated, 1)
        except (LookupError, TypeError) as error:  # an index that is no place
            raise LatexError(f"{value} cannot be written out") from error
        return
    raise LatexError(f"the derivation has no {name} {tag and f'in ({tag})'}")


def _stated(tag: str, derivation: Derivation) -> Iterator[Chain]:
    """What the derivation says: equations of a tag, or results of its chains."""
    if tag:
        title = derivation.chains[0].title
        for equation in derivation.equation:
            if equation.tag == tag:
                yield Chain(title, equation.name, equation.value, ())
    else:
        for chain in derivation.chains:
            yield Chain(chain.title, chain.target, chain.result, ())


def _same_name(name: Any, target: Any) -> dict[Any, Any] | None:
    """What the letters of a name are called in the target, None for another name."""
    if not isinstance(name, sympy.Indexed) or not isinstance(target, sympy.Indexed):
        return {} if name == target else None
    if name.base != target.base or len(name.indices) != len(target.indices):
        return None
    letters = {
        ours: theirs
        for ours, theirs in zip(name.indices, target.indices, strict=True)
        if isinstance(ours, sympy.Idx) and isinstance(theirs, sympy.Idx)
    }
    distinct = len(set(letters.values())) == len(letters) == len(set(letters))
    return letters if distinct and name.xreplace(letters) == target else None


def _check_order(
    smaller: Any, relation: str, larger: Any, tag: str, derivation: Derivation
) -> None:
    """`a < b` or `a <= b`, exactly as the derivation found their difference to be."""
    names = {equation.name for equation in derivation.equation if equation.tag == tag}
    if names.isdisjoint({smaller, larger}):
        raise LatexError(f"({tag}) has nothing of {smaller} and {larger}")
    for chain in derivation.chains:
        for sign in (1, -1):
            if larger - smaller == sign * chain.target:
                difference = sign * chain.result
                known = "<" if difference.is_positive else "<="
                if not difference.is_nonnegative or relation != known:
                    raise LatexError(f"known is {smaller} {known} {larger}")
                return
    raise LatexError(f"the derivation says nothing of {larger - smaller}")
