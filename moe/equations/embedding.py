r"""Embedding: a token id selects its row of a table (E01).

The lookup is a matrix product with a one-hot row that nobody needs to build, so
its gradient is the transposed product: a scatter in which repeated ids add up.
"""

import numpy as np

from moe.arrays import Array, Cache


def embedding(ids: Array, weight: Array) -> tuple[Array, Cache]:
    r"""Look up one row of the table for every token (E01).

    $$ x_{tc} = W_{\mathrm{id}_t\, c} \tag{1a} $$

    Here $\mathrm{id}$ is `ids` and $W$ is `weight`.

    Args:
        ids: `(N,)` token ids, integers in `[0, V)`. NumPy reads a negative id from
            the end of the table; `Model.forward` rejects it.
        weight: `(V, C)` embedding table.

    Returns:
        x: `(N, C)` one row of the table per token.
        cache: `(ids, weight)` for `embedding_backward`.

    Raises:
        IndexError: If an id is `V` or larger.

    References:
        Bengio et al., *A Neural Probabilistic Language Model*, JMLR 2003, section 2
        (the matrix $C$ there).
    """
    x = weight[ids]  # [1a] (N, C)
    return x, (ids, weight)


def embedding_backward(dx: Array, cache: Cache, out: Array | None = None) -> Array:
    r"""Scatter the gradient of every token back to the row that it read (E01).

    $$ \mathrm{d}W_{vc} = \sum_t \delta_{v\,\mathrm{id}_t}\, \mathrm{d}x_{tc} $$

    Args:
        dx: `(N, C)` gradient of the output.
        cache: What `embedding` returned.
        out: `(V, C)` array that receives the gradient, overwritten.

    Returns:
        dweight: `(V, C)` gradient of the table; ids have none.
    """
    ids, weight = cache
    dweight = np.empty_like(weight) if out is None else out
    dweight[...] = 0
    np.add.at(dweight, ids, dx)  # [1a] a repeated id adds, it does not overwrite
    return dweight
