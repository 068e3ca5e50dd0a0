"""Sampling: temperature between greedy and uniform (E20), the least top-p set (E21)."""

from sympy import Eq, Integer, KroneckerDelta, Limit, Piecewise, Sum, exp, log, oo

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Largest, Partial, array, index, number, size

V = size("V")
u, v, w = index("u", V), index("v", V), index("w", V)

# E20: temperature.

z, p = array("z"), array("p")
d = array("d", positive=True)
greedy, b = array("g"), number("b", integer=True)
M, tau = number("M"), number("tau", positive=True)

TEMPERATURE_EQUATION = (
    Equation("20a", p[v], exp(z[v] / tau) / Sum(exp(z[u] / tau), u)),
)

TEMPERATURE_SYMBOLS = (
    Symbol(V, "logits.size", (), "size of the vocabulary"),
    Symbol(z[v], "logits", (V,), "scores"),
    Symbol(tau, "temperature", (), "temperature, above 0"),
    Symbol(p[v], "probabilities", (V,), "probabilities"),
    Symbol(b, "best", (), "the most likely token", below=V),
    Symbol(M, "logits[best]", (), "its logit"),
    Symbol(d[v], "logits[best] - logits", (V,), "how far each other logit is below"),
    Symbol(greedy[v], "greedy", (V,), "probabilities at temperature 0"),
)

MEAN = Sum(p[v] * z[v], v)

SHIFTED = Chain(
    title="Shift first, then divide",
    target=p[v],
    start=exp(z[v] / tau) / Sum(exp(z[u] / tau), u),
    steps=(
        Step(
            "insert a common factor",
            "The exponential of the largest logit over tau divides numerator and "
            "denominator. No exponent is above 0, however small tau is.",
            exp((z[v] - Largest(z[w], w)) / tau)
            / Sum(exp((z[u] - Largest(z[w], w)) / tau), u),
        ),
    ),
)

OWN = Chain(
    title="Temperature 1",
    target=Limit(p[v], tau, 1, "+-"),
    start=Limit(p[v], tau, 1, "+-"),
    steps=(
        Step(
            "continuity",
            "The model's own distribution, the softmax of E06.",
            exp(z[v]) / Sum(exp(z[u]), u),
        ),
    ),
)

HOT = Chain(
    title="The hot limit is uniform",
    target=Limit(p[v], tau, oo),
    start=Limit(p[v], tau, oo),
    steps=(
        Step(
            "continuity",
            "All scores z / tau go to 0, whatever z, and every exponential to 1: "
            "V equal tokens.",
            1 / V,
        ),
    ),
)

# One best token, b, of logit M; every other token v is d[v] below it.
ONE_BEST = exp((M - (1 - KroneckerDelta(v, b)) * d[v]) / tau) / Sum(
    exp((M - (1 - KroneckerDelta(u, b)) * d[u]) / tau), u
)
BEST_APART = (KroneckerDelta(v, b) + (1 - KroneckerDelta(v, b)) * exp(-d[v] / tau)) / (
    1 + Sum((1 - KroneckerDelta(u, b)) * exp(-d[u] / tau), u)
)

APART = Chain(
    title="The best token, and the rest",
    target=ONE_BEST,
    start=ONE_BEST,
    steps=(
        Step(
            "cancel",
            "The exponential of M / tau is a common factor.",
            exp(-(1 - KroneckerDelta(v, b)) * d[v] / tau)
            / Sum(exp(-(1 - KroneckerDelta(u, b)) * d[u] / tau), u),
        ),
        Step(
            "Kronecker delta sifts",
            "The exponent of the best token is 0, its exponential 1.",
            BEST_APART,
        ),
    ),
)

COLD = Chain(
    title="The cold limit is greedy",
    target=greedy[v],
    start=Limit(BEST_APART, tau, 0),
    steps=(
        Step(
            "limit of the exponential",
            "exp(-d / tau) goes to 0, since d is above 0: no second token is as "
            "good as b. What remains is the 1 of the best.",
            KroneckerDelta(v, b),
        ),
    ),
)

ENTROPY = Chain(
    title="Entropy grows with the temperature",
    target=-Partial(Sum(p[v] * log(p[v]), v), tau),
    start=-Partial(Sum(p[v] * log(p[v]), v), tau),
    steps=(
        Step(
            "logarithm of a quotient",
            "By (20a) log p is z / tau minus the log-sum-exp, and p sums to 1.",
            Partial(log(Sum(exp(z[u] / tau), u)) - MEAN / tau, tau),
        ),
        Step(
            "product rule",
            "The temperature enters three times.",
            Partial(log(Sum(exp(z[u] / tau), u)), tau)
            - Partial(MEAN, tau) / tau
            + MEAN / tau**2,
        ),
        Step(
            "slope of log-sum-exp",
            "It is the mean logit times the slope of 1 / tau, and cancels.",
            -Partial(MEAN, tau) / tau,
        ),
        Step(
            "Jacobian of softmax",
            "All the scores z / tau move at once, by -z / tau^2: p moves by -p times "
            "the deviation of z from its mean, over tau^2.",
            Sum(p[v] * z[v] * (z[v] - Sum(p[u] * z[u], u)), v) / tau**3,
        ),
        Step(
            "deviations from a mean cancel",
            "So the mean may be taken off z. This is the variance of the logits over "
            "tau^3: never negative, and 0 only if all the logits are equal.",
            Sum(p[v] * (z[v] - Sum(p[u] * z[u], u)) ** 2, v) / tau**3,
        ),
    ),
)

