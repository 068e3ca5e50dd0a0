"""Experts: gradients through combine, experts and dispatch (E11)."""

from sympy import KroneckerDelta, Sum, exp

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Partial, array, index, size

N, K, E, C, F = map(size, ("N", "K", "E", "C", "F"))
n, m = index("n", N), index("m", N)
k, q = index("k", K), index("q", K)
e = index("e", E)
c, j = index("c", C), index("j", C)
f, r = index("f", F), index("r", F)
a, b = index("a", 2 * F), index("b", 2 * F)
x, w, U, D, g, h, o, y = map(array, ("x", "w", "U", "D", "g", "h", "o", "y"))
dy, do, dh, dg = map(array, ("dy", "do", "dh", "dg"))
dx, dw, dU, dD = map(array, ("dx", "dw", "dU", "dD"))
sigma, i = array("sigma"), array("i", integer=True)

EQUATION = (
    Equation("11a", g[n, k, a], Sum(U[i[n, k], a, c] * x[n, c], c)),
    Equation("11b", sigma[n, k, f], 1 / (1 + exp(-g[n, k, f]))),
    Equation("11b", h[n, k, f], g[n, k, f] * sigma[n, k, f] * g[n, k, F + f]),
    Equation("11b", o[n, k, c], Sum(D[i[n, k], c, f] * h[n, k, f], f)),
    Equation("11c", y[n, c], Sum(w[n, k] * o[n, k, c], k)),
)

SYMBOLS = (
    Symbol(N, "x.shape[0]", (), "number of tokens"),
    Symbol(K, "indices.shape[1]", (), "experts per token"),
    Symbol(E, "gate_up.shape[0]", (), "number of experts"),
    Symbol(C, "x.shape[1]", (), "width: channels of a token"),
    Symbol(F, "down.shape[2]", (), "width of an expert"),
    Symbol(x[n, c], "x", (N, C), "tokens"),
    Symbol(w[n, k], "weights", (N, K), "combine weights"),
    Symbol(i[n, k], "indices", (N, K), "chosen experts", below=E),
    Symbol(U[e, a, c], "gate_up", (E, 2 * F, C), "gate above up, for each expert"),
    Symbol(D[e, c, f], "down", (E, C, F), "down, for each expert"),
    Symbol(g[n, k, a], "hidden", (N, K, 2 * F), "gate, and from F on what it gates"),
    Symbol(sigma[n, k, f], "sigmoid", (N, K, F), "sigmoid of the gate (E04)"),
    Symbol(h[n, k, f], "h", (N, K, F), "gated channels (E05)"),
    Symbol(o[n, k, c], "o", (N, K, C), "outputs of the chosen experts"),
    Symbol(y[n, c], "y", (N, C), "combined outputs"),
    Symbol(dy[n, c], "dy", (N, C), "gradient of the output"),
    Symbol(dw[n, k], "dweights", (N, K), "gradient of the combine weights"),
    Symbol(do[n, k, c], "do", (N, K, C), "gradient of the experts' outputs"),
    Symbol(dh[n, k, f], "dh", (N, K, F), "gradient of the gated channels"),
    Symbol(dD[e, c, f], "ddown", (E, C, F), "gradient of down"),
    Symbol(dg[n, k, a], "dhidden", (N, K, 2 * F), "gradient of gate and gated"),
    Symbol(dx[n, c], "dx", (N, C), "gradient of the tokens"),
    Symbol(dU[e, a, c], "dgate_up", (E, 2 * F, C), "gradient of gate and up"),
)

COMBINE_WEIGHTS = Chain(
    title="Gradient of the combine weights",
    target=dw[n, k],
    start=Partial(Sum(dy[m, c] * y[m, c], m, c), w[n, k]),
    steps=(
        Step(
            "sum over the fork",
            "One weight multiplies all channels of an output; dy is constant.",
            Sum(dy[m, c] * Partial(y[m, c], w[n, k]), m, c),
        ),
        Step(
            "derivative of a linear function",
            "By (11c) the factor of w[n, k] is the output of that expert, and only "
            "token n has it.",
            Sum(dy[n, c] * Sum(KroneckerDelta(k, q) * o[n, q, c], q), c),
        ),
        Step(
            "Kronecker delta sifts",
            "An expert is wanted more if its output points along the gradient: the "
            "router learns from this inner product.",
            Sum(o[n, k, c] * dy[n, c], c),
        ),
    ),
)

EXPERT_OUTPUTS = Chain(
    title="Gradient of the experts' outputs",
    target=do[n, k, c],
    start=Partial(Sum(dy[m, j] * y[m, j], m, j), o[n, k, c]),
    steps=(
        Step(
            "derivative of a linear function",
            "By (11c) the factor of o is the combine weight, in its own token and "
            "its own channel.",
            Sum(dy[m, j] * KroneckerDelta(m, n) * KroneckerDelta(j, c) * w[m, k], m, j),
        ),
        Step(
            "Kronecker delta sifts",
            "Each expert gets the gradient of the token, scaled by its weight.",
            w[n, k] * dy[n, c],
        ),
    ),
)

