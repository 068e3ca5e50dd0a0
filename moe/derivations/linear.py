"""Why the gradients of a linear layer are two products and a sum (E03)."""

from sympy import KroneckerDelta, Sum

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Partial, array, index, size

N, C, O = size("N"), size("C"), size("O")  # noqa: E741  # O as on the page
n, m = index("n", N), index("m", N)
c, j = index("c", C), index("j", C)
o, i = index("o", O), index("i", O)
x, W, b, y = map(array, ("x", "W", "b", "y"))
dy, dx, dW, db = map(array, ("dy", "dx", "dW", "db"))

EQUATION = (Equation("3a", y[n, o], Sum(x[n, c] * W[o, c], c) + b[o]),)

SYMBOLS = (
    Symbol(N, "x.shape[0]", (), "number of tokens"),
    Symbol(C, "weight.shape[1]", (), "channels that come in"),
    Symbol(O, "weight.shape[0]", (), "channels that go out"),
    Symbol(x[n, c], "x", (N, C), "tokens"),
    Symbol(W[o, c], "weight", (O, C), "weight, one row per output channel"),
    Symbol(b[o], "bias", (O,), "bias"),
    Symbol(y[n, o], "y", (N, O), "projected tokens"),
    Symbol(dy[n, o], "dy", (N, O), "gradient of the output"),
    Symbol(dx[n, c], "dx", (N, C), "gradient of the tokens"),
    Symbol(dW[o, c], "dweight", (O, C), "gradient of the weight"),
    Symbol(db[o], "dbias", (O,), "gradient of the bias"),
)

TOKENS = Chain(
    title="Gradient of the tokens",
    target=dx[n, c],
    start=Partial(Sum(dy[m, o] * y[m, o], m, o), x[n, c]),
    steps=(
        Step(
            "sum over the fork",
            "Every output channel of every token may depend on x; dy is constant.",
            Sum(dy[m, o] * Partial(y[m, o], x[n, c]), m, o),
        ),
        Step(
            "derivative of a linear function",
            "By (3a) the factor of x is the weight; other tokens and other channels "
            "have slope 0, and the bias has none.",
            Sum(
                dy[m, o]
                * Sum(KroneckerDelta(m, n) * KroneckerDelta(j, c) * W[o, j], j),
                m,
                o,
            ),
        ),
        Step(
            "Kronecker deltas sift",
            "Token n and channel c remain: each output sends its gradient back along "
            "the weight by which it read x.",
            Sum(dy[n, o] * W[o, c], o),
        ),
    ),
)

WEIGHT = Chain(
    title="Gradient of the weight",
    target=dW[o, c],
    start=Partial(Sum(dy[n, i] * y[n, i], n, i), W[o, c]),
    steps=(
        Step(
            "sum over the fork",
            "All tokens use the same weight; dy is constant.",
            Sum(dy[n, i] * Partial(y[n, i], W[o, c]), n, i),
        ),
        Step(
            "derivative of a linear function",
            "By (3a) the factor of a weight is the token's channel that it reads.",
            Sum(
                dy[n, i]
                * Sum(KroneckerDelta(i, o) * KroneckerDelta(j, c) * x[n, j], j),
                n,
                i,
            ),
        ),
        Step(
            "Kronecker deltas sift",
            "Output o and input c remain; the sum over tokens stays.",
            Sum(dy[n, o] * x[n, c], n),
        ),
    ),
)

BIAS = Chain(
    title="Gradient of the bias",
    target=db[o],
    start=Partial(Sum(dy[n, i] * y[n, i], n, i), b[o]),
    steps=(
        Step(
            "derivative of a linear function",
            "The bias is added to every token with factor 1.",
            Sum(dy[n, i] * KroneckerDelta(i, o), n, i),
        ),
        Step(
            "Kronecker delta sifts",
            "Output o remains; the sum over tokens stays.",
            Sum(dy[n, o], n),
        ),
    ),
)

DERIVATIONS = (Derivation("E03", EQUATION, SYMBOLS, (TOKENS, WEIGHT, BIAS)),)
