"""In which order the parts of an expression are printed, in LaTeX and in Unicode.

As on the pages: short factors before long ones, and what is subtracted after what it
is subtracted from. SymPy's own order is alphabetical.
"""

import re
from typing import Any

import sympy
from sympy.printing.pretty.pretty_symbology import greek_unicode

from moe.derivations.notation import Partial

TALL = (sympy.exp, sympy.Sum)  # factors that have these come after plain ones
LONG = (Partial, sympy.Add, sympy.Sum, sympy.Piecewise)  # factors that come last


def split_gradient(name: str) -> tuple[str, str]:
    """Separate the d of `dgamma` from what it is the gradient of."""
    is_gradient = name.startswith("d") and len(name) > 1 and name not in greek_unicode
    return ("d", name[1:]) if is_gradient else ("", name)


def _is_gradient(factor: Any) -> bool:
    return bool(split_gradient(str(getattr(factor, "base", factor)))[0])


def is_name(expression: Any) -> bool:
    """Whether it is an array element or a number with a name."""
    return bool(expression.is_Symbol) or isinstance(expression, sympy.Indexed)


def is_negative(term: Any) -> bool:
    """Whether a minus sign is printed before a term."""
    return bool(term.as_coeff_Mul()[0].is_negative)


def ordered_terms(expression: sympy.Add) -> list[Any]:
    """Terms of a sum, short ones first; in an index, such as 2i + 1, last.

    Plain numbers such as epsilon, and what has a minus sign, come at the end.
    """
    direction = -1 if expression.is_integer else 1
    return sorted(
        expression.args,
        key=lambda term: (
            is_negative(term),
            term.is_Symbol,
            not isinstance(term, sympy.Sum),
            0 if is_name(term) else direction * term.count_ops(),
            term.is_Number and direction == -1,
            str(term).casefold(),
        ),
    )


def split_factors(product: Any) -> tuple[list[Any], Any, list[Any]]:
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


def compact(index: Any) -> str:
    """Print an index in a line: `2i+1`, `⌊h/R⌋`."""
    text = str(index).replace("*", "").replace(" ", "")
    return re.sub(r"floor\(([^()]*)\)", r"⌊\1⌋", text)


def covers_whole_axis(limits: Any) -> bool:
    """Whether a sum runs over all values of its index."""
    over, low, high = limits
    return bool(low == over.lower and high == over.upper)
