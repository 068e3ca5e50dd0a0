"""How a derivation is printed: LaTeX for a page, Unicode for a terminal.

Both follow the pages: indices without ranges, sums over a whole axis without limits.
"""

import re
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.pretty_symbology import pretty_symbol
from sympy.printing.pretty.stringpict import prettyForm, stringPict

from moe.derivations.layout import (
    compact,
    covers_whole_axis,
    is_name,
    is_negative,
    ordered_terms,
    split_factors,
    split_gradient,
)
from moe.derivations.notation import Partial

MARGIN = 10  # columns that a terminal keeps for what stands around a sum or product


def latex(expression: Any) -> str:
    """Print for a page."""
    return _Latex().doprint(expression)


def pretty(expression: Any, columns: int = 80, prefix: str = "") -> str:
    """Print for a terminal, in lines of at most `columns` characters.

    Args:
        expression: Of a derivation.
        columns: Width of a line.
        prefix: Set before the expression, at the height of its middle: `= `.
    """
    printer = _Pretty({"use_unicode": True, "num_columns": columns})
    picture = prettyForm(*printer._print(expression).left(prefix))
    text: str = picture.render(use_unicode=True, num_columns=columns, wrap_line=True)
    return "\n".join(line.rstrip() for line in text.splitlines())


class _Latex(LatexPrinter):  # type: ignore[misc]  # SymPy has no type stubs
    def _print_Symbol(self, expr: Any, **_: Any) -> str:
        prefix, name = split_gradient(expr.name)
        primes = name[len(name.rstrip("'")) :]
        text = super()._print_Symbol(sympy.Symbol(name.rstrip("'")))
        if text.isalpha() and len(text) > 1:
            text = rf"\mathrm{{{text}}}"
        text = re.sub(r"_\{([A-Za-z]\w+)\}", r"_{\\mathrm{\1}}", text)
        if primes:
            text = f"{{{text}{primes}}}"
        return (r"\mathrm{d}" if prefix else "") + text

    def _print_Idx(self, expr: Any) -> str:
        return self._print(expr.label)

    def _print_IndexedBase(self, expr: Any) -> str:
        return self._print(expr.label)

    def _print_Indexed(self, expr: Any) -> str:
        indices = self._subscript(expr.indices)
        base, _, name = self._print(expr.base).partition("_")
        if name:
            indices = rf"{name[1:-1]},\,{indices}"
        return f"{base}_{{{indices}}}"

    def _subscript(self, indices: Any) -> str:
        letters = all(i.is_Symbol or isinstance(i, sympy.Idx) for i in indices)
        texts = (self._print(i).replace(r"\,", "") for i in indices)
        return ("" if letters else r",\,").join(texts)

    def _print_KroneckerDelta(self, expr: Any, exp: str | None = None) -> str:
        return rf"\delta_{{{self._subscript(expr.args)}}}"

    def _print_floor(self, expr: Any, exp: str | None = None) -> str:
        above, below = map(self._print, sympy.fraction(expr.args[0]))
        return rf"\lfloor {above}/{below} \rfloor"

    def _print_Partial(self, expr: Any) -> str:
        of, by = expr.args
        if is_name(of):
            return rf"\frac{{\partial {self._print(of)}}}{{\partial {self._print(by)}}}"
        body = self._parens(of) if of.is_Add else self._print(of)
        return rf"\frac{{\partial}}{{\partial {self._print(by)}}} {body}"

    def _print_Largest(self, expr: Any) -> str:
        return rf"\max_{{{self._print(expr.args[1])}}} {self._print(expr.args[0])}"

    def _print_Sum(self, expr: Any) -> str:
        body = expr.function
        text = self._parens(body) if body.is_Add else self._print(body)
        return rf"{''.join(map(self._sigma, expr.limits))} {text}"

    def _sigma(self, limits: Any) -> str:
        over, low, high = map(self._print, limits)
        if covers_whole_axis(limits):
            return rf"\sum_{{{over}}}"
        return rf"\sum_{{{over}={low}}}^{{{high}}}"

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        first, *others = ordered_terms(expr)
        signed = ((" - ", -t) if is_negative(t) else (" + ", t) for t in others)
        return self._print(first) + "".join(
            sign + (self._parens(t) if t.is_Add else self._print(t))
            for sign, t in signed
        )

    def _print_Mul(self, expr: Any) -> str:
        if is_negative(expr):
            rest = -expr
            return "-" + (self._parens(rest) if rest.is_Add else self._print(rest))
        short, below, long = split_factors(expr)
        if below == 1:
            return self._product([*short, *long])
        above = self._product(short) or "1"
        fraction = rf"\frac{{{above}}}{{{self._print(below)}}}"
        return r"\,".join([fraction, self._product(long, 1)] if long else [fraction])

    def _product(self, factors: list[Any], before: int = 0) -> str:
        last = len(factors) - 1
        return r"\,".join(
            self._parens(f)
            if (f.is_Add and before + last > 0)
            or (i < last and f.has(sympy.Sum, sympy.Piecewise))
            else self._print(f)
            for i, f in enumerate(factors)
        )

    def _parens(self, expr: Any) -> str:
        return rf"\left({self._print(expr)}\right)"


