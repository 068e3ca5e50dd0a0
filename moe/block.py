"""One block: equations composed, forward and backward. No formula here.

A block is pre-norm: `h = x + attention(norm(x))`, then `y = h + experts(norm(h))`.
Every backward reads upward through its forward; where a forward forks, its backward
adds.
"""

import functools
from typing import Any, NamedTuple

import numpy as np

from moe.arrays import Array, Cache
from moe.config import Config
from moe.equations.attention import attention, attention_backward, causal_mask
from moe.equations.balance import balance, balance_backward
from moe.equations.experts import experts, experts_backward
from moe.equations.linear import linear, linear_backward
from moe.equations.rmsnorm import rmsnorm, rmsnorm_backward
from moe.equations.rope import (
    ntk_base,
    rope,
    rope_backward,
    rope_frequencies,
    rope_tables,
)
from moe.equations.router import router, router_backward
from moe.parameters import BlockParameters


class Geometry(NamedTuple):
    """What all blocks of one forward pass share."""

    batch: int
    tokens: int
    cos: Array  # (T, D)
    sin: Array  # (T, D)
    mask: Array  # (T, S)


class KeyValueCache:
    """Keys and values of the tokens that a model has already read.

    Attributes:
        keys: `(L, B, max_len, G, D)`, already turned by RoPE.
        values: `(L, B, max_len, G, D)`.
        length: Number of tokens read so far.
    """

    def __init__(
        self, config: Config, batch: int, max_len: int, dtype: np.typing.DTypeLike
    ) -> None:
        heads = (config.num_kv_heads, config.head_dim)
        shape = (config.num_layers, batch, max_len, *heads)
        self.keys = np.empty(shape, dtype)
        self.values = np.empty(shape, dtype)
        self.length = 0

    def extend(self, layer: int, k: Array, v: Array) -> tuple[Array, Array]:
        """Store new keys and values behind the old ones and return all of them."""
        end = self.length + k.shape[1]
        self.keys[layer, :, self.length : end] = k
        self.values[layer, :, self.length : end] = v
        return self.keys[layer, :, :end], self.values[layer, :, :end]


