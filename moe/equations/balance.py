r"""Load-balancing loss: a pull towards equal use of the experts (E13)."""

import numpy as np

from moe.arrays import Array, Cache


def balance(probabilities: Array, indices: Array, alpha: float) -> tuple[Array, Cache]:
    r"""Load times mean probability, summed over experts (E13).

    $$ f_e = \frac{1}{NK} \bigl| \{ (n, k) : i_{nk} = e \} \bigr| \tag{13a} $$
    $$ P_e = \frac{1}{N} \sum_n p_{ne} \tag{13b} $$
    $$ L = \alpha\, E \sum_e f_e\, P_e \tag{13c} $$

    The load $f$ is a count and passes no gradient; the router learns through $P$.
    At uniform routing $L = \alpha$. One layer's loss; the model adds its layers.

    Args:
        probabilities: `(N, E)` router probabilities $p$, before the choice.
        indices: `(N, K)` chosen experts $i$.
        alpha: $\alpha$, weight of the loss, a Python float.

    Returns:
        loss: Scalar $L$.
        cache: `(load, alpha, tokens)` for `balance_backward`.

    References:
        Fedus et al., *Switch Transformers*, 2021, Eq. 4-6. Differs from it in: $f$
        is divided by $K$, as in MegaBlocks. Hugging Face's Mixtral does not divide
        (uniform routing gives $K$) and averages over all layers' tokens at once.
    """
    (tokens, experts), top_k = probabilities.shape, indices.shape[1]
    counts = np.bincount(indices.ravel(), minlength=experts)
    load = (counts / (tokens * top_k)).astype(probabilities.dtype)  # [13a] (E,)
    mean = probabilities.mean(axis=0)  # [13b] (E,)
    loss = alpha * experts * (load @ mean)  # [13c] ()
    return loss, (load, alpha, tokens)


def balance_backward(dloss: float, cache: Cache) -> Array:
    r"""The gradient is the load of each expert, the same for every token (E13).

    $$ \mathrm{d}p_{ne} = \mathrm{d}L\, \frac{\alpha\, E}{N}\, f_e $$

    Args:
        dloss: Gradient of the loss, a Python float.
        cache: What `balance` returned.

    Returns:
        dprobabilities: `(N, E)` gradient, a read-only view of one row.
    """
    load, alpha, tokens = cache
    experts = len(load)
    row = load * (dloss * alpha * experts / tokens)  # [13c] [13b] [13a] (E,)
    return np.broadcast_to(row, (tokens, experts))
