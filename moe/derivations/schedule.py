"""Schedule: the warmup's straight line (E18), the half cosine and its ends (E19)."""

from sympy import Eq, Integer, Limit, Max, Min, cos, pi, sin

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Partial, number

t, T, T_w = (number(name, positive=True) for name in ("t", "T", "T_w"))
x, D, s = (number(name, positive=True) for name in ("x", "D", "s"))
eta, base, minimum = map(number, ("eta_t", "eta_base", "eta_min"))
A, B, u, slope = map(number, ("A", "B", "u", "eta'"))

RATES = (
    Symbol(t, "step", (), "number of the step"),
    Symbol(T_w, "warmup", (), "steps of warmup"),
    Symbol(base, "base", (), "rate at the end of the warmup"),
    Symbol(eta, "rate", (), "learning rate of step t"),
)

# E18: the warmup.

WARMUP_EQUATION = (Equation("18a", eta, base * t / T_w),)

LINE = Chain(
    title="The line through two points",
    target=eta,
    start=Eq((eta - 0) / (t - 0), (base - 0) / (T_w - 0)),
    steps=(
        Step(
            "multiply by t",
            "A line through (0, 0) and (T_w, base) has the same slope everywhere; "
            "step 1 is above 0 already, and step T_w is at the base.",
            Eq(eta, base * t / T_w),
        ),
    ),
)

ARRIVAL = Chain(
    title="At the end of the warmup",
    target=Limit(eta, t, T_w, "-"),
    start=Limit(eta, t, T_w, "-"),
    steps=(Step("insert (18a)", "At t = T_w the quotient is 1.", base),),
)

# E19: the decay. `x` is a progress between 0 and 1, where nothing is clamped.

BETWEEN = minimum + (base - minimum) * (1 + cos(pi * x)) / 2

COSINE_EQUATION = (
    Equation("19a", u, Min(1, Max(0, (t - T_w) / (T - T_w)))),
    Equation("19b", eta, minimum + (base - minimum) * (1 + cos(pi * u)) / 2),
)

COSINE_SYMBOLS = (
    *RATES,
    Symbol(minimum, "minimum", (), "rate at the end"),
    Symbol(T, "total", (), "step at which the minimum is reached"),
    Symbol(u, "progress", (), "progress of the decay, from 0 to 1"),
    Symbol(x, "", (), "a progress between 0 and 1"),
    Symbol(slope, "", (), "slope of the rate as the progress grows"),
    Symbol(D, "total - warmup", (), "steps of decay"),
    Symbol(s, "step - total", (), "steps after the end"),
    Symbol(A, "(base + minimum) / 2", (), "middle of the cosine"),
    Symbol(B, "(base - minimum) / 2", (), "height of the cosine above its middle"),
)

MIDDLE = Chain(
    title="Middle of the cosine",
    target=A,
    start=Eq(A - (base - A), minimum),
    steps=(
        Step(
            "solve for the unknown",
            "A + B cos(pi u) is to be the base at u = 0, so B = base - A, and the "
            "minimum at u = 1, so A - B = minimum.",
            Eq(A, (base + minimum) / 2),
        ),
    ),
)

HEIGHT = Chain(
    title="Height of the cosine",
    target=B,
    start=Eq((base + minimum) / 2 + B, base),
    steps=(
        Step(
            "solve for the unknown",
            "From A + B = base, with the middle found above.",
            Eq(B, (base - minimum) / 2),
        ),
    ),
)

FORM = Chain(
    title="As the code computes the rate",
    target=eta,
    start=(base + minimum) / 2 + (base - minimum) / 2 * cos(pi * u),
    steps=(
        Step(
            "rearrange",
            "The minimum, and of what is above it the share that is left: "
            "(1 + cos) / 2 falls from 1 to 0.",
            minimum + (base - minimum) * (1 + cos(pi * u)) / 2,
        ),
    ),
)

SLOPE = Chain(
    title="It falls all the way",
    target=slope,
    start=Partial(BETWEEN, x),
    steps=(
        Step(
            "chain rule",
            "The slope of cos(pi x) is -pi sin(pi x).",
            pi / 2 * (minimum - base) * sin(pi * x),
        ),
        Step(
            "double angle",
            "For x between 0 and 1 the half angle is in the first quarter, where "
            "sine and cosine are positive: with base above minimum the slope is "
            "negative, and the rate falls.",
            pi * (minimum - base) * sin(pi * x / 2) * cos(pi * x / 2),
        ),
    ),
)

FLAT_START = Chain(
    title="Flat where it starts",
    target=Limit(slope, x, 0),
    start=Limit(pi / 2 * (minimum - base) * sin(pi * x), x, 0),
    steps=(Step("continuity", "The sine of 0 is 0.", Integer(0)),),
)

FLAT_END = Chain(
    title="Flat where it ends",
    target=Limit(slope, x, 1, "-"),
    start=Limit(pi / 2 * (minimum - base) * sin(pi * x), x, 1, "-"),
    steps=(
        Step(
            "continuity",
            "The sine of pi is 0: the rate settles, and stays without a corner.",
            Integer(0),
        ),
    ),
)

MEETING = Chain(
    title="It meets the warmup",
    target=Limit(eta, t, T_w),
    start=Limit(eta, t, T_w),
    steps=(
        Step(
            "continuity",
            "At t = T_w the progress is 0 and its cosine 1.",
            base,
        ),
        Step(
            "insert the end of the warmup",
            "From E18: no jump. There is a corner, since the warmup arrives with "
            "slope base / T_w and the cosine leaves with slope 0.",
            Limit(base * t / T_w, t, T_w, "-"),
        ),
    ),
)

ARRIVAL_AT_MINIMUM = Chain(
    title="It arrives at the minimum",
    target=Limit(eta, t, T, "-"),
    start=Limit(eta, t, T, "-"),
    steps=(
        Step(
            "continuity",
            "At t = T the progress is 1 and its cosine -1.",
            minimum,
        ),
    ),
)

PAST = Min(1, Max(0, (D + s) / D, evaluate=False), evaluate=False)

AFTER = Chain(
    title="It stays there",
    target=PAST,
    start=PAST,
    steps=(
        Step(
            "clamp",
            "At t = T + s, with D steps of decay, the quotient is above 1.",
            Integer(1),
        ),
    ),
)

DERIVATIONS = (
    Derivation("E18", WARMUP_EQUATION, RATES, (LINE, ARRIVAL)),
    Derivation(
        "E19",
        COSINE_EQUATION,
        COSINE_SYMBOLS,
        (
            MIDDLE,
            HEIGHT,
            FORM,
            SLOPE,
            FLAT_START,
            FLAT_END,
            MEETING,
            ARRIVAL_AT_MINIMUM,
            AFTER,
        ),
    ),
)
