"""One whole block in 50-digit arithmetic: the equations composed, and their derivative.

The shipped code runs on traced numbers whose expressions are 60-digit floats; the
equations, written out on lists with no code of `moe`, run on mpmath numbers with a
complex step of 1e-60. Every output and every gradient must agree to 50 digits.
(Expressions of a whole block are too large for exact simplification; each entry by
itself is proved exactly in `tests/equations`.)
"""

import random

import numpy as np
import pytest
import sympy as sp
from mpmath import mp, mpf
from witnesses import evidence
from witnesses.symbols import Traced

from moe import Config
from moe.block import Geometry, block, block_backward
from moe.equations.attention import causal_mask
from moe.parameters import BlockParameters, block_shapes

pytestmark = [
    pytest.mark.wiring,
    *(getattr(pytest.mark, f"E{n:02}") for n in (2, 3, 5, 6, 7, 10, 11, 12, 13)),
]
CONFIG = Config(
    vocab_size=2,
    hidden_size=2,
    num_layers=1,
    num_heads=2,
    num_kv_heads=1,
    head_dim=4,  # its root is 2: no irrational constant
    num_experts=3,
    top_k=2,
    ffn_size=1,
    max_seq_len=4,
    norm_eps=0.01,
    balance_alpha=0.5,
)
TOKENS = 2
DIGITS = 50
WORKING_DIGITS = 150  # the step of 1e-60 squared must vanish
STEP = mpf(10) ** -60


def random_rationals(rng, shape):
    """Positive rationals; Python lists would lose the shape."""
    array = np.empty(shape, object)
    for index in np.ndindex(array.shape):
        array[index] = sp.Rational(rng.randint(10, 90), rng.randint(40, 60))
    return array


def traced(array):
    """Traced numbers with 60 digits."""
    result = np.empty_like(array)
    for index, number in np.ndenumerate(array):
        result[index] = Traced(sp.Float(number, 60), float(number))
    return result


def digits(number):
    """An mpmath number of a traced or rational one."""
    expr = (
        Traced.of(number).expr if isinstance(number, Traced | int | float) else number
    )
    return mp.mpf(sp.Float(expr, 60)._mpf_)


def compose(x, p, cos, sin, chosen):
    """The block's equations on lists of mpmath numbers; no code of `moe`."""
    heads, width = CONFIG.num_heads, CONFIG.head_dim

    def norm(row, gain):
        size = sum(v * v for v in row) / len(row)
        return [
            v * g / mp.sqrt(size + mpf(1) / 100) for v, g in zip(row, gain, strict=True)
        ]

    def project(weight, row):
        return [sum(w * v for w, v in zip(out, row, strict=True)) for out in weight]

    def softmax(scores):
        parts = [mp.exp(s) for s in scores]
        return [part / sum(parts) for part in parts]

    def turn(head, t):
        turned = []
        for i in range(0, width, 2):
            a, b = head[i : i + 2]
            turned += [
                a * cos[t][i] - b * sin[t][i],
                b * cos[t][i + 1] + a * sin[t][i + 1],
            ]
        return turned

    rows = [project(p.qkv, norm(row, p.attention_norm)) for row in x]
    h = []
    for t, row in enumerate(rows):
        joined = []
        for head in range(heads):
            q = turn(row[head * width : (head + 1) * width], t)
            k = [
                turn(rows[u][heads * width : (heads + 1) * width], u)
                for u in range(t + 1)
            ]
            v = [rows[u][(heads + 1) * width :] for u in range(t + 1)]
            scores = [
                sum(a * b for a, b in zip(q, key, strict=True)) / mp.sqrt(width)
                for key in k
            ]
            weights = softmax(scores)
            joined += [
                sum(w * val[c] for w, val in zip(weights, v, strict=True))
                for c in range(width)
            ]
        added = project(p.output, joined)
        h.append([a + b for a, b in zip(x[t], added, strict=True)])
    normed = [norm(row, p.experts_norm) for row in h]
    probabilities = [softmax(project(p.router, row)) for row in normed]
    y = []
    for t, row in enumerate(normed):
        mass = sum(probabilities[t][e] for e in chosen[t])
        out = list(h[t])
        for e in chosen[t]:
            gate, up = project(p.gate_up[e], row)
            hidden = gate / (1 + mp.exp(-gate)) * up
            for c in range(len(out)):
                out[c] += probabilities[t][e] / mass * p.down[e][c][0] * hidden
        y.append(out)
    load = [sum(e in row for row in chosen) for e in range(CONFIG.num_experts)]
    tokens = len(x)
    overlap = sum(
        mpf(f) / (tokens * CONFIG.top_k) * sum(row[e] for row in probabilities) / tokens
        for e, f in enumerate(load)
    )
    return y, CONFIG.num_experts * overlap / 2


def shipped(values):
    """What `block` and `block_backward` compute."""
    t = {name: traced(array) for name, array in values.items()}
    p = BlockParameters(*(t[name] for name in BlockParameters._fields))
    at = Geometry(1, TOKENS, t["cos"], t["sin"], causal_mask(TOKENS, TOKENS))
    y, loss, cache = block(t["x"], p, CONFIG, at)
    indices = cache[1][2][1]
    g = BlockParameters(*(np.empty_like(tensor) for tensor in p))
    dx = block_backward(t["dy"], t["dloss"][()], cache, g, CONFIG, at)
    outputs = [*y.ravel(), loss]
    return outputs, {"x": dx, **g._asdict()}, indices.tolist()


def composed(values, chosen):
    """Outputs of the equations, from mpmath numbers."""
    lists = {name: np.array(array).tolist() for name, array in values.items()}
    p = BlockParameters(*(lists[name] for name in BlockParameters._fields))
    y, loss = compose(lists["x"], p, lists["cos"], lists["sin"], chosen)
    return [value for row in y for value in row] + [loss]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_block_is_its_equations_and_their_derivative(seed):
    rng = random.Random(seed)
    shapes = {"x": (TOKENS, 2), **block_shapes(CONFIG)._asdict()}
    constants = {"cos": (TOKENS, 4), "sin": (TOKENS, 4), "dy": (TOKENS, 2), "dloss": ()}
    rationals = {n: random_rationals(rng, s) for n, s in (shapes | constants).items()}
    for table in ("cos", "sin"):  # one angle for both channels of a pair
        rationals[table][:, 1::2] = rationals[table][:, 0::2]
    outputs, gradients, chosen = shipped(rationals)
    with mp.workdps(WORKING_DIGITS):
        values = {n: np.vectorize(digits, [object])(a) for n, a in rationals.items()}
        weights = [*values["dy"].ravel(), values["dloss"][()]]
        for number, (got, want) in enumerate(
            zip(outputs, composed(values, chosen), strict=True)
        ):
            assert_digits(f"output {number}", digits(got), want)
        for name in shapes:
            for index in np.ndindex(values[name].shape):
                moved = {**values, name: values[name].copy()}
                moved[name][index] += 1j * STEP
                results = composed(moved, chosen)
                total = sum(w * r for w, r in zip(weights, results, strict=True))
                label = f"gradient of {name}{list(index)}"
                assert_digits(label, digits(gradients[name][index]), total.imag / STEP)


def assert_digits(label, got, want):
    """Equal to 50 digits, relative to the larger of both and a floor of 1e-5."""
    evidence.note(digits=1)
    scale = max(abs(got), abs(want), mpf(10) ** -5)
    assert abs(got - want) <= scale * mpf(10) ** -DIGITS, (
        f"{label}: got {got}, want {want}"
    )
