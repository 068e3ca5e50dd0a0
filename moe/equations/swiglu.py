r"""SwiGLU: a feed-forward layer whose hidden units are gated by SiLU (E04, E05)."""

import numpy as np

from moe.arrays import Array, Cache
from moe.equations.linear import linear, linear_backward


def silu(x: Array) -> tuple[Array, Cache]:
    r"""Sigmoid linear unit, also called swish (E04).

    $$ \sigma_i = \frac{1}{1 + e^{-x_i}} \tag{4a} $$
    $$ y_i = x_i\, \sigma_i \tag{4b} $$

    Where $e^{-x}$ overflows (below -88.7 in float32, -709.7 in float64) the
    infinity is right: $\sigma$ and $y$ become 0, off by less than 4e-37.

    Args:
        x: Array of at least one axis.

    Returns:
        y: `x * sigmoid(x)`, the shape of `x`.
        cache: `(x, sigmoid)` for `silu_backward`.

    References:
        Elfwing, Uchibe and Doya, *Sigmoid-Weighted Linear Units*, 2018, Eq. 5;
        Ramachandran et al., *Searching for Activation Functions*, 2017 (beta = 1).
    """
    sigmoid = np.negative(x)
    with np.errstate(over="ignore"):
        np.exp(sigmoid, out=sigmoid)
    sigmoid += 1
    np.divide(1, sigmoid, out=sigmoid)  # [4a]
    return x * sigmoid, (x, sigmoid)  # [4b]


def silu_backward(dy: Array, cache: Cache) -> Array:
    r"""Slope of SiLU times the gradient (E04).

    $$ \mathrm{d}x_i = \mathrm{d}y_i\, \sigma_i
       \bigl( 1 + x_i (1 - \sigma_i) \bigr) $$

    Args:
        dy: Gradient of the output.
        cache: What `silu` returned.

    Returns:
        dx: Gradient of the input, the shape of `dy`.
    """
    x, sigmoid = cache
    dx = 1 - sigmoid  # [4a]
    dx *= x
    dx += 1  # [4b]
    dx *= sigmoid
    dx *= dy
    return dx


def gated_silu(gate_up: Array) -> tuple[Array, Cache]:
    r"""Gate one half of the channels with the other (E05, between the products).

    $$ h_{nf} = \mathrm{silu}(g_{nf})\, u_{nf} \tag{5b} $$

    Args:
        gate_up: `(N, 2F)`, the gate $g$ in the first `F` channels, $u$ in the rest.

    Returns:
        h: `(N, F)` gated channels.
        cache: `(activation, up, silu_cache)` for `gated_silu_backward`.
    """
    width = gate_up.shape[1] // 2
    gate, up = gate_up[:, :width], gate_up[:, width:]
    activation, silu_cache = silu(gate)  # [5b]
    h = activation * up  # [5b] (N, F)
    return h, (activation, up, silu_cache)


def gated_silu_backward(dh: Array, cache: Cache) -> Array:
    r"""Gradient of gate and up, side by side as they came (E05).

    $$ \mathrm{d}g_{nf} = \mathrm{silu}'(g_{nf})\, u_{nf}\, \mathrm{d}h_{nf} \qquad
       \mathrm{d}u_{nf} = \mathrm{silu}(g_{nf})\, \mathrm{d}h_{nf} $$

    Args:
        dh: `(N, F)` gradient of the gated channels.
        cache: What `gated_silu` returned.

    Returns:
        dgate_up: `(N, 2F)` gradient of both halves.
    """
    activation, up, silu_cache = cache
    rows, width = dh.shape
    dgate_up = np.empty_like(dh, shape=(rows, 2 * width))
    dgate_up[:, :width] = silu_backward(dh * up, silu_cache)  # [5b]
    np.multiply(dh, activation, out=dgate_up[:, width:])  # [5b]
    return dgate_up


def swiglu(x: Array, gate_up: Array, down: Array) -> tuple[Array, Cache]:
    r"""Feed-forward layer with a SiLU gate (E05).

    $$ g_{nf} = \sum_c W^{\mathrm{gate}}_{fc}\, x_{nc}, \qquad
       u_{nf} = \sum_c W^{\mathrm{up}}_{fc}\, x_{nc} \tag{5a} $$
    $$ h_{nf} = \mathrm{silu}(g_{nf})\, u_{nf} \tag{5b} $$
    $$ y_{nc} = \sum_f W^{\mathrm{down}}_{cf}\, h_{nf} \tag{5c} $$

    Args:
        x: `(N, C)` tokens.
        gate_up: `(2F, C)`, $W^{\mathrm{gate}}$ above $W^{\mathrm{up}}$: one product.
        down: `(C, F)`, $W^{\mathrm{down}}$.

    Returns:
        y: `(N, C)` tokens.
        cache: The caches of the three steps, for `swiglu_backward`.

    References:
        Shazeer, *GLU Variants Improve Transformer*, 2020, Eq. 6. Differs from it in:
        the two input products are one.
    """
    hidden, gate_up_cache = linear(x, gate_up)  # [5a] (N, 2F)
    h, gate_cache = gated_silu(hidden)  # [5b] (N, F)
    y, down_cache = linear(h, down)  # [5c] (N, C)
    return y, (gate_up_cache, gate_cache, down_cache)


def swiglu_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    r"""The three steps undone in reverse (E05).

    Args:
        dy: `(N, C)` gradient of the output.
        cache: What `swiglu` returned.

    Returns:
        dx: `(N, C)` gradient of the tokens.
        dgate_up: `(2F, C)` gradient of gate and up weights.
        ddown: `(C, F)` gradient of the down weight.
    """
    gate_up_cache, gate_cache, down_cache = cache
    dh, ddown, _ = linear_backward(dy, down_cache)  # [5c] (N, F)
    dhidden = gated_silu_backward(dh, gate_cache)  # [5b] (N, 2F)
    dx, dgate_up, _ = linear_backward(dhidden, gate_up_cache)  # [5a] (N, C)
    return dx, dgate_up, ddown
