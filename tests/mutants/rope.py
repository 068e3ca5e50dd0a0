"""Wrong and harmless versions of RoPE: rotation, frequencies, NTK (E07, E08, E09)."""

from mutants.harness import Change

E07 = ("E07", "moe.equations.rope")
E08 = ("E08", "moe.equations.rope")
E09 = ("E09", "moe.equations.rope")
QUARTER_TURN = """\
    np.negative(x[..., 1::2], out=turned[..., 0::2])
    turned[..., 1::2] = x[..., 0::2]"""

MUTANTS = (
    Change(
        *E07,
        QUARTER_TURN,
        "    half = x.shape[-1] // 2\n"
        "    np.negative(x[..., half:], out=turned[..., :half])\n"
        "    turned[..., half:] = x[..., :half]",
        "half-split pairs with tables for interleaved ones",
    ),
    Change(
        *E07,
        QUARTER_TURN,
        "    turned[..., 0::2] = x[..., 1::2]\n"
        "    np.negative(x[..., 0::2], out=turned[..., 1::2])",
        "turned the other way",
    ),
    Change(
        *E07,
        QUARTER_TURN,
        "    turned[..., 0::2] = x[..., 1::2]\n    turned[..., 1::2] = x[..., 0::2]",
        "minus lost: a swap, lengths change",
    ),
    Change(
        *E07,
        QUARTER_TURN,
        QUARTER_TURN + "\n    turned[..., -2:] = 0",
        "the last pair is scaled, not turned",
    ),
    Change(
        *E07,
        "np.repeat(positions[:, None] * frequencies, 2, axis=1)",
        "np.tile(positions[:, None] * frequencies, 2)",
        "tile in place of repeat: channels of a pair get different angles",
    ),
    Change(
        *E07,
        "positions[:, None] * frequencies, 2",
        "(positions[:, None] + 1) * frequencies, 2",
        "positions counted from 1",
    ),
    Change(
        *E07,
        "positions[:, None] * frequencies, 2",
        "positions[:, None].astype(dtype) * frequencies.astype(dtype), 2",
        "angles in the model's precision: digits lost at far positions",
    ),
    Change(
        *E07,
        "np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)",
        "np.sin(angles).astype(dtype), np.cos(angles).astype(dtype)",
        "sine and cosine swapped",
    ),
    Change(
        *E07,
        "rope(dy, cos, -sin)",
        "rope(dy, cos, sin)",
        "dx: the gradient is turned forward once more",
    ),
    Change(
        *E07, "dx, _ = rope(dy, cos, -sin)", "dx = dy.copy()", "dx: inverse forgotten"
    ),
    Change(
        *E07, "rope(dy, cos, -sin)", "rope(dy, -cos, sin)", "dx: the cosine negated"
    ),
    Change(*E08, "-2 * pairs / width", "-pairs / width", "exponent without its 2"),
    Change(*E08, "-2 * pairs / width", "2 * pairs / width", "sign of the exponent"),
    Change(
        *E08,
        "pairs = np.arange(width // 2)",
        "pairs = np.arange(1, width // 2 + 1)",
        "pairs counted from 1, the formula from 0",
    ),
    Change(
        *E08,
        "pairs = np.arange(width // 2)",
        "pairs = np.arange(0, width, 2)",
        "channels counted in place of pairs, and doubled again",
    ),
    Change(
        *E08,
        "-2 * pairs / width",
        "-2 * pairs / (width - 2)",
        "the last frequency is stretched to 1/base",
    ),
    Change(
        *E08,
        "np.asarray(base ** (-2 * pairs / width))",
        "np.asarray(base ** (-2 * pairs / width), np.float32)",
        "frequencies in single precision",
    ),
    Change(
        *E08,
        "np.asarray(base ** (-2 * pairs / width))",
        "np.asarray(base ** (-2 * pairs / width))[::-1]",
        "slowest pair first",
    ),
    Change(*E09, "(width / (width - 2))", "((width - 2) / width)", "exponent inverted"),
    Change(*E09, "(width / (width - 2))", "(width // (width - 2))", "whole division"),
    Change(
        *E09, "(width / (width - 2))", "(width / (width + 2))", "sign in the exponent"
    ),
    Change(
        *E09, " ** (width / (width - 2))", "", "base times alpha, the slowest pair lags"
    ),
    Change(
        *E09,
        "(width / (width - 2))",
        "(width / 2 / (width / 2 - 2))",
        "pairs counted where the formula means channels",
    ),
    Change(
        *E09, "base * alpha **", "base / alpha **", "base shrunk: contexts get shorter"
    ),
    Change(*E09, "base * alpha **", "base + alpha **", "stretch added to the base"),
)

HARMLESS = (
    Change(
        *E07,
        "    y = quarter_turn(x)\n    y *= sin[:, None, :]\n"
        "    y += x * cos[:, None, :]",
        "    y = x * cos[:, None, :]\n    y += quarter_turn(x) * sin[:, None, :]",
        "the two terms in the other order",
    ),
    Change(
        *E07,
        "    dx, _ = rope(dy, cos, -sin)",
        "    dx = dy * cos[:, None, :] - quarter_turn(dy) * sin[:, None, :]",
        "the inverse written out",
    ),
    Change(
        *E08,
        "base ** (-2 * pairs / width)",
        "np.exp(-2 * pairs / width * np.log(base))",
        "the power as an exponential",
    ),
    Change(
        *E09,
        "alpha ** (width / (width - 2))",
        "alpha * alpha ** (2 / (width - 2))",
        "one power of alpha split off",
    ),
)
