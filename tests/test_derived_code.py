"""The tie from derivation to code: the last line of a chain, computed, is what ships.

The derivation's result is evaluated on random arrays (sizes other than those of the
proof, gains that are not 1, grouped heads, repeated ids, masked keys, random
cotangents) and compared with what the shipped functions return.
"""

import dataclasses

import derivation_cases_training as training
import numpy as np
import pytest

from moe.derivations import load_entry
from moe.derivations.evaluate import evaluate
from moe.equations.attention import (
    attention,
    attention_backward,
    causal_mask,
    unfold_heads,
)
from moe.equations.embedding import embedding, embedding_backward
from moe.equations.linear import linear, linear_backward
from moe.equations.rmsnorm import rmsnorm, rmsnorm_backward
from moe.equations.rope import (
    ntk_base,
    rope,
    rope_backward,
    rope_frequencies,
    rope_tables,
)
from moe.equations.softmax import softmax, softmax_backward
from moe.equations.swiglu import (
    gated_silu,
    gated_silu_backward,
    silu,
    silu_backward,
    swiglu,
    swiglu_backward,
)

# Both sides add the same few dozen float64 products in another order: a few units in
# the last place of the largest of them, 2e-16 each. Terms are of order 1 to 10.
RTOL, ATOL = 1e-12, 1e-13


def embedding_case(normal):
    ids = np.array([3, 1, 3, 4, 3])  # three tokens read the same row, two rows none
    weight, dx = normal(5, 2), normal(5, 2)
    x, cache = embedding(ids, weight)
    given = {"ids": ids, "weight": weight, "dx": dx}
    return given, {"x": x, "dweight": embedding_backward(dx, cache)}


def rmsnorm_case(normal):
    x, gamma, dy, eps = normal(3, 4), normal(4), normal(3, 4), 0.03
    _, cache = rmsnorm(x, gamma, eps)
    dx, dgamma = rmsnorm_backward(dy, cache)
    given = {"x": x, "gamma": gamma, "eps": eps, "dy": dy}
    return given, {"dx": dx, "dgamma": dgamma}


def linear_case(normal):
    x, weight, bias, dy = normal(5, 4), normal(3, 4), normal(3), normal(5, 3)
    _, cache = linear(x, weight, bias)
    dx, dweight, dbias = linear_backward(dy, cache)
    given = {"x": x, "weight": weight, "bias": bias, "dy": dy}
    return given, {"dx": dx, "dweight": dweight, "dbias": dbias}


def silu_case(normal):
    x, dy = 3 * normal(7), normal(7)
    _, cache = silu(x)
    return {"x": x, "dy": dy}, {"dx": silu_backward(dy, cache)}


def swiglu_case(normal):
    width = 3
    x, gate_up, down, dy = normal(4, 5), normal(6, 5), normal(5, 3), normal(4, 5)
    _, cache = swiglu(x, gate_up, down)
    dx, dgate_up, ddown = swiglu_backward(dy, cache)
    dh, _, _ = linear_backward(dy, linear(normal(4, 3), down)[1])
    _, gate_cache = gated_silu(linear(x, gate_up)[0])
    dhidden = gated_silu_backward(dh, gate_cache)
    given = {
        "x": x,
        "gate_up[:F]": gate_up[:width],
        "gate_up[F:]": gate_up[width:],
        "down": down,
        "dy": dy,
    }
    return given, {
        "ddown": ddown,
        "dh": dh,
        "dgate_up[:, :F]": dhidden[:, :width],
        "dgate_up[:, F:]": dhidden[:, width:],
        "dgate_up[:F]": dgate_up[:width],
        "dgate_up[F:]": dgate_up[width:],
        "dx": dx,
    }


def softmax_case(normal):
    x, dp = 3 * normal(6), normal(6)
    p, cache = softmax(x)
    return {"x": x, "dp": dp}, {"p": p, "dx": softmax_backward(dp, cache)}


