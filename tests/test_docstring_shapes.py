"""Every shape in a docstring is that of the array: all equations are called once."""

import importlib
import inspect

import numpy as np
import pytest
from documents.shapes import SIZES, ShapeError, check, stated

from moe.equations.attention import attention, causal_mask, fold_heads
from moe.equations.balance import balance
from moe.equations.cross_entropy import cross_entropy
from moe.equations.embedding import embedding
from moe.equations.experts import experts
from moe.equations.linear import linear
from moe.equations.rmsnorm import rmsnorm
from moe.equations.rope import rope, rope_tables
from moe.equations.router import router
from moe.equations.softmax import softmax
from moe.equations.swiglu import gated_silu, swiglu
from moe.registry import ENTRIES

FUNCTIONS = {
    name: getattr(importlib.import_module(entry.module), name)
    for entry in ENTRIES
    for name in entry.functions
}


def array(axes):
    """Random numbers, an axis for every letter."""
    shape = [SIZES[letter] for letter in axes]
    return np.random.default_rng(0).standard_normal(shape)


def ids(axes, below):
    shape = [SIZES[letter] for letter in axes]
    return np.random.default_rng(0).integers(0, SIZES[below], shape)


N, T, S, G, D, E, F = (SIZES[letter] for letter in "NTSGDEF")
GATE_UP = np.concatenate((array("NF"), array("NF")), axis=1)
CHOSEN = np.argsort(array("NE"), axis=1)[:, : SIZES["K"]]
HEADS = {
    "q": array("BTHD"),
    "k": array("BSGD"),
    "v": array("BSGD"),
    "mask": causal_mask(T, S),
}
LAYER = {"gate_up": np.zeros((2 * F, SIZES["C"])), "down": array("CF")}
ALL_EXPERTS = {
    "x": array("NC"),
    "weights": array("NK"),
    "indices": CHOSEN,
    "gate_up": np.zeros((E, 2 * F, SIZES["C"])),
    "down": array("ECF"),
}
TABLES = dict(
    zip(("cos", "sin"), rope_tables(np.arange(T), np.ones(D // 2), float), strict=True)
)
PROBABILITIES = np.full(SIZES["V"], 1 / SIZES["V"])


def cache_of(results):
    return results[-1]


CALLS = {
    "embedding": {"ids": ids("N", "V"), "weight": array("VC")},
    "embedding_backward": {
        "dx": array("NC"),
        "cache": cache_of(embedding(ids("N", "V"), array("VC"))),
        "out": array("VC"),
    },
    "rmsnorm": {"x": array("NC"), "gamma": array("C"), "eps": 1e-6},
    "rmsnorm_backward": {
        "dy": array("NC"),
        "cache": cache_of(rmsnorm(array("NC"), array("C"), 1e-6)),
        "out": array("C"),
    },
    "linear": {"x": array("NC"), "weight": array("OC"), "bias": array("O")},
    "linear_backward": {
        "dy": array("NO"),
        "cache": cache_of(linear(array("NC"), array("OC"), array("O"))),
        "out": array("OC"),
    },
    "gated_silu": {"gate_up": GATE_UP},
    "gated_silu_backward": {
        "dh": array("NF"),
        "cache": cache_of(gated_silu(GATE_UP)),
    },
    "swiglu": {"x": array("NC"), **LAYER},
    "swiglu_backward": {
        "dy": array("NC"),
        "cache": cache_of(swiglu(array("NC"), **LAYER)),
    },
    "softmax": {"x": array("NCn")},
    "softmax_backward": {"dp": array("NCn"), "cache": cache_of(softmax(array("NCn")))},
    "rope_frequencies": {"width": D, "base": 100.0},
    "rope_tables": {
        "positions": np.arange(T),
        "frequencies": np.ones(D // 2),
        "dtype": np.float64,
    },
    "quarter_turn": {"x": array("BTD")},
    "rope": {"x": array("BTHD"), **TABLES},
    "rope_backward": {
        "dy": array("BTHD"),
        "cache": cache_of(rope(array("BTHD"), **TABLES)),
    },
    "causal_mask": {"queries": T, "keys": S},
    "fold_heads": {"x": array("BTHD"), "groups": G},
    "unfold_heads": {"x": fold_heads(array("BTHD"), G), "tokens": T},
    "attention": HEADS,
    "attention_backward": {"dy": array("BTHD"), "cache": cache_of(attention(**HEADS))},
    "router": {"logits": array("NE"), "top_k": SIZES["K"]},
    "router_backward": {
        "dweights": array("NK"),
        "dprobabilities": array("NE"),
        "cache": cache_of(router(array("NE"), SIZES["K"])),
    },
    "dispatch": {"indices": CHOSEN, "experts": E},
    "experts": ALL_EXPERTS,
    "experts_backward": {
        "dy": array("NC"),
        "cache": cache_of(experts(**ALL_EXPERTS)),
    },
    "balance": {"probabilities": array("NE"), "indices": CHOSEN, "alpha": 0.1},
    "balance_backward": {
        "dloss": 1.0,
        "cache": cache_of(balance(array("NE"), CHOSEN, 0.1)),
    },
    "cross_entropy": {"logits": array("NV"), "targets": ids("N", "V")},
    "cross_entropy_backward": {
        "dloss": 1.0,
        "cache": cache_of(cross_entropy(array("NV"), ids("N", "V"))),
    },
    "adamw": {
        **{"weight": array("n"), "gradient": array("n")},
        **{"m": np.zeros(SIZES["n"]), "v": np.zeros(SIZES["n"])},
        **{"step": 1, "learning_rate": 0.1, "betas": (0.9, 0.95)},
        **{"eps": 1e-8, "weight_decay": 0.1},
    },
    "greedy": {"logits": array("V")},
    "temperature": {"logits": array("V"), "temperature": 0.5},
    "top_k": {"probabilities": PROBABILITIES, "k": 3},
    "top_p": {"probabilities": PROBABILITIES, "p": 0.5},
    "renormalise": {"probabilities": PROBABILITIES, "kept": np.array([2, 1])},
    "draw": {"probabilities": PROBABILITIES, "uniform": 0.5},
}


def test_every_function_that_states_a_shape_is_called():
    stating = {
        name
        for name, function in FUNCTIONS.items()
        if any(stated(inspect.getdoc(function)).values())
    }
    assert stating == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_the_shapes_are_those_of_the_arrays(name):
    function = FUNCTIONS[name]
    assert check(function, inspect.getdoc(function), CALLS[name]) >= 1


def wrong_shapes(doc):
    """Every stated shape with its axes reversed, an axis lost, an axis renamed."""
    for section in stated(doc).values():
        for _, shape in section:
            axes = [axis.strip() for axis in shape.strip(",").split(",")]
            changed = [axes[1:], axes[::-1], ["V" if a == "C" else "C" for a in axes]]
            for new in changed:
                if new not in (axes, []):
                    yield doc.replace(f"`({shape})`", f"`({', '.join(new)})`", 1)


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_shape_is_noticed(name):
    function = FUNCTIONS[name]
    for doc in wrong_shapes(inspect.getdoc(function)):
        with pytest.raises(ShapeError):
            check(function, doc, CALLS[name])
