"""Softmax: why its shift is free and its Jacobian so short (E06)."""

from sympy import KroneckerDelta, Sum, exp

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Largest, Partial, array, index, size

n = size("n")
i, j, k = index("i", n), index("j", n), index("k", n)
x, e, p, dp, dx = map(array, ("x", "e", "p", "dp", "dx"))

EQUATION = (
    Equation("6a", e[i], exp(x[i] - Largest(x[j], j))),
    Equation("6b", p[i], e[i] / Sum(e[j], j)),
)

SYMBOLS = (
    Symbol(n, "x.shape[-1]", (), "number of scores in a row"),
    Symbol(x[i], "x", (n,), "scores of one row"),
    Symbol(e[i], "e", (n,), "exponentials, at most 1 each"),
    Symbol(p[i], "p", (n,), "probabilities"),
    Symbol(dp[i], "dp", (n,), "gradient of the probabilities"),
    Symbol(dx[i], "dx", (n,), "gradient of the scores"),
)

SHIFT = Chain(
    title="The shift changes nothing",
    target=p[i],
    start=e[i] / Sum(e[j], j),
    steps=(
        Step(
            "insert (6a)",
            "Every exponent is shifted by the same number.",
            exp(x[i] - Largest(x[k], k)) / Sum(exp(x[j] - Largest(x[k], k)), j),
        ),
        Step(
            "exponential of a sum, then cancel",
            "The shift is a common factor of the numerator and of every term below "
            "it, so it cancels, whatever it is: it has no gradient either.",
            exp(x[i]) / Sum(exp(x[j]), j),
        ),
    ),
)

JACOBIAN = Chain(
    title="Jacobian",
    target=Partial(p[i], x[k]),
    start=Partial(exp(x[i]) / Sum(exp(x[j]), j), x[k]),
    steps=(
        Step(
            "quotient rule",
            "Score k is in the denominator always, in the numerator when k = i.",
            KroneckerDelta(i, k) * exp(x[i]) / Sum(exp(x[j]), j)
            - exp(x[i]) * exp(x[k]) / Sum(exp(x[j]), j) ** 2,
        ),
        Step(
            "name what is known",
            "Each quotient is a probability again.",
            KroneckerDelta(i, k) * p[i] - p[i] * p[k],
        ),
        Step(
            "factor out",
            "A diagonal minus an outer product.",
            p[i] * (KroneckerDelta(i, k) - p[k]),
        ),
    ),
)

SCORES = Chain(
    title="Gradient of the scores",
    target=dx[k],
    start=Partial(Sum(dp[i] * p[i], i), x[k]),
    steps=(
        Step(
            "sum over the fork",
            "A score moves every probability of its row; dp is constant.",
            Sum(dp[i] * Partial(p[i], x[k]), i),
        ),
        Step(
            "insert the Jacobian",
            "From the chain above.",
            Sum(dp[i] * p[i] * (KroneckerDelta(i, k) - p[k]), i),
        ),
        Step(
            "Kronecker delta sifts",
            "The diagonal gives one term, the outer product a sum over the row.",
            dp[k] * p[k] - p[k] * Sum(dp[i] * p[i], i),
        ),
        Step(
            "factor out",
            "A score is pulled up by what its gradient exceeds the mean of the row "
            "by: the mean of dp under p.",
            p[k] * (dp[k] - Sum(p[j] * dp[j], j)),
        ),
    ),
)

DERIVATIONS = (Derivation("E06", EQUATION, SYMBOLS, (SHIFT, JACOBIAN, SCORES)),)
