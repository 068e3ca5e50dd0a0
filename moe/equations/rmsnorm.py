r"""RMSNorm: scale every token to unit root mean square, then by a gain (E02)."""

import numpy as np

from moe.arrays import Array, Cache


def rmsnorm(x: Array, gamma: Array, eps: float) -> tuple[Array, Cache]:
    r"""Normalise each token by its root mean square (E02).

    $$ s_n = \frac{1}{C} \sum_c x_{nc}^2 \tag{2a} $$
    $$ r_n = \frac{1}{\sqrt{s_n + \epsilon}} \tag{2b} $$
    $$ y_{nc} = x_{nc}\, r_n\, \gamma_c \tag{2c} $$

    Here $\gamma$ is `gamma` and $\epsilon$ is `eps`.

    Args:
        x: `(N, C)` tokens.
        gamma: `(C,)` gain of each channel.
        eps: Added to the mean square, inside the root; a Python float above 0.

    Returns:
        y: `(N, C)` normalised tokens.
        cache: `(x, gamma, r)` for `rmsnorm_backward`.

    References:
        Zhang and Sennrich, *Root Mean Square Layer Normalization*, NeurIPS 2019,
        Eq. 4. Differs from it in: no bias, and $\epsilon$ keeps the root off zero.
    """
    s = np.einsum("nc,nc->n", x, x) / x.shape[1]  # [2a] (N,)
    r = 1 / np.sqrt(s + eps)  # [2b] (N,)
    y = x * r[:, None]
    y *= gamma  # [2c] (N, C)
    return y, (x, gamma, r)


def rmsnorm_backward(
    dy: Array, cache: Cache, out: Array | None = None
) -> tuple[Array, Array]:
    r"""Gradient through the gain and through the root mean square (E02).

    $$ \mathrm{d}\gamma_c = \sum_n \mathrm{d}y_{nc}\, x_{nc}\, r_n $$
    $$ \mathrm{d}x_{nc} = r_n \Bigl( \gamma_c\, \mathrm{d}y_{nc}
       - x_{nc}\, \frac{r_n^2}{C} \sum_j \gamma_j\, \mathrm{d}y_{nj}\, x_{nj} \Bigr) $$

    Args:
        dy: `(N, C)` gradient of the output.
        cache: What `rmsnorm` returned.
        out: `(C,)` array that receives `dgamma`, overwritten.

    Returns:
        dx: `(N, C)` gradient of the tokens.
        dgamma: `(C,)` gradient of the gain.
    """
    x, gamma, r = cache
    dy_x = dy * x  # (N, C)
    dgamma = np.matmul(r, dy_x, out=out)  # [2c] (C,)
    dr = dy_x @ gamma  # [2c] (N,)
    half_ds = dr * r * r / x.shape[1]  # [2b] [2a] (N,) without the -r/2 and the 2
    dx = dy * gamma  # [2c]
    dx -= x * half_ds[:, None]  # [2a] x enters twice: directly and through s
    dx *= r[:, None]  # (N, C)
    return dx, dgamma
