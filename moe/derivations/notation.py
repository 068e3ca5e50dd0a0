"""Index notation: sizes, indices, arrays, and two objects that SymPy lacks."""

from typing import Any

import sympy


def size(name: str, **assumptions: bool) -> sympy.Symbol:
    """Length of an axis: a positive integer."""
    return sympy.Symbol(name, integer=True, positive=True, **assumptions)


def index(name: str, length: Any) -> sympy.Idx:
    """Position on an axis, from 0 to `length - 1`."""
    return sympy.Idx(name, length)


def array(name: str, **assumptions: bool) -> sympy.IndexedBase:
    """Array of real numbers; `x[n, c]` is one of them.

    A name that starts with `d` (`dx`, `dgamma`) is printed as a gradient.
    """
    return sympy.IndexedBase(name, **(assumptions or {"real": True}))


def number(name: str, **assumptions: bool) -> sympy.Symbol:
    """One real number that is no array element."""
    return sympy.Symbol(name, **(assumptions or {"real": True}))


class Partial(sympy.Expr):  # type: ignore[misc]  # SymPy has no stubs
    r"""Derivative of an expression by a name, not yet taken.

    Every name in the expression stands for its equation, except the one by which
    is differentiated: with $y = x r(x)$, `Partial(y, x)` goes through both factors
    and `Partial(y, r)` is $x$. Gradients that arrive (`dy`) are constants.
    """

    is_commutative = True

    def __new__(cls, expression: Any, variable: Any) -> "Partial":
        """Keep both unevaluated."""
        return sympy.Expr.__new__(cls, sympy.sympify(expression), variable)


class Largest(sympy.Expr):  # type: ignore[misc]
    """Largest value of an expression over all values of an index."""

    is_commutative = True
    is_real = True

    def __new__(cls, expression: Any, over: sympy.Idx) -> "Largest":
        """Keep both unevaluated."""
        return sympy.Expr.__new__(cls, sympy.sympify(expression), over)
