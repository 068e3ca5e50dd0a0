"""Are two expressions equal? Exactly where SymPy can tell, else to 50 digits."""

import random
from typing import Any, Literal

import sympy

Method = Literal["exact", "50 digits"]

DIGITS = 50
POINTS = 5  # random rational points that decide where simplification does not
BRANCH_POINTS = 100  # so many where there are cases: every one must be met
SPREAD = 5  # there, numbers of one name are scaled by up to 2 to this power
BRANCHES = (sympy.Min, sympy.Max, sympy.Abs, sympy.Piecewise)
GUARD = 5  # digits that rounding may take from the 50


def compare(left: Any, right: Any) -> Method | None:
    """Compare two expressions in plain symbols.

    Cheap exact forms first; then one point at 50 digits, which refutes nearly all
    that is wrong without a costly simplification; then simplification.

    Returns:
        How their equality was shown, or None where they differ.
    """
    if left.has(sympy.nan, sympy.zoo) or right.has(sympy.nan, sympy.zoo):
        return None
    if left == right or sympy.expand(left - right, trig=True) == 0:
        return "exact"
    points = random.Random(0)  # the same points whenever and wherever it runs
    if not _agree(left, right, points):
        return None
    if _vanishes(left - right):
        return "exact"
    if left.has(*BRANCHES) or right.has(*BRANCHES):
        agree = all(_agree(left, right, points, SPREAD) for _ in range(BRANCH_POINTS))
    else:
        agree = all(_agree(left, right, points) for _ in range(POINTS - 1))
    return "50 digits" if agree else None


def same_solution(left: sympy.Eq, right: sympy.Eq, unknown: sympy.Symbol) -> bool:
    """Whether two equations have the same solution for the unknown, and just one."""
    solutions = [sympy.solve(equation, unknown) for equation in (left, right)]
    if any(len(found) != 1 for found in solutions):
        return False
    return compare(solutions[0][0], solutions[1][0]) == "exact"


def _vanishes(difference: Any) -> bool:
    """Whether SymPy can simplify the difference to 0."""
    if _has_no_numerator(difference):
        return True
    extremes = difference.has(sympy.Min, sympy.Max)
    if extremes and _has_no_numerator(_without_extremes(difference)):
        return True
    return bool(sympy.simplify(difference) == 0)


def _has_no_numerator(difference: Any) -> bool:
    """Whether nothing remains above one common denominator.

    Expanding first splits exponentials of sums, which may be what makes terms cancel,
    but makes the common denominator larger: tried second.
    """
    forms = (form(difference) for form in (sympy.together, _expand_together))
    return any(sympy.expand(sympy.fraction(form)[0]) == 0 for form in forms)


def _expand_together(difference: Any) -> Any:
    return sympy.together(sympy.expand(difference))


def _without_extremes(difference: Any) -> Any:
    """Both cases of a minimum at once: min(a, b) = (a + b - |a - b|) / 2."""
    return difference.rewrite(sympy.Abs).replace(
        sympy.Abs, lambda inside: sympy.Abs(sympy.factor(inside))
    )


def _agree(left: Any, right: Any, points: random.Random, spread: int = 0) -> bool:
    symbols = sorted(left.free_symbols | right.free_symbols, key=str)
    names = dict.fromkeys(_array(symbol) for symbol in symbols)
    scales = {
        name: sympy.Integer(2) ** points.randint(-spread, spread) for name in names
    }
    point = {s: _rational(s, points, scales[_array(s)]) for s in symbols}
    a, b = (side.xreplace(point).evalf(DIGITS) for side in (left, right))
    scale = max(abs(a), abs(b), 1)
    return bool(abs(a - b) < scale * sympy.Float(10, DIGITS) ** (GUARD - DIGITS))


def _array(symbol: sympy.Symbol) -> str:
    """The array that `g_0_1` is an element of."""
    return str(symbol).partition("_")[0]


def _rational(symbol: sympy.Symbol, points: random.Random, scale: Any) -> Any:
    """A random number of about a scale that the symbol may stand for."""
    value = scale * sympy.Rational(
        points.randint(1, 60), points.choice((7, 11, 13, 17, 19))
    )
    if symbol.is_integer:
        value = sympy.Integer(points.randint(1, 60))
    return value if symbol.is_nonnegative or points.random() < 0.5 else -value
