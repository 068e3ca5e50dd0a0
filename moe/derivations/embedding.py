"""Why the embedding's gradient is a scatter in which repeated ids add up (E01)."""

from sympy import Eq, KroneckerDelta, Piecewise, Sum

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Partial, array, index, size

N, V, C = size("N"), size("V"), size("C")
t = index("t", N)
v, u = index("v", V), index("u", V)
c, j = index("c", C), index("j", C)
ids = array("id", integer=True, nonnegative=True)
W, x, dx, dW = map(array, ("W", "x", "dx", "dW"))

EQUATION = (Equation("1a", x[t, c], W[ids[t], c]),)

SYMBOLS = (
    Symbol(N, "ids.shape[0]", (), "number of tokens"),
    Symbol(V, "weight.shape[0]", (), "size of the vocabulary"),
    Symbol(C, "weight.shape[1]", (), "width: channels of a token"),
    Symbol(ids[t], "ids", (N,), "token ids", below=V),
    Symbol(W[v, c], "weight", (V, C), "embedding table, one row per id"),
    Symbol(x[t, c], "x", (N, C), "embedded tokens"),
    Symbol(dx[t, c], "dx", (N, C), "gradient of the embedded tokens"),
    Symbol(dW[v, c], "dweight", (V, C), "gradient of the table"),
)

ONE_HOT = Chain(
    title="The lookup is a product with a one-hot row",
    target=x[t, c],
    start=W[ids[t], c],
    steps=(
        Step(
            "Kronecker delta selects",
            "A sum over all rows in which every factor is 0 except a single 1 picks "
            "one row, and as a function of W it is linear.",
            Sum(KroneckerDelta(v, ids[t]) * W[v, c], v),
        ),
    ),
)

TABLE = Chain(
    title="Gradient of the table",
    target=dW[v, c],
    start=Partial(Sum(dx[t, j] * x[t, j], t, j), W[v, c]),
    steps=(
        Step(
            "linearity",
            "The gradient dx that arrives does not depend on the table.",
            Sum(dx[t, j] * Partial(x[t, j], W[v, c]), t, j),
        ),
        Step(
            "derivative of a linear function",
            "x is a sum of table entries with factors 0 and 1; one entry's slope in "
            "another is 0, in itself 1.",
            Sum(
                dx[t, j]
                * Sum(
                    KroneckerDelta(u, ids[t])
                    * KroneckerDelta(u, v)
                    * KroneckerDelta(j, c),
                    u,
                ),
                t,
                j,
            ),
        ),
        Step(
            "Kronecker deltas sift",
            "Channel c remains of the sum over j, and row v of the sum over u.",
            Sum(KroneckerDelta(v, ids[t]) * dx[t, c], t),
        ),
        Step(
            "sum over the fork",
            "What remains are the tokens that read row v: an id that occurs again "
            "adds its gradient, it does not overwrite the first.",
            Sum(Piecewise((dx[t, c], Eq(ids[t], v)), (0, True)), t),
        ),
    ),
)

DERIVATIONS = (Derivation("E01", EQUATION, SYMBOLS, (ONE_HOT, TABLE)),)
