r"""Cross-entropy of next-token predictions (E14) and its gradient (E15)."""

import numpy as np

from moe.arrays import Array, Cache


def cross_entropy(logits: Array, targets: Array) -> tuple[Array, Cache]:
    r"""Mean surprise at the targets, in nats (E14).

    $$ s_{nv} = z_{nv} - \max_u z_{nu} \tag{14a} $$
    $$ L = \frac{1}{N} \sum_n \Bigl( \ln \sum_v e^{s_{nv}} - s_{n\,t_n} \Bigr)
       \tag{14b} $$

    Log-sum-exp minus the target's own logit: no probability is formed, so none
    can round to zero under the logarithm.

    Args:
        logits: `(N, V)` scores $z$.
        targets: `(N,)` target ids $t$, integers in `[0, V)`.

    Returns:
        loss: Scalar $L$ in nats per token; $\ln V$ where all logits are equal.
        cache: `(exponentials, totals, targets)` for `cross_entropy_backward`.

    References:
        Goodfellow, Bengio and Courville, *Deep Learning*, 2016, section 6.2.2.3,
        Eq. 6.30 (negated and averaged).
    """
    shifted = logits - logits.max(axis=1, keepdims=True)  # [14a] (N, V)
    chosen = shifted[np.arange(len(targets)), targets]  # (N,)
    exponentials = np.exp(shifted, out=shifted)
    totals = exponentials.sum(axis=1)  # (N,)
    loss = (np.log(totals) - chosen).mean()  # [14b] ()
    return loss, (exponentials, totals, targets)


def cross_entropy_backward(dloss: float, cache: Cache) -> Array:
    r"""Softmax minus one-hot, for every token its share (E15).

    $$ \mathrm{d}z_{nv} = \frac{\mathrm{d}L}{N}
       \bigl( \mathrm{softmax}_v (z_{nv}) - \delta_{v\,t_n} \bigr) \tag{15a} $$

    Args:
        dloss: Gradient of the loss, a Python float.
        cache: What `cross_entropy` returned.

    Returns:
        dlogits: `(N, V)` gradient; each row sums to 0.

    References:
        Bridle, 1989, section 3; Bishop, *Pattern Recognition*, 2006, Eq. 4.109.
    """
    exponentials, totals, targets = cache
    tokens = len(targets)
    scale = dloss / tokens
    dlogits = exponentials * (scale / totals)[:, None]  # [15a] [14b] [14a]
    dlogits[np.arange(tokens), targets] -= scale  # [15a] [14b]
    return dlogits
