"""Cross-entropy (E14) and its gradient (E15): their four witnesses."""

import math
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from witnesses.compare import assert_same
from witnesses.pairs import (
    COMPLEX_STEP,
    COMPLEX_TOLERANCE,
    Pair,
    assert_close,
    check_complex_step,
    check_conduct,
    check_float32,
    check_symbols,
)
from witnesses.symbols import expressions, symbols

from moe.equations.cross_entropy import cross_entropy, cross_entropy_backward

WRT = ("logits",)
DIGITS = Context(prec=200)


def forward(inputs):
    loss, cache = cross_entropy(inputs["logits"], inputs["targets"])
    return (loss,), cache


def backward(cotangents, cache):
    return {"logits": cross_entropy_backward(cotangents[0].item(), cache)}


PAIR = Pair("cross_entropy", forward, backward)


def inputs(tokens=5, vocab=7, scale=1.0, seed=0):
    """Targets that repeat, first and last class among them."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, vocab, tokens)
    targets[:3] = vocab - 1, 0, vocab - 1
    return {"logits": scale * rng.standard_normal((tokens, vocab)), "targets": targets}


def small():
    """Two tokens, three classes."""
    logits = np.random.default_rng(0).standard_normal((2, 3))
    return {"logits": logits, "targets": np.array([2, 0])}


def equation(arrays):
    z, targets = arrays["logits"], arrays["targets"]
    total = 0
    for n, row in enumerate(z):
        total += sp.log(sum(map(sp.exp, row))) - row[targets[n]]
    return (total / len(z),)


@pytest.mark.E14
@pytest.mark.symbols
def test_loss_is_the_equation():
    z = symbols("z", small()["logits"])
    (loss,), _ = forward({**small(), "logits": z})
    (want,) = equation({**small(), "logits": expressions(z)})
    assert_same("cross_entropy: loss", expressions(loss), np.asarray(want, object))


@pytest.mark.E15
@pytest.mark.symbols
def test_gradient_is_the_derivative():
    check_symbols(PAIR, small(), WRT, equation)


@pytest.mark.E15
@pytest.mark.symbols
def test_gradient_is_softmax_minus_one_hot():
    given_inputs = small()
    z = symbols("z", given_inputs["logits"])
    _, cache = forward({**given_inputs, "logits": z})
    dloss = symbols("d", np.asarray(3.0))
    want = np.empty_like(z)
    for n, v in np.ndindex(z.shape):
        row = expressions(z[n])
        p = sp.exp(row[v]) / sum(map(sp.exp, row))
        one_hot = int(given_inputs["targets"][n] == v)
        want[n, v] = dloss.item().expr * (p - one_hot) / 2
    got = expressions(backward((dloss,), cache)["logits"])
    assert_same("cross_entropy: dlogits", got, want)


@pytest.mark.E14
@pytest.mark.differences
def test_slope_of_the_loss():
    """Moving a logit moves the loss by its probability, less 1 at the target."""
    given_inputs = inputs(scale=2.0)
    z, targets = given_inputs["logits"], given_inputs["targets"]
    slope, want = np.empty_like(z), np.empty_like(z)
    for n, v in np.ndindex(z.shape):
        moved = z.astype(complex)
        moved[n, v] += 1j * COMPLEX_STEP
        loss, _ = cross_entropy(moved, targets)
        slope[n, v] = loss.imag / COMPLEX_STEP
        probability = math.exp(z[n, v]) / sum(map(math.exp, z[n]))
        want[n, v] = (probability - (targets[n] == v)) / len(z)
    assert_close("cross_entropy: slope", slope, want, COMPLEX_TOLERANCE)


@pytest.mark.E15
@pytest.mark.differences
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_gradient(scale):
    check_complex_step(PAIR, inputs(scale=scale), WRT)


def loop(logits, targets):
    """Minus the logarithm of each target's probability, in 200 digits."""
    with localcontext(DIGITS):
        total = Decimal(0)
        for row, target in zip(logits, targets, strict=True):
            parts = [Decimal(z).exp() for z in row]
            total -= (parts[target] / sum(parts)).ln()
        return float(total / len(targets))


# Rows far apart, within one another's reach, and beyond every exponent's.
HARD = [[-25.0, 0.0, 25.0, 50.0], [1.0, 325.0, 749.0, 750.0], [-1e4, 1e4, 80.0, -80.0]]


@pytest.mark.E14
@pytest.mark.oracle
@pytest.mark.parametrize("scale", [1e-3, 1.0, 80.0, 1e4])
def test_loop(scale):
    given_inputs = inputs(tokens=20, scale=scale)
    loss, _ = cross_entropy(**given_inputs)
    assert_close("cross_entropy: loss", loss, loop(**given_inputs), 1e-14)


@pytest.mark.E14
@pytest.mark.oracle
@pytest.mark.parametrize("target", range(4))
def test_loop_where_probabilities_underflow(target):
    for row in HARD:
        loss, _ = cross_entropy(np.array([row]), np.array([target]))
        want = loop([row], [target])
        # A loss below the rounding of 1 is 0: log(1 + tiny).
        assert abs(loss - want) <= max(1e-13 * want, 1e-15)