@functools.lru_cache(maxsize=8)
def rotation_tables(config: Config, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Cosines and sines of all positions of a model, computed once.

    Args:
        config: Shape of the model.
        dtype: Of the model.

    Returns:
        cos: `(max_seq_len, D)`, read only.
        sin: `(max_seq_len, D)`, read only.
    """
    base = config.rope_base
    if config.ntk_alpha > 1:  # heads of width 2 have one frequency, nothing to stretch
        base = ntk_base(base, config.ntk_alpha, config.head_dim)
    frequencies = rope_frequencies(config.head_dim, base)
    tables = rope_tables(np.arange(config.max_seq_len), frequencies, dtype)
    for table in tables:
        table.flags.writeable = False
    return tables


def geometry(
    config: Config, batch: int, tokens: int, start: int, dtype: np.dtype[Any]
) -> Geometry:
    """Rotations and mask for `tokens` positions from `start`.

    Args:
        config: Shape of the model.
        batch: `B`.
        tokens: `T`.
        start: Position of the first token: how many were read before.
        dtype: Of the model.

    Returns:
        What `block` needs besides its input and parameters.
    """
    cos, sin = rotation_tables(config, dtype)
    here = slice(start, start + tokens)
    mask = causal_mask(tokens, start + tokens, dtype)
    return Geometry(batch, tokens, cos[here], sin[here], mask)


def attention_sublayer(
    x: Array,
    p: BlockParameters,
    config: Config,
    at: Geometry,
    kv_cache: KeyValueCache | None,
    layer: int,
) -> tuple[Array, Cache]:
    """`attention(norm(x))`: one product for q, k and v, RoPE on q and k together."""
    turned = config.num_heads + config.num_kv_heads
    x, norm_cache = rmsnorm(x, p.attention_norm, config.norm_eps)
    qkv, qkv_cache = linear(x, p.qkv)
    qkv = qkv.reshape(at.batch, at.tokens, -1, config.head_dim)
    qk, rope_cache = rope(qkv[:, :, :turned], at.cos, at.sin)
    q, k, v = (
        qk[:, :, : config.num_heads],
        qk[:, :, config.num_heads :],
        qkv[:, :, turned:],
    )
    if kv_cache is not None:
        k, v = kv_cache.extend(layer, k, v)
    y, attention_cache = attention(q, k, v, at.mask)
    y, output_cache = linear(y.reshape(len(x), -1), p.output)
    return y, (norm_cache, qkv_cache, rope_cache, attention_cache, output_cache)


def attention_sublayer_backward(
    dy: Array, cache: Cache, g: BlockParameters, config: Config, at: Geometry
) -> Array:
    """Gradient of the input; gradients of the parameters go into `g`."""
    norm_cache, qkv_cache, rope_cache, attention_cache, output_cache = cache
    dy, _, _ = linear_backward(dy, output_cache, out=g.output)
    dy = dy.reshape(at.batch, at.tokens, -1, config.head_dim)
    dq, dk, dv = attention_backward(dy, attention_cache)
    dqk = rope_backward(np.concatenate((dq, dk), axis=2), rope_cache)
    dqkv = np.concatenate((dqk, dv), axis=2).reshape(at.batch * at.tokens, -1)
    dx, _, _ = linear_backward(dqkv, qkv_cache, out=g.qkv)
    dx, _ = rmsnorm_backward(dx, norm_cache, out=g.attention_norm)
    return dx


def experts_sublayer(
    x: Array, p: BlockParameters, config: Config
) -> tuple[Array, Array, Cache]:
    """`experts(norm(x))` and the balance loss of this layer."""
    x, norm_cache = rmsnorm(x, p.experts_norm, config.norm_eps)
    logits, logits_cache = linear(x, p.router)
    weights, indices, probabilities, router_cache = router(logits, config.top_k)
    loss, balance_cache = balance(probabilities, indices, config.balance_alpha)
    y, experts_cache = experts(x, weights, indices, p.gate_up, p.down)
    cache = (norm_cache, logits_cache, router_cache, balance_cache, experts_cache)
    return y, loss, cache


def experts_sublayer_backward(
    dy: Array, dloss: float, cache: Cache, g: BlockParameters
) -> Array:
    """Gradient of the input; gradients of the parameters go into `g`."""
    norm_cache, logits_cache, router_cache, balance_cache, experts_cache = cache
    dx_experts, dweights, _, _ = experts_backward(
        dy, experts_cache, out=(g.gate_up, g.down)
    )
    dprobabilities = balance_backward(dloss, balance_cache)
    dlogits = router_backward(dweights, dprobabilities, router_cache)
    dx_router, _, _ = linear_backward(dlogits, logits_cache, out=g.router)
    # The normalised tokens forked to experts and router: their gradients add.
    dx, _ = rmsnorm_backward(dx_experts + dx_router, norm_cache, out=g.experts_norm)
    return dx


def block(
    x: Array,
    p: BlockParameters,
    config: Config,
    at: Geometry,
    kv_cache: KeyValueCache | None = None,
    layer: int = 0,
) -> tuple[Array, Array, Cache]:
    """One pre-norm block.

    Args:
        x: `(N, C)` tokens, `N = B * T`.
        p: Tensors of the block.
        config: Shape of the model.
        at: Rotations and mask.
        kv_cache: Keys and values of earlier tokens, extended here.
        layer: Which layer of `kv_cache` is this block's.

    Returns:
        y: `(N, C)` tokens.
        loss: Balance loss of this layer.
        cache: For `block_backward`.
    """
    attended, attention_cache = attention_sublayer(x, p, config, at, kv_cache, layer)
    h = x + attended
    mixed, loss, experts_cache = experts_sublayer(h, p, config)
    return h + mixed, loss, (attention_cache, experts_cache)


def block_backward(
    dy: Array,
    dloss: float,
    cache: Cache,
    g: BlockParameters,
    config: Config,
    at: Geometry,
) -> Array:
    """Gradient of the input of `block`; gradients of the parameters go into `g`.

    Args:
        dy: `(N, C)` gradient of the output.
        dloss: Gradient of the balance loss.
        cache: What `block` returned.
        g: Views that receive the gradients, overwritten.
        config: Shape of the model.
        at: Rotations and mask of the forward pass.

    Returns:
        `(N, C)` gradient of the input.
    """
    attention_cache, experts_cache = cache
    dh = dy + experts_sublayer_backward(dy, dloss, experts_cache, g)
    return dh + attention_sublayer_backward(dh, attention_cache, g, config, at)
