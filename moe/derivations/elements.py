"""From index notation with general sizes to explicit elements of given sizes.

With `N = 2` and `C = 3` the sum over `c` of `x[n, c]` becomes, for `n = 1`,
`x_1_0 + x_1_1 + x_1_2`: plain SymPy symbols, which SymPy can differentiate,
simplify and compare.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy

from moe.derivations.notation import Largest, Partial

Sizes = Mapping[sympy.Symbol, int]
Place = tuple[Any, tuple[int, ...]]  # an array or number, and where in it


def free_indices(expression: Any) -> set[sympy.Idx]:
    """Indices that no sum (and no maximum) in the expression runs over."""
    if isinstance(expression, sympy.Idx):
        return {expression}
    free = set().union(*(free_indices(arg) for arg in expression.args))
    if isinstance(expression, sympy.Sum):
        free -= {limits[0] for limits in expression.limits}
    elif isinstance(expression, Largest):
        free.discard(expression.args[1])
    return free


class Elements:
    """Writes expressions out for one choice of sizes.

    Args:
        equations: Pairs `(name, value)`; wherever the name (`r[n]`, or a number)
            is met, the value is written instead.
        sizes: Length for every size symbol.
        whole: Values of the arrays of whole numbers, by place.
    """

    def __init__(
        self,
        equations: Sequence[tuple[Any, Any]],
        sizes: Sizes,
        whole: Mapping[Place, int],
    ) -> None:
        self.sizes = sizes
        self.whole = whole
        self.symbols: dict[sympy.Symbol, Place] = {}
        self._equations: dict[Any, list[tuple[Any, Any]]] = {}
        for name, value in equations:
            self._equations.setdefault(_base(name), []).append((name, value))
        self._memo: dict[Any, Any] = {}

    def positions(self, indices: Sequence[sympy.Idx]) -> Iterator[dict[Any, int]]:
        """Every combination of values of the indices."""
        ranges = [
            range(self._int(i.lower, {}), self._int(i.upper, {}) + 1) for i in indices
        ]
        for values in itertools.product(*ranges):
            yield dict(zip(indices, values, strict=True))

    def place(self, name: Any, position: Mapping[Any, int]) -> tuple[int, ...]:
        """Where `name` (`x[n, c]`, or a number) stands at a position."""
        return tuple(self._int(i, position) for i in getattr(name, "indices", ()))

    def write(
        self, expression: Any, position: Mapping[Any, int], variable: Any = None
    ) -> Any:
        """Write one element of an expression out.

        Args:
            expression: In index notation.
            position: Value of every free index.
            variable: A name that stays, whether or not it has an equation.

        Returns:
            A SymPy expression in element symbols alone.
        """
        return self._write(expression, position, frozenset({variable}))

    def _write(self, e: Any, position: Mapping[Any, int], kept: frozenset[Any]) -> Any:
        """Dispatch on the kind of node; `kept` are names that stay as they are."""
        if isinstance(e, sympy.Idx):
            return sympy.Integer(position[e])
        if isinstance(e, sympy.Indexed):
            place = tuple(self._int(i, position, kept) for i in e.indices)
            return self._name(e.base, place, kept)
        if e.is_Symbol:
            if e in self.sizes:
                return sympy.Integer(self.sizes[e])
            return self._name(e, (), kept)
        if isinstance(e, sympy.Sum):
            return sympy.Add(*self._terms(e, position, kept))
        if isinstance(e, Largest):
            body, over = e.args
            places = self.positions([over])
            return sympy.Max(
                *(self._write(body, {**position, **p}, kept) for p in places)
            )
        if isinstance(e, Partial):
            return self._differentiate(e, position, kept)
        if not e.args:
            return e
        written = e.func(*(self._write(arg, position, kept) for arg in e.args))
        return written.doit() if isinstance(e, sympy.Limit) else written

    def _terms(
        self, e: sympy.Sum, position: Mapping[Any, int], kept: frozenset[Any]
    ) -> Iterator[Any]:
        (over, low, high), *others = reversed(e.limits)
        inner = sympy.Sum(e.function, *reversed(others)) if others else e.function
        first, last = self._int(low, position, kept), self._int(high, position, kept)
        for value in range(first, last + 1):
            yield self._write(inner, {**position, over: value}, kept)

    def _differentiate(
        self, e: Partial, position: Mapping[Any, int], kept: frozenset[Any]
    ) -> Any:
        body, variable = e.args
        base = _base(variable)
        inner = kept | {base}
        by = self._write(variable, position, inner)
        terms = sympy.Add.make_args(self._write(body, position, inner))
        slopes = (sympy.diff(t, by) for t in terms if by in t.free_symbols)
        slope = sympy.Add(*slopes)
        if base in kept or base not in self._equations:
            return slope
        names = [s for s in slope.free_symbols if self.symbols[s][0] == base]
        values = {s: self._name(base, self.symbols[s][1], kept) for s in names}
        return slope.xreplace(values)

    def _name(self, base: Any, place: tuple[int, ...], kept: frozenset[Any]) -> Any:
        if (base, place) in self.whole:
            return sympy.Integer(self.whole[base, place])
        if base in kept or base not in self._equations:
            return self._symbol(base, place)
        key = (base, place, kept)
        if key not in self._memo:
            value, position = self._equation(base, place)
            self._memo[key] = self._write(value, position, kept)
        return self._memo[key]

    def _equation(
        self, base: Any, place: tuple[int, ...]
    ) -> tuple[Any, dict[Any, int]]:
        """The equation of `base` whose left side covers this place, and its indices."""
        for name, value in self._equations[base]:
            indices = sorted(free_indices(name), key=str)
            for position in self.positions(indices):
                if self.place(name, position) == place:
                    return value, position
        raise LookupError(f"no equation gives {base}{list(place)}")

    def _symbol(self, base: Any, place: tuple[int, ...]) -> sympy.Symbol:
        if not place:
            self.symbols[base] = (base, place)
            return base
        name = "_".join(map(str, (base, *place)))
        symbol = sympy.Symbol(name, **base.label.assumptions0)
        self.symbols[symbol] = (base, place)
        return symbol

    def _int(
        self, e: Any, position: Mapping[Any, int], kept: frozenset[Any] = frozenset()
    ) -> int:
        return int(self._write(sympy.sympify(e), position, kept))


def _base(name: Any) -> Any:
    return name.base if isinstance(name, sympy.Indexed) else name
