"""Index notation: the few objects that SymPy lacks, and how all of it is printed."""

from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.pretty_symbology import greek_unicode, pretty_symbol
from sympy.printing.pretty.stringpict import prettyForm, stringPict


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


def covers_whole_axis(limits: Any) -> bool:
    """Whether a sum runs over all values of its index."""
    over, low, high = limits
    return bool(low == over.lower and high == over.upper)


def _split_gradient(name: str) -> tuple[str, str]:
    is_gradient = name.startswith("d") and len(name) > 1 and name not in greek_unicode
    return ("d", name[1:]) if is_gradient else ("", name)


class _Latex(LatexPrinter):  # type: ignore[misc]
    """Indices without commas or ranges, sums over a whole axis without limits."""

    def _print_Symbol(self, expr: Any, **_: Any) -> str:
        prefix, name = _split_gradient(expr.name)
        text = super()._print_Symbol(sympy.Symbol(name))
        return (r"\mathrm{d}" if prefix else "") + text

    def _print_Idx(self, expr: Any) -> str:
        return self._print(expr.label)

    def _print_IndexedBase(self, expr: Any) -> str:
        return self._print(expr.label)

    def _print_Indexed(self, expr: Any) -> str:
        indices = [self._print(i) for i in expr.indices]
        letters = all(i.is_Symbol or isinstance(i, sympy.Idx) for i in expr.indices)
        text = ("" if letters else r",\,").join(indices)
        base, _, subscript = self._print(expr.base).partition("_")
        if subscript:
            text = rf"\mathrm{{{subscript.strip('{}')}}},\,{text}"
        return f"{base}_{{{text}}}"

    def _print_Partial(self, expr: Any) -> str:
        of, by = expr.args
        if of.is_Symbol or isinstance(of, sympy.Indexed):
            return rf"\frac{{\partial {self._print(of)}}}{{\partial {self._print(by)}}}"
        body = self.parenthesize(of, sympy.printing.precedence.PRECEDENCE["Mul"])
        return rf"\frac{{\partial}}{{\partial {self._print(by)}}} {body}"

    def _print_Largest(self, expr: Any) -> str:
        return rf"\max_{{{self._print(expr.args[1])}}} {self._print(expr.args[0])}"

    def _print_Sum(self, expr: Any) -> str:
        body = self._print(expr.function)
        if expr.function.is_Add:
            body = rf"\left({body}\right)"
        return rf"{''.join(map(self._sigma, expr.limits))} {body}"

    def _sigma(self, limits: Any) -> str:
        over, low, high = map(self._print, limits)
        if covers_whole_axis(limits):
            return rf"\sum_{{{over}}}"
        return rf"\sum_{{{over}={low}}}^{{{high}}}"


class _Pretty(PrettyPrinter):  # type: ignore[misc]
    """The same for a terminal: arrays as in code, `x[n,c]`, and small sums."""

    def _print_Symbol(self, e: Any) -> Any:
        prefix, name = _split_gradient(e.name)
        return prettyForm(prefix + pretty_symbol(name))

    def _print_Idx(self, expr: Any) -> Any:
        return self._print(expr.label)

    def _print_IndexedBase(self, expr: Any) -> Any:
        return self._print(expr.label)

    def _print_Indexed(self, expr: Any) -> Any:
        indices = self._print_seq(expr.indices, "[", "]", delimiter=",")
        return prettyForm(
            *stringPict.next(self._print(expr.base), indices), binding=prettyForm.ATOM
        )

    def _print_Partial(self, expr: Any) -> Any:
        of, by = (self._print(arg) for arg in expr.args)
        below = prettyForm(*by.left("∂"))
        if expr.args[0].is_Symbol or isinstance(expr.args[0], sympy.Indexed):
            return prettyForm(*of.left("∂")) / below
        if expr.args[0].is_Add:
            of = prettyForm(*of.parens())
        operator = prettyForm("∂") / below
        return prettyForm(*stringPict.next(operator, " ", of), binding=prettyForm.ADD)

    def _print_Largest(self, expr: Any) -> Any:
        operator = prettyForm(*prettyForm("max").below(self._print(expr.args[1])))
        operator.baseline = 0
        return prettyForm(*stringPict.next(operator, " ", self._print(expr.args[0])))

    def _print_Sum(self, expr: Any) -> Any:
        body = self._print(expr.function)
        if expr.function.is_Add:
            body = prettyForm(*body.parens())
        signs = [self._sigma(limits) for limits in expr.limits]
        return prettyForm(*stringPict.next(*signs, body), binding=prettyForm.ADD)

    def _sigma(self, limits: Any) -> Any:
        over, low, high = (self._print(limit) for limit in limits)
        if not covers_whole_axis(limits):
            over = prettyForm(*stringPict.next(over, "=", low, "..", high))
        sign = prettyForm(*prettyForm("∑ ").below(over))
        sign.baseline = 0
        return sign


def latex(expression: Any) -> str:
    """Print for a page."""
    return _Latex({"mul_symbol": r"\,"}).doprint(expression)


def pretty(expression: Any, columns: int = 80) -> str:
    """Print for a terminal, in lines of at most `columns` characters."""
    settings = {"use_unicode": True, "num_columns": columns, "wrap_line": True}
    return _Pretty(settings).doprint(expression)
