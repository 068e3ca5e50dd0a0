"""Router: how choice, renormalisation and balance reach the logits (E12)."""

from sympy import KroneckerDelta, Piecewise, Sum, exp

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Partial, array, index, size

N, E, K = size("N"), size("E"), size("K")
n, m = index("n", N), index("m", N)
e, u = index("e", E), index("u", E)
j, k = index("j", K), index("k", K)
z, p, S, w, dw, b, dp, dz = map(array, ("z", "p", "S", "w", "dw", "b", "dp", "dz"))
i = array("i", integer=True)

# How many experts are more likely than the k-th choice, counted from 0. It says what
# the indices are; no step needs it, for every step holds whatever they are.
MORE_LIKELY = Sum(Piecewise((1, p[n, e] > p[n, i[n, k]]), (0, True)), e)

EQUATION = (
    Equation("12a", p[n, e], exp(z[n, e]) / Sum(exp(z[n, u]), u)),
    Equation("12b", MORE_LIKELY, k),
    Equation("12c", S[n], Sum(p[n, i[n, k]], k)),
    Equation("12c", w[n, k], p[n, i[n, k]] / S[n]),
)

SYMBOLS = (
    Symbol(N, "logits.shape[0]", (), "number of tokens"),
    Symbol(E, "logits.shape[1]", (), "number of experts"),
    Symbol(K, "top_k", (), "experts per token"),
    Symbol(z[n, e], "logits", (N, E), "router scores"),
    Symbol(
        i[n, k], "indices", (N, K), "chosen experts, the most likely first", below=E
    ),
    Symbol(p[n, e], "probabilities", (N, E), "probabilities before the choice"),
    Symbol(S[n], "mass", (N,), "probability of the chosen experts together"),
    Symbol(w[n, k], "weights", (N, K), "combine weights"),
    Symbol(dw[n, k], "dweights", (N, K), "gradient of the combine weights"),
    Symbol(b[n, e], "dprobabilities", (N, E), "gradient from the balance loss"),
    Symbol(dp[n, e], "dp", (N, E), "gradient of the probabilities, from both uses"),
    Symbol(dz[n, e], "dlogits", (N, E), "gradient of the router scores"),
)

# What the loss sees of the router: its combine weights and its probabilities.
LOSS = Sum(dw[m, k] * w[m, k], m, k) + Sum(b[m, u] * p[m, u], m, u)
CENTRED = dw[n, k] - Sum(w[n, j] * dw[n, j], j)

BOTH_USES = Chain(
    title="Gradient of the probabilities",
    target=dp[n, e],
    start=Partial(LOSS, p[n, e]),
    steps=(
        Step(
            "linearity",
            "The probabilities are used twice: in the combine weights, and as they "
            "are in the balance loss, which hands back b.",
            Sum(dw[m, k] * Partial(w[m, k], p[n, e]), m, k) + b[n, e],
        ),
        Step(
            "tokens are independent",
            "Token m shares out its own probabilities alone, so only m = n remains.",
            Sum(dw[n, k] * Partial(w[n, k], p[n, e]), k) + b[n, e],
        ),
        Step(
            "quotient rule",
            "A weight is a chosen probability over the mass of all the chosen (12c); "
            "the choice is piecewise constant, so the indices are held fixed.",
            Sum(
                dw[n, k]
                * (
                    S[n] * Partial(p[n, i[n, k]], p[n, e])
                    - p[n, i[n, k]] * Partial(S[n], p[n, e])
                )
                / S[n] ** 2,
                k,
            )
            + b[n, e],
        ),
        Step(
            "derivative of a name by itself",
            "p[e] is the numerator if e is the k-th choice, and a term of the mass "
            "if e was chosen at all: Kronecker deltas.",
            Sum(
                dw[n, k]
                * (
                    S[n] * KroneckerDelta(e, i[n, k])
                    - p[n, i[n, k]] * Sum(KroneckerDelta(e, i[n, j]), j)
                )
                / S[n] ** 2,
                k,
            )
            + b[n, e],
        ),
        Step(
            "name what is known",
            "p over S is the weight again (12c).",
            Sum(
                dw[n, k]
                * (
                    KroneckerDelta(e, i[n, k])
                    - w[n, k] * Sum(KroneckerDelta(e, i[n, j]), j)
                )
                / S[n],
                k,
            )
            + b[n, e],
        ),
        Step(
            "exchange the sums",
            "In the second term j and k trade names, so that both terms have the "
            "same delta: the code adds at the chosen places and nowhere else.",
            b[n, e] + Sum(KroneckerDelta(e, i[n, k]) * CENTRED, k) / S[n],
        ),
    ),
)

