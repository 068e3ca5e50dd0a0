"""RoPE: rotations, their frequencies, and the base that stretches them (E07-E09)."""

from sympy import Eq, Expr, Integer, KroneckerDelta, Pow, Sum, cos, sin

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import Partial, array, index, number, size

d = size("d", even=True)
i, j = index("i", d / 2), index("j", d / 2)
k = index("k", d / 2 - 1)
theta, theta_new = array("theta", positive=True), array("theta'", positive=True)
b, b_new = number("b", positive=True), number("b'", positive=True)
alpha = number("alpha", positive=True)

# E07: one head of one sequence.

T, c = size("T"), index("c", d)
t, u, w = index("t", T), index("u", T), index("w", T)
m, phi, x, y, dy, dx = map(array, ("m", "phi", "x", "y", "dy", "dx"))
query, key, a = map(array, ("q", "k", "a"))
query_turned, key_turned = map(array, ("q'", "k'"))


def _turn(before: Expr, after: Expr) -> tuple[Equation, Equation]:
    """Equation 7b for the two channels of a pair."""
    even, odd = before[t, 2 * i], before[t, 2 * i + 1]
    cosine, sine = cos(phi[t, i]), sin(phi[t, i])
    return (
        Equation("7b", after[t, 2 * i], even * cosine - odd * sine),
        Equation("7b", after[t, 2 * i + 1], even * sine + odd * cosine),
    )


ROTATION = (
    Equation("7a", phi[t, i], m[t] * theta[i]),
    *_turn(x, y),
    *_turn(query, query_turned),
    *_turn(key, key_turned),
)

ROTATION_SYMBOLS = (
    Symbol(T, "x.shape[1]", (), "number of positions"),
    Symbol(d, "x.shape[3]", (), "head width"),
    Symbol(m[t], "positions", (T,), "position of each token"),
    Symbol(theta[i], "frequencies", (d / 2,), "angle per position (E08)"),
    Symbol(phi[t, i], "angles", (T, d / 2), "angle of a pair at a position"),
    Symbol(x[t, c], "x", (T, d), "queries or keys of one head"),
    Symbol(y[t, c], "y", (T, d), "the same, turned"),
    Symbol(dy[t, c], "dy", (T, d), "gradient of the output"),
    Symbol(dx[t, c], "dx", (T, d), "gradient of the input"),
    Symbol(query[t, c], "q", (T, d), "queries of one head"),
    Symbol(key[t, c], "k", (T, d), "keys of one head"),
    Symbol(query_turned[t, c], "rope(q)", (T, d), "turned queries"),
    Symbol(key_turned[t, c], "rope(k)", (T, d), "turned keys"),
    Symbol(a[t, u], "scores", (T, T), "dot products of turned queries and keys"),
)


def _channel_gradient(name: str, at: int, even: Expr, odd: Expr) -> Chain:
    """Gradient of channel `2i + at`, given its factors in both outputs of its pair."""
    channel, target = x[t, 2 * i + at], dx[t, 2 * i + at]

    def pair(k: Expr, first: Expr, second: Expr) -> Expr:
        return dy[t, 2 * k] * first + dy[t, 2 * k + 1] * second

    return Chain(
        f"Gradient of the {name} channels",
        target,
        Partial(Sum(dy[w, c] * y[w, c], w, c), channel),
        (
            Step(
                "sum over the fork",
                "Tokens do not mix, and channels come in pairs; dy is constant.",
                Sum(pair(j, *(Partial(y[t, 2 * j + k], channel) for k in (0, 1))), j),
            ),
            Step(
                "derivative of a linear function",
                "By (7b) the factors are the cosine and sine of the pair's angle; "
                "other pairs have slope 0.",
                Sum(KroneckerDelta(i, j) * pair(j, even(phi[t, j]), odd(phi[t, j])), j),
            ),
            Step(
                "Kronecker delta sifts",
                "Pair i remains. This is (7b) with the sign of the sine changed: the "
                "gradient is turned back by the same angle.",
                pair(i, even(phi[t, i]), odd(phi[t, i])),
            ),
        ),
    )


