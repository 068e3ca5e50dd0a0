r"""Global-norm clipping: shorten a gradient, never turn it (E17)."""

from collections.abc import Sequence

import numpy as np

from moe.arrays import Array


def clip_factor(gradients: Sequence[Array], max_norm: float) -> tuple[Array, Array]:
    r"""Factor that brings all gradients, taken as one vector, within a norm (E17).

    $$ \lVert g \rVert = \sqrt{ \sum_a \sum_i g_{ai}^2 } \tag{17a} $$
    $$ g_{ai} \leftarrow g_{ai}\, \min\Bigl( 1, \frac{c}{\lVert g \rVert} \Bigr)
       \tag{17b} $$

    The sums run over all tensors $a$ and their elements $i$.

    The factor is returned and not applied: `adamw` multiplies by it while it holds
    the gradient anyway, which saves a pass through memory.

    Args:
        gradients: All gradient tensors, of any shapes.
        max_norm: $c$, above 0.

    Returns:
        factor: $\min(1, c / \lVert g \rVert)$; 1 for a zero gradient.
        norm: $\lVert g \rVert$ before clipping.

    References:
        Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural
        networks*, 2013, algorithm 1. Differs from PyTorch in: no 1e-6 in the divisor.
    """
    flat = [gradient.ravel() for gradient in gradients]
    norm = np.sqrt(sum(g @ g for g in flat))  # [17a]
    return max_norm / np.maximum(norm, max_norm), norm  # [17b]
