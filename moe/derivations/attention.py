"""Attention from its equation to the gradients of q, k and v (E10).

One sequence; a batch is many of them. The shift inside the softmax is left out here:
it changes nothing (E06).
"""

from sympy import KroneckerDelta, Piecewise, Sum, exp, floor, oo, sqrt

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Partial, array, index, size

T, S, D = size("T"), size("S"), size("D")
G, R = size("G"), size("R")
H = G * R
t, m = index("t", T), index("m", T)
s, u, w = index("s", S), index("u", S), index("w", S)
h, i = index("h", H), index("i", H)
g, r = index("g", G), index("r", R)
d, j = index("d", D), index("j", D)
q, k, v, a, M = map(array, ("q", "k", "v", "a", "M"))
e, p, y = map(array, ("e", "p", "y"))
dy, dv, dp, da, dq, dk = map(array, ("dy", "dv", "dp", "da", "dq", "dk"))

EQUATION = (
    Equation("10a", a[t, h, s], Sum(q[t, h, d] * k[s, floor(h / R), d], d) / sqrt(D)),
    Equation("10b", M[t, s], Piecewise((0, s <= t + S - T), (-oo, True))),
    Equation("10c", e[t, h, s], exp(a[t, h, s] + M[t, s])),
    Equation("10c", p[t, h, s], e[t, h, s] / Sum(e[t, h, u], u)),
    Equation("10d", y[t, h, d], Sum(p[t, h, s] * v[s, floor(h / R), d], s)),
)

SYMBOLS = (
    Symbol(T, "q.shape[1]", (), "number of queries"),
    Symbol(S, "k.shape[1]", (), "number of keys, at least that of queries"),
    Symbol(G, "k.shape[2]", (), "key/value heads, also groups"),
    Symbol(R, "q.shape[2] // k.shape[2]", (), "query heads of a group"),
    Symbol(D, "q.shape[3]", (), "head width"),
    Symbol(q[t, h, d], "q", (T, H, D), "queries"),
    Symbol(k[s, g, d], "k", (S, G, D), "keys"),
    Symbol(v[s, g, d], "v", (S, G, D), "values"),
    Symbol(a[t, h, s], "scores", (T, H, S), "scores"),
    Symbol(M[t, s], "mask", (T, S), "additive causal mask"),
    Symbol(e[t, h, s], "e", (T, H, S), "exponentials of the masked scores"),
    Symbol(p[t, h, s], "p", (T, H, S), "weights of the keys, 1 for each query"),
    Symbol(y[t, h, d], "y", (T, H, D), "mixed values"),
    Symbol(dy[t, h, d], "dy", (T, H, D), "gradient of the output"),
    Symbol(dp[t, h, s], "dp", (T, H, S), "gradient of the weights"),
    Symbol(da[t, h, s], "dscores", (T, H, S), "gradient of the scores"),
    Symbol(dq[t, h, d], "dq", (T, H, D), "gradient of the queries"),
    Symbol(dk[s, g, d], "dk", (S, G, D), "gradient of the keys"),
    Symbol(dv[s, g, d], "dv", (S, G, D), "gradient of the values"),
)

allowed = s <= t + S - T
MASK = Chain(
    title="What the mask does",
    target=p[t, h, s],
    start=e[t, h, s] / Sum(e[t, h, u], u),
    steps=(
        Step(
            "insert (10c) and (10b)",
            "The exponential of minus infinity is 0, and adding 0 changes nothing.",
            Piecewise((exp(a[t, h, s]), allowed), (0, True))
            / Sum(Piecewise((exp(a[t, h, u]), u <= t + S - T), (0, True)), u),
        ),
        Step(
            "drop the zeros",
            "Later keys are absent from the sum and have weight 0: they can receive no "
            "gradient either.",
            Piecewise(
                (exp(a[t, h, s]) / Sum(exp(a[t, h, u]), (u, 0, t + S - T)), allowed),
                (0, True),
            ),
        ),
    ),
)

VALUES = Chain(
    title="Gradient of the values",
    target=dv[s, g, d],
    start=Partial(Sum(dy[t, h, j] * y[t, h, j], t, h, j), v[s, g, d]),
    steps=(
        Step(
            "sum over the fork",
            "A value is read by all queries, in all heads of its group.",
            Sum(dy[t, h, j] * Partial(y[t, h, j], v[s, g, d]), t, h, j),
        ),
        Step(
            "derivative of a linear function",
            "By (10d) the factor of a value is the weight of its key; head h reads "
            "key/value head floor(h / R) and no other.",
            Sum(
                dy[t, h, j]
                * Sum(
                    p[t, h, u]
                    * KroneckerDelta(u, s)
                    * KroneckerDelta(floor(h / R), g)
                    * KroneckerDelta(j, d),
                    u,
                ),
                t,
                h,
                j,
            ),
        ),
        Step(
            "Kronecker deltas sift",
            "Key s and channel d remain.",
            Sum(
                p[t, h, s] * dy[t, h, d] * KroneckerDelta(floor(h / R), g),
                t,
                h,
            ),
        ),
        Step(
            "sum over the query heads of the group",
            "The last delta keeps the R heads h = g R + r that share this value.",
            Sum(p[t, g * R + r, s] * dy[t, g * R + r, d], t, r),
        ),
    ),
)

