r"""Sampling: from logits to the next token (E20, E21)."""

import numpy as np

from moe.arrays import Array
from moe.equations.softmax import softmax


def greedy(logits: Array) -> Array:
    r"""All probability on the most likely token: temperature 0 (E20).

    Args:
        logits: `(V,)` scores.

    Returns:
        `(V,)` one-hot probabilities; of equal logits the lowest index wins.
    """
    probabilities = np.zeros_like(logits)
    probabilities[np.argmax(logits)] = 1
    return probabilities


def temperature(logits: Array, temperature: float) -> Array:
    r"""Sharpen or flatten the distribution (E20).

    $$ p_v = \mathrm{softmax}_v \Bigl( \frac{z_v}{\tau} \Bigr) \tag{20a} $$

    Args:
        logits: `(V,)` scores $z$.
        temperature: $\tau \ge 0$; 1 leaves the model's own distribution, 0 is greedy.

    Returns:
        `(V,)` probabilities.

    References:
        Ackley, Hinton and Sejnowski, *A Learning Algorithm for Boltzmann Machines*,
        1985, Eq. 3; Holtzman et al., 2020, section 5.
    """
    with np.errstate(over="ignore"):  # what the dtype cannot hold is 0 or infinite
        temperature = np.result_type(logits, 1.0).type(temperature)
    if temperature == 0:
        return greedy(logits)
    # Shift first: the quotient of a large logit and a small temperature overflows.
    shifted = logits - logits.max()
    with np.errstate(over="ignore"):
        probabilities, _ = softmax(shifted / temperature)  # [20a] (V,)
    return probabilities


def top_k(probabilities: Array, k: int) -> Array:
    r"""Keep the `k` most likely tokens and renormalise (E21).

    Args:
        probabilities: `(V,)` probabilities.
        k: Tokens to keep, at least 1; of equal ones the lower index stays.

    Returns:
        `(V,)` probabilities, zero outside the kept set.

    References:
        Fan, Lewis and Dauphin, *Hierarchical Neural Story Generation*, 2018,
        section 5.4.
    """
    order = np.argsort(-probabilities, kind="stable")
    return renormalise(probabilities, order[:k])


def top_p(probabilities: Array, p: float) -> Array:
    r"""Keep the smallest set of most likely tokens with mass at least `p` (E21).

    $$ \sum_{u < r} p_u < P \le \sum_{u \le r} p_u \tag{21a} $$
    $$ q_v = \begin{cases} \frac{p_v}{\sum_{u \le r} p_u} & v \le r \\
       0 & \text{else} \end{cases} \tag{21b} $$

    Here $P$ is `p`, and tokens are counted from 0 in the order of their
    probabilities, $p_0$ the largest; ties keep the order of their ids. Token $r$, which
    crosses $P$, is kept, so the set is never empty.

    Args:
        probabilities: `(V,)` probabilities.
        p: Mass to keep, in `(0, 1]`.

    Returns:
        `(V,)` probabilities $q$, zero outside the kept set.

    References:
        Holtzman et al., *The Curious Case of Neural Text Degeneration*, 2020,
        Eq. 2 and 3.
    """
    order = np.argsort(-probabilities, kind="stable")
    cumulative = np.cumsum(probabilities[order])
    kept = int(np.searchsorted(cumulative, p, side="left")) + 1  # [21a]
    return renormalise(probabilities, order[:kept])  # [21b] (V,)


def renormalise(probabilities: Array, kept: Array) -> Array:
    """Zero all tokens but the kept ones and let these sum to 1 (E21).

    Args:
        probabilities: `(V,)` probabilities.
        kept: Indices of the tokens to keep.

    Returns:
        `(V,)` probabilities.
    """
    q = np.zeros_like(probabilities)
    q[kept] = probabilities[kept] / probabilities[kept].sum()  # [21b]
    return q


def draw(probabilities: Array, uniform: float) -> int:
    r"""The token in whose stretch of the unit interval a random number falls (E20).

    Only tokens of positive probability own a stretch, so no other is ever drawn,
    whatever `uniform` is and however the sums round.

    Args:
        probabilities: `(V,)` probabilities, not all zero.
        uniform: Random number in `[0, 1)`.

    Returns:
        Index of the drawn token.
    """
    possible = np.flatnonzero(probabilities)
    cumulative = np.cumsum(probabilities[possible])
    place = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
    return int(possible[min(int(place), len(possible) - 1)])
