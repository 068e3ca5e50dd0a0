"""AdamW (E16): its four witnesses."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from witnesses.compare import assert_floats_are, assert_same
from witnesses.pairs import COMPLEX_STEP, COMPLEX_TOLERANCE, assert_close
from witnesses.symbols import Traced, expressions, symbol, symbols

import moe.equations.adamw as module
from moe.equations.adamw import BLOCK, adamw

pytestmark = pytest.mark.E16
# Far from 1 and from each other, eps and decay large: every term can be seen.
SETTINGS = {"betas": (0.7, 0.9), "eps": 0.05, "weight_decay": 0.3}


def train(weight, gradients, rates, factors=None, **settings):
    """Steps from zero moments; weight and moments after the last."""
    weight, m, v = weight.copy(), np.zeros_like(weight), np.zeros_like(weight)
    named = [{}] * len(rates) if factors is None else [{"factor": f} for f in factors]
    steps = zip(gradients, rates, named, strict=True)
    for step, (gradient, learning_rate, factor) in enumerate(steps, start=1):
        adamw(
            weight,
            gradient,
            m,
            v,
            step=step,
            learning_rate=learning_rate,
            **factor,
            **{**SETTINGS, **settings},
        )
    return weight, m, v


def case(steps=4, size=5, scale=1.0, seed=0):
    """A weight, and for every step a gradient, a rate and a factor."""
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal(size)
    gradients = scale * rng.standard_normal((steps, size))
    return weight, gradients, rng.uniform(0.1, 0.2, steps), rng.uniform(0.2, 1, steps)


def unrolled(values, beta):
    """Moment after all values: each step forgets a share of what came before."""
    last = len(values) - 1
    return sum((1 - beta) * beta ** (last - i) * x for i, x in enumerate(values))


@pytest.mark.symbols
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_symbols(steps, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 2)
    beta1, beta2 = sp.Rational(7, 10), sp.Rational(9, 10)
    weight, gradients, rates, factors = case(steps, size=3)
    weight, gradients = symbols("w", weight), symbols("g", gradients)
    rates = symbols("h", rates, positive=True)
    factors = symbols("f", factors, positive=True)
    eps, decay = symbol("eps", 0.05, positive=True), symbol("decay", 0.3)
    settings = {"betas": (Traced(beta1, 0.7), Traced(beta2, 0.9)), "eps": eps}
    got = train(weight, gradients, rates, factors, weight_decay=decay, **settings)

    f, h = expressions(factors), expressions(rates)
    want = expressions(weight), *np.empty((2, 3), object)
    for n in range(3):
        g = f * expressions(gradients)[:, n]
        for t in range(1, steps + 1):
            m, v = unrolled(g[:t], beta1), unrolled(g[:t] ** 2, beta2)
            root = sp.sqrt(v / (1 - beta2**t))
            direction = m / (1 - beta1**t) / (root + eps.expr)
            want[0][n] += -h[t - 1] * decay.expr * want[0][n] - h[t - 1] * direction
        want[1][n], want[2][n] = m, v
    for name, left, right in zip(("weight", "m", "v"), got, want, strict=True):
        assert_same(f"adamw: {name}", expressions(left), right)


@pytest.mark.differences
@pytest.mark.parametrize("scale", [1e-3, 1.0])
def test_slope_by_every_gradient(scale):
    """A gradient acts on its own step and, through both moments, on all later ones."""
    weight, gradients, rates, factors = case(scale=scale)
    (beta1, beta2), eps, decay = SETTINGS.values()
    for i, n in np.ndindex(gradients.shape):
        moved = gradients.astype(complex)
        moved[i, n] += 1j * COMPLEX_STEP
        after, _, _ = train(weight.astype(complex), moved, rates, factors)
        want = 0.0
        for t in range(1, len(rates) + 1):
            want *= 1 - rates[t - 1] * decay  # a later step shrinks what was moved
            if t <= i:
                continue
            g = factors[:t] * gradients[:t, n]
            m_hat = unrolled(g, beta1) / (1 - beta1**t)
            root = math.sqrt(unrolled(g**2, beta2) / (1 - beta2**t))
            age = t - 1 - i
            dm = (1 - beta1) * beta1**age / (1 - beta1**t)
            dv = (1 - beta2) * beta2**age / (1 - beta2**t) * 2 * g[i]
            slope = dm / (root + eps) - m_hat / (root + eps) ** 2 * dv / (2 * root)
            want -= rates[t - 1] * factors[i] * slope
        got = after.imag / COMPLEX_STEP
        assert_close(f"step {i + 1}", got[n], want, COMPLEX_TOLERANCE)
        assert not np.delete(got, n).any()


@pytest.mark.differences
@pytest.mark.parametrize("step", [1, 3])
def test_slope_by_every_setting(step):
    """One step from a state with history: `-eta (decay w + m_hat / (root + eps))`."""
    w, m, v, g = np.array([1.5, -0.4]), np.array([0.3, -0.2]), np.array([0.5, 0.1]), 0.7
    (beta1, beta2), eps, decay = SETTINGS.values()
    point = {"learning_rate": 0.1, "eps": eps, "weight_decay": decay, "factor": 0.8}
    m_hat = (beta1 * m + (1 - beta1) * 0.8 * g) / (1 - beta1**step)
    root = np.sqrt((beta2 * v + (1 - beta2) * (0.8 * g) ** 2) / (1 - beta2**step))
    dm = (1 - beta1) * g / (1 - beta1**step)
    droot = (1 - beta2) * 0.8 * g**2 / (1 - beta2**step) / root
    want = {
        "learning_rate": -decay * w - m_hat / (root + eps),
        "eps": 0.1 * m_hat / (root + eps) ** 2,
        "weight_decay": -0.1 * w,
        "factor": -0.1 * (dm - m_hat * droot / (root + eps)) / (root + eps),
    }
    for name, value in point.items():
        state = [a.astype(complex) for a in (w, np.full(2, g), m, v)]
        moved = {**point, name: value + 1j * COMPLEX_STEP}
        adamw(*state, step=step, betas=(beta1, beta2), **moved)
        slope = state[0].imag / COMPLEX_STEP
        assert_close(f"by {name}", slope, want[name], COMPLEX_TOLERANCE)


def loop(weight, gradients, rates, factors, betas, eps, weight_decay):
    """The algorithm of the paper, one weight and one step at a time."""
    (beta1, beta2), result = betas, []
    for n, w in enumerate(weight):
        m = v = 0.0
        for t, rate in enumerate(rates, start=1):
            g = gradients[t - 1][n] * factors[t - 1]
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g * g
            m_hat = m / (1 - beta1**t)
            v_hat = v / (1 - beta2**t)
            w = w - rate * weight_decay * w - rate * m_hat / (math.sqrt(v_hat) + eps)
        result.append((w, m, v))
    return np.array(result).T


@pytest.mark.oracle
@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1.0, 1e4])
@pytest.mark.parametrize("eps", [1e-8, 0.1])
def test_loop(scale, eps):
    _, gradients, rates, factors = case(steps=6, scale=scale)
    settings = {"betas": (0.9, 0.999), "eps": eps, "weight_decay": 0.1}
    for weight in (np.zeros(5), np.arange(-2.0, 3.0)):  # zeros: the movement alone
        got = train(weight, gradients, rates, factors, **settings)
        want = loop(weight, gradients, rates, factors, **settings)
        for name, left, right in zip(("weight", "m", "v"), got, want, strict=True):
            assert_close(f"adamw: {name}", left, right, 1e-13)


@pytest.mark.oracle
@given(
    betas=st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)),
    eps=st.floats(1e-10, 1),
    weight_decay=st.floats(0, 2),
    seed=st.integers(0, 99),
)
def test_loop_with_any_settings(betas, eps, weight_decay, seed):
    given_case = case(steps=3, seed=seed)
    settings = {"betas": betas, "eps": eps, "weight_decay": weight_decay}
    got = np.array(train(*given_case, **settings))
    assert_close("adamw", got, loop(*given_case, **settings), 1e-12)


@pytest.mark.properties
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_weight_and_moments_are_written_and_keep_their_dtype(dtype):
    weight, gradients, _, _ = case(steps=1)
    buffer = np.tile(weight, 4).reshape(4, 5).astype(dtype)
    buffer[3] **= 2
    before = buffer.copy()
    wide = [row.astype(float) for row in buffer]
    gradient = gradients[0].astype(dtype)
    kept = gradient.copy()
    settings = {"step": 2, "learning_rate": 0.1, "factor": 0.5, **SETTINGS}
    w, _, m, v = buffer  # views: what they receive must arrive in the buffer
    assert adamw(w, gradient, m, v, **settings) is None
    np.testing.assert_array_equal(gradient, kept)
    np.testing.assert_array_equal(buffer[1], before[1])
    assert (buffer[[0, 2, 3]] != before[[0, 2, 3]]).all()
    adamw(wide[0], gradient.astype(float), *wide[2:], **settings)
    assert_close("adamw", buffer, np.array(wide), 1e-6)
    assert_floats_are(dtype, "adamw", buffer)


@pytest.mark.properties
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zero_gradient_only_decays(dtype):
    weight, zeros = case()[0].astype(dtype), np.zeros((3, 5), dtype)
    after, m, v = train(weight, zeros, [0.1, 0.2, 0.3], weight_decay=0.4, eps=1e-8)
    want = weight.copy()
    for rate in (0.1, 0.2, 0.3):
        want *= 1 - rate * 0.4
    assert_close("weight", after, want, 2 * np.finfo(dtype).eps)
    assert not m.any()
    assert not v.any()
    same, _, _ = train(weight, zeros, [0.1, 0.2, 0.3], weight_decay=0.0)
    np.testing.assert_array_equal(same, weight)


@pytest.mark.properties
@pytest.mark.parametrize("size", [1e-30, 1e-8, 1.0, 1e4])
def test_constant_gradient_moves_alike_in_every_step(size):
    """Without bias correction the first steps would be of another length."""
    gradient = np.array([size, -size, 3 * size])
    for steps in (1, 2, 7):
        settings = {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}
        after, _, _ = train(np.zeros(3), [gradient] * steps, [0.1] * steps, **settings)
        want = -0.1 * steps * gradient / (np.abs(gradient) + 1e-8)
        assert_close(f"after {steps} steps", after, want, 1e-12)


@pytest.mark.properties
@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 17])
def test_blocks_cannot_be_seen(size, monkeypatch):
    given_case = case(size=size)
    whole = train(*given_case)
    monkeypatch.setattr(module, "BLOCK", 8)
    np.testing.assert_array_equal(train(*given_case), whole)


@pytest.mark.properties
@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1])
def test_weights_do_not_see_each_other(size):
    weight, gradients, rates, factors = case(steps=3, size=7)
    few = train(weight, gradients, rates, factors)
    copies = -(-size // 7)
    many = train(
        np.tile(weight, copies)[:size],
        np.tile(gradients, copies)[:, :size],
        rates,
        factors,
    )
    np.testing.assert_array_equal(many, np.tile(few, copies)[:, :size])


@pytest.mark.properties
def test_factor_is_a_shorter_gradient():
    weight, gradients, rates, factors = case()
    want = np.array(train(weight, factors[:, None] * gradients, rates))
    got = np.array(train(weight, gradients, rates, factors))
    assert_close("adamw", got, want, 1e-15)


@pytest.mark.properties
def test_settings_go_by_name():
    """So many numbers in a row would be mixed up."""
    arrays = (np.ones(3) for _ in range(4))
    with pytest.raises(TypeError, match="positional"):
        adamw(*arrays, 1, 0.1, (0.9, 0.99), 1e-8, 0.0)


@pytest.mark.properties
def test_not_a_number_stays_with_its_weight():
    weight, gradients, rates, factors = case()
    gradients[1, 2] = np.nan
    after = np.array(train(weight, gradients, rates, factors))
    assert np.isnan(after[:, 2]).all()
    assert np.isfinite(np.delete(after, 2, axis=1)).all()