WEIGHTS = Chain(
    title="Gradient of the weights",
    target=dp[t, h, s],
    start=Partial(Sum(dy[m, i, d] * y[m, i, d], m, i, d), p[t, h, s]),
    steps=(
        Step(
            "derivative of a linear function",
            "By (10d) the factor of a weight is the value that it weighs, for its own "
            "query and head alone.",
            Sum(
                dy[m, i, d]
                * KroneckerDelta(m, t)
                * KroneckerDelta(i, h)
                * v[s, floor(i / R), d],
                m,
                i,
                d,
            ),
        ),
        Step(
            "Kronecker deltas sift",
            "Query t and head h remain.",
            Sum(dy[t, h, d] * v[s, floor(h / R), d], d),
        ),
    ),
)

SCORES = Chain(
    title="Gradient of the scores",
    target=da[t, h, s],
    start=Partial(Sum(dp[m, i, u] * p[m, i, u], m, i, u), a[t, h, s]),
    steps=(
        Step(
            "rows are independent",
            "Each query normalises its own scores, in each head; dp is constant.",
            Sum(dp[t, h, u] * Partial(p[t, h, u], a[t, h, s]), u),
        ),
        Step(
            "quotient rule",
            "By (10c) a weight is an exponential over the sum of its row.",
            Sum(
                dp[t, h, u]
                * (
                    Partial(e[t, h, u], a[t, h, s]) * Sum(e[t, h, w], w)
                    - e[t, h, u] * Sum(Partial(e[t, h, w], a[t, h, s]), w)
                ),
                u,
            )
            / Sum(e[t, h, w], w) ** 2,
        ),
        Step(
            "derivative of the exponential",
            "The exponential is its own slope, also where the mask makes it 0; other "
            "scores have none.",
            Sum(
                dp[t, h, u]
                * (
                    KroneckerDelta(u, s) * e[t, h, s] * Sum(e[t, h, w], w)
                    - e[t, h, u] * e[t, h, s]
                ),
                u,
            )
            / Sum(e[t, h, w], w) ** 2,
        ),
        Step(
            "name what is known",
            "Each exponential over the sum is a weight again.",
            Sum(dp[t, h, u] * p[t, h, s] * (KroneckerDelta(u, s) - p[t, h, u]), u),
        ),
        Step(
            "Kronecker delta sifts",
            "The softmax backward of E06: a masked key has p = 0, so its score gets 0.",
            p[t, h, s] * (dp[t, h, s] - Sum(p[t, h, u] * dp[t, h, u], u)),
        ),
    ),
)

QUERIES = Chain(
    title="Gradient of the queries",
    target=dq[t, h, d],
    start=Partial(Sum(da[m, i, s] * a[m, i, s], m, i, s), q[t, h, d]),
    steps=(
        Step(
            "sum over the fork",
            "A query has a score with every key; da is constant.",
            Sum(da[t, h, s] * Partial(a[t, h, s], q[t, h, d]), s),
        ),
        Step(
            "derivative of a linear function",
            "By (10a) the factor of a query's channel is the key's, over the root of "
            "the width.",
            Sum(
                da[t, h, s]
                * Sum(KroneckerDelta(j, d) * k[s, floor(h / R), j], j)
                / sqrt(D),
                s,
            ),
        ),
        Step(
            "Kronecker delta sifts",
            "Channel d remains; the scale is common to all keys.",
            Sum(da[t, h, s] * k[s, floor(h / R), d], s) / sqrt(D),
        ),
    ),
)

KEYS = Chain(
    title="Gradient of the keys",
    target=dk[s, g, d],
    start=Partial(Sum(da[t, h, u] * a[t, h, u], t, h, u), k[s, g, d]),
    steps=(
        Step(
            "sum over the fork",
            "A key has a score with all queries, in all heads of its group.",
            Sum(da[t, h, s] * Partial(a[t, h, s], k[s, g, d]), t, h),
        ),
        Step(
            "derivative of a linear function",
            "By (10a) the factor of a key's channel is the query's, over the root of "
            "the width; head h reads key head floor(h / R).",
            Sum(
                da[t, h, s]
                * KroneckerDelta(floor(h / R), g)
                * Sum(KroneckerDelta(j, d) * q[t, h, j], j)
                / sqrt(D),
                t,
                h,
            ),
        ),
        Step(
            "Kronecker delta sifts",
            "Channel d remains; the scale is common to all queries.",
            Sum(da[t, h, s] * KroneckerDelta(floor(h / R), g) * q[t, h, d], t, h)
            / sqrt(D),
        ),
        Step(
            "sum over the query heads of the group",
            "The last delta keeps the R heads h = g R + r that share this key.",
            Sum(da[t, g * R + r, s] * q[t, g * R + r, d], t, r) / sqrt(D),
        ),
    ),
)

DERIVATIONS = (
    Derivation(
        "E10",
        EQUATION,
        SYMBOLS,
        (MASK, VALUES, WEIGHTS, SCORES, QUERIES, KEYS),
        sizes=(
            {T: 2, S: 2, G: 3, R: 2, D: 2},
            {T: 2, S: 3, G: 2, R: 3, D: 2},
            {T: 3, S: 3, G: 2, R: 2, D: 3},
        ),
    ),
)