EVEN = _channel_gradient("even", 0, cos, sin)
ODD = _channel_gradient("odd", 1, lambda angle: -sin(angle), cos)

x0, x1 = x[t, 2 * i], x[t, 2 * i + 1]
cosine, sine = cos(phi[t, i]), sin(phi[t, i])

INVERSE = Chain(
    title="Turning back undoes the turn",
    target=x0,
    start=y[t, 2 * i] * cosine + y[t, 2 * i + 1] * sine,
    steps=(
        Step(
            "insert (7b)",
            "Turn a turned pair by the opposite angle, as the backward does.",
            (x0 * cosine - x1 * sine) * cosine + (x0 * sine + x1 * cosine) * sine,
        ),
        Step("multiply out", "The mixed terms cancel.", x0 * (cosine**2 + sine**2)),
        Step("Pythagoras", "The transpose of a rotation is its inverse.", x0),
    ),
)

q0, q1 = query[t, 2 * i], query[t, 2 * i + 1]
k0, k1 = key[u, 2 * i], key[u, 2 * i + 1]
cos_q, sin_q, cos_k, sin_k = cosine, sine, cos(phi[u, i]), sin(phi[u, i])
between = (m[t] - m[u]) * theta[i]

DISTANCE = Chain(
    title="Only the distance counts",
    target=a[t, u],
    start=Sum(
        query_turned[t, 2 * i] * key_turned[u, 2 * i]
        + query_turned[t, 2 * i + 1] * key_turned[u, 2 * i + 1],
        i,
    ),
    steps=(
        Step(
            "insert (7b)",
            "The query is turned by the angle of its position t, the key by that of u.",
            Sum(
                (q0 * cos_q - q1 * sin_q) * (k0 * cos_k - k1 * sin_k)
                + (q0 * sin_q + q1 * cos_q) * (k0 * sin_k + k1 * cos_k),
                i,
            ),
        ),
        Step(
            "collect",
            "Eight products in four kinds; they come in two groups.",
            Sum(
                (q0 * k0 + q1 * k1) * (cos_q * cos_k + sin_q * sin_k)
                + (q0 * k1 - q1 * k0) * (sin_q * cos_k - cos_q * sin_k),
                i,
            ),
        ),
        Step(
            "addition theorems",
            "The groups are cosine and sine of the difference of the angles.",
            Sum(
                (q0 * k0 + q1 * k1) * cos(phi[t, i] - phi[u, i])
                + (q0 * k1 - q1 * k0) * sin(phi[t, i] - phi[u, i]),
                i,
            ),
        ),
        Step(
            "insert (7a)",
            "Both angles are a position times the same frequency: the positions enter "
            "by their difference alone.",
            Sum(
                (q0 * k0 + q1 * k1) * cos(between) + (q0 * k1 - q1 * k0) * sin(between),
                i,
            ),
        ),
    ),
)

# E08 and E09: frequencies, and the base that stretches them.

FREQUENCIES = (Equation("8a", theta[i], b ** (-2 * i / d)),)

FREQUENCY_SYMBOLS = (
    Symbol(d, "width", (), "head width, even"),
    Symbol(b, "base", (), "base, above 1"),
    Symbol(theta[i], "rope_frequencies", (d / 2,), "angle per position of pair i"),
)

GEOMETRIC = Chain(
    title="A geometric sequence",
    target=theta[i],
    start=b ** (-2 * i / d),
    steps=(
        Step(
            "power of a power",
            "Pair 0 turns by 1 radian per position, every next pair slower than the "
            "one before by the same factor.",
            Pow(b ** (-2 / d), i, evaluate=False),
        ),
    ),
)

