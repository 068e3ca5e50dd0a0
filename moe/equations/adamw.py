r"""AdamW: adaptive steps from two moments, with decoupled weight decay (E16)."""

import numpy as np

from moe.arrays import Array

# Elements per block: five arrays of this many float32 stay near a core, in its caches.
BLOCK = 65536


def adamw(
    weight: Array,
    gradient: Array,
    m: Array,
    v: Array,
    *,
    step: int,
    learning_rate: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    factor: float = 1.0,
) -> None:
    r"""Update weight and moments in place (E16).

    $$ m \leftarrow \beta_1 m + (1 - \beta_1)\, g \tag{16a} $$
    $$ v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2 \tag{16b} $$
    $$ \hat m = \frac{m}{1 - \beta_1^t}, \qquad
       \hat v = \frac{v}{1 - \beta_2^t} \tag{16c} $$
    $$ W \leftarrow W - \eta \lambda W
       - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon} \tag{16d} $$

    Args:
        weight: `(n,)` parameters $W$, updated in place.
        gradient: `(n,)` gradient $g$, read only.
        m: `(n,)` first moment, zeros before step 1, updated in place.
        v: `(n,)` second moment, zeros before step 1, updated in place.
        step: $t$, counted from 1.
        learning_rate: $\eta$.
        betas: $(\beta_1, \beta_2)$, each in `[0, 1)`.
        eps: $\epsilon$, added outside the root.
        weight_decay: $\lambda$; 0 for gains.
        factor: Multiplies the gradient first; from `clip_factor`.

    The two corrections are scalars, so they are taken out of the loop over elements:
    $\eta\, \hat m / (\sqrt{\hat v} + \epsilon) = \eta\, \frac{\sqrt{c_2}}{c_1}\,
    m / (\sqrt v + \epsilon \sqrt{c_2})$ with $c_i = 1 - \beta_i^t$ (Kingma and Ba,
    *Adam*, 2015, end of section 2).

    References:
        Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, 2019,
        algorithm 2. Differs from it in: the decay is multiplied by the learning
        rate, as in PyTorch.
    """
    beta1, beta2 = betas
    root2 = (1 - beta2**step) ** 0.5  # a Python float keeps float32 loops float32
    rate = learning_rate * root2 / (1 - beta1**step)
    for start in range(0, weight.size, BLOCK):
        block = slice(start, start + BLOCK)
        w_b, m_b, v_b = weight[block], m[block], v[block]
        g = gradient[block] * (factor * (1 - beta1))  # its share of the moment
        m_b *= beta1
        m_b += g  # [16a]
        g *= g
        g *= (1 - beta2) / (1 - beta1) ** 2  # now the share of its square
        v_b *= beta2
        v_b += g  # [16b]
        update = np.sqrt(v_b, out=g)  # the gradient is used up: its memory serves
        update += eps * root2  # [16c] the bias corrections are in rate and eps
        np.divide(m_b, update, out=update)
        update *= rate
        w_b *= 1 - learning_rate * weight_decay  # [16d]
        w_b -= update  # [16d]