class _Pretty(PrettyPrinter):  # type: ignore[misc]
    """Arrays as in code: `x[n,c]`."""

    def _print_Symbol(self, e: Any) -> Any:
        prefix, name = split_gradient(e.name)
        primes = name[len(name.rstrip("'")) :]
        return prettyForm(prefix + pretty_symbol(name.rstrip("'")) + primes)

    def _print_Idx(self, expr: Any) -> Any:
        return self._print(expr.label)

    def _print_IndexedBase(self, expr: Any) -> Any:
        return self._print(expr.label)

    def _print_Indexed(self, expr: Any) -> Any:
        indices = ",".join(map(compact, expr.indices))
        name = self._print(expr.base)
        return prettyForm(*name.right(f"[{indices}]"), binding=prettyForm.ATOM)

    def _print_KroneckerDelta(self, expr: Any) -> Any:
        indices = ",".join(map(compact, expr.args))
        name = prettyForm("δ" + " " * len(indices))
        return prettyForm(*name.below(" " + indices), binding=prettyForm.ATOM)

    def _print_Partial(self, expr: Any) -> Any:
        of, by = (self._print(arg) for arg in expr.args)
        below = prettyForm(*by.left("∂"))
        if is_name(expr.args[0]):
            return prettyForm(*of.left("∂")) / below
        if expr.args[0].is_Add:
            of = prettyForm(*of.parens())
        operator = prettyForm("∂") / below
        return prettyForm(*stringPict.next(operator, " ", of), binding=prettyForm.ADD)

    def _print_Max(self, expr: Any) -> Any:
        return prettyForm(*self._print_seq(expr.args, "(", ")").left("max"))

    def _print_Min(self, expr: Any) -> Any:
        return prettyForm(*self._print_seq(expr.args, "(", ")").left("min"))

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
        over, low, high = map(compact, limits)
        if not covers_whole_axis(limits):
            over = f"{over}={low}..{high}"
        sign = prettyForm(*prettyForm("∑ ").below(over))
        sign.baseline = 0
        return sign

    def _print_Add(self, expr: Any, order: Any = None) -> Any:
        pieces: list[Any] = []
        for term in ordered_terms(expr):
            negative = is_negative(term)
            piece = self._print(-term if negative else term)
            if (-term if negative else term).is_Add:
                piece = prettyForm(*piece.parens())
            sign = "-" if negative else "+"
            if pieces:
                piece = prettyForm(*piece.left(f" {sign} "))
            elif negative:
                piece = prettyForm(*piece.left(sign))
            pieces.append(piece)
        return prettyForm(*self._fill(pieces), binding=prettyForm.ADD)

    def _print_Mul(self, expr: Any) -> Any:
        if is_negative(expr):
            rest = self._print(-expr)
            if (-expr).is_Add:
                rest = prettyForm(*rest.parens())
            return prettyForm(*rest.left("-"), binding=prettyForm.NEG)
        short, below, long = split_factors(expr)
        if below == 1:
            return self._product([*short, *long])
        above = self._product(short) if short else prettyForm("1")
        fraction = above / self._print(below)
        return fraction * self._product(long, 1) if long else fraction

    def _product(self, factors: list[Any], before: int = 0) -> Any:
        pieces = [self._print(f) for f in factors]
        last = len(pieces) - 1
        for i, piece in enumerate(pieces):
            open_ended = i == last and isinstance(factors[i], sympy.Sum | Partial)
            bare = open_ended or before + last == 0
            if piece.binding > prettyForm.MUL and not bare:
                piece = prettyForm(*piece.parens())
            pieces[i] = prettyForm(*piece.left("⋅")) if i else piece
        return prettyForm(*self._fill(pieces), binding=prettyForm.MUL)

    def _fill(self, pieces: list[Any]) -> tuple[str, int]:
        """Set pieces side by side, in several rows where one would be too wide."""
        width = self._settings["num_columns"] - MARGIN
        rows = [pieces[0]]
        for piece in pieces[1:]:
            if rows[-1].width() + piece.width() > width:
                rows.append(piece)
            else:
                rows[-1] = prettyForm(*stringPict.next(rows[-1], piece))
        widest = max(row.width() for row in rows)
        rows = [prettyForm(*row.right(" " * (widest - row.width()))) for row in rows]
        first, *others = rows
        stacked = prettyForm(*first.below(*others)) if others else first
        stacked.baseline = first.baseline
        return str(stacked), stacked.baseline
