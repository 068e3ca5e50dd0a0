"""Numbers and arrays as MathML, of floats and of symbols."""

import math
from html import escape
from typing import Any

import numpy as np

from moe.derivations.printing import latex
from moe.derivations.traced import Traced
from sitebuild import mathml

DIGITS = 4
_SMALLEST, _LARGEST = 1e-3, 1e5  # outside, a power of ten is easier to read


def value(x: Any) -> str:
    """A number, an array, rows of one, a list of these or anything else."""
    if isinstance(x, list):
        return ", ".join(map(value, x))
    if isinstance(x, slice):
        return _rows(x)
    if isinstance(x, np.ndarray):
        return _array(x)
    if isinstance(x, int | float | np.number | Traced):
        return f'<math data-search-exclude="">{number(x)}</math>'
    return f"<code>{escape(repr(x))}</code>"


def number(x: Any) -> str:
    """One number, to four digits; of a traced number its expression."""
    if isinstance(x, Traced):
        return mathml.content(latex(x.expr))
    if isinstance(x, bool | np.bool_):
        return f"<mtext>{bool(x)}</mtext>"
    if isinstance(x, int | np.integer):
        return _signed(str(x))
    x = float(x)
    if math.isnan(x):
        return "<mtext>NaN</mtext>"
    if math.isinf(x):
        return _signed("-∞" if x < 0 else "∞")
    if x and not _SMALLEST <= abs(x) < _LARGEST:
        mantissa, exponent = f"{x:.{DIGITS - 1}e}".split("e")
        power = f"<msup><mn>10</mn><mrow>{_signed(str(int(exponent)))}</mrow></msup>"
        return f"{_signed(mantissa)}<mo>×</mo>{power}"
    return _signed(np.format_float_positional(x, DIGITS, trim="-"))


def _signed(text: str) -> str:
    digits = text.removeprefix("-")
    sign = "<mo>−</mo>" if text != digits and digits != "0" else ""
    return f"{sign}<mn>{digits}</mn>"


def _rows(x: slice) -> str:
    """The rows that a slice names, the last one included."""
    if x.start >= x.stop:
        return "no rows"
    if x.start + 1 == x.stop:
        return f"row {x.start}"
    return f"rows {x.start}\N{EN DASH}{x.stop - 1}"


def _array(x: np.ndarray[Any, Any]) -> str:
    if x.ndim == 0:
        return value(x[()])
    if x.ndim <= 2:
        return f'<math data-search-exclude="">{_matrix(np.atleast_2d(x))}</math>'
    matrices = (
        f'<span class="slice"><span class="slice-place">[{", ".join(map(str, place))}]'
        f"</span>{_array(x[place])}</span>"
        for place in np.ndindex(x.shape[:-2])
    )
    return "".join(matrices)


def _matrix(x: np.ndarray[Any, Any]) -> str:
    rows = "".join(
        "<mtr>" + "".join(f"<mtd>{number(cell)}</mtd>" for cell in row) + "</mtr>"
        for row in x
    )
    return f"<mrow><mo>[</mo><mtable>{rows}</mtable><mo>]</mo></mrow>"