def gradient_loop(dloss, logits, targets):
    """The equation, one class at a time, in 200 digits."""
    gradient = np.zeros(np.shape(logits))
    with localcontext(DIGITS):
        for n, row in enumerate(logits):
            parts = [Decimal(z).exp() for z in row]
            for v, part in enumerate(parts):
                p = part / sum(parts)
                if v == targets[n]:
                    p -= 1
                gradient[n, v] = Decimal(dloss) * p / len(logits)
    return gradient


@pytest.mark.E15
@pytest.mark.oracle
@pytest.mark.parametrize("scale", [1e-3, 1.0, 80.0, 1e4])
def test_gradient_loop(scale):
    given_inputs = inputs(tokens=20, scale=scale)
    _, cache = cross_entropy(**given_inputs)
    got = cross_entropy_backward(-2.5, cache)
    want = gradient_loop(-2.5, **given_inputs)
    assert_close("cross_entropy: dlogits", got, want, 1e-14)


@pytest.mark.E15
@pytest.mark.oracle
@pytest.mark.parametrize("target", range(4))
def test_gradient_loop_where_probabilities_underflow(target):
    targets = np.full(3, target)
    _, cache = cross_entropy(np.array(HARD), targets)
    got, want = cross_entropy_backward(1.0, cache), gradient_loop(1.0, HARD, targets)
    assert_close("dlogits", got, want, 1e-13)
    # Beside the target nothing cancels: each is right by itself, however small.
    others = np.delete(np.arange(4), target)
    np.testing.assert_allclose(got[:, others], want[:, others], rtol=1e-13)


@pytest.mark.E14
@pytest.mark.E15
@pytest.mark.properties
def test_conduct():
    check_conduct(PAIR, inputs(), WRT)
    check_float32(PAIR, inputs(scale=10.0), WRT)


@pytest.mark.E14
@pytest.mark.properties
@pytest.mark.parametrize("vocab", [1, 2, 1000])
def test_equal_logits_cost_the_logarithm_of_their_number(vocab):
    for level in (0.0, -1e4, 1e4):
        loss, _ = cross_entropy(np.full((3, vocab), level), np.full(3, vocab - 1))
        assert loss == np.log(vocab)


@pytest.mark.E14
@pytest.mark.properties
@given(
    logits=arrays(float, (3, 4), elements=st.integers(-700, 700).map(float)),
    shift=st.integers(-1000, 1000),
)
def test_shifted_logits_cost_the_same(logits, shift):
    targets = np.array([3, 0, 1])
    loss, _ = cross_entropy(logits, targets)
    assert loss >= 0
    assert cross_entropy(logits + shift, targets)[0] == loss


@pytest.mark.E14
@pytest.mark.properties
def test_split_batch_adds_up():
    given_inputs = inputs(tokens=6)
    whole, _ = cross_entropy(**given_inputs)
    parts = [
        cross_entropy(*(a[span] for a in given_inputs.values()))[0] * share
        for span, share in ((slice(2), 2 / 6), (slice(2, 6), 4 / 6))
    ]
    assert_close("loss", sum(parts), whole, 1e-14)


@pytest.mark.E14
@pytest.mark.properties
def test_a_class_of_no_chance_costs_nothing_until_it_is_the_target():
    logits = np.array([[0.0, -np.inf, 0.0]])
    loss, cache = cross_entropy(logits, np.array([0]))
    assert loss == np.log(2)
    np.testing.assert_array_equal(
        cross_entropy_backward(1.0, cache), np.array([[-0.5, 0.0, 0.5]])
    )
    assert cross_entropy(logits, np.array([1]))[0] == np.inf


@pytest.mark.E14
@pytest.mark.E15
@pytest.mark.properties
def test_not_a_number_is_not_hidden():
    given_inputs = inputs()
    given_inputs["logits"][1, 2] = np.nan
    loss, cache = cross_entropy(**given_inputs)
    assert np.isnan(loss)
    dlogits = cross_entropy_backward(1.0, cache)
    assert np.isnan(dlogits[1]).all()
    assert np.isfinite(np.delete(dlogits, 1, axis=0)).all()


@pytest.mark.E15
@pytest.mark.properties
@given(logits=arrays(float, (3, 4), elements=st.floats(-1e4, 1e4)))
def test_gradient_rows_sum_to_zero_and_only_the_target_rises(logits):
    targets = np.array([3, 0, 1])
    dlogits = cross_entropy_backward(1.0, cross_entropy(logits, targets)[1])
    assert np.abs(dlogits.sum(axis=1)).max() <= 1e-16 * 4
    at_target = np.eye(4, dtype=bool)[targets]
    assert (dlogits[at_target] <= 0).all()
    assert (dlogits[~at_target] >= 0).all()


@pytest.mark.E15
@pytest.mark.properties
def test_gradient_of_a_split_batch_adds_up():
    given_inputs = inputs(tokens=6)
    whole = PAIR.gradients(given_inputs, (np.float64(1.0),))["logits"]
    halves = [
        PAIR.gradients(
            {n: a[half] for n, a in given_inputs.items()}, (np.float64(0.5),)
        )
        for half in (slice(3), slice(3, 6))
    ]
    joined = np.concatenate([half["logits"] for half in halves])
    assert_close("dlogits", joined, whole, 1e-14)


@pytest.mark.E15
@pytest.mark.properties
def test_one_class_teaches_nothing():
    _, cache = cross_entropy(np.array([[3.0], [-1e4]]), np.zeros(2, int))
    assert not cross_entropy_backward(1.0, cache).any()
