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

    $$ a_{ths} = \frac{1}{\sqrt{D}} \sum_d q_{thd}\, k_{s\,g_h\,d}, \qquad
       g_h = \lfloor h / R \rfloor \tag{10a} $$
    $$ p_{ths} = \mathrm{softmax}_s (a_{ths} + M_{ts}) \tag{10c} $$
    $$ y_{thd} = \sum_s p_{ths}\, v_{s\,g_h\,d} \tag{10d} $$

    The $R = H / G$ query heads of a group read the same key/value head $g_h$.

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

    $$ \mathrm{d}v_{sgd} = \sum_{tr} p_{t,gR+r,s}\, \mathrm{d}y_{t,gR+r,d} \qquad
       \mathrm{d}p_{ths} = \sum_d \mathrm{d}y_{thd}\, v_{s\,g_h\,d} $$
    $$ \mathrm{d}a_{ths} = p_{ths} \Bigl( \mathrm{d}p_{ths}
       - \sum_u p_{thu}\, \mathrm{d}p_{thu} \Bigr) $$
    $$ \mathrm{d}q_{thd} = \frac{1}{\sqrt{D}}
       \sum_s \mathrm{d}a_{ths}\, k_{s\,g_h\,d} \qquad
       \mathrm{d}k_{sgd} = \frac{1}{\sqrt{D}}
       \sum_{tr} \mathrm{d}a_{t,gR+r,s}\, q_{t,gR+r,d} $$

    The sums over $r$, the query heads of a group, are what a shared key/value head
    needs: with the heads folded into rows, they are part of the products.

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
