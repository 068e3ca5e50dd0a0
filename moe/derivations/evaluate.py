"""What a derivation says, computed on NumPy arrays: the tie from proof to code."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from moe.arrays import Array
from moe.derivations.chain import Derivation
from moe.derivations.elements import Elements, Place, free_indices


def evaluate(derivation: Derivation, name: str, arrays: Mapping[str, Any]) -> Array:
    """Compute a target from the result of its chains.

    Gradients of earlier chains that the expression uses are computed the same way.

    Args:
        derivation: Of the entry.
        name: Code name of the target: `dx`.
        arrays: Arrays, numbers and sizes that are given, by code name. Sizes that
            are axes of a given array need not be named.

    Returns:
        float64 array of the target's shape.

    Raises:
        KeyError: If something that the expression needs is not given.
    """
    chains = [c for c in derivation.chains if derivation.row(c.base).code == name]
    sizes = _sizes(derivation, arrays)
    whole = _whole_numbers(derivation, arrays)
    shape = [int(a.subs(sizes)) for a in map(sympy.sympify, _shape(derivation, name))]
    result = np.full(shape, np.nan)
    given = dict(arrays)
    for chain in chains:
        elements = Elements(derivation.equations_before(chain), sizes, whole)
        indices = sorted(free_indices(chain.target), key=str)
        for position in elements.positions(indices):
            value = elements.write(chain.result, position)
            place = elements.place(chain.target, position)
            result[place] = _number(derivation, elements, value, given)
    return result


def _shape(derivation: Derivation, name: str) -> tuple[Any, ...]:
    return next(row.shape for row in derivation.symbols if row.code == name)


def _number(
    derivation: Derivation, elements: Elements, value: Any, given: dict[str, Any]
) -> float:
    """Put numbers for the element symbols; computes and keeps earlier targets."""
    symbols = sorted(value.free_symbols, key=str)
    numbers = []
    for symbol in symbols:
        base, place = elements.symbols[symbol]
        code = derivation.row(base).code
        if code not in given:
            targets = {derivation.row(chain.base).code for chain in derivation.chains}
            if code not in targets:
                raise KeyError(f"{derivation.entry}: {code} is needed and not given")
            given[code] = evaluate(derivation, code, given)
        numbers.append(np.asarray(given[code])[place])
    return float(sympy.lambdify(symbols, value, "numpy")(*numbers))


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
    unknown: list[tuple[Any, int]] = []
    for row in derivation.symbols:
        if row.code in arrays:
            unknown += zip(row.shape, np.shape(arrays[row.code]), strict=True)
            if row.expression.is_Symbol and row.expression.is_integer:
                sizes[row.expression] = int(arrays[row.code])
    for axis, length in sorted(unknown, key=lambda pair: len(pair[0].free_symbols)):
        remaining = sympy.sympify(axis).subs(sizes)
        for name in remaining.free_symbols:
            (sizes[name],) = map(int, sympy.solve(remaining - length, name))
    return sizes
