"""Small inputs for every function, for running it on symbols line by line.

Values decide comparisons only (which score is the largest); the expressions are
names. `STEPS` gives the functions of a stem in reading order, each with its lines.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from code_trace import Line, named_array, run

from moe.equations import (
    adamw,
    attention,
    balance,
    clipping,
    cross_entropy,
    embedding,
    experts,
    linear,
    rmsnorm,
    rope,
    router,
    sampling,
    schedule,
    softmax,
    swiglu,
)

Steps = Iterator[tuple[Callable[..., Any], list[Line]]]
RNG_SEED = 0


def values(*shape: int) -> np.ndarray:
    """Distinct positive floats in no order."""
    rng = np.random.default_rng(RNG_SEED)
    return rng.permutation(1 + np.arange(np.prod(shape))).reshape(shape) / 10


def named(name: str, *shape: int) -> np.ndarray:
    """Array of named numbers."""
    return named_array(name, values(*shape))


def pair(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    cotangent: tuple[np.ndarray, ...],
    *args: Any,
) -> Steps:
    """Lines of a forward, then of its backward on a cache of names."""
    (*_, _cache), lines = run(forward, *args)
    yield forward, lines
    *_, cache = forward(*args)
    yield backward, run(backward, *cotangent, cache)[1]


def alone(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Steps:
    """Lines of a function without a backward."""
    yield function, run(function, *args, **kwargs)[1]


IDS = np.array([1, 0, 1])
CHOSEN = np.array([[1, 0], [1, 2]])
MASK = np.array([[0.0, -np.inf], [0.0, 0.0]])


def router_steps() -> Steps:
    """A router of three experts, top 2."""
    cotangent = (named("dweights", 1, 2), named("dprobabilities", 1, 3))
    return pair(router.router, router.router_backward, cotangent, named("z", 1, 3), 2)


def attention_steps() -> Steps:
    """Two tokens, one head of width 2."""
    q, k, v = (named(name, 1, 2, 1, 2) for name in "qkv")
    cotangent = (named("dy", 1, 2, 1, 2),)
    return pair(
        attention.attention, attention.attention_backward, cotangent, q, k, v, MASK
    )


def rope_steps() -> Steps:
    """One token, one head, two pairs; and the frequencies of four channels."""
    base, alpha = (
        named_array(n, np.array(x))[()] for n, x in (("base", 9), ("alpha", 2))
    )
    yield from alone(rope.ntk_base, base, alpha, 4)
    yield from alone(rope.rope_frequencies, 4, base)
    tables = named("cos", 1, 4), named("sin", 1, 4)
    yield from alone(rope.quarter_turn, named("x", 1, 1, 1, 4))
    x, dy = named("x", 1, 1, 1, 4), (named("dy", 1, 1, 1, 4),)
    yield from pair(rope.rope, rope.rope_backward, dy, x, *tables)


def swiglu_steps() -> Steps:
    """One token of two channels, two hidden units."""
    yield from pair(swiglu.silu, swiglu.silu_backward, (named("dy", 2),), named("x", 2))
    yield from pair(
        swiglu.gated_silu,
        swiglu.gated_silu_backward,
        (named("dh", 1, 2),),
        named("gate_up", 1, 4),
    )
    weights = named("gate_up", 4, 2), named("down", 2, 2)
    dy = (named("dy", 1, 2),)
    yield from pair(
        swiglu.swiglu, swiglu.swiglu_backward, dy, named("x", 1, 2), *weights
    )


def experts_steps() -> Steps:
    """Two tokens, three experts, each token with two of them."""
    inputs = (
        named("x", 2, 1),
        named("weights", 2, 2),
        CHOSEN,
        named("gate_up", 3, 2, 1),
        named("down", 3, 1, 1),
    )
    yield from alone(experts.dispatch, CHOSEN, 3)
    dy = (named("dy", 2, 1),)
    yield from pair(experts.experts, experts.experts_backward, dy, *inputs)


def loss_steps() -> Steps:
    """Two tokens, three classes."""
    logits, targets = named("z", 2, 3), np.array([2, 0])
    dloss = (named_array("dloss", np.array(1.0))[()],)
    return pair(
        cross_entropy.cross_entropy,
        cross_entropy.cross_entropy_backward,
        dloss,
        logits,
        targets,
    )


def adamw_steps() -> Steps:
    """The second step on one weight."""
    scalars = {
        name: named_array(symbol, np.array(value))[()]
        for name, symbol, value in (
            ("learning_rate", "eta", 0.1),
            ("eps", "epsilon", 0.01),
            ("weight_decay", "lambda", 0.1),
            ("factor", "factor", 0.5),
        )
    }
    betas = tuple(
        named_array(f"beta{n}", np.array(b))[()] for n, b in ((1, 0.9), (2, 0.95))
    )
    arrays = (named(name, 1) for name in ("weight", "gradient", "m", "v"))
    return alone(adamw.adamw, *arrays, step=2, betas=betas, **scalars)


def schedule_steps() -> Steps:
    """Inside the warmup, and inside the decay."""
    point = {"t": 6, "base": 1, "low": 0.1, "T_w": 4, "T": 12}
    t, base, low, warmup, total = (
        named_array(name, np.array(value))[()] for name, value in point.items()
    )
    yield from alone(schedule.linear_warmup, t, base, warmup)
    yield from alone(schedule.cosine_decay, t, base, low, warmup, total)


def sampling_steps() -> Steps:
    """Three tokens."""
    tau = named_array("tau", np.array(2.0))[()]
    yield from alone(sampling.temperature, named("z", 3), tau)
    yield from alone(sampling.top_p, named_array("p", np.array([0.3, 0.5, 0.2])), 0.6)


def balance_steps() -> Steps:
    """Two tokens, three experts, top 2."""
    alpha, dloss = (
        named_array(n, np.array(v))[()] for n, v in (("alpha", 0.01), ("dloss", 1.0))
    )
    p = named("p", 2, 3)
    return pair(balance.balance, balance.balance_backward, (dloss,), p, CHOSEN, alpha)


def clipping_steps() -> Steps:
    """Two tensors, longer than the limit."""
    limit = named_array("c", np.array(0.1))[()]
    return alone(clipping.clip_factor, [named("g", 2), named("h", 1)], limit)


def rmsnorm_steps() -> Steps:
    """One token of two channels."""
    eps = named_array("epsilon", np.array(0.01))[()]
    inputs = named("x", 1, 2), named("gamma", 2), eps
    return pair(
        rmsnorm.rmsnorm, rmsnorm.rmsnorm_backward, (named("dy", 1, 2),), *inputs
    )


STEPS: dict[str, Callable[[], Steps]] = {
    "embedding": lambda: pair(
        embedding.embedding,
        embedding.embedding_backward,
        (named("dx", 3, 2),),
        IDS,
        named("weight", 2, 2),
    ),
    "rmsnorm": rmsnorm_steps,
    "linear": lambda: pair(
        linear.linear,
        linear.linear_backward,
        (named("dy", 2, 2),),
        named("x", 2, 2),
        named("weight", 2, 2),
        named("bias", 2),
    ),
    "swiglu": swiglu_steps,
    "softmax": lambda: pair(
        softmax.softmax, softmax.softmax_backward, (named("dp", 3),), named("x", 3)
    ),
    "rope": rope_steps,
    "attention": attention_steps,
    "router": router_steps,
    "experts": experts_steps,
    "balance": balance_steps,
    "cross_entropy": loss_steps,
    "clipping": clipping_steps,
    "adamw": adamw_steps,
    "schedule": schedule_steps,
    "sampling": sampling_steps,
}
