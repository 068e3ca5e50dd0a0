"""How a derivation is printed: LaTeX for a page, Unicode for a terminal.

Both follow the pages: indices without ranges, sums over a whole axis without limits,
short factors before long ones, what is subtracted after what it is subtracted from.
"""

import re
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.pretty_symbology import greek_unicode, pretty_symbol
from sympy.printing.pretty.stringpict import prettyForm, stringPict

from moe.derivations.notation import Partial

MARGIN = 10  # columns that a terminal keeps for what stands around a sum or product
TALL = (sympy.exp, sympy.Sum)  # factors that have these come after plain ones
LONG = (Partial, sympy.Add, sympy.Sum, sympy.Piecewise)  # factors that come last


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
    text: str = picture.render(num_columns=columns, wrap_line=True)
    return "\n".join(line.rstrip() for line in text.splitlines())


def _split_gradient(name: str) -> tuple[str, str]:
    """Separate the d of `dgamma` from what it is the gradient of."""
    is_gradient = name.startswith("d") and len(name) > 1 and name not in greek_unicode
    return ("d", name[1:]) if is_gradient else ("", name)


def _is_gradient(factor: Any) -> bool:
    return bool(_split_gradient(str(getattr(factor, "base", factor)))[0])


def _is_name(expression: Any) -> bool:
    return bool(expression.is_Symbol) or isinstance(expression, sympy.Indexed)


def _is_negative(term: Any) -> bool:
    return bool(term.as_coeff_Mul()[0].is_negative)


def _terms(expression: sympy.Add) -> list[Any]:
    """Terms of a sum, short ones first; in an index, such as 2i + 1, last.

    Plain numbers such as epsilon, and what has a minus sign, come at the end.
    """
    direction = -1 if expression.is_integer else 1
    return sorted(
        expression.args,
        key=lambda term: (
            _is_negative(term),
            term.is_Symbol,
            not isinstance(term, sympy.Sum),
            0 if _is_name(term) else direction * term.count_ops(),
            term.is_Number and direction == -1,
            str(term).casefold(),
        ),
    )


def _factors(product: Any) -> tuple[list[Any], Any, list[Any]]:
    """Split a product: short factors above the line, below it, long ones beside it.

    Long factors go above the line where nothing else would stand there.
    """
    above, below = sympy.fraction(product, exact=True)
    factors = [f for f in sympy.Mul.make_args(above) if f != 1]
    factors.sort(key=lambda f: (not f.is_Number, not _is_gradient(f), f.has(*TALL)))
    short = [f for f in factors if not isinstance(f, LONG)]
    long = sorted((f for f in factors if isinstance(f, LONG)), key=_length)
    lone_sum = len(long) == 1 and long[0].is_Add
    if below != 1 and not short and (lone_sum or below.has(sympy.Sum)):
        return long or [sympy.Integer(1)], below, []
    return short, below, long


def _length(factor: Any) -> int:
    return LONG.index(next(kind for kind in LONG if isinstance(factor, kind)))


def _compact(index: Any) -> str:
    """Print an index in a line: `2i+1`, `⌊h/R⌋`."""
    text = str(index).replace("*", "").replace(" ", "")
    return re.sub(r"floor\(([^()]*)\)", r"⌊\1⌋", text)


def _covers_whole_axis(limits: Any) -> bool:
    over, low, high = limits
    return bool(low == over.lower and high == over.upper)


class _Latex(LatexPrinter):  # type: ignore[misc]  # SymPy has no type stubs
    def _print_Symbol(self, expr: Any, **_: Any) -> str:
        prefix, name = _split_gradient(expr.name)
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
        if _is_name(of):
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
        if _covers_whole_axis(limits):
            return rf"\sum_{{{over}}}"
        return rf"\sum_{{{over}={low}}}^{{{high}}}"

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        first, *others = _terms(expr)
        signed = ((" - ", -t) if _is_negative(t) else (" + ", t) for t in others)
        return self._print(first) + "".join(
            sign + (self._parens(t) if t.is_Add else self._print(t))
            for sign, t in signed
        )

    def _print_Mul(self, expr: Any) -> str:
        if _is_negative(expr):
            rest = -expr
            return "-" + (self._parens(rest) if rest.is_Add else self._print(rest))
        short, below, long = _factors(expr)
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
        prefix, name = _split_gradient(e.name)
        primes = name[len(name.rstrip("'")) :]
        return prettyForm(prefix + pretty_symbol(name.rstrip("'")) + primes)

    def _print_Idx(self, expr: Any) -> Any:
        return self._print(expr.label)

    def _print_IndexedBase(self, expr: Any) -> Any:
        return self._print(expr.label)

    def _print_Indexed(self, expr: Any) -> Any:
        indices = ",".join(map(_compact, expr.indices))
        name = self._print(expr.base)
        return prettyForm(*name.right(f"[{indices}]"), binding=prettyForm.ATOM)

    def _print_KroneckerDelta(self, expr: Any) -> Any:
        indices = ",".join(map(_compact, expr.args))
        name = prettyForm("δ" + " " * len(indices))
        return prettyForm(*name.below(" " + indices), binding=prettyForm.ATOM)

    def _print_Partial(self, expr: Any) -> Any:
        of, by = (self._print(arg) for arg in expr.args)
        below = prettyForm(*by.left("∂"))
        if _is_name(expr.args[0]):
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
        over, low, high = map(_compact, limits)
        if not _covers_whole_axis(limits):
            over = f"{over}={low}..{high}"
        sign = prettyForm(*prettyForm("∑ ").below(over))
        sign.baseline = 0
        return sign

    def _print_Add(self, expr: Any, order: Any = None) -> Any:
        pieces: list[Any] = []
        for term in _terms(expr):
            negative = _is_negative(term)
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
        if _is_negative(expr):
            rest = self._print(-expr)
            if (-expr).is_Add:
                rest = prettyForm(*rest.parens())
            return prettyForm(*rest.left("-"), binding=prettyForm.NEG)
        short, below, long = _factors(expr)
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
