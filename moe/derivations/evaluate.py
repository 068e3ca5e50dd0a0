"""What a derivation says, computed on NumPy arrays: the tie from proof to code."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import sympy

from moe.arrays import Array
from moe.derivations.chain import Derivation
from moe.derivations.elements import Elements, Place, free_indices


def evaluate(derivation: Derivation, name: str, arrays: Mapping[str, Any]) -> Array:
    """Compute a target from the result of its chains.

    Names that the result uses are computed the same way, from earlier chains or from
    their equations.

    Args:
        derivation: Of the entry.
        name: Code name of the target: `dx`.
        arrays: Arrays, numbers and sizes that are given, by code name. Sizes that
            are axes of a given array need not be named.

    Returns:
        float64 array of the target's shape; NaN where no chain has its element.

    Raises:
        KeyError: If no chain has this target, or if something that its result needs
            is neither given nor derived.
    """
    for chain in derivation.chains:
        if _code(derivation, chain.base) == name:
            return _Evaluation(derivation, arrays).compute(chain.base)
    raise KeyError(f"{derivation.entry}: no chain derives {name}")


def _code(derivation: Derivation, base: Any) -> str | None:
    """Code name of an array or number; None for what is not in the symbol table."""
    codes = (row.code for row in derivation.symbols if row.base == base)
    return next(codes, None)


class _Evaluation:
    """Arrays by name: those that are given, then derived or computed when needed."""

    def __init__(self, derivation: Derivation, given: Mapping[str, Any]) -> None:
        self.derivation = derivation
        # Every name stays a name here: its array is computed, not written out.
        sizes, whole = _sizes(derivation, given), _whole_numbers(derivation, given)
        self.elements = Elements((), sizes, whole)
        self.arrays = {
            row.base: np.asarray(given[row.code])
            for row in derivation.symbols
            if row.code in given
        }
        self.values: dict[Any, dict[Any, Any]] = {}
        for equation in derivation.equation:
            self._define(equation.name, equation.value)
        for chain in derivation.chains:
            self._define(chain.target, chain.result)

    def _define(self, name: Any, value: Any) -> None:
        """Note what a name stands for; a chain's form replaces an equation."""
        self.values.setdefault(getattr(name, "base", name), {})[name] = value

    def array(self, base: Any) -> Array:
        """What is given, or else computed, once."""
        if base not in self.arrays:
            self.arrays[base] = self.compute(base)
        return self.arrays[base]

    def compute(self, base: Any) -> Array:
        """All elements that equations and chains give."""
        if base not in self.values:
            raise KeyError(
                f"{self.derivation.entry}: {base} is neither given nor derived"
            )
        axes = map(sympy.sympify, self.derivation.row(base).shape)
        result = np.full([int(axis.subs(self.elements.sizes)) for axis in axes], np.nan)
        elements = {
            self.elements.place(name, position): self.elements.write(value, position)
            for name, value in self.values[base].items()
            for position in self.elements.positions(sorted(free_indices(name), key=str))
        }
        for place, number in zip(
            elements, self._numbers(elements.values()), strict=True
        ):
            result[place] = number
        return result

    def _numbers(self, elements: Iterable[Any]) -> list[float]:
        """Put numbers for the symbols of elements."""
        listed = list(elements)
        symbols = set().union(*(element.free_symbols for element in listed))
        arguments = sorted(symbols, key=str)
        places = (self.elements.symbols[symbol] for symbol in arguments)
        numbers = [self.array(base)[place] for base, place in places]
        values: list[float] = sympy.lambdify(arguments, listed, "numpy")(*numbers)
        return values


def _whole_numbers(
    derivation: Derivation, arrays: Mapping[str, Any]
) -> dict[Place, int]:
    return {
        (row.base, place): int(number)
        for row in derivation.symbols
        if row.below is not None and row.code in arrays
        for place, number in np.ndenumerate(np.asarray(arrays[row.code]))
    }


def _sizes(derivation: Derivation, arrays: Mapping[str, Any]) -> dict[Any, int]:
    """Length of every axis, read off the shapes of the given arrays."""
    sizes: dict[Any, int] = {}
    axes: list[tuple[Any, int]] = []
    for row in derivation.symbols:
        if row.code not in arrays:
            continue
        lengths = np.shape(arrays[row.code])
        axes += zip(map(sympy.sympify, row.shape), lengths, strict=True)
        if row.expression.is_Symbol and row.expression.is_integer:
            sizes[row.expression] = int(arrays[row.code])
    for axis, length in sorted(axes, key=lambda pair: len(pair[0].free_symbols)):
        remaining = axis.subs(sizes)
        for name in remaining.free_symbols:
            (sizes[name],) = map(int, sympy.solve(remaining - length, name))
    return sizes
