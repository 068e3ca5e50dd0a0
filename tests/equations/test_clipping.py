"""Global-norm clipping (E17): its four witnesses."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from witnesses.compare import assert_same
from witnesses.pairs import COMPLEX_STEP, COMPLEX_TOLERANCE, assert_close
from witnesses.symbols import expression, expressions, symbol, symbols

from moe.equations.clipping import clip_factor

pytestmark = pytest.mark.E17
# The norms of the gradients below lie between the two.
SHORT, LONG = 1.3, 7.0


def tensors(scale=1.0, dtype=float):
    """Three tensors of different shapes and lengths."""
    rng = np.random.default_rng(0)
    shapes = (2, 3), (4,), (1, 2, 1)
    return [
        (scale * size * rng.standard_normal(shape)).astype(dtype)
        for shape, size in zip(shapes, (1.0, 0.3, 2.0), strict=True)
    ]


def clipped(gradients, max_norm):
    factor, _ = clip_factor(gradients, max_norm)
    return [gradient * factor for gradient in gradients]


@pytest.mark.symbols
@pytest.mark.parametrize("max_norm", [SHORT, LONG])
def test_symbols(max_norm):
    gradients = [
        symbols("a", np.array([[1.5, -0.5]])),
        symbols("b", np.array([0.25, 2.0, -1.0])),
    ]
    c = symbol("c", max_norm, positive=True)
    factor, norm = clip_factor(gradients, c)
    a, b = map(expressions, gradients)
    want_norm = sp.sqrt(a[0, 0] ** 2 + a[0, 1] ** 2 + b[0] ** 2 + b[1] ** 2 + b[2] ** 2)
    want_factor = c.expr / want_norm if max_norm == SHORT else sp.Integer(1)
    got = np.array([expression(factor), expression(norm)])
    assert_same("clip_factor: factor, norm", got, np.array([want_factor, want_norm]))


@pytest.mark.symbols
def test_clipped_vector_has_the_norm_asked_for():
    gradients = [symbols("a", np.array([[3.0, -1.0]])), symbols("b", np.array([2.0]))]
    c = symbol("c", 1.0, positive=True)
    parts = np.concatenate([expressions(g).ravel() for g in clipped(gradients, c)])
    got = np.array([sum(part**2 for part in parts)])
    assert_same("squared norm after clipping", got, np.array([c.expr**2]))


def slopes(max_norm):
    """Derivatives of factor and norm by every element, by complex step."""
    gradients = tensors()
    for place, gradient in enumerate(gradients):
        for index in np.ndindex(gradient.shape):
            moved = [g.astype(complex) for g in gradients]
            moved[place][index] += 1j * COMPLEX_STEP
            factor, norm = clip_factor(moved, max_norm)
            yield np.array([factor.imag, norm.imag]) / COMPLEX_STEP


@pytest.mark.differences
@pytest.mark.parametrize("max_norm", [SHORT, LONG])
def test_slopes_of_factor_and_norm(max_norm):
    """Norm: the unit vector. Factor: `-c g / norm**3` above the bound, 0 below."""
    flat = np.concatenate([g.ravel() for g in tensors()])
    norm = math.sqrt(sum(value**2 for value in flat))
    factor_slope = -max_norm * flat / norm**3 if max_norm == SHORT else 0 * flat
    got = np.array(list(slopes(max_norm)))
    assert_close("norm", got[:, 1], flat / norm, COMPLEX_TOLERANCE)
    assert_close("factor", got[:, 0], factor_slope, COMPLEX_TOLERANCE)


@pytest.mark.differences
def test_longer_gradient_moves_the_clipped_one_nowhere():
    """Above the bound the derivative along the gradient itself is zero; below, g."""
    for max_norm, share in ((SHORT, 0.0), (LONG, 1.0)):
        stretched = [g * (1 + 1j * COMPLEX_STEP) for g in tensors()]
        for part, gradient in zip(clipped(stretched, max_norm), tensors(), strict=True):
            slope = part.imag / COMPLEX_STEP
            np.testing.assert_allclose(slope, share * gradient, rtol=0, atol=1e-15)


def loop(gradients, max_norm):
    """The equation, one element at a time, each tensor clipped."""
    squares = [value * value for g in gradients for value in g.ravel().tolist()]
    norm = math.sqrt(math.fsum(squares))
    if norm > max_norm:
        return [g * (max_norm / norm) for g in gradients], norm
    return gradients, norm


@pytest.mark.oracle
@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1.0, 1e6])
@pytest.mark.parametrize("max_norm", [1e-9, SHORT, 1e3])
def test_loop(scale, max_norm):
    gradients = tensors(scale)
    _, norm = clip_factor(gradients, max_norm)
    want, want_norm = loop(gradients, max_norm)
    assert_close("norm", norm, want_norm, 1e-15)
    for got, expected in zip(clipped(gradients, max_norm), want, strict=True):
        assert_close("clipped gradient", got, expected, 1e-15)


@pytest.mark.oracle
def test_by_hand():
    """A vector of norm 13 in two tensors of norm 5 and 12."""
    gradients = [np.array([[3.0], [-4.0]]), np.array([12.0])]
    assert clip_factor(gradients, 6.5) == (0.5, 13)
    assert clip_factor(gradients, 13.0) == (1, 13)
    assert clip_factor(gradients, 14.0) == (1, 13)


@pytest.mark.properties
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("max_norm", [SHORT, LONG])
def test_dtype_is_kept_and_nothing_written(dtype, max_norm):
    gradients = tensors(dtype=dtype)
    before = [g.copy() for g in gradients]
    factor, norm = clip_factor(gradients, max_norm)
    assert factor.dtype == norm.dtype == dtype
    want = clip_factor([g.astype(float) for g in gradients], max_norm)
    assert_close("factor, norm", (factor, norm), want, 2e-7)
    for now, then in zip(gradients, before, strict=True):
        np.testing.assert_array_equal(now, then)


vectors = arrays(
    float, st.integers(1, 6), elements=st.floats(-1e6, 1e6, allow_subnormal=False)
)


@pytest.mark.properties
@given(gradients=st.lists(vectors, min_size=1, max_size=4), c=st.floats(1e-3, 1e3))
def test_never_longer_never_turned(gradients, c):
    factor, norm = clip_factor(gradients, c)
    assert 0 < factor <= 1
    after = np.sqrt(sum((g * g).sum() for g in clipped(gradients, c)))
    assert after <= c * (1 + 1e-14)
    if norm <= c:
        assert factor == 1
    else:
        assert after >= c * (1 - 1e-14)


@pytest.mark.properties
@pytest.mark.parametrize("max_norm", [SHORT, LONG])
def test_cut_and_order_of_the_tensors_do_not_matter(max_norm):
    """One flat buffer, as the trainer has it, or its tensors: the same vector."""
    flat = np.concatenate([g.ravel() for g in tensors()])
    whole = clip_factor([flat], max_norm)
    assert_close("tensors", clip_factor(tensors(), max_norm), whole, 1e-15)
    assert_close("reversed", clip_factor(tensors()[::-1], max_norm), whole, 1e-15)
    assert_close("scalars", clip_factor(list(flat), max_norm), whole, 1e-15)


@pytest.mark.properties
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zero_gradient_is_left_alone(dtype):
    factor, norm = clip_factor([np.zeros((2, 2), dtype), np.zeros(3, dtype)], 1e-3)
    assert (factor, norm) == (1, 0)


@pytest.mark.properties
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_gradient_shows_in_the_norm(bad):
    """The trainer reads the norm and takes no step."""
    gradients = tensors()
    gradients[1][2] = bad
    factor, norm = clip_factor(gradients, SHORT)
    assert np.isnan(norm) if np.isnan(bad) else norm == np.inf
    assert np.isnan(factor) == np.isnan(bad)
