r"""Derivations that a machine checks: equation, symbol table, steps.

How to write one (see `moe/derivations/rmsnorm.py`):

1. Sizes and indices. `N, C = size("N"), size("C")`; an index belongs to an axis and
   knows its length: `n, c = index("n", N), index("c", C)`. Indices count from 0.
   Give every sum an index of its own: `m, j = index("m", N), index("j", C)`.
2. Arrays and numbers. `x, dy = array("x"), array("dy")`, `eps = number("epsilon",
   positive=True)`. Elements are `x[n, c]`; a sum over a whole axis is
   `Sum(x[n, j] ** 2, j)`; over a part of one, `Sum(p[i], (i, 0, k))`.
   Also at hand: `KroneckerDelta`, `Piecewise`, `exp`, `floor`, `Min`, `Limit`,
   `Largest`.
3. `SYMBOLS`: a row for everything that an equation mentions, sizes included, and for
   every gradient. `code` is the argument of the NumPy function, or the name of the
   array that the backward returns; empty where the code has none. `below` marks
   arrays of whole numbers (token ids, chosen or not); a check runs over *all* arrays
   of numbers from 0 up to it.
4. `Equation("2b", r[n], 1 / sqrt(s[n] + eps))`: a name and what it stands for, with
   the tag of the page. From here on a step may write `r[n]`, as the code does: in a
   check every name is replaced by its equation, so nothing is taken on trust.
   A name may have several equations, for different places: `y[t, 2*i]`,
   `y[t, 2*i + 1]`.
5. `Chain(title, target, start, steps)`. For a gradient the start is
   `Partial(Sum(dy[m, j] * y[m, j], m, j), x[n, c])`: `dy` is constant and reaches the
   loss through `y` alone. `Partial(r[n], s[n])` is a derivative not yet taken. Every
   step equals the one before; the last is what the code computes. The array by which
   a chain differentiates stays a name throughout, so its steps hold whatever its
   value. A gradient that an earlier chain derived (`dp`) may be used as a name; in a
   check it is any array, and `evaluate` computes it. A chain whose target is a name
   with an equation (`p[i]`) gives it a new form, which later chains use instead.
6. An equation to be solved: `start` and steps are `sympy.Eq`, the target is the
   unknown. A step holds when both equations have the same solution.
7. Sizes of a check: every size is 2 and 3, in two runs, neighbours different. Where
   sizes depend on each other (K at most E, even widths) give `sizes`.

A step holds when both sides agree for all these sizes and every value of the free
indices: sums written out, derivatives taken, the difference simplified to 0. Where
simplification does not get there, 50 digits at random rational points decide.
"""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom

from moe.derivations.compare import Method, compare, same_solution
from moe.derivations.elements import Elements, Place, Sizes, free_indices
from moe.derivations.notation import Partial
from moe.derivations.printing import latex


@dataclass(frozen=True)
class Symbol:
    """A row of the symbol table.

    Attributes:
        expression: SymPy object, printed as LaTeX: `x[n, c]`, `eps`, `N`.
        code: Argument or result of the NumPy function, or the expression for it;
            empty for what the code has no name for.
        shape: Sizes of its axes; empty for a number.
        meaning: In a few words.
        below: For whole numbers: the size that they stay below.
    """

    expression: Any
    code: str
    shape: tuple[Any, ...]
    meaning: str
    below: Any = None

    @property
    def base(self) -> Any:
        """The array without its indices, or the number."""
        return getattr(self.expression, "base", self.expression)


@dataclass(frozen=True)
class Equation:
    r"""A name, what it stands for, and the page's tag of that (`\tag{2a}`)."""

    tag: str
    name: Any
    value: Any

    @property
    def relation(self) -> sympy.Eq:
        """As one SymPy object."""
        return sympy.Eq(self.name, self.value, evaluate=False)


@dataclass(frozen=True)
class Step:
    """One line of a chain: the rule, why it applies, what it gives."""

    rule: str
    why: str
    expression: Any


@dataclass(frozen=True)
class Chain:
    """From the first expression for `target` to the one that the code computes."""

    title: str
    target: Any
    start: Any
    steps: tuple[Step, ...]

    @property
    def expressions(self) -> tuple[Any, ...]:
        """The start and the result of every step."""
        return (self.start, *(step.expression for step in self.steps))

    @property
    def result(self) -> Any:
        """What the target is found to be: the last expression."""
        last = self.expressions[-1]
        return last.rhs if isinstance(last, sympy.Eq) else last

    @property
    def variable(self) -> Any:
        """The name by which the chain differentiates, or for which it solves.

        It may have an equation of its own, but every step holds whatever its value.
        """
        if isinstance(self.start, Partial):
            name = self.start.args[1]
            return getattr(name, "base", name)
        return self.target if isinstance(self.start, sympy.Eq) else None

    @property
    def base(self) -> Any:
        """The target without its indices."""
        return getattr(self.target, "base", self.target)


