"""Slope of SiLU, and the gradients of the layer that it gates (E04, E05)."""

from sympy import KroneckerDelta, Sum, exp

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Partial, array, index, size

# E04: one array of any shape, seen as a row of n numbers.

n = size("n")
i, j = index("i", n), index("j", n)
x, sigma, y, dy, dx = map(array, ("x", "sigma", "y", "dy", "dx"))

SILU_EQUATION = (
    Equation("4a", sigma[i], 1 / (1 + exp(-x[i]))),
    Equation("4b", y[i], x[i] * sigma[i]),
)

SILU_SYMBOLS = (
    Symbol(n, "x.size", (), "how many numbers"),
    Symbol(x[i], "x", (n,), "numbers, an array of any shape"),
    Symbol(sigma[i], "sigmoid", (n,), "sigmoid of each, between 0 and 1"),
    Symbol(y[i], "y", (n,), "activated numbers"),
    Symbol(dy[i], "dy", (n,), "gradient of the output"),
    Symbol(dx[i], "dx", (n,), "gradient of the input"),
)

SIGMOID = Chain(
    title="Slope of the sigmoid",
    target=Partial(sigma[i], x[i]),
    start=Partial(1 / (1 + exp(-x[i])), x[i]),
    steps=(
        Step(
            "chain rule",
            "The slope of 1/u is -1/u^2, and the slope of u = 1 + exp(-x) is -exp(-x): "
            "the signs cancel.",
            exp(-x[i]) / (1 + exp(-x[i])) ** 2,
        ),
        Step(
            "name what is known",
            "One of the two factors 1/u is the sigmoid (4a), and exp(-x)/u is what the "
            "sigmoid lacks to 1.",
            sigma[i] * (1 - sigma[i]),
        ),
    ),
)

SILU = Chain(
    title="Gradient of SiLU",
    target=dx[i],
    start=Partial(Sum(dy[j] * y[j], j), x[i]),
    steps=(
        Step(
            "numbers are independent",
            "Each output depends on its own input alone; dy is constant.",
            dy[i] * Partial(y[i], x[i]),
        ),
        Step(
            "product rule",
            "x enters y twice (4b): as a factor and through the sigmoid.",
            dy[i] * (sigma[i] + x[i] * Partial(sigma[i], x[i])),
        ),
        Step(
            "insert the slope of the sigmoid",
            "From the chain above.",
            dy[i] * (sigma[i] + x[i] * sigma[i] * (1 - sigma[i])),
        ),
        Step(
            "factor out",
            "The backward needs x and the sigmoid, and no exponential of its own.",
            dy[i] * sigma[i] * (1 + x[i] * (1 - sigma[i])),
        ),
    ),
)

# E05: the layer.

N, C, F = size("N"), size("C"), size("F")
t, s = index("t", N), index("s", N)
c, o = index("c", C), index("o", C)
f, k = index("f", F), index("k", F)
X, W_gate, W_up, W_down = map(array, ("x", "W_gate", "W_up", "W_down"))
g, u, a, h, Y = map(array, ("g", "u", "a", "h", "y"))
S, dY, dX = map(array, ("sigma", "dy", "dx"))
dh, dg, du = map(array, ("dh", "dg", "du"))
dW_gate, dW_up, dW_down = map(array, ("dW_gate", "dW_up", "dW_down"))

SWIGLU_EQUATION = (
    Equation("5a", g[t, f], Sum(W_gate[f, c] * X[t, c], c)),
    Equation("5a", u[t, f], Sum(W_up[f, c] * X[t, c], c)),
    Equation("4a", S[t, f], 1 / (1 + exp(-g[t, f]))),
    Equation("4b", a[t, f], g[t, f] * S[t, f]),
    Equation("5b", h[t, f], a[t, f] * u[t, f]),
    Equation("5c", Y[t, c], Sum(W_down[c, f] * h[t, f], f)),
)

SWIGLU_SYMBOLS = (
    Symbol(N, "x.shape[0]", (), "number of tokens"),
    Symbol(C, "x.shape[1]", (), "width: channels of a token"),
    Symbol(F, "down.shape[1]", (), "hidden channels"),
    Symbol(X[t, c], "x", (N, C), "tokens"),
    Symbol(W_gate[f, c], "gate_up[:F]", (F, C), "weight of the gate"),
    Symbol(W_up[f, c], "gate_up[F:]", (F, C), "weight of what is gated"),
    Symbol(W_down[c, f], "down", (C, F), "weight that leads back to the width"),
    Symbol(g[t, f], "gate", (N, F), "gate before its activation"),
    Symbol(u[t, f], "up", (N, F), "what is gated"),
    Symbol(S[t, f], "sigmoid", (N, F), "sigmoid of the gate"),
    Symbol(a[t, f], "activation", (N, F), "SiLU of the gate (E04)"),
    Symbol(h[t, f], "h", (N, F), "gated channels"),
    Symbol(Y[t, c], "y", (N, C), "tokens that leave the layer"),
    Symbol(dY[t, c], "dy", (N, C), "gradient of the output"),
    Symbol(dh[t, f], "dh", (N, F), "gradient of the gated channels"),
    Symbol(dg[t, f], "dgate_up[:, :F]", (N, F), "gradient of the gate"),
    Symbol(du[t, f], "dgate_up[:, F:]", (N, F), "gradient of what is gated"),
    Symbol(dX[t, c], "dx", (N, C), "gradient of the tokens"),
    Symbol(dW_gate[f, c], "dgate_up[:F]", (F, C), "gradient of the gate weight"),
    Symbol(dW_up[f, c], "dgate_up[F:]", (F, C), "gradient of the up weight"),
    Symbol(dW_down[c, f], "ddown", (C, F), "gradient of the down weight"),
)

