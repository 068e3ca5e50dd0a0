"""Checks that every forward/backward pair must pass, whatever it computes.

A test file describes its pair once; each check then runs the shipped functions on
the inputs that it is given.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy as sp

from witnesses import evidence
from witnesses.exact import is_zero
from witnesses.symbols import Traced, expressions, symbols

COMPLEX_STEP = 1e-30
# Below this, complex-step and analytic gradient differ by rounding only.
COMPLEX_TOLERANCE = 1e-10
CENTRAL_STEP = 1e-5
# Truncation h^2 and cancellation eps/h balance near 1e-10 for a step of 1e-5.
CENTRAL_TOLERANCE = 1e-6

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Pair:
    """How to run a forward and its backward.

    Attributes:
        name: Of the forward function, for messages.
        forward: From the inputs by name to a tuple of differentiable outputs and the
            cache.
        backward: From one cotangent per output and the cache to the gradients by the
            name of the input.
    """

    name: str
    forward: Callable[[Arrays], tuple[tuple[np.ndarray, ...], tuple]]
    backward: Callable[[tuple[np.ndarray, ...], tuple], Arrays]

    def gradients(self, inputs: Arrays, cotangents: tuple[np.ndarray, ...]) -> Arrays:
        """Forward, then backward."""
        _, cache = self.forward(inputs)
        return self.backward(cotangents, cache)


def random_cotangents(
    pair: Pair, inputs: Arrays, seed: int = 1
) -> tuple[np.ndarray, ...]:
    """Normal numbers in the shape and dtype of every output; never ones."""
    rng = np.random.default_rng(seed)
    outputs, _ = pair.forward(inputs)
    return tuple(
        np.asarray(rng.standard_normal(np.shape(y)), np.asarray(y).dtype)
        for y in outputs
    )


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


def projected(outputs: tuple, cotangents: tuple) -> complex:
    """Sum of all outputs times their cotangents: one number to differentiate."""
    return sum(
        (np.asarray(y) * dy).sum() for y, dy in zip(outputs, cotangents, strict=True)
    )


def cast(inputs: Arrays, dtype: type) -> Arrays:
    """Copies of the inputs, floats in `dtype`, integers as they are."""
    return {
        name: a.astype(dtype) if np.issubdtype(a.dtype, np.floating) else a.copy()
        for name, a in inputs.items()
    }


def check_complex_step(pair: Pair, inputs: Arrays, wrt: tuple[str, ...]) -> None:
    """Every element of every gradient against the complex step, in float64.

    Args:
        pair: Functions to check; analytic in `wrt`.
        inputs: All inputs by name.
        wrt: Names of the inputs to perturb.
    """
    cotangents = random_cotangents(pair, inputs)
    gradients = pair.gradients(inputs, cotangents)
    for name in wrt:
        expected = np.empty_like(inputs[name])
        for index in np.ndindex(expected.shape):
            moved = cast(inputs, complex)
            moved[name][index] += 1j * COMPLEX_STEP
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                outputs, _ = pair.forward(moved)
            expected[index] = projected(outputs, cotangents).imag / COMPLEX_STEP
        label = f"{pair.name}: gradient of {name}"
        assert_close(label, gradients[name], expected, COMPLEX_TOLERANCE)


def check_central_difference(pair: Pair, inputs: Arrays, wrt: tuple[str, ...]) -> None:
    """Every element of every gradient against central differences, in float64.

    Args:
        pair: Functions to check; no kink within the step around the inputs.
        inputs: All inputs by name.
        wrt: Names of the inputs to perturb.
    """
    cotangents = random_cotangents(pair, inputs)
    gradients = pair.gradients(inputs, cotangents)
    for name in wrt:
        expected = np.empty_like(inputs[name])
        for index in np.ndindex(expected.shape):
            ends = []
            for sign in (1, -1):
                moved = {**inputs, name: inputs[name].copy()}
                moved[name][index] += sign * CENTRAL_STEP
                outputs, _ = pair.forward(moved)
                ends.append(projected(outputs, cotangents))
            expected[index] = (ends[0] - ends[1]) / (2 * CENTRAL_STEP)
        label = f"{pair.name}: gradient of {name}"
        assert_close(label, gradients[name], expected, CENTRAL_TOLERANCE)


def check_conduct(pair: Pair, inputs: Arrays, wrt: tuple[str, ...]) -> None:
    """What a caller may rely on: dtypes, shapes, no mutation, repeatable, linear.

    Args:
        pair: Functions to check.
        inputs: All inputs by name, float64 or integers.
        wrt: Names of the inputs that have gradients.
    """
    for dtype in (np.float32, np.float64):
        typed = cast(inputs, dtype)
        before = {name: a.copy() for name, a in typed.items()}
        outputs, cache = pair.forward(typed)
        cotangents = random_cotangents(pair, typed)
        cotangents_before = tuple(c.copy() for c in cotangents)
        first = pair.backward(cotangents, cache)
        second = pair.backward(cotangents, cache)
        assert_floats_are(dtype, f"{pair.name}: outputs", outputs)
        assert_floats_are(dtype, f"{pair.name}: cache", cache)
        assert_floats_are(dtype, f"{pair.name}: gradients", list(first.values()))
        for name in typed:
            np.testing.assert_array_equal(typed[name], before[name], f"{name} mutated")
        for now, then in zip(cotangents, cotangents_before, strict=True):
            np.testing.assert_array_equal(now, then, "a cotangent was mutated")
        assert set(first) == set(wrt)
        for name in wrt:
            assert first[name].shape == inputs[name].shape, f"shape of d{name}"
            np.testing.assert_array_equal(first[name], second[name], f"d{name} twice")
    zero = pair.gradients(inputs, tuple(0 * c for c in random_cotangents(pair, inputs)))
    for name in wrt:
        assert not zero[name].any(), f"{pair.name}: d{name} from a zero cotangent"


def assert_floats_are(dtype: type, where: str, values: object) -> None:
    """Every float array in a nested tuple has this dtype and no other."""
    if isinstance(values, tuple | list):
        for value in values:
            assert_floats_are(dtype, where, value)
    elif isinstance(values, np.ndarray | np.generic) and values.dtype.kind in "fc":
        assert values.dtype == dtype, (
            f"{where}: {values.dtype} in a {dtype.__name__} run"
        )


def check_symbols(
    pair: Pair,
    inputs: Arrays,
    wrt: tuple[str, ...],
    equation: Callable[[dict[str, np.ndarray]], tuple[np.ndarray, ...]],
    **assumptions: bool,
) -> None:
    """The shipped functions, run on symbols, are the equation and its derivative.

    Args:
        pair: Functions to run.
        inputs: All inputs by name; their values decide every comparison.
        wrt: Names of the inputs that become symbols.
        equation: From the inputs as arrays of SymPy expressions to the outputs that
            the equation states, written out with no code of `moe`.
        assumptions: Of the symbols besides real.
    """
    traced = {
        n: symbols(n, a, **assumptions) if n in wrt else a for n, a in inputs.items()
    }
    outputs, cache = pair.forward(traced)
    stated = equation({n: expressions(a) if n in wrt else a for n, a in traced.items()})
    objective = sp.Integer(0)
    cotangents = []
    for number, (got, want) in enumerate(zip(outputs, stated, strict=True)):
        got, want = expressions(got), np.asarray(want, object)
        assert got.shape == want.shape, f"{pair.name}: shape of output {number}"
        assert_same(f"{pair.name}: output {number}", got, want)
        rng = np.random.default_rng(number)
        cotangent = symbols(f"d{number}", rng.standard_normal(got.shape))
        cotangents.append(cotangent)
        objective += sum((expressions(cotangent) * want).ravel().tolist())
    gradients = pair.backward(tuple(cotangents), cache)
    for name in wrt:
        got = expressions(gradients[name])
        want = np.empty_like(got)
        for index, variable in np.ndenumerate(traced[name]):
            want[index] = sp.diff(objective, variable.expr)
        assert_same(f"{pair.name}: gradient of {name}", got, want)


def assert_same(label: str, got: np.ndarray, want: np.ndarray) -> None:
    """Two arrays of expressions are equal, element by element, identically."""
    assert got.shape == want.shape, f"{label}: got {got.shape}, expected {want.shape}"
    for index in np.ndindex(got.shape):
        place = f"{label}{list(index)}"
        message = f"{place}: got {got[index]}, expected {want[index]}"
        assert is_zero(got[index] - want[index]), message


__all__ = [
    "Pair",
    "Traced",
    "assert_close",
    "assert_same",
    "check_central_difference",
    "check_complex_step",
    "check_conduct",
    "check_symbols",
    "random_cotangents",
    "relative_error",
]
