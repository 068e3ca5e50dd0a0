r"""Linear: a matrix product, weights stored `[out, in]` (E03)."""

import numpy as np

from moe.arrays import Array, Cache


def linear(x: Array, weight: Array, bias: Array | None = None) -> tuple[Array, Cache]:
    r"""Project every token (E03).

    $$ y_{no} = \sum_c x_{nc}\, W_{oc} + b_o \tag{3a} $$

    Here $W$ is `weight` and $b$ is `bias`.

    Args:
        x: `(N, C)` tokens.
        weight: `(O, C)` weight, one row per output channel.
        bias: `(O,)` bias, or None for no bias (the model uses none).

    Returns:
        y: `(N, O)` projected tokens.
        cache: `(x, weight, has_bias)` for `linear_backward`.

    References:
        Rumelhart, Hinton and Williams, *Learning representations by back-propagating
        errors*, Nature 1986, Eq. 1.
    """
    y = x @ weight.T  # [3a] (N, O)
    if bias is not None:
        y += bias  # [3a]
    return y, (x, weight, bias is not None)


def linear_backward(
    dy: Array, cache: Cache, out: Array | None = None
) -> tuple[Array, Array, Array | None]:
    r"""Gradient of tokens, weight and bias (E03).

    $$ \mathrm{d}x_{nc} = \sum_o \mathrm{d}y_{no}\, W_{oc} \qquad
       \mathrm{d}W_{oc} = \sum_n \mathrm{d}y_{no}\, x_{nc} \qquad
       \mathrm{d}b_o = \sum_n \mathrm{d}y_{no} $$

    Args:
        dy: `(N, O)` gradient of the output.
        cache: What `linear` returned.
        out: `(O, C)` array that receives `dweight`, overwritten.

    Returns:
        dx: `(N, C)` gradient of the tokens.
        dweight: `(O, C)` gradient of the weight.
        dbias: `(O,)` gradient of the bias, or None where there was no bias.
    """
    x, weight, has_bias = cache
    dx = dy @ weight  # [3a] (N, C)
    dweight = np.matmul(dy.T, x, out=out)  # [3a] (O, C)
    dbias = dy.sum(axis=0) if has_bias else None  # [3a] (O,)
    return dx, dweight, dbias
