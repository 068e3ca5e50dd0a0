"""Run NumPy code on symbols: numbers that remember the expression they came from.

A `Traced` number carries an exact SymPy expression and a float. Arithmetic builds
the expression; a comparison (maximum, argsort, top-k) looks at the float, so code
with choices follows one path and the expression says what it computed there. NumPy
runs its loops over object arrays of them and asks the elements for `exp` or `sqrt`,
so the shipped functions need no branch and no change.
"""

import functools
import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp


def lift(number: object) -> sp.Expr:
    """Return the exact number that a float in the code stands for.

    0.5 is one half, 1e-05 is 1/100000, 0.7071067811865475 is one over root two and
    3.141592653589793 is pi: of all simple numbers the one that rounds to the float.

    Raises:
        TypeError: If there is no such number.
    """
    if isinstance(number, int | np.integer):
        return sp.Integer(int(number))
    if not isinstance(number, float | np.floating):
        raise TypeError(f"cannot make {number!r} exact")
    value = float(number)
    if math.isinf(value):
        return sp.oo if value > 0 else -sp.oo
    if abs(value) == math.pi:
        return sp.pi if value > 0 else -sp.pi
    simple = Fraction(value).limit_denominator(10_000)
    if float(simple) == value:
        return sp.Rational(simple.numerator, simple.denominator)
    square = Fraction(value * value).limit_denominator(1000)
    if square and math.isclose(math.sqrt(square), abs(value), rel_tol=2e-16):
        root = sp.sqrt(sp.Rational(square.numerator, square.denominator))
        return root if value > 0 else -root
    decimal = sp.Rational(repr(value))
    if decimal.q <= 10**12:
        return decimal
    raise TypeError(f"cannot make {number!r} exact")


@functools.total_ordering
class Traced:
    """An expression and the float that it has at the point of the run."""

    __slots__ = ("expr", "value")

    def __init__(self, expr: sp.Expr, value: float) -> None:
        self.expr = expr
        self.value = value

    @classmethod
    def of(cls, number: Any) -> "Traced":
        """Lift a plain number."""
        if isinstance(number, Traced):
            return number
        return cls(lift(number), float(number))

    def _binary(self, other: object, op: Callable[..., Any]) -> "Traced":
        try:
            right = Traced.of(other)
        except TypeError:
            return NotImplemented
        value = op(self.value, right.value)
        if math.isinf(value):  # a masked score: SymPy would keep x - oo as it is
            return Traced(sp.oo if value > 0 else -sp.oo, value)
        return Traced(op(self.expr, right.expr), value)

    def __add__(self, other: object) -> "Traced":
        return self._binary(other, operator.add)

    def __sub__(self, other: object) -> "Traced":
        return self._binary(other, operator.sub)

    def __mul__(self, other: object) -> "Traced":
        return self._binary(other, operator.mul)

    def __truediv__(self, other: object) -> "Traced":
        return self._binary(other, operator.truediv)

    def __pow__(self, other: object) -> "Traced":
        return self._binary(other, operator.pow)

    def __radd__(self, other: object) -> "Traced":
        return Traced.of(other) + self

    def __rsub__(self, other: object) -> "Traced":
        return Traced.of(other) - self

    def __rmul__(self, other: object) -> "Traced":
        return Traced.of(other) * self

    def __rtruediv__(self, other: object) -> "Traced":
        return Traced.of(other) / self

    def __rpow__(self, other: object) -> "Traced":
        return Traced.of(other) ** self

    def __neg__(self) -> "Traced":
        return Traced(-self.expr, -self.value)

    def __eq__(self, other: object) -> bool:
        return self.value == Traced.of(other).value

    def __lt__(self, other: object) -> bool:
        return self.value < Traced.of(other).value

    def __hash__(self) -> int:
        return hash(self.expr)

    def __bool__(self) -> bool:
        return self.value != 0

    def __repr__(self) -> str:
        return f"Traced({self.expr}, {self.value:.4g})"

    def exp(self) -> "Traced":
        return Traced(sp.exp(self.expr), math.exp(self.value))

    def log(self) -> "Traced":
        return Traced(sp.log(self.expr), math.log(self.value))

    def sqrt(self) -> "Traced":
        return Traced(sp.sqrt(self.expr), math.sqrt(self.value))

    def cos(self) -> "Traced":
        return Traced(sp.cos(self.expr), math.cos(self.value))

    def sin(self) -> "Traced":
        return Traced(sp.sin(self.expr), math.sin(self.value))


def symbol(name: str, value: float, **assumptions: bool) -> Traced:
    """A named number at a point."""
    return Traced(sp.Symbol(name, real=True, **assumptions), float(value))


def symbols(name: str, values: np.ndarray, **assumptions: bool) -> np.ndarray:
    """An object array of named numbers, `name_0_1` at the place `[0, 1]`.

    Args:
        name: First part of every name.
        values: Floats of any shape: the point of the run, where comparisons look.
        assumptions: Of the symbols besides real, such as `positive=True`.

    Returns:
        Object array of the shape of `values`.
    """
    array = np.empty(np.shape(values), object)
    for index, value in np.ndenumerate(values):
        label = "_".join([name, *map(str, index)])
        array[index] = symbol(label, value, **assumptions)
    return array


def expression(number: object) -> sp.Expr:
    """The expression of a traced or plain number."""
    return number.expr if isinstance(number, Traced) else lift(number)


def expressions(array: np.ndarray) -> np.ndarray:
    """The expressions of all elements, in the shape of `array`."""
    result = np.empty(np.shape(array), object)
    for index, number in np.ndenumerate(np.asarray(array, object)):
        result[index] = expression(number)
    return result
