"""Cross-entropy without a probability (E14), and its gradient (E15)."""

from sympy import Integer, KroneckerDelta, Sum, exp, log

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Largest, Partial, array, index, number, size

N, V = size("N"), size("V")
n, m = index("n", N), index("m", N)
u, v = index("u", V), index("v", V)
z, s, dz = map(array, ("z", "s", "dz"))
t = array("t", integer=True)
L, dL = number("L"), number("dL")

# E14: the loss.

LOSS_EQUATION = (
    Equation("14a", s[n, v], z[n, v] - Largest(z[n, u], u)),
    Equation("14b", L, Sum(log(Sum(exp(s[n, v]), v)) - s[n, t[n]], n) / N),
)

LOSS_SYMBOLS = (
    Symbol(N, "logits.shape[0]", (), "number of tokens"),
    Symbol(V, "logits.shape[1]", (), "size of the vocabulary"),
    Symbol(z[n, v], "logits", (N, V), "scores"),
    Symbol(t[n], "targets", (N,), "target ids", below=V),
    Symbol(s[n, v], "shifted", (N, V), "scores below the row's largest, at most 0"),
    Symbol(L, "loss", (), "mean surprise at the targets, in nats"),
)

SURPRISE = Chain(
    title="From surprise to log-sum-exp",
    target=L,
    start=-Sum(log(exp(z[n, t[n]]) / Sum(exp(z[n, v]), v)), n) / N,
    steps=(
        Step(
            "logarithm of a quotient",
            "The target's own logit leaves the exponential, so no small probability "
            "can round to 0 under the logarithm.",
            Sum(log(Sum(exp(z[n, v]), v)) - z[n, t[n]], n) / N,
        ),
        Step(
            "insert z = s + maximum (14a)",
            "The shift by the row's largest logit is a common factor of all the "
            "exponentials.",
            Sum(
                log(exp(Largest(z[n, u], u)) * Sum(exp(s[n, v]), v))
                - s[n, t[n]]
                - Largest(z[n, u], u),
                n,
            )
            / N,
        ),
        Step(
            "logarithm of a product",
            "The shift leaves the logarithm and meets itself with a minus sign: it "
            "changes nothing, and no exponential can overflow.",
            Sum(log(Sum(exp(s[n, v]), v)) - s[n, t[n]], n) / N,
        ),
    ),
)

# E15: its gradient.

SOFTMAX_MINUS_ONE_HOT = (
    dL / N * (exp(z[n, v]) / Sum(exp(z[n, u]), u) - KroneckerDelta(v, t[n]))
)

GRADIENT_EQUATION = (
    *LOSS_EQUATION,
    Equation("15a", dz[n, v], SOFTMAX_MINUS_ONE_HOT),
)

GRADIENT_SYMBOLS = (
    *LOSS_SYMBOLS,
    Symbol(dL, "dloss", (), "gradient of the loss"),
    Symbol(dz[n, v], "dlogits", (N, V), "gradient of the scores"),
)

LOGITS = Chain(
    title="Gradient of the logits",
    target=dz[n, v],
    start=Partial(dL * L, z[n, v]),
    steps=(
        Step(
            "leave out the shift",
            "It changes nothing (E14), so it has no gradient either.",
            Partial(dL * Sum(log(Sum(exp(z[m, u]), u)) - z[m, t[m]], m) / N, z[n, v]),
        ),
        Step(
            "tokens are independent",
            "A logit of token n is in the n-th term of the mean alone.",
            dL / N * Partial(log(Sum(exp(z[n, u]), u)) - z[n, t[n]], z[n, v]),
        ),
        Step(
            "chain rule",
            "The slope of log(a) is 1/a. The logit v is the target's own if v is t: "
            "a Kronecker delta, which is the one-hot row.",
            dL
            / N
            * (
                Partial(Sum(exp(z[n, u]), u), z[n, v]) / Sum(exp(z[n, u]), u)
                - KroneckerDelta(v, t[n])
            ),
        ),
        Step(
            "derivative of the exponential",
            "Only the term u = v of the sum has a slope, and it is its own: what "
            "results is the softmax of the row, as in (15a).",
            SOFTMAX_MINUS_ONE_HOT,
        ),
    ),
)

ROW_SUM = Chain(
    title="A row of the gradient sums to 0",
    target=Sum(dz[n, v], v),
    start=Sum(dz[n, v], v),
    steps=(
        Step(
            "linearity",
            "By (15a); the one-hot row has a single 1.",
            dL / N * (Sum(exp(z[n, v]), v) / Sum(exp(z[n, u]), u) - 1),
        ),
        Step(
            "cancel",
            "The probabilities sum to 1: raising all the logits of a token alike "
            "leaves its loss unchanged.",
            Integer(0),
        ),
    ),
)

DERIVATIONS = (
    Derivation("E14", LOSS_EQUATION, LOSS_SYMBOLS, (SURPRISE,)),
    Derivation("E15", GRADIENT_EQUATION, GRADIENT_SYMBOLS, (LOGITS, ROW_SUM)),
)
