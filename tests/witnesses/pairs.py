"""Checks that every forward/backward pair must pass, whatever it computes.

A test file describes its pair once; each check then runs the shipped functions on
the inputs that it is given.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy as sp

from witnesses.compare import (
    assert_close,
    assert_floats_are,
    assert_gradient,
    assert_same,
    relative_error,
)
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


def pair_of(
    forward: Callable[..., tuple[np.ndarray, tuple]],
    backward: Callable[..., np.ndarray | tuple[np.ndarray, ...]],
    *arguments: str,
) -> Pair:
    """A pair in the plain form: arrays in, one output; gradients in the same order.

    Args:
        forward: Returns its output and the cache.
        backward: Takes the cotangent and the cache; returns one gradient per argument.
        arguments: Names of the arrays that `forward` takes, in its order.
    """

    def run(inputs: Arrays) -> tuple[tuple[np.ndarray, ...], tuple]:
        y, cache = forward(*(inputs[name] for name in arguments))
        return (y,), cache

    def gradients(cotangents: tuple[np.ndarray, ...], cache: tuple) -> Arrays:
        result = backward(*cotangents, cache)
        result = result if isinstance(result, tuple) else (result,)
        return dict(zip(arguments, result, strict=True))

    return Pair(forward.__name__, run, gradients)


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
        outputs_before = tuple(y.copy() for y in outputs)
        cotangents = random_cotangents(pair, typed)
        cotangents_before = tuple(c.copy() for c in cotangents)
        # Copies: a gradient that lies in the cache would change with it.
        first = {n: g.copy() for n, g in pair.backward(cotangents, cache).items()}
        second = pair.backward(cotangents, cache)
        assert_floats_are(dtype, f"{pair.name}: outputs", outputs)
        assert_floats_are(dtype, f"{pair.name}: cache", cache)
        assert_floats_are(dtype, f"{pair.name}: gradients", list(first.values()))
        for name in typed:
            np.testing.assert_array_equal(typed[name], before[name], f"{name} mutated")
        for now, then in zip(cotangents, cotangents_before, strict=True):
            np.testing.assert_array_equal(now, then, "a cotangent was mutated")
        for now, then in zip(outputs, outputs_before, strict=True):
            np.testing.assert_array_equal(now, then, "an output was mutated")
        assert set(first) == set(wrt)
        for name in wrt:
            assert first[name].shape == inputs[name].shape, f"shape of d{name}"
            np.testing.assert_array_equal(first[name], second[name], f"d{name} twice")
    zero = pair.gradients(inputs, tuple(0 * c for c in random_cotangents(pair, inputs)))
    for name in wrt:
        assert not zero[name].any(), f"{pair.name}: d{name} from a zero cotangent"


def check_float32(
    pair: Pair, inputs: Arrays, wrt: tuple[str, ...], tolerance: float = 1e-6
) -> None:
    """Outputs and gradients in float32 are those of float64, up to rounding.

    Args:
        pair: Functions to check.
        inputs: All inputs by name, rounded to float32 for both runs.
        wrt: Names of the inputs that have gradients.
        tolerance: Relative to each array: a few times the rounding of float32, 6e-8,
            that the longest chain of operations adds up.
    """
    single = cast(inputs, np.float32)
    double = cast(single, np.float64)
    cotangents = random_cotangents(pair, single)
    outputs, cache = pair.forward(single)
    expected, exact_cache = pair.forward(double)
    for number, (got, want) in enumerate(zip(outputs, expected, strict=True)):
        assert_close(f"{pair.name}: float32 output {number}", got, want, tolerance)
    gradients = pair.backward(cotangents, cache)
    cotangents = tuple(dy.astype(np.float64) for dy in cotangents)
    exact_gradients = pair.backward(cotangents, exact_cache)
    for name in wrt:
        label = f"{pair.name}: float32 gradient of {name}"
        assert_close(label, gradients[name], exact_gradients[name], tolerance)


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
    cotangents = []
    terms = []
    for number, (got, want) in enumerate(zip(outputs, stated, strict=True)):
        got, want = expressions(got), np.vectorize(sp.sympify, otypes=[object])(want)
        assert got.shape == want.shape, f"{pair.name}: shape of output {number}"
        assert_same(f"{pair.name}: output {number}", got, want)
        rng = np.random.default_rng(number)
        cotangent = symbols(f"d{number}", rng.standard_normal(got.shape))
        cotangents.append(cotangent)
        terms += zip(expressions(cotangent).ravel(), want.ravel(), strict=True)
    gradients = pair.backward(tuple(cotangents), cache)
    for name in wrt:
        got = expressions(gradients[name])
        label = f"{pair.name}: gradient of {name}"
        assert got.shape == traced[name].shape, f"{label}: got shape {got.shape}"
        for index, variable in np.ndenumerate(traced[name]):
            place = f"{label}{list(index)}"
            assert_gradient(place, got[index], variable.expr, terms)


__all__ = [
    "Pair",
    "Traced",
    "assert_close",
    "assert_same",
    "check_central_difference",
    "check_complex_step",
    "check_conduct",
    "check_float32",
    "check_symbols",
    "pair_of",
    "random_cotangents",
    "relative_error",
]
