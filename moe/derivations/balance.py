"""Load balancing: its gradient, its value at uniform routing, its minimum (E13)."""

from sympy import Integer, KroneckerDelta, Sum

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Partial, array, index, number, size

N, E, K = size("N"), size("E"), size("K")
n, m = index("n", N), index("m", N)
e, u = index("e", E), index("u", E)
k = index("k", K)
p, f, P, dp = map(array, ("p", "f", "P", "dp"))
i = array("i", integer=True)
alpha, L, dL = map(number, ("alpha", "L", "dL"))
L_uniform, L_equal = number("L_uniform"), number("L_equal")

EQUATION = (
    Equation("13a", f[e], Sum(KroneckerDelta(e, i[n, k]), n, k) / (N * K)),
    Equation("13b", P[e], Sum(p[n, e], n) / N),
    Equation("13c", L, alpha * E * Sum(f[e] * P[e], e)),
)

SYMBOLS = (
    Symbol(N, "probabilities.shape[0]", (), "number of tokens"),
    Symbol(E, "probabilities.shape[1]", (), "number of experts"),
    Symbol(K, "indices.shape[1]", (), "experts per token"),
    Symbol(p[n, e], "probabilities", (N, E), "router probabilities"),
    Symbol(i[n, k], "indices", (N, K), "chosen experts", below=E),
    Symbol(alpha, "alpha", (), "weight of the loss"),
    Symbol(f[e], "load", (E,), "share of the assignments that an expert got"),
    Symbol(P[e], "mean", (E,), "mean probability of an expert"),
    Symbol(L, "loss", (), "loss of one layer"),
    Symbol(L_uniform, "balance(1 / E, ...)", (), "loss where every P is 1/E"),
    Symbol(L_equal, "balance(f, ...)", (), "loss where P is f"),
    Symbol(dL, "dloss", (), "gradient of the loss"),
    Symbol(dp[n, e], "dprobabilities", (N, E), "gradient of the probabilities"),
)

GRADIENT = Chain(
    title="Gradient of the probabilities",
    target=dp[n, e],
    start=Partial(dL * L, p[n, e]),
    steps=(
        Step(
            "linearity",
            "The load is a count: it does not move with the probabilities, and the "
            "derivative goes to P alone.",
            dL * alpha * E * Sum(f[u] * Partial(P[u], p[n, e]), u),
        ),
        Step(
            "derivative of a mean",
            "By (13b) token n has the N-th part in the mean of its own expert e.",
            dL * alpha * E * Sum(f[u] * KroneckerDelta(u, e) / N, u),
        ),
        Step(
            "Kronecker delta sifts",
            "Nothing of token n is left: all tokens get the same gradient, the load "
            "of each expert. What is overloaded is pushed down, by all of them.",
            f[e] * (dL * alpha * E / N),
        ),
    ),
)

TOTAL_LOAD = Chain(
    title="The loads sum to 1",
    target=Sum(f[e], e),
    start=Sum(f[e], e),
    steps=(
        Step(
            "insert (13a), exchange the sums",
            "Count by assignment instead of by expert.",
            Sum(KroneckerDelta(e, i[n, k]), n, k, e) / (N * K),
        ),
        Step(
            "Kronecker delta sifts",
            "Each assignment names exactly one expert.",
            Sum(1, n, k) / (N * K),
        ),
        Step("count", "There are N K assignments.", Integer(1)),
    ),
)

UNIFORM = Chain(
    title="Value at uniform routing",
    target=L_uniform,
    start=alpha * E * Sum(f[e] * (1 / E), e),
    steps=(
        Step(
            "factor out",
            "P is 1/E for every expert; that alone is enough, whatever the loads.",
            alpha * Sum(f[e], e),
        ),
        Step(
            "insert the sum",
            "The loads sum to 1, so the loss is alpha for any number of experts: "
            "the factor E and the division by K are there for that.",
            alpha,
        ),
    ),
)

MINIMUM = Chain(
    title="Least where the routing is uniform",
    target=L_equal,
    start=alpha * E * Sum(f[e] * f[e], e),
    steps=(
        Step(
            "complete the square",
            "As in the Switch paper, let the probabilities follow the loads: P = f. "
            "Without that the loss can fall below alpha, when the loads are high where "
            "the probabilities are low.",
            alpha * E * Sum((f[e] - 1 / E) ** 2 + 2 * f[e] / E - 1 / E**2, e),
        ),
        Step(
            "linearity",
            "Three sums; the last has E equal terms.",
            alpha * E * Sum((f[e] - 1 / E) ** 2, e) + alpha * (2 * Sum(f[e], e) - 1),
        ),
        Step(
            "insert the sum",
            "The loads sum to 1. A sum of squares is never negative and is 0 only if "
            "every load is 1/E: with alpha above 0 the minimum is alpha, and it is "
            "at uniform routing alone.",
            alpha + alpha * E * Sum((f[e] - 1 / E) ** 2, e),
        ),
    ),
)

# Every array of indices is tried, so sizes stay where that is quick.
SIZES = ({N: 3, E: 2, K: 2}, {N: 2, E: 3, K: 2})

DERIVATIONS = (
    Derivation(
        "E13", EQUATION, SYMBOLS, (GRADIENT, TOTAL_LOAD, UNIFORM, MINIMUM), SIZES
    ),
)
