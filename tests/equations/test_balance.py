"""Load-balancing loss (E13): its four witnesses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from witnesses.pairs import (
    Pair,
    assert_close,
    check_complex_step,
    check_conduct,
    check_float32,
    check_symbols,
)

from moe.equations.balance import balance, balance_backward

pytestmark = pytest.mark.E13
WRT = ("probabilities",)
ALPHA = 0.25


def forward(inputs):
    loss, cache = balance(inputs["probabilities"], inputs["indices"], ALPHA)
    return (loss,), cache


def backward(cotangents, cache):
    return {"probabilities": balance_backward(cotangents[0].item(), cache)}


PAIR = Pair("balance", forward, backward)


def inputs(tokens=5, experts=4, top_k=2, seed=0):
    """Positive numbers that are no distribution, chosen unequally often."""
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0, 1, (tokens, experts)) + 0.5 * np.arange(experts)
    indices = np.argsort(-spread, axis=1)[:, :top_k]
    return {"probabilities": rng.uniform(0.1, 1, spread.shape), "indices": indices}


@pytest.mark.symbols
@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_symbols(top_k):
    given_inputs = inputs(tokens=3, experts=3, top_k=top_k)
    indices = given_inputs["indices"].tolist()

    def equation(arrays):
        p = arrays["probabilities"]
        tokens, experts = p.shape
        loss = 0
        for e in range(experts):
            assignments = sum(row.count(e) for row in indices)
            mean = sum(p[n, e] for n in range(tokens)) / tokens
            loss += assignments * mean / (tokens * top_k)
        return (loss * experts / 4,)

    check_symbols(PAIR, given_inputs, WRT, equation)


@pytest.mark.differences
@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_gradient(top_k):
    check_complex_step(PAIR, inputs(top_k=top_k), WRT)


def loop(probabilities, indices, alpha):
    """The equation, one expert and one token at a time."""
    total = 0.0
    tokens, experts = probabilities.shape
    for e in range(experts):
        load = mean = 0.0
        for n in range(tokens):
            mean += probabilities[n, e] / tokens
            for chosen in indices[n]:
                if chosen == e:
                    load += 1 / (tokens * len(indices[n]))
        total += load * mean
    return alpha * experts * total


@pytest.mark.oracle
@pytest.mark.parametrize("top_k", [1, 2, 6])
@pytest.mark.parametrize("alpha", [0.01, 3.0])
def test_loop(top_k, alpha):
    given_inputs = inputs(tokens=40, experts=6, top_k=top_k, seed=3)
    loss, _ = balance(**given_inputs, alpha=alpha)
    assert_close("balance: loss", loss, loop(**given_inputs, alpha=alpha), 1e-14)


@pytest.mark.oracle
def test_loss_by_hand():
    """Loads 3/4, 1/4, 0; means 1/2, 1/4, 1/4: alpha 3 (3/8 + 1/16)."""
    probabilities = np.array([[0.75, 0.125, 0.125], [0.25, 0.375, 0.375]])
    loss, _ = balance(probabilities[[0, 1, 0, 1]], np.array([[0], [0], [1], [0]]), 2.0)
    assert loss == 2 * 3 * 7 / 16


@pytest.mark.properties
@pytest.mark.parametrize("top_k", [1, 3])
def test_conduct(top_k):
    check_conduct(PAIR, inputs(top_k=top_k), WRT)
    check_float32(PAIR, inputs(top_k=top_k), WRT)


def distributions(tokens, experts):
    """Strategy: rows of positive numbers that sum to 1."""
    positive = arrays(float, (tokens, experts), elements=st.floats(1e-3, 1))
    return positive.map(lambda a: a / a.sum(axis=1, keepdims=True))


@pytest.mark.properties
@given(probabilities=distributions(6, 3), top_k=st.integers(1, 3))
def test_uniform_load_costs_alpha(probabilities, top_k):
    indices = (np.arange(6)[:, None] + np.arange(top_k)) % 3
    loss, _ = balance(probabilities, indices, ALPHA)
    assert_close("loss", loss, ALPHA, 1e-14)


@pytest.mark.properties
def test_uniform_probabilities_cost_alpha_whatever_is_chosen():
    loss, _ = balance(np.full((7, 4), 0.25), inputs(tokens=7)["indices"], ALPHA)
    assert_close("loss", loss, ALPHA, 1e-15)


@pytest.mark.properties
@given(probabilities=distributions(5, 4), top_k=st.integers(1, 4))
def test_choosing_the_most_likely_never_costs_less_than_alpha(probabilities, top_k):
    """Loads that agree with the probabilities: uniform routing is the minimum."""
    mean = probabilities.mean(axis=0)
    indices = np.tile(np.argsort(-mean, kind="stable")[:top_k], (5, 1))
    loss, _ = balance(probabilities, indices, ALPHA)
    assert loss >= ALPHA * (1 - 1e-14)


@pytest.mark.properties
def test_collapse_onto_one_expert_costs_alpha_times_experts():
    probabilities = np.zeros((5, 4))
    probabilities[:, 2] = 1
    loss, _ = balance(probabilities, np.full((5, 1), 2), ALPHA)
    assert loss == 4 * ALPHA


@pytest.mark.properties
def test_more_of_the_same_tokens_cost_the_same():
    given_inputs = inputs()
    twice = {name: np.concatenate((a, a[::-1])) for name, a in given_inputs.items()}
    loss, _ = balance(**given_inputs, alpha=ALPHA)
    again, cache = balance(**twice, alpha=ALPHA)
    assert_close("loss", again, loss, 1e-14)
    # Each of twice as many tokens has half the say.
    single = balance_backward(3.0, balance(**given_inputs, alpha=ALPHA)[1])
    assert_close("dp", balance_backward(3.0, cache)[:5], single / 2, 1e-14)


@pytest.mark.properties
def test_gradient_pushes_down_what_is_overloaded():
    indices = np.array([[0, 3], [0, 1], [0, 3]])
    _, cache = balance(inputs(tokens=3)["probabilities"], indices, ALPHA)
    dp = balance_backward(1.0, cache)
    assert (dp == dp[0]).all()
    assert dp[0, 0] > dp[0, 3] > dp[0, 1] > dp[0, 2] == 0


@pytest.mark.properties
def test_not_a_number_is_not_hidden():
    given_inputs = inputs()
    given_inputs["probabilities"][1, 2] = np.nan
    loss, _ = balance(**given_inputs, alpha=ALPHA)
    assert np.isnan(loss)