@dataclass(frozen=True)
class Derivation:
    """Everything that is proved on paper about one entry.

    Attributes:
        entry: `E02`.
        equation: What the forward computes.
        symbols: The symbol table.
        chains: In the order in which they build on each other.
        sizes: Runs of a check; by default every size is 2 and 3.
    """

    entry: str
    equation: tuple[Equation, ...]
    symbols: tuple[Symbol, ...]
    chains: tuple[Chain, ...]
    sizes: tuple[Sizes, ...] = ()

    @cached_property
    def runs(self) -> tuple[Sizes, ...]:
        """Sizes of every run of a check."""
        if self.sizes:
            return self.sizes
        axes = itertools.chain.from_iterable(row.shape for row in self.symbols)
        names = sorted(set().union(*(axis.free_symbols for axis in axes)), key=str)
        first = {name: 2 + i % 2 for i, name in enumerate(names)}
        second = {name: 5 - value for name, value in first.items()}
        return (first, second) if names else ({},)

    def row(self, base: Any) -> Symbol:
        """The row of the symbol table for an array or number."""
        for symbol in self.symbols:
            if symbol.base == base:
                return symbol
        raise LookupError(f"{self.entry}: no row in the symbol table for {base}")

    def equations_before(self, chain: Chain) -> list[tuple[Any, Any]]:
        """Names and their values, as they stand at the start of a chain."""
        pairs = [(equation.name, equation.value) for equation in self.equation]
        named = {getattr(name, "base", name) for name, _ in pairs}
        for earlier in self.chains:
            if earlier.title == chain.title:
                break
            if earlier.base in named:
                pairs = [pair for pair in pairs if pair[0] != earlier.target]
                pairs.append((earlier.target, earlier.result))
        return pairs


@dataclass(frozen=True)
class Checked:
    """What was done to check a step: how, for which sizes, for how long."""

    method: Method
    sizes: tuple[Sizes, ...]
    seconds: float


class ProofError(AssertionError):
    """A step does not follow from the one before."""


def check(derivation: Derivation, chain: Chain) -> tuple[Checked, ...]:
    """Check every step of a chain against the one before, the first against `start`.

    Raises:
        ProofError: If a step does not hold; names entry, chain, step and both sides.
    """
    return tuple(
        check_step(derivation, chain, number)
        for number in range(1, len(chain.steps) + 1)
    )


def check_step(derivation: Derivation, chain: Chain, number: int) -> Checked:
    """Check step `number`, counted from 1, against the expression before it.

    Raises:
        ProofError: If it does not hold.
    """
    began = time.perf_counter()
    before, after = chain.expressions[number - 1 : number + 1]
    methods: set[Method] = set()
    for sizes, elements in _runs(derivation, chain):
        indices = sorted(free_indices(before) | free_indices(after), key=str)
        for position in elements.positions(indices):
            left, right = (
                elements.write(side, position, chain.variable)
                for side in (before, after)
            )
            method = _compare(left, right, chain.target)
            if method is None:
                where = {str(name): value for name, value in (sizes | position).items()}
                raise ProofError(
                    f"{derivation.entry}, {chain.title!r}, step {number} "
                    f"({chain.steps[number - 1].rule}) does not hold at {where}:\n"
                    f"  before: {latex(before)}\n    that is {left}\n"
                    f"  after:  {latex(after)}\n    that is {right}"
                )
            methods.add(method)
    method = "50 digits" if "50 digits" in methods else "exact"
    return Checked(method, derivation.runs, time.perf_counter() - began)


def _compare(left: Any, right: Any, target: Any) -> Method | None:
    if any(isinstance(side, Relational | BooleanAtom) for side in (left, right)):
        equations = isinstance(left, sympy.Eq) and isinstance(right, sympy.Eq)
        return "exact" if equations and same_solution(left, right, target) else None
    return compare(left, right)


def _runs(
    derivation: Derivation, chain: Chain
) -> Iterator[tuple[dict[Any, int], Elements]]:
    """All sizes and all arrays of whole numbers that a check goes through."""
    equations = derivation.equations_before(chain)
    for sizes in derivation.runs:
        for whole in _whole_numbers(derivation, sizes):
            yield dict(sizes), Elements(equations, sizes, whole)


def _whole_numbers(derivation: Derivation, sizes: Sizes) -> Iterator[dict[Place, int]]:
    places: list[Place] = []
    limits: list[int] = []
    for row in derivation.symbols:
        if row.below is None:
            continue
        shape = [int(sympy.sympify(axis).subs(sizes)) for axis in row.shape]
        for place in itertools.product(*map(range, shape)):
            places.append((row.base, place))
            limits.append(int(sympy.sympify(row.below).subs(sizes)))
    for values in itertools.product(*map(range, limits)):
        yield dict(zip(places, values, strict=True))
