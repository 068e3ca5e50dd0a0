"""Why RMSNorm's gradient is what it is (E02)."""

from sympy import KroneckerDelta, Rational, Sum, sqrt

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Partial, array, index, number, size

N, C = size("N"), size("C")
n, m = index("n", N), index("m", N)
c, j = index("c", C), index("j", C)
x, s, r, gamma, y = map(array, ("x", "s", "r", "gamma", "y"))
dy, dx, dgamma = map(array, ("dy", "dx", "dgamma"))
eps = number("epsilon", positive=True)

EQUATION = (
    Equation("2a", s[n], Sum(x[n, c] ** 2, c) / C),
    Equation("2b", r[n], 1 / sqrt(s[n] + eps)),
    Equation("2c", y[n, c], x[n, c] * r[n] * gamma[c]),
)

SYMBOLS = (
    Symbol(N, "x.shape[0]", (), "number of tokens"),
    Symbol(C, "x.shape[1]", (), "width: channels of a token"),
    Symbol(x[n, c], "x", (N, C), "tokens"),
    Symbol(gamma[c], "gamma", (C,), "gain of each channel"),
    Symbol(eps, "eps", (), "keeps the root off zero"),
    Symbol(s[n], "s", (N,), "mean square of a token"),
    Symbol(r[n], "r", (N,), "what a token is multiplied by: 1 / root mean square"),
    Symbol(y[n, c], "y", (N, C), "normalised tokens"),
    Symbol(dy[n, c], "dy", (N, C), "gradient of the output"),
    Symbol(dx[n, c], "dx", (N, C), "gradient of the tokens"),
    Symbol(dgamma[c], "dgamma", (C,), "gradient of the gain"),
)

GAIN = Chain(
    title="Gradient of the gain",
    target=dgamma[c],
    start=Partial(Sum(dy[n, j] * y[n, j], n, j), gamma[c]),
    steps=(
        Step(
            "linearity",
            "The gradient dy that arrives does not depend on the gain, so the "
            "derivative goes to y alone.",
            Sum(dy[n, j] * Partial(y[n, j], gamma[c]), n, j),
        ),
        Step(
            "derivative of a product",
            "The gain is a plain factor of y (2c), and the gain of one channel is no "
            "other channel's: a Kronecker delta.",
            Sum(dy[n, j] * x[n, j] * r[n] * KroneckerDelta(j, c), n, j),
        ),
        Step(
            "Kronecker delta sifts",
            "Only channel c remains of the sum over j; all tokens share the gain and "
            "their shares add up.",
            Sum(dy[n, c] * x[n, c] * r[n], n),
        ),
    ),
)

TOKENS = Chain(
    title="Gradient of the tokens",
    target=dx[n, c],
    start=Partial(Sum(dy[m, j] * y[m, j], m, j), x[n, c]),
    steps=(
        Step(
            "tokens are independent",
            "Token m is normalised by itself, so x[n, c] reaches the outputs of its "
            "own token alone, all channels of it.",
            Sum(dy[n, j] * Partial(y[n, j], x[n, c]), j),
        ),
        Step(
            "product rule: sum over the fork",
            "x enters y twice (2c): as a factor, and through r, which all channels "
            "share.",
            Sum(
                dy[n, j]
                * gamma[j]
                * (KroneckerDelta(j, c) * r[n] + x[n, j] * Partial(r[n], x[n, c])),
                j,
            ),
        ),
        Step(
            "Kronecker delta sifts",
            "The direct path stays in its channel; the path through r collects from "
            "all channels.",
            dy[n, c] * gamma[c] * r[n]
            + Partial(r[n], x[n, c]) * Sum(dy[n, j] * gamma[j] * x[n, j], j),
        ),
        Step(
            "chain rule",
            "r depends on x through the mean square s.",
            dy[n, c] * gamma[c] * r[n]
            + Partial(r[n], s[n])
            * Partial(s[n], x[n, c])
            * Sum(dy[n, j] * gamma[j] * x[n, j], j),
        ),
        Step(
            "power rule",
            "By (2b) r is (s + eps) to the power -1/2, so its slope is -r^3 / 2.",
            dy[n, c] * gamma[c] * r[n]
            - Rational(1, 2)
            * r[n] ** 3
            * Partial(s[n], x[n, c])
            * Sum(dy[n, j] * gamma[j] * x[n, j], j),
        ),
        Step(
            "power rule",
            "By (2a) the slope of the mean square in one channel is 2 x / C.",
            dy[n, c] * gamma[c] * r[n]
            - r[n] ** 3 * x[n, c] / C * Sum(dy[n, j] * gamma[j] * x[n, j], j),
        ),
        Step(
            "factor out",
            "r is common to both paths; what remains is what the code computes.",
            r[n]
            * (
                gamma[c] * dy[n, c]
                - x[n, c] * r[n] ** 2 / C * Sum(gamma[j] * dy[n, j] * x[n, j], j)
            ),
        ),
    ),
)

DERIVATIONS = (Derivation("E02", EQUATION, SYMBOLS, (GAIN, TOKENS)),)
