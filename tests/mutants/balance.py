"""Wrong and harmless versions of the load-balancing loss (E13)."""

from mutants.harness import Change

E13 = ("E13", "moe.equations.balance")

MUTANTS = (
    Change(
        *E13,
        "counts / (tokens * top_k)",
        "counts / tokens",
        "load not divided by K: uniform routing gives K alpha, as in Hugging Face",
    ),
    Change(
        *E13,
        "counts / (tokens * top_k)",
        "counts / top_k",
        "counts in place of shares",
    ),
    Change(
        *E13,
        "np.bincount(indices.ravel(), minlength=experts)",
        "np.bincount(indices[:, 0], minlength=experts) * top_k",
        "only first choices are counted",
    ),
    Change(
        *E13,
        "probabilities.mean(axis=0)",
        "probabilities.sum(axis=0)",
        "sum of the probabilities in place of mean",
    ),
    Change(*E13, "load @ mean", "load @ load", "the loss of the counts alone"),
    Change(*E13, "load @ mean", "mean @ mean", "the loss of the probabilities alone"),
    Change(
        *E13,
        "alpha * experts * (load @ mean)",
        "alpha * (load @ mean)",
        "number of experts forgotten",
    ),
    Change(
        *E13,
        "alpha * experts * (load @ mean)",
        "experts * (load @ mean)",
        "weight of the loss forgotten",
    ),
    Change(
        *E13,
        "alpha * experts * (load @ mean)",
        "alpha * (experts * (load @ mean) - 1)",
        "0 at uniform routing in place of alpha",
    ),
    Change(
        *E13,
        "dloss * alpha * experts / tokens",
        "alpha * experts / tokens",
        "dloss lost",
    ),
    Change(
        *E13, "dloss * alpha * experts / tokens", "dloss * alpha * experts", "1/N lost"
    ),
    Change(
        *E13, "dloss * alpha * experts / tokens", "dloss * alpha / tokens", "E lost"
    ),
    Change(
        *E13,
        "row = load * (",
        "row = -load * (",
        "sign: the router learns to crowd",
    ),
    Change(
        *E13,
        "row = load * (",
        "row = (load - 1 / experts) * (",
        "the excess over an even load in place of the load",
    ),
)

HARMLESS = (
    Change(
        *E13,
        "load @ mean",
        "(load * mean).sum()",
        "the inner product by other calls",
    ),
    Change(
        *E13,
        "counts / (tokens * top_k)",
        "counts / counts.sum()",
        "all assignments counted in place of multiplied",
    ),
)