DOWN = Chain(
    title="Gradient of down",
    target=dD[e, c, f],
    start=Partial(Sum(do[n, k, j] * o[n, k, j], n, k, j), D[e, c, f]),
    steps=(
        Step(
            "sum over the fork",
            "The weights of expert e act in every assignment to it.",
            Sum(do[n, k, j] * Partial(o[n, k, j], D[e, c, f]), n, k, j),
        ),
        Step(
            "derivative of a linear function",
            "By (11b) it is h where the k-th choice of token n is expert e, and 0 "
            "elsewhere.",
            Sum(
                do[n, k, j]
                * KroneckerDelta(e, i[n, k])
                * KroneckerDelta(j, c)
                * h[n, k, f],
                n,
                k,
                j,
            ),
        ),
        Step(
            "Kronecker delta sifts",
            "The sum runs over the assignments to expert e, which dispatch has put "
            "side by side: one matrix product, and 0 for an expert without tokens.",
            Sum(KroneckerDelta(e, i[n, k]) * do[n, k, c] * h[n, k, f], n, k),
        ),
    ),
)

GATED = Chain(
    title="Gradient of the gated channels",
    target=dh[n, k, f],
    start=Partial(Sum(do[m, q, c] * o[m, q, c], m, q, c), h[n, k, f]),
    steps=(
        Step(
            "assignments are independent",
            "An expert treats each token by itself.",
            Sum(do[n, k, c] * Partial(o[n, k, c], h[n, k, f]), c),
        ),
        Step(
            "derivative of a linear function",
            "By (11b) the factor of h is the down weight of the expert that was "
            "chosen.",
            Sum(do[n, k, c] * D[i[n, k], c, f], c),
        ),
    ),
)

GATE = Chain(
    title="Gradient of the gate",
    target=dg[n, k, f],
    start=Partial(Sum(dh[m, q, r] * h[m, q, r], m, q, r), g[n, k, f]),
    steps=(
        Step(
            "channels are independent",
            "The gate of a channel acts on that channel alone.",
            dh[n, k, f] * Partial(h[n, k, f], g[n, k, f]),
        ),
        Step(
            "product rule",
            "It enters h (11b) as a factor and through the sigmoid; the gated half "
            "is constant here.",
            dh[n, k, f]
            * g[n, k, F + f]
            * (sigma[n, k, f] + g[n, k, f] * Partial(sigma[n, k, f], g[n, k, f])),
        ),
        Step(
            "slope of the sigmoid",
            "From E04: sigma (1 - sigma).",
            dh[n, k, f]
            * g[n, k, F + f]
            * sigma[n, k, f]
            * (1 + g[n, k, f] * (1 - sigma[n, k, f])),
        ),
    ),
)

UP = Chain(
    title="Gradient of what is gated",
    target=dg[n, k, F + f],
    start=Partial(Sum(dh[m, q, r] * h[m, q, r], m, q, r), g[n, k, F + f]),
    steps=(
        Step(
            "derivative of a linear function",
            "By (11b) its factor is the activated gate of the same channel.",
            dh[n, k, f] * g[n, k, f] * sigma[n, k, f],
        ),
    ),
)

TOKENS = Chain(
    title="Gradient of the tokens",
    target=dx[n, c],
    start=Partial(Sum(dg[m, k, a] * g[m, k, a], m, k, a), x[n, c]),
    steps=(
        Step(
            "sum over the fork",
            "Dispatch handed the token to K experts, so K gradients come back and "
            "add up.",
            Sum(dg[n, k, a] * Partial(g[n, k, a], x[n, c]), k, a),
        ),
        Step(
            "derivative of a linear function",
            "By (11a) the factor of x is a weight of the expert that was chosen.",
            Sum(dg[n, k, a] * U[i[n, k], a, c], k, a),
        ),
    ),
)

GATE_AND_UP = Chain(
    title="Gradient of gate and up",
    target=dU[e, a, c],
    start=Partial(Sum(dg[n, k, b] * g[n, k, b], n, k, b), U[e, a, c]),
    steps=(
        Step(
            "derivative of a linear function",
            "By (11a) it is x where the k-th choice of token n is expert e.",
            Sum(
                dg[n, k, b]
                * KroneckerDelta(e, i[n, k])
                * KroneckerDelta(a, b)
                * x[n, c],
                n,
                k,
                b,
            ),
        ),
        Step(
            "Kronecker delta sifts",
            "Again a sum over the assignments to expert e: one matrix product.",
            Sum(KroneckerDelta(e, i[n, k]) * dg[n, k, a] * x[n, c], n, k),
        ),
    ),
)

# Every array of indices is tried, so sizes stay where that is quick.
SIZES = ({N: 2, K: 2, E: 2, C: 2, F: 2}, {N: 1, K: 2, E: 3, C: 3, F: 2})

CHAINS = (COMBINE_WEIGHTS, EXPERT_OUTPUTS, DOWN, GATED, GATE, UP, TOKENS, GATE_AND_UP)

DERIVATIONS = (Derivation("E11", EQUATION, SYMBOLS, CHAINS, SIZES),)