LOGITS = Chain(
    title="Gradient of the logits",
    target=dz[n, e],
    start=Partial(Sum(dp[m, u] * p[m, u], m, u), z[n, e]),
    steps=(
        Step(
            "sum over the fork",
            "A logit moves all probabilities of its own token, and dp is what the "
            "loss gains by each of them.",
            Sum(dp[n, u] * Partial(p[n, u], z[n, e]), u),
        ),
        Step(
            "Jacobian of softmax",
            "From E06: a diagonal minus an outer product.",
            Sum(dp[n, u] * p[n, u] * (KroneckerDelta(u, e) - p[n, e]), u),
        ),
        Step(
            "Kronecker delta sifts",
            "What remains is softmax_backward, applied to dp.",
            p[n, e] * (dp[n, e] - Sum(p[n, u] * dp[n, u], u)),
        ),
    ),
)

# The two chains above, joined: nothing stands between the loss and the logits.
WHOLE = Chain(
    title="What each expert learns",
    target=dz[n, e],
    start=Partial(LOSS, z[n, e]),
    steps=(
        Step(
            "linearity",
            "Two paths, two terms.",
            Partial(Sum(dw[m, k] * w[m, k], m, k), z[n, e])
            + Partial(Sum(b[m, u] * p[m, u], m, u), z[n, e]),
        ),
        Step(
            "Jacobian of softmax",
            "The path of the balance loss goes through the softmax alone.",
            Partial(Sum(dw[m, k] * w[m, k], m, k), z[n, e])
            + p[n, e] * (b[n, e] - Sum(p[n, u] * b[n, u], u)),
        ),
        Step(
            "chain rule, then Jacobian of softmax",
            "The path of the weights goes through the chosen probabilities, by the "
            "first chain with b = 0, and then through the same Jacobian.",
            Sum(
                Sum(KroneckerDelta(u, i[n, k]) * CENTRED, k)
                / S[n]
                * p[n, u]
                * (KroneckerDelta(u, e) - p[n, e]),
                u,
            )
            + p[n, e] * (b[n, e] - Sum(p[n, u] * b[n, u], u)),
        ),
        Step(
            "Kronecker delta sifts",
            "The sum over all experts meets each chosen one once; p over S is w.",
            Sum(w[n, k] * (KroneckerDelta(e, i[n, k]) - p[n, e]) * CENTRED, k)
            + p[n, e] * (b[n, e] - Sum(p[n, u] * b[n, u], u)),
        ),
        Step(
            "deviations from a mean cancel",
            "The weights of a token sum to 1, so the sum of w times (dw minus its "
            "mean) is 0: the softmax over all experts hands nothing of dw to experts "
            "that were not chosen. They learn from the balance loss alone.",
            Sum(KroneckerDelta(e, i[n, k]) * w[n, k] * CENTRED, k)
            + p[n, e] * (b[n, e] - Sum(p[n, u] * b[n, u], u)),
        ),
    ),
)

TWO_GATINGS = Chain(
    title="Two gatings are one",
    target=w[n, k],
    start=p[n, i[n, k]] / Sum(p[n, i[n, j]], j),
    steps=(
        Step(
            "insert (12a)",
            "Softmax over all experts, then renormalise, as here and in the code.",
            exp(z[n, i[n, k]])
            / Sum(exp(z[n, u]), u)
            / Sum(exp(z[n, i[n, j]]) / Sum(exp(z[n, u]), u), j),
        ),
        Step(
            "cancel",
            "The sum over all experts divides numerator and denominator alike. What "
            "remains is a softmax over the chosen logits, as Mixtral's paper has it.",
            exp(z[n, i[n, k]]) / Sum(exp(z[n, i[n, j]]), j),
        ),
    ),
)

# Every array of indices is tried, so sizes stay where that is quick.
SIZES = ({N: 2, E: 2, K: 2}, {N: 1, E: 3, K: 2})

DERIVATIONS = (
    Derivation(
        "E12", EQUATION, SYMBOLS, (BOTH_USES, LOGITS, WHOLE, TWO_GATINGS), SIZES
    ),
)
