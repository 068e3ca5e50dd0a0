r"""Experts: dispatch tokens to their experts, combine what comes back (E11).

Tokens are sorted by expert, so that each expert is one matrix product over one slice
of one buffer, and the gate is applied once to all of them. Dispatch gathers rows,
combine gathers them back; each is the transpose of the other. In memory the buffers
hold one hidden unit after the other, so that BLAS reads the weights as they lie.
"""

import numpy as np

from moe.arrays import Array, Cache
from moe.equations.swiglu import gated_silu, gated_silu_backward


def dispatch(indices: Array, experts: int) -> tuple[Array, list[slice]]:
    """Sort all assignments by expert, and keep the order of tokens in each (E11).

    Args:
        indices: `(N, K)` chosen experts.
        experts: `E`.

    Returns:
        order: `(N*K,)` assignment `n*K + k` that stands at each sorted place.
        spans: `E` slices of the sorted places, one per expert.
    """
    assigned = indices.ravel()
    order = np.argsort(assigned, kind="stable")
    ends = np.cumsum(np.bincount(assigned, minlength=experts)).tolist()
    return order, [slice(*span) for span in zip([0, *ends], ends, strict=False)]


def experts(
    x: Array,
    weights: Array,
    indices: Array,
    gate_up: Array,
    down: Array,
) -> tuple[Array, Cache]:
    r"""Weighted sum of the outputs of each token's chosen experts (E11).

    $$ g_{nka} = \sum_c W^{\mathrm{gate,up}}_{i_{nk}\,ac}\, x_{nc} \tag{11a} $$
    $$ o_{nkc} = \sum_f W^{\mathrm{down}}_{i_{nk}\,cf}\,
       \mathrm{silu}(g_{nkf})\, g_{n,k,F+f} \tag{11b} $$
    $$ y_{nc} = \sum_k w_{nk}\, o_{nkc} \tag{11c} $$

    Here $w$ is `weights` and $i$ is `indices`, both from `router`; gate and up are the
    two halves of $g$.

    Args:
        x: `(N, C)` tokens.
        weights: `(N, K)` combine weights.
        indices: `(N, K)` chosen experts, distinct in each row.
        gate_up: `(E, 2F, C)` gate above up, for each expert.
        down: `(E, C, F)` down, for each expert.

    Returns:
        y: `(N, C)` combined outputs.
        cache: Permutation, sorted tokens and hidden units, for `experts_backward`.

    References:
        Shazeer et al., *Outrageously Large Neural Networks*, 2017, Eq. 1; Jiang et
        al., *Mixtral of Experts*, 2024, section 2.1.
    """
    tokens, top_k = indices.shape
    order, spans = dispatch(indices, len(gate_up))
    sorted_x = x[order // top_k]  # (NK, C)
    hidden = np.empty((len(order), gate_up.shape[1]), x.dtype, order="F")
    for expert, span in enumerate(spans):
        np.matmul(sorted_x[span], gate_up[expert].T, out=hidden[span])  # [11a]
    h, gate_cache = gated_silu(hidden)  # [11b] (NK, F)
    sorted_o = np.empty_like(sorted_x, order="F")
    for expert, span in enumerate(spans):
        np.matmul(h[span], down[expert].T, out=sorted_o[span])  # [11b]
    o = np.empty_like(sorted_x)
    o[order] = sorted_o  # back to token order
    o = o.reshape(tokens, top_k, -1)  # (N, K, C)
    y = np.matmul(weights[:, None, :], o)[:, 0]  # [11c] (N, C)
    return y, (weights, gate_up, down, order, spans, sorted_x, h, gate_cache, o)


def experts_backward(
    dy: Array,
    cache: Cache,
    out: tuple[Array, Array] | tuple[None, None] = (None, None),
) -> tuple[Array, Array, Array, Array]:
    r"""Back through combine, experts and dispatch (E11).

    $$ \mathrm{d}w_{nk} = \sum_c o_{nkc}\, \mathrm{d}y_{nc} \qquad
       \mathrm{d}o_{nkc} = w_{nk}\, \mathrm{d}y_{nc} \qquad
       \mathrm{d}x_{nc} = \sum_{ka} W^{\mathrm{gate,up}}_{i_{nk}\,ac}\,
       \mathrm{d}g_{nka} $$

    Args:
        dy: `(N, C)` gradient of the output.
        cache: What `experts` returned.
        out: Arrays that receive `dgate_up` and `ddown`, overwritten.

    Returns:
        dx: `(N, C)` gradient of the tokens.
        dweights: `(N, K)` gradient of the combine weights.
        dgate_up: `(E, 2F, C)` gradient; zero for an expert that saw no token.
        ddown: `(E, C, F)` gradient; likewise.
    """
    weights, gate_up, down, order, spans, sorted_x, h, gate_cache, o = cache
    dgate_up = np.empty_like(gate_up) if out[0] is None else out[0]
    ddown = np.empty_like(down) if out[1] is None else out[1]
    tokens, top_k = weights.shape
    dweights = np.matmul(o, dy[:, :, None])[:, :, 0]  # [11c] (N, K)
    sorted_do = dy[order // top_k]  # (NK, C)
    sorted_do *= weights.reshape(-1, 1)[order]  # [11c]
    dh = np.empty_like(h)
    for expert, span in enumerate(spans):
        np.matmul(sorted_do[span], down[expert], out=dh[span])  # [11b]
        np.matmul(sorted_do[span].T, h[span], out=ddown[expert])  # [11b]
    dhidden = gated_silu_backward(dh, gate_cache)  # [11b] (NK, 2F)
    sorted_dx = np.empty_like(sorted_x)
    for expert, span in enumerate(spans):
        np.matmul(dhidden[span], gate_up[expert], out=sorted_dx[span])  # [11a]
        np.matmul(dhidden[span].T, sorted_x[span], out=dgate_up[expert])  # [11a]
    dx = np.empty_like(sorted_dx)
    dx[order] = sorted_dx
    dx = dx.reshape(tokens, top_k, -1).sum(axis=1)  # [11a] a token went to K experts
    return dx, dweights, dgate_up, ddown
