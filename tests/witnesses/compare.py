"""Compare arrays of numbers and of expressions; a difference names its place."""

import numpy as np
import sympy as sp

from witnesses import evidence
from witnesses.exact import is_zero


def relative_error(got: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference over the largest expected magnitude.

    Relative to the array, so that a gradient of 1e-8 is held to the same digits as
    one of 1; a zero where the reference is not zero has error 1.
    """
    scale = np.abs(expected).max(initial=0.0)
    difference = np.abs(np.asarray(got) - expected).max(initial=0.0)
    if scale == 0:
        return 0.0 if difference == 0 else np.inf
    return float(difference / scale)


def assert_close(
    name: str, got: np.ndarray, expected: np.ndarray, tolerance: float
) -> None:
    """Compare shapes, then values, and say which argument, index and numbers differ."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape, (
        f"{name}: got shape {got.shape}, expected {expected.shape}"
    )
    error = relative_error(got, expected)
    worst = (
        np.unravel_index(np.abs(got - expected).argmax(), got.shape) if got.size else ()
    )
    evidence.note(error=error, points=got.size)
    assert error <= tolerance, (
        f"{name}{list(map(int, worst))}: got {got[worst]}, expected {expected[worst]} "
        f"(relative error {error:.2e}, allowed {tolerance:.0e})"
    )


def assert_floats_are(dtype: type, where: str, values: object) -> None:
    """Every float array in a nested tuple has this dtype and no other."""
    if isinstance(values, tuple | list):
        for value in values:
            assert_floats_are(dtype, where, value)
    elif isinstance(values, np.ndarray | np.generic) and values.dtype.kind in "fc":
        assert values.dtype == dtype, (
            f"{where}: {values.dtype} in a {dtype.__name__} run"
        )


def assert_same(label: str, got: np.ndarray, want: np.ndarray) -> None:
    """Two arrays of expressions are equal, element by element, identically."""
    assert got.shape == want.shape, f"{label}: got {got.shape}, expected {want.shape}"
    for index in np.ndindex(got.shape):
        assert is_zero(got[index] - want[index]), (
            f"{label}{list(index)}: got {got[index]}, expected {want[index]}"
        )


def assert_gradient(
    label: str,
    got: sp.Expr,
    variable: sp.Symbol,
    terms: list[tuple[sp.Symbol, sp.Expr]],
) -> None:
    """A gradient is the sum over outputs of cotangent times derivative.

    Compared cotangent by cotangent: equal coefficients, and nothing left without a
    cotangent, are equal sums, and each comparison is small.

    Args:
        label: What is compared.
        got: Expression of the backward for the gradient of `variable`.
        variable: Input to differentiate by.
        terms: Cotangent and equation of every element of every output.
    """
    in_got = got.free_symbols
    for cotangent, output in terms:
        if cotangent not in in_got and variable not in output.free_symbols:
            continue  # both are zero
        coefficient, want = sp.diff(got, cotangent), sp.diff(output, variable)
        assert is_zero(coefficient - want), (
            f"{label}: by {cotangent}: got {coefficient}, expected {want}"
        )
    rest = got.xreplace({cotangent: sp.Integer(0) for cotangent, _ in terms})
    assert is_zero(rest), f"{label}: got {rest} without a cotangent, expected 0"