# E21: top-p. Tokens are counted from the most likely on; r is the one that crosses P.

a = array("a", nonnegative=True)
q, s = array("q"), array("s", integer=True)
r, kept = number("r", integer=True), number("n")
x, y = number("x", positive=True), number("y", nonnegative=True)
P, kappa = number("P"), number("kappa")

TOP_P_EQUATION = (
    Equation("21a", p[v], Piecewise((x + y, Eq(v, r)), (a[v], True))),
    Equation("21a", P, Sum(p[u], (u, 0, r - 1)) + x),
    Equation("21b", q[v], Piecewise((p[v] / Sum(p[u], (u, 0, r)), v <= r), (0, True))),
)

TOP_P_SYMBOLS = (
    Symbol(V, "probabilities.size", (), "size of the vocabulary"),
    Symbol(p[v], "sorted", (V,), "probabilities, the largest first"),
    Symbol(P, "p", (), "mass to keep"),
    Symbol(r, "kept - 1", (), "the token that crosses P", below=V),
    Symbol(x, "below", (), "its probability below P, more than 0"),
    Symbol(y, "above", (), "its probability above P, 0 or more"),
    Symbol(a[v], "others", (V,), "probability of every other token"),
    Symbol(kept, "kept", (), "number of tokens kept"),
    Symbol(q[v], "q", (V,), "probabilities of the kept tokens, renormalised"),
    Symbol(s[v], "chosen", (V,), "any other set: 1 for its members", below=2),
    Symbol(kappa, "", (), "any number"),
)

MEMBERS = Sum(s[w], w)
MOST_LIKELY = Sum(Piecewise((p[v], v < MEMBERS), (0, True)), v)

ENOUGH = Chain(
    title="The kept tokens have the mass",
    target=Sum(p[u], (u, 0, r)) - P,
    start=Sum(p[u], (u, 0, r)) - P,
    steps=(
        Step(
            "insert (21a)",
            "What the last token has above P is to spare: at least P is kept.",
            y,
        ),
    ),
)

MINIMAL = Chain(
    title="Without the last they have not",
    target=Sum(p[u], (u, 0, r - 1)) - P,
    start=Sum(p[u], (u, 0, r - 1)) - P,
    steps=(
        Step(
            "insert (21a)",
            "Without the token that crosses, the mass falls short of P by x.",
            -x,
        ),
    ),
)

COUNT = Chain(
    title="How the code finds the last",
    target=kept,
    start=1 + Sum(Piecewise((1, Sum(p[u], (u, 0, v)) < P), (0, True)), v),
    steps=(
        Step(
            "cumulative sums never fall",
            "searchsorted counts the cumulative sums below P. By the two chains "
            "above these are the ones before token r, and none from it on. The 1 in "
            "front counts token r.",
            Sum(1, (v, 0, r)),
        ),
        Step("count", "Tokens are numbered from 0.", r + 1),
    ),
)

BEST = Chain(
    title="No other set of as few tokens has more",
    target=MOST_LIKELY - Sum(s[v] * p[v], v),
    start=MOST_LIKELY - Sum(s[v] * p[v], v),
    steps=(
        Step(
            "indicators",
            "The set itself against the most likely tokens, as many as it has.",
            Sum((Piecewise((1, v < MEMBERS), (0, True)) - s[v]) * p[v], v),
        ),
        Step(
            "subtract a constant",
            "Both sides have equally many tokens, so a number kappa may be taken "
            "from every p. Let it lie between the probabilities of the last of the "
            "most likely and the first of the rest: then no term is negative, and "
            "r tokens never reach P.",
            Sum((Piecewise((1, v < MEMBERS), (0, True)) - s[v]) * (p[v] - kappa), v),
        ),
    ),
)

SHARES = Chain(
    title="As the code renormalises",
    target=q[v],
    start=Piecewise((p[v], v <= r), (0, True))
    / Sum(Piecewise((p[u], u <= r), (0, True)), u),
    steps=(
        Step(
            "leave out what is 0",
            "Only the kept probabilities are added up and divided.",
            Piecewise((p[v] / Sum(p[u], (u, 0, r)), v <= r), (0, True)),
        ),
    ),
)

MASS = Chain(
    title="The renormalised mass is 1",
    target=Sum(q[v], v),
    start=Sum(q[v], v),
    steps=(
        Step(
            "insert (21b)",
            "Only kept tokens have a share.",
            Sum(p[v] / Sum(p[u], (u, 0, r)), (v, 0, r)),
        ),
        Step(
            "cancel",
            "The divisor is the sum of the numerators, above 0 because x is.",
            Integer(1),
        ),
    ),
)

DERIVATIONS = (
    Derivation(
        "E20",
        TEMPERATURE_EQUATION,
        TEMPERATURE_SYMBOLS,
        (SHIFTED, OWN, HOT, APART, COLD, ENTROPY),
    ),
    Derivation(
        "E21",
        TOP_P_EQUATION,
        TOP_P_SYMBOLS,
        (ENOUGH, MINIMAL, COUNT, BEST, SHARES, MASS),
    ),
)
