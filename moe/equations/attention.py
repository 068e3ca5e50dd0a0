r"""Causal grouped-query attention (E10).

All queries of a group are folded into the rows of one matrix, so that a key/value
head is read where it lies and never copied out to its query heads.
"""

import math

import numpy as np

from moe.arrays import Array, Cache
from moe.equations.softmax import softmax, softmax_backward


def causal_mask(queries: int, keys: int, dtype: np.typing.DTypeLike = float) -> Array:
    r"""Additive mask: 0 where a query may look, minus infinity where not (E10).

    $$ M_{ts} = \begin{cases} 0 & s \le t + S - T \\ -\infty & \text{else}
       \end{cases} \tag{10b} $$

    The last query stands at the last key, so with a cache of earlier keys the same
    mask is right.

    Args:
        queries: $T$, number of queries.
        keys: $S$, number of keys, at least $T$.
        dtype: Of the mask; that of the model.

    Returns:
        `(T, S)` mask.
    """
    mask = np.full((queries, keys), -math.inf, dtype)
    return np.triu(mask, k=keys - queries + 1)  # [10b] (T, S)


def fold_heads(x: Array, groups: int) -> Array:
    """Collect the heads of a group, token by token, as rows of one matrix (E10).

    Args:
        x: `(B, T, H, D)` heads; head `h` belongs to group `h // (H / G)`.
        groups: `G`.

    Returns:
        `(B, G, T*H/G, D)`, a view where the memory allows it.
    """
    batch, tokens, heads, width = x.shape
    x = x.reshape(batch, tokens, groups, heads // groups, width)
    return x.swapaxes(1, 2).reshape(batch, groups, -1, width)


def unfold_heads(x: Array, tokens: int) -> Array:
    """Inverse of `fold_heads` (E10).

    Args:
        x: `(B, G, T*H/G, D)` folded heads.
        tokens: `T`.

    Returns:
        `(B, T, H, D)` heads.
    """
    batch, groups, rows, width = x.shape
    x = x.reshape(batch, groups, tokens, rows // tokens, width)
    return x.swapaxes(1, 2).reshape(batch, tokens, -1, width)


def attention(q: Array, k: Array, v: Array, mask: Array) -> tuple[Array, Cache]:
    r"""Every query reads a mean of the values, weighted by softmax scores (E10).

    $$ a_{ts} = \frac{1}{\sqrt{D}} \sum_d q_{td}\, k_{sd} \tag{10a} $$
    $$ p_{ts} = \mathrm{softmax}_s (a_{ts} + M_{ts}) \tag{10c} $$
    $$ y_{td} = \sum_s p_{ts}\, v_{sd} \tag{10d} $$

    for each head; query head $h$ reads key/value head $\lfloor h / (H/G) \rfloor$.

    Args:
        q: `(B, T, H, D)` queries.
        k: `(B, S, G, D)` keys; `G` divides `H`.
        v: `(B, S, G, D)` values.
        mask: `(T, S)` additive mask $M$ from `causal_mask`.

    Returns:
        y: `(B, T, H, D)` mixed values.
        cache: `(q, k, v, p, softmax_cache)`, heads folded, `q` scaled.

    References:
        Vaswani et al., *Attention Is All You Need*, 2017, Eq. 1; Ainslie et al.,
        *GQA*, 2023, section 2.2. Differs from it in: the scale is applied to $q$.
    """
    tokens, groups, width = q.shape[1], k.shape[2], q.shape[3]
    q = fold_heads(q * (1 / math.sqrt(width)), groups)  # (B, G, TR, D)
    k, v = k.swapaxes(1, 2), v.swapaxes(1, 2)  # (B, G, S, D)
    scores = q @ k.swapaxes(2, 3)  # [10a] (B, G, TR, S)
    by_token = scores.reshape(*scores.shape[:2], tokens, -1, scores.shape[3])
    by_token += mask[:, None, :]  # [10b] every head of the group has the same mask
    p, softmax_cache = softmax(scores)  # [10c]
    y = unfold_heads(p @ v, tokens)  # [10d] (B, T, H, D)
    return y, (q, k, v, p, softmax_cache)


def attention_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    r"""Back through the mean, the softmax and the scores (E10).

    $$ \mathrm{d}v = p^\top \mathrm{d}y \qquad
       \mathrm{d}p = \mathrm{d}y\, v^\top \qquad
       \mathrm{d}a = p \odot (\mathrm{d}p - \langle p, \mathrm{d}p \rangle) $$
    $$ \mathrm{d}q = \tfrac{1}{\sqrt{D}}\, \mathrm{d}a\, k \qquad
       \mathrm{d}k = \tfrac{1}{\sqrt{D}}\, \mathrm{d}a^\top q $$

    The products with $p^\top$ and $\mathrm{d}a^\top$ run over all query heads of a
    group: that is the sum that a shared key/value head needs.

    Args:
        dy: `(B, T, H, D)` gradient of the output.
        cache: What `attention` returned.

    Returns:
        dq: `(B, T, H, D)` gradient of the queries.
        dk: `(B, S, G, D)` gradient of the keys.
        dv: `(B, S, G, D)` gradient of the values.
    """
    q, k, v, p, softmax_cache = cache
    tokens, groups, width = dy.shape[1], k.shape[1], dy.shape[3]
    dy = fold_heads(dy, groups)  # (B, G, TR, D)
    dv = p.swapaxes(2, 3) @ dy  # [10d] (B, G, S, D)
    dp = dy @ v.swapaxes(2, 3)  # [10d] (B, G, TR, S)
    dscores = softmax_backward(dp, softmax_cache)  # [10c] [10b] a constant drops out
    dq = dscores @ k  # [10a] (B, G, TR, D)
    dq *= 1 / math.sqrt(width)  # [10a] the cached q carries the scale, dq must get it
    dk = dscores.swapaxes(2, 3) @ q  # [10a] (B, G, S, D)
    return unfold_heads(dq, tokens), dk.swapaxes(1, 2), dv.swapaxes(1, 2)