DOWN = Chain(
    title="Gradient of the down weight",
    target=dW_down[c, f],
    start=Partial(Sum(dY[t, o] * Y[t, o], t, o), W_down[c, f]),
    steps=(
        Step(
            "derivative of a linear function",
            "By (5c) the factor of a weight is the gated channel that it reads.",
            Sum(
                dY[t, o]
                * Sum(KroneckerDelta(o, c) * KroneckerDelta(k, f) * h[t, k], k),
                t,
                o,
            ),
        ),
        Step(
            "Kronecker deltas sift",
            "Output c and hidden channel f remain; all tokens share the weight.",
            Sum(dY[t, c] * h[t, f], t),
        ),
    ),
)

GATED = Chain(
    title="Gradient of the gated channels",
    target=dh[t, f],
    start=Partial(Sum(dY[s, c] * Y[s, c], s, c), h[t, f]),
    steps=(
        Step(
            "derivative of a linear function",
            "By (5c) the factor of a gated channel is the weight that reads it.",
            Sum(
                dY[s, c]
                * Sum(KroneckerDelta(s, t) * KroneckerDelta(k, f) * W_down[c, k], k),
                s,
                c,
            ),
        ),
        Step(
            "Kronecker deltas sift",
            "Token t and hidden channel f remain; all outputs read the channel.",
            Sum(dY[t, c] * W_down[c, f], c),
        ),
    ),
)

GATE = Chain(
    title="Gradient of the gate",
    target=dg[t, f],
    start=Partial(Sum(dh[s, k] * h[s, k], s, k), g[t, f]),
    steps=(
        Step(
            "channels are independent",
            "Between the products each hidden channel is on its own.",
            dh[t, f] * Partial(h[t, f], g[t, f]),
        ),
        Step(
            "constant factor",
            "By (5b) what is gated does not depend on the gate.",
            dh[t, f] * u[t, f] * Partial(a[t, f], g[t, f]),
        ),
        Step(
            "slope of SiLU",
            "From E04.",
            dh[t, f] * u[t, f] * S[t, f] * (1 + g[t, f] * (1 - S[t, f])),
        ),
    ),
)

UP = Chain(
    title="Gradient of what is gated",
    target=du[t, f],
    start=Partial(Sum(dh[s, k] * h[s, k], s, k), u[t, f]),
    steps=(
        Step(
            "channels are independent",
            "Between the products each hidden channel is on its own.",
            dh[t, f] * Partial(h[t, f], u[t, f]),
        ),
        Step(
            "constant factor",
            "By (5b) the slope is the activated gate, whatever the value of u.",
            dh[t, f] * a[t, f],
        ),
    ),
)

GATE_WEIGHT = Chain(
    title="Gradient of the gate weight",
    target=dW_gate[f, c],
    start=Partial(Sum(dg[t, k] * g[t, k], t, k), W_gate[f, c]),
    steps=(
        Step(
            "derivative of a linear function",
            "By (5a) the factor of a weight is the channel that it reads; other "
            "hidden channels have weights of their own.",
            Sum(dg[t, k] * KroneckerDelta(k, f) * X[t, c], t, k),
        ),
        Step(
            "Kronecker delta sifts",
            "Hidden channel f remains; all tokens share the weight.",
            Sum(dg[t, f] * X[t, c], t),
        ),
    ),
)

UP_WEIGHT = Chain(
    title="Gradient of the up weight",
    target=dW_up[f, c],
    start=Partial(Sum(du[t, k] * u[t, k], t, k), W_up[f, c]),
    steps=(
        Step(
            "derivative of a linear function",
            "The same as for the gate: (5a) is one product with both weights.",
            Sum(du[t, k] * KroneckerDelta(k, f) * X[t, c], t, k),
        ),
        Step(
            "Kronecker delta sifts",
            "Hidden channel f remains; all tokens share the weight.",
            Sum(du[t, f] * X[t, c], t),
        ),
    ),
)

TOKENS = Chain(
    title="Gradient of the tokens",
    target=dX[t, c],
    start=Partial(Sum(dg[s, f] * g[s, f] + du[s, f] * u[s, f], s, f), X[t, c]),
    steps=(
        Step(
            "sum over the fork",
            "A token is read twice, by gate and up (5a): both gradients come back.",
            Sum(dg[s, f] * Partial(g[s, f], X[t, c]), s, f)
            + Sum(du[s, f] * Partial(u[s, f], X[t, c]), s, f),
        ),
        Step(
            "derivative of a linear function",
            "The factor of a channel is the weight that reads it, in its own token.",
            Sum(dg[t, f] * W_gate[f, c], f) + Sum(du[t, f] * W_up[f, c], f),
        ),
    ),
)

DERIVATIONS = (
    Derivation("E04", SILU_EQUATION, SILU_SYMBOLS, (SIGMOID, SILU)),
    Derivation(
        "E05",
        SWIGLU_EQUATION,
        SWIGLU_SYMBOLS,
        (DOWN, GATED, GATE, UP, GATE_WEIGHT, UP_WEIGHT, TOKENS),
    ),
)
