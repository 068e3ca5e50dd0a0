"""Decide whether an expression is zero: exactly where possible, else to 50 digits."""

import math
import random
from collections.abc import Callable

import sympy as sp

from witnesses import evidence

DIGITS = 50
POINTS = 5


class Undecided(Exception):
    """The expression is too large for exact simplification."""


def is_zero(expr: sp.Expr) -> bool:
    """Whether an expression is identically zero.

    First exactly: exponentials, roots and logarithms are replaced by symbols of
    their own, which leaves a rational function; it is zero when its numerator
    expands to zero, with the square of every root put back. A sum of logarithms
    is zero when the product of their arguments is one. Where all that is out of
    reach, 50-digit evaluation at five random rational points decides.

    Args:
        expr: Expression in real symbols.

    Returns:
        Whether it is zero.
    """
    if expr.has(sp.nan, sp.zoo, sp.oo):
        return False
    try:
        zero = _is_zero_exactly(_without_logarithms(expr))
        evidence.note(exact=1)
    except Undecided:
        zero = _is_zero_numerically(expr)
        evidence.note(digits=1)
    return zero


def _without_logarithms(expr: sp.Expr) -> sp.Expr:
    """`exp(n expr) - 1` for a sum of logarithms, rational multiples with divisor n.

    It is zero exactly where `expr` is, because the arguments are positive wherever
    the logarithms are real. Any other expression is returned as it is.
    """
    if not expr.has(sp.log):
        return expr
    logarithms, rest = [], []
    for term in sp.Add.make_args(sp.expand(expr)):
        coefficient, factor = term.as_coeff_Mul()
        if isinstance(factor, sp.log) and coefficient.is_Rational:
            logarithms.append((coefficient, factor.args[0]))
        else:
            rest.append(term)
    if sp.Add(*rest).has(sp.log):
        return expr
    n = math.lcm(*(coefficient.q for coefficient, _ in logarithms))
    powers = [argument ** (n * coefficient) for coefficient, argument in logarithms]
    return sp.Mul(*powers, sp.exp(sp.expand(n * sp.Add(*rest)))) - 1


def _is_zero_exactly(expr: sp.Expr) -> bool:
    rational, relations = _rationalise(expr)
    if sp.count_ops(rational) > 20_000:
        raise Undecided
    numerator, _ = sp.fraction(sp.together(rational))
    numerator = sp.expand(numerator)
    for root, square in relations:
        poly = sp.Poly(numerator, root)
        numerator = sum(
            c * square ** (power // 2) * root ** (power % 2)
            for (power,), c in poly.terms()
        )
        numerator = sp.expand(sp.fraction(sp.together(numerator))[0])
    if numerator != 0 and expr.has(sp.log, sp.cos, sp.sin):
        raise Undecided  # their own identities are not among the relations
    return bool(numerator == 0)


def _rationalise(expr: sp.Expr) -> tuple[sp.Expr, list[tuple[sp.Symbol, sp.Expr]]]:
    """Replace transcendental parts and roots, innermost first, by symbols."""
    names: dict[sp.Expr, sp.Symbol] = {}
    relations: list[tuple[sp.Symbol, sp.Expr]] = []

    def named(part: sp.Expr) -> sp.Symbol:
        return names.setdefault(part, sp.Dummy(positive=True))

    def visit(node: sp.Expr) -> sp.Expr:
        if not node.args:
            return node
        args = [visit(arg) for arg in node.args]
        if isinstance(node, sp.exp):
            terms = sp.Add.make_args(sp.expand(args[0]))
            return sp.Mul(*(_power(named, term) for term in terms))
        if isinstance(node, sp.Pow) and node.exp.is_Rational and node.exp.q == 2:
            if args[0].is_Rational:  # SymPy multiplies roots of numbers itself
                return args[0] ** node.exp
            content, base = sp.factor(args[0]).as_coeff_Mul()
            if not content.is_positive:
                content, base = sp.Integer(1), content * base
            root = names.get(base)
            if root is None:
                root = named(base)
                relations.insert(0, (root, base))
            return content**node.exp * root**node.exp.p
        if isinstance(node, sp.log | sp.cos | sp.sin):
            return named(node.func(sp.expand(args[0])))
        if isinstance(node, sp.Pow) and not node.exp.is_Integer:
            raise Undecided
        return node.func(*args)

    return visit(expr), relations


def _power(named: Callable[[sp.Expr], sp.Symbol], term: sp.Expr) -> sp.Expr:
    """`exp(c * rest)` as the power `c` of one symbol for `exp(rest)`."""
    coefficient, rest = term.as_coeff_Mul()
    if coefficient.is_Integer:
        return named(sp.exp(rest)) ** coefficient
    if coefficient.is_Rational:
        unit = sp.Rational(1, coefficient.q)
        return named(sp.exp(unit * rest)) ** coefficient.p
    return named(sp.exp(term))


def _is_zero_numerically(expr: sp.Expr) -> bool:
    rng = random.Random(0)
    for _ in range(POINTS):
        point = {
            s: sp.Rational(rng.randint(1, 99), rng.randint(7, 60))
            for s in sorted(expr.free_symbols, key=str)
        }
        value = expr.xreplace(point).evalf(DIGITS, maxn=10 * DIGITS)
        if abs(value) > sp.Float(10) ** (8 - DIGITS):
            return False
    return True