def rope_case(normal):
    tokens, width = 4, 6
    positions = np.array([2.0, 3.0, 7.0, 30.0])
    frequencies = rope_frequencies(width, 100.0)
    cos, sin = rope_tables(positions, frequencies, np.float64)

    def turned(heads):
        return rope(heads[None, :, None], cos, sin)[0][0, :, 0]

    q, k, dy = normal(tokens, width), normal(tokens, width), normal(tokens, width)
    dx = rope_backward(dy[None, :, None], (cos, sin))[0, :, 0]
    undone = rope_backward(turned(q)[None, :, None], (cos, sin))[0, :, 0]
    undone[:, 1::2] = np.nan  # the chain is about the even channels
    given = {"positions": positions, "frequencies": frequencies}
    given |= {"x": q, "q": q, "k": k, "dy": dy}
    return given, {"dx": dx, "x": undone, "scores": turned(q) @ turned(k).T}


def frequencies_case(normal):
    given = {"width": 10, "base": 10000.0}
    return given, {"rope_frequencies": rope_frequencies(10, 10000.0)}


def scaling_case(normal):
    given = {"width": 10, "base": 10000.0, "alpha": 8.0}
    base = ntk_base(10000.0, 8.0, 10)
    return given, {"ntk_base": base, "new_frequencies": rope_frequencies(10, base)}


def attention_case(normal):
    tokens, keys, groups, shared, width = 3, 4, 2, 3, 5
    heads = groups * shared
    q, dy = normal(tokens, heads, width), normal(tokens, heads, width)
    k, v = normal(keys, groups, width), normal(keys, groups, width)
    mask = causal_mask(tokens, keys)
    assert np.isinf(mask).any()
    _, cache = attention(q[None], k[None], v[None], mask)
    dq, dk, dv = attention_backward(dy[None], cache)
    p = unfold_heads(cache[3], tokens)
    given = {"q": q, "k": k, "v": v, "dy": dy}
    return given, {"p": p[0], "dq": dq[0], "dk": dk[0], "dv": dv[0]}


CASES = {
    "E01": embedding_case,
    "E02": rmsnorm_case,
    "E03": linear_case,
    "E04": silu_case,
    "E05": swiglu_case,
    "E06": softmax_case,
    "E07": rope_case,
    "E08": frequencies_case,
    "E09": scaling_case,
    "E10": attention_case,
    **training.CASES,
}


# Steps in between, which no function returns; the gradients above are made of them.
INTERNAL = {"E10": {"dp", "dscores"}, **training.INTERNAL}


@pytest.mark.parametrize(
    ("entry_id", "case"),
    [
        pytest.param(
            i, case, marks=(getattr(pytest.mark, i), pytest.mark.derivation), id=i
        )
        for i, case in CASES.items()
    ],
)
def test_the_code_computes_what_was_derived(entry_id, case):
    rng = np.random.default_rng(int(entry_id[1:]))
    given, expected = case(lambda *shape: rng.standard_normal(shape))
    derivation = load_entry(entry_id)
    assert expected.keys() | INTERNAL.get(entry_id, set()) == targets(derivation)
    for name, array in expected.items():
        derived = evaluate(derivation, name, given)
        np.testing.assert_allclose(
            derived, array, rtol=RTOL, atol=ATOL, err_msg=f"{entry_id}: {name}"
        )


def targets(derivation):
    """Code names of all that the chains compute."""
    codes = {row.base: row.code for row in derivation.symbols}
    return {codes.get(chain.base) for chain in derivation.chains} - {None, ""}


@pytest.mark.E12
@pytest.mark.derivation
def test_the_gradient_of_the_logits_is_derived_twice():
    """Through dp, as the code goes, as well as in one piece, which comes last."""
    rng = np.random.default_rng(0)
    given, expected = CASES["E12"](lambda *shape: rng.standard_normal(shape))
    derivation = load_entry("E12")
    through_dp = [c for c in derivation.chains if c.title != "What each expert learns"]
    assert len(through_dp) == len(derivation.chains) - 1
    derivation = dataclasses.replace(derivation, chains=tuple(through_dp))
    derived = evaluate(derivation, "dlogits", given)
    np.testing.assert_allclose(derived, expected["dlogits"], rtol=RTOL, atol=ATOL)


def test_a_missing_array_is_named():
    with pytest.raises(KeyError, match="E03: W is neither given nor derived"):
        evaluate(load_entry("E03"), "dx", {"x": np.ones((2, 3)), "dy": np.ones((2, 2))})
