"""Expert combine (E11): its four witnesses."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from witnesses.pairs import (
    Pair,
    assert_close,
    check_complex_step,
    check_conduct,
    check_float32,
    check_symbols,
    random_cotangents,
)

from moe.equations.experts import dispatch, experts, experts_backward
from moe.equations.swiglu import swiglu, swiglu_backward

pytestmark = pytest.mark.E11
WRT = ("x", "weights", "gate_up", "down")

# Every expert is used, unequally often and in no order; then one that is not.
ALL_USED = np.array([[2, 0], [1, 2], [0, 2]])
LAST_UNUSED = np.array([[1, 0], [0, 1], [1, 0]])
FIRST_UNUSED = np.array([[2, 1], [1, 2], [2, 1]])


def forward(inputs):
    y, cache = experts(**inputs)
    return (y,), cache


def backward(cotangents, cache):
    return dict(zip(WRT, experts_backward(*cotangents, cache), strict=True))


PAIR = Pair("experts", forward, backward)


def inputs(indices=None, *, tokens=7, count=4, top_k=2, channels=3, width=5, seed=0):
    """Weights that are no distribution: a test sees what multiplies what."""
    rng = np.random.default_rng(seed)
    if indices is None:
        indices = rng.permuted(np.tile(np.arange(count), (tokens, 1)), axis=1)
        indices = indices[:, :top_k]
    return {
        "x": rng.standard_normal((len(indices), channels)),
        "weights": rng.uniform(-1, 2, indices.shape),
        "indices": indices,
        "gate_up": rng.standard_normal((count, 2 * width, channels)),
        "down": rng.standard_normal((count, channels, width)),
    }


@pytest.mark.symbols
@pytest.mark.parametrize(
    ("indices", "width"), [(ALL_USED, 2), (LAST_UNUSED, 1), (FIRST_UNUSED, 1)]
)
def test_symbols(indices, width):
    def equation(arrays):
        x, w, gate_up, down = (arrays[n] for n in WRT)
        channels = x.shape[1]
        y = np.zeros_like(x)
        for n, k in np.ndindex(w.shape):
            e = indices[n, k]
            for f in range(width):
                gate = sum(gate_up[e, f, c] * x[n, c] for c in range(channels))
                up = sum(gate_up[e, width + f, c] * x[n, c] for c in range(channels))
                hidden = gate / (1 + sp.exp(-gate)) * up
                for c in range(channels):
                    y[n, c] += w[n, k] * down[e, c, f] * hidden
        return (y,)

    small = inputs(indices, count=3, channels=2, width=width)
    check_symbols(PAIR, small, WRT, equation)


@pytest.mark.differences
@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_gradient(top_k):
    check_complex_step(PAIR, inputs(tokens=5, top_k=top_k), WRT)


@pytest.mark.differences
@pytest.mark.parametrize("indices", [LAST_UNUSED, FIRST_UNUSED])
def test_gradient_with_an_unused_expert(indices):
    check_complex_step(PAIR, inputs(indices, count=3, width=2), WRT)


def loop(x, weights, indices, gate_up, down):
    """The equation, one number at a time, tokens in their own order."""
    y = np.zeros_like(x)
    width = down.shape[2]
    for n in range(len(x)):
        for k, e in enumerate(indices[n]):
            for f in range(width):
                gate = up = 0.0
                for c, value in enumerate(x[n]):
                    gate += gate_up[e][f][c] * value
                    up += gate_up[e][width + f][c] * value
                hidden = gate * (1 + math.tanh(gate / 2)) / 2 * up  # no overflow
                for c in range(x.shape[1]):
                    y[n][c] += weights[n][k] * down[e][c][f] * hidden
    return y


@pytest.mark.oracle
@pytest.mark.parametrize("top_k", [1, 2, 3, 6])
def test_loop(top_k):
    given_inputs = inputs(tokens=25, count=6, top_k=top_k, channels=4, width=3)
    (y,), _ = forward(given_inputs)
    assert_close("experts: y", y, loop(**given_inputs), 1e-14)


@pytest.mark.oracle
@pytest.mark.parametrize("scale", [1e-8, 1e4])
def test_tiny_and_huge_tokens(scale):
    given_inputs = inputs()
    given_inputs["x"] *= scale
    (y,), _ = forward(given_inputs)
    assert_close("experts: y", y, loop(**given_inputs), 1e-14)
    gradients = PAIR.gradients(given_inputs, random_cotangents(PAIR, given_inputs))
    assert all(np.isfinite(gradients[name]).all() for name in WRT)


@pytest.mark.oracle
@given(
    assigned=st.lists(st.permutations(range(5)), min_size=1, max_size=30),
    top_k=st.integers(1, 5),
)
def test_dispatch_sorts_by_expert_then_token(assigned, top_k):
    indices = np.array(assigned)[:, :top_k]
    order, spans = dispatch(indices, 7)
    queues = [[] for _ in range(7)]
    for n, row in enumerate(indices):
        for k, expert in enumerate(row):
            queues[expert].append(n * top_k + k)
    assert [order[span].tolist() for span in spans] == queues


@pytest.mark.oracle
def test_one_expert_is_the_dense_layer():
    given_inputs = inputs(count=1, top_k=1)
    x, w, gate_up, down = (given_inputs[n] for n in WRT)
    (y,), cache = forward(given_inputs)
    dense, dense_cache = swiglu(x, gate_up[0], down[0])
    assert_close("y", y, w * dense, 1e-14)
    (dy,) = random_cotangents(PAIR, given_inputs)
    gradients = backward((dy,), cache)
    dx, dgate_up, ddown = swiglu_backward(w * dy, dense_cache)
    for name, dense_gradient in (("gate_up", dgate_up), ("down", ddown)):
        assert_close(f"d{name}", gradients[name][0], dense_gradient, 1e-14)
    assert_close("dx", gradients["x"], dx, 1e-14)


@pytest.mark.properties
@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_conduct(top_k):
    check_conduct(PAIR, inputs(top_k=top_k), WRT)
    check_float32(PAIR, inputs(top_k=top_k), WRT)


@pytest.mark.properties
def test_all_experts_chosen_is_the_dense_mixture():
    given_inputs = inputs(count=4, top_k=4)
    x, w, gate_up, down = (given_inputs[n] for n in WRT)
    dense = np.zeros_like(x)
    for expert in range(4):
        share = w[given_inputs["indices"] == expert]
        dense += share[:, None] * swiglu(x, gate_up[expert], down[expert])[0]
    (y,), _ = forward(given_inputs)
    assert_close("y", y, dense, 1e-14)


@pytest.mark.properties
@given(order=st.permutations(range(7)))
def test_permuted_tokens_are_permuted_outputs(order):
    still = inputs()
    (dy,) = random_cotangents(PAIR, still)
    per_token = ("x", "weights", "indices")
    moved = {n: a[order] if n in per_token else a for n, a in still.items()}
    assert_close("y", forward(moved)[0][0], forward(still)[0][0][order], 1e-14)
    before = PAIR.gradients(still, (dy,))
    after = PAIR.gradients(moved, (dy[order],))
    for name in WRT:
        expected = before[name][order] if name in per_token else before[name]
        assert_close(f"d{name}", after[name], expected, 1e-13)


@pytest.mark.properties
def test_the_order_of_the_choices_does_not_matter():
    there = inputs()
    back = {**there, **{n: there[n][:, ::-1] for n in ("weights", "indices")}}
    assert_close("y", forward(back)[0][0], forward(there)[0][0], 1e-14)


@pytest.mark.properties
def test_experts_that_were_not_chosen_are_not_read():
    given_inputs = inputs(LAST_UNUSED, count=4)
    (y,), _ = forward(given_inputs)
    for name in ("gate_up", "down"):
        given_inputs[name][2:] = np.nan
    (again,), _ = forward(given_inputs)
    np.testing.assert_array_equal(again, y)
    gradients = PAIR.gradients(given_inputs, random_cotangents(PAIR, given_inputs))
    assert np.isfinite(gradients["x"]).all()


@pytest.mark.properties
def test_gradients_are_written_where_the_caller_says():
    given_inputs = inputs(FIRST_UNUSED, count=3)
    (dy,) = random_cotangents(PAIR, given_inputs)
    _, cache = forward(given_inputs)
    out = tuple(np.full_like(given_inputs[n], np.nan) for n in ("gate_up", "down"))
    _, _, dgate_up, ddown = experts_backward(dy, cache, out=out)
    assert dgate_up is out[0]
    assert ddown is out[1]
    expected = backward((dy,), cache)
    np.testing.assert_array_equal(dgate_up, expected["gate_up"])
    np.testing.assert_array_equal(ddown, expected["down"])
    assert not dgate_up[0].any()
    assert not ddown[0].any()


@pytest.mark.properties
def test_not_a_number_stays_with_its_token():
    given_inputs = inputs()
    given_inputs["x"][2, 1] = np.nan
    (y,), _ = forward(given_inputs)
    assert np.isnan(y[2]).all()
    assert np.isfinite(np.delete(y, 2, axis=0)).all()
