"""Wrong and harmless versions of softmax (E06)."""

from mutants.harness import Change

E06 = ("E06", "moe.equations.softmax")
SHIFT = "e = x - x.max(axis=-1, keepdims=True)"

MUTANTS = (
    Change(*E06, SHIFT, "e = x.copy()", "no shift: large scores overflow"),
    Change(
        *E06,
        SHIFT,
        "e = x - x.max()",
        "one shift for all rows: a row far below the others underflows",
    ),
    Change(
        *E06,
        SHIFT,
        "e = np.subtract(x, x.max(axis=-1, keepdims=True), out=x)",
        "the scores are overwritten",
    ),
    Change(*E06, "np.exp(e, out=e)", "np.exp2(e, out=e)", "powers of 2"),
    Change(
        *E06,
        "e /= e.sum(axis=-1, keepdims=True)",
        "e /= e.sum(axis=0, keepdims=True)",
        "normalised along the first axis",
    ),
    Change(
        *E06,
        "e /= e.sum(axis=-1, keepdims=True)",
        "e /= e.sum()",
        "all rows share one distribution",
    ),
    Change(
        *E06,
        "e /= e.sum(axis=-1, keepdims=True)",
        "e /= e.sum(axis=-1, keepdims=True) + 1e-9",
        "an epsilon in the denominator",
    ),
    Change(*E06, "    dx -= p * mean", "    pass", "dx: outer product dropped"),
    Change(
        *E06,
        "    dx -= p * mean",
        "    dx -= p * dx",
        "dx: only the diagonal of the Jacobian",
    ),
    Change(*E06, "    dx -= p * mean", "    dx -= mean", "dx: mean not weighted by p"),
    Change(*E06, "    dx -= p * mean", "    dx += p * mean", "dx: sign of the mean"),
    Change(
        *E06,
        "mean = dx.sum(axis=-1, keepdims=True)",
        "mean = dp.mean(axis=-1, keepdims=True)",
        "dx: plain mean in place of the mean under p",
    ),
    Change(
        *E06,
        "mean = dx.sum(axis=-1, keepdims=True)",
        "mean = dx.sum(axis=0, keepdims=True)",
        "dx: mean along the wrong axis",
    ),
    Change(
        *E06,
        "dx = dp * p",
        "dx = np.multiply(dp, p, out=p)",
        "the backward eats its cache",
    ),
)

HARMLESS = (
    Change(
        *E06,
        SHIFT,
        "e = -(x.max(axis=-1, keepdims=True) - x)",
        "the difference the other way round, negated",
    ),
    Change(
        *E06,
        "    dx -= p * mean  # [6b] [6a]\n    return dx",
        "    return p * (dp - mean)",
        "p factored out",
    ),
)
