r"""Softmax: scores to probabilities, safe for scores of any size (E06)."""

import numpy as np

from moe.arrays import Array, Cache


def softmax(x: Array) -> tuple[Array, Cache]:
    r"""Turn the scores on the last axis into probabilities (E06).

    $$ e_i = \exp\bigl(x_i - \max_j x_j\bigr) \tag{6a} $$
    $$ p_i = \frac{e_i}{\sum_j e_j} \tag{6b} $$

    The shift by the maximum changes nothing in exact arithmetic and keeps every
    exponent at or below zero. A score of $-\infty$ has probability exactly 0; a row
    in which all are $-\infty$ has no distribution, and NaN says so.

    Args:
        x: `(..., n)` scores.

    Returns:
        p: `(..., n)` probabilities; each row on the last axis sums to 1.
        cache: `(p,)` for `softmax_backward`.

    References:
        Bridle, *Training Stochastic Model Recognition Algorithms as Networks can
        Lead to Maximum Mutual Information Estimation*, NIPS 1989, Eq. 2. Differs
        from it in: the shift.
    """
    e = x - x.max(axis=-1, keepdims=True)
    np.exp(e, out=e)  # [6a] (..., n)
    e /= e.sum(axis=-1, keepdims=True)  # [6b] e has become p
    return e, (e,)


def softmax_backward(dp: Array, cache: Cache) -> Array:
    r"""Multiply by the Jacobian, which is a diagonal minus an outer product (E06).

    $$ \mathrm{d}x_i = p_i \Bigl( \mathrm{d}p_i - \sum_j p_j\, \mathrm{d}p_j \Bigr) $$

    The shift drops out: moving all scores alike moves no probability.

    Args:
        dp: `(..., n)` gradient of the probabilities.
        cache: What `softmax` returned.

    Returns:
        dx: `(..., n)` gradient of the scores.
    """
    (p,) = cache
    dx = dp * p
    mean = dx.sum(axis=-1, keepdims=True)  # [6b] (..., 1) mean of dp under p
    dx -= p * mean  # [6b] [6a]
    return dx