RATIO = Chain(
    title="Ratio of neighbours",
    target=theta[k + 1] / theta[k],
    start=theta[k + 1] / theta[k],
    steps=(
        Step(
            "insert (8a), quotient of powers",
            "Powers of the same base are divided by subtracting their exponents.",
            b ** (2 * k / d - 2 * (k + 1) / d),
        ),
        Step("subtract", "The number of the pair drops out.", b ** (-2 / d)),
    ),
)

SLOWEST = Chain(
    title="The slowest pair",
    target=theta[d / 2 - 1],
    start=theta[d / 2 - 1],
    steps=(
        Step(
            "insert the last pair in (8a)",
            "Pairs count from 0, so the last is d/2 - 1: nearly 1/b, not quite.",
            b ** ((2 - d) / d),
        ),
    ),
)

SCALING = (
    *FREQUENCIES,
    Equation("8a", theta_new[i], b_new ** (-2 * i / d)),
    Equation("9a", b_new, b * alpha ** (d / (d - 2))),
)

SCALING_SYMBOLS = (
    Symbol(d, "width", (), "head width, even and above 2"),
    Symbol(b, "base", (), "base, above 1"),
    Symbol(alpha, "alpha", (), "stretch of the context, at least 1"),
    Symbol(theta[i], "frequencies", (d / 2,), "frequencies of the base"),
    Symbol(b_new, "ntk_base", (), "new base"),
    Symbol(theta_new[i], "new_frequencies", (d / 2,), "frequencies of the new base"),
)

SOLVE = Chain(
    title="Which base slows the slowest pair by alpha?",
    target=b_new,
    start=Eq(theta_new[d / 2 - 1], theta[d / 2 - 1] / alpha),
    steps=(
        Step(
            "insert (8a)",
            "The slowest pair is number d/2 - 1. This is what is asked for; the base "
            "on the left is unknown.",
            Eq(b_new ** ((2 - d) / d), b ** ((2 - d) / d) / alpha),
        ),
        Step(
            "raise both sides to the power d/(2 - d)",
            "All is positive, so the power can be undone.",
            Eq(b_new, (b ** ((2 - d) / d) / alpha) ** (d / (2 - d))),
        ),
        Step(
            "power of a product",
            "The exponents of b cancel; that of 1/alpha changes its sign.",
            Eq(b_new, b * alpha ** (d / (d - 2))),
        ),
    ),
)

EVERY_PAIR = Chain(
    title="What happens to every pair",
    target=theta_new[i],
    start=b_new ** (-2 * i / d),
    steps=(
        Step(
            "insert (9a)",
            "The same new base for all pairs.",
            (b * alpha ** (d / (d - 2))) ** (-2 * i / d),
        ),
        Step(
            "power of a product",
            "Pair i is slowed by a power of alpha that grows from 0 for the fastest "
            "pair, which keeps its frequency, to 1 for the slowest.",
            theta[i] * alpha ** (-2 * i / (d - 2)),
        ),
    ),
)

FASTEST = Chain(
    title="The fastest pair keeps its frequency",
    target=theta_new[0] / theta[0],
    start=theta_new[0] / theta[0],
    steps=(
        Step(
            "insert pair 0 in (8a)",
            "The exponent is 0, so neither base matters: both pairs turn by 1 radian.",
            Integer(1),
        ),
    ),
)

BY_POSITION, BY_WIDTH = ({d: 4, T: 3}, {d: 6, T: 2}), ({d: 4}, {d: 6})
TURNS = (EVEN, ODD, INVERSE, DISTANCE)
POWERS = (GEOMETRIC, RATIO, SLOWEST)
STRETCH = (SOLVE, EVERY_PAIR, FASTEST)

DERIVATIONS = (
    Derivation("E07", ROTATION, ROTATION_SYMBOLS, TURNS, BY_POSITION),
    Derivation("E08", FREQUENCIES, FREQUENCY_SYMBOLS, POWERS, BY_WIDTH),
    Derivation("E09", SCALING, SCALING_SYMBOLS, STRETCH, BY_WIDTH),
)
