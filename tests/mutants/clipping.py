"""Wrong and harmless versions of global-norm clipping (E17)."""

from mutants.harness import Change

E17 = ("E17", "moe.equations.clipping")
NORM = "np.sqrt(sum(g @ g for g in flat))"
FACTOR = "max_norm / np.maximum(norm, max_norm), norm"

MUTANTS = (
    Change(*E17, NORM, "sum(g @ g for g in flat)", "no root"),
    Change(
        *E17,
        NORM,
        "sum(np.sqrt(g @ g) for g in flat)",
        "norms of the tensors added in place of their squares",
    ),
    Change(
        *E17,
        NORM,
        "max(np.sqrt(g @ g) for g in flat)",
        "norm of the largest tensor in place of all",
    ),
    Change(*E17, NORM, "np.sqrt(flat[0] @ flat[0])", "norm of the first tensor"),
    Change(
        *E17, NORM, "max(abs(g).max() for g in flat)", "largest element: the wrong norm"
    ),
    Change(*E17, NORM, "sum(abs(g).sum() for g in flat)", "sum of absolute values"),
    Change(
        *E17,
        NORM,
        "np.sqrt(sum(g @ g for g in flat) / sum(g.size for g in flat))",
        "root mean square in place of norm",
    ),
    Change(
        *E17,
        FACTOR,
        "max_norm / norm, norm",
        "short gradients are stretched",
    ),
    Change(
        *E17,
        FACTOR,
        "max_norm / np.minimum(norm, max_norm), norm",
        "clamp inverted",
    ),
    Change(
        *E17,
        FACTOR,
        "np.minimum(1, max_norm / (norm + 1e-6)), norm",
        "PyTorch's 1e-6 in the divisor",
    ),
    Change(*E17, FACTOR, "norm / np.maximum(norm, max_norm), norm", "factor inverted"),
    Change(
        *E17,
        FACTOR,
        "max_norm / np.maximum(norm, max_norm), np.minimum(norm, max_norm)",
        "norm after clipping returned",
    ),
)

HARMLESS = (
    Change(
        *E17,
        NORM,
        "np.sqrt(sum((g * g).sum() for g in flat))",
        "squares summed by other calls",
    ),
    Change(
        *E17,
        FACTOR,
        "1 / np.maximum(norm / max_norm, 1), norm",
        "the quotient the other way up",
    ),
)
