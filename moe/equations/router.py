r"""Router: which experts see a token, and how much each one counts (E12)."""

import numpy as np

from moe.arrays import Array, Cache
from moe.equations.softmax import softmax, softmax_backward


def router(logits: Array, top_k: int) -> tuple[Array, Array, Array, Cache]:
    r"""Softmax over all experts, keep the best, share their mass anew (E12).

    $$ p_{ne} = \mathrm{softmax}_e (z_{ne}) \tag{12a} $$
    $$ \bigl| \{ e : p_{ne} > p_{n i_{nk}} \} \bigr| = k \tag{12b} $$
    $$ w_{nk} = \frac{p_{n i_{nk}}}{\sum_j p_{n i_{nj}}} \tag{12c} $$

    Choices are counted from 0: choice $k$ is the one with $k$ likelier experts; of two
    equal probabilities the lower index is chosen first. The choice itself is piecewise
    constant, so its gradient is zero; the router learns through the weights $w$ of
    what it chose, and through $p$ in the balance loss.

    Args:
        logits: `(N, E)` router scores $z$.
        top_k: $K$, experts per token, from 1 to `E`.

    Returns:
        weights: `(N, K)` combine weights, largest first; rows sum to 1.
        indices: `(N, K)` chosen experts.
        probabilities: `(N, E)` before the choice, for the balance loss.
        cache: `(weights, indices, mass, softmax_cache)` for `router_backward`.

    References:
        Jiang et al., *Mixtral of Experts*, 2024, section 2.1: softmax over the chosen
        logits, which is equal; Shazeer et al., *Outrageously Large Neural Networks*,
        2017, Eq. 3-5. Differs from it in: no noise.
    """
    probabilities, softmax_cache = softmax(logits)  # [12a] (N, E)
    order = np.argsort(-probabilities, axis=1, kind="stable")
    indices = order[:, :top_k]  # [12b] (N, K)
    rows = np.arange(len(logits))[:, None]
    chosen = probabilities[rows, indices]  # (N, K)
    mass = chosen.sum(axis=1, keepdims=True)  # (N, 1)
    weights = chosen / mass  # [12c] (N, K)
    return weights, indices, probabilities, (weights, indices, mass, softmax_cache)


def router_backward(dweights: Array, dprobabilities: Array, cache: Cache) -> Array:
    r"""Back through the renormalisation and the softmax, indices held fixed (E12).

    $$ \mathrm{d}p_{ne} = b_{ne} + \sum_k \delta_{e\,i_{nk}}
       \frac{1}{\sum_j p_{n i_{nj}}}
       \Bigl( \mathrm{d}w_{nk} - \sum_j w_{nj}\, \mathrm{d}w_{nj} \Bigr) $$

    Here $b$ is `dprobabilities`.

    Args:
        dweights: `(N, K)` gradient of the combine weights.
        dprobabilities: `(N, E)` gradient of the probabilities, from the balance loss.
        cache: What `router` returned.

    Returns:
        dlogits: `(N, E)` gradient of the router scores.
    """
    weights, indices, mass, softmax_cache = cache
    mean = (weights * dweights).sum(axis=1, keepdims=True)  # [12c] (N, 1)
    dchosen = (dweights - mean) / mass  # [12c] (N, K)
    dp = dprobabilities.copy()
    rows = np.arange(len(dp))[:, None]
    dp[rows, indices] += dchosen  # [12b] a row never names an expert twice
    return softmax_backward(dp, softmax_cache)  # [12a] (N, E)
