r"""RoPE: positions as rotations of channel pairs (E07, E08, E09).

A query at position m and a key at position n are turned by angles proportional to m
and n, so their dot product depends on the distance m - n alone.
"""

import numpy as np

from moe.arrays import Array, Cache


def ntk_base(base: float, alpha: float, width: int) -> float:
    r"""Stretch the base so that contexts `alpha` times longer fit (E09).

    $$ b' = b\, \alpha^{d / (d - 2)} \tag{9a} $$

    The slowest pair then turns `alpha` times more slowly, the fastest as before.

    Args:
        base: $b$, above 1.
        alpha: $\alpha$, the stretch of the context, at least 1; 1 changes nothing.
        width: $d$, head width, even and above 2.

    Returns:
        The base $b'$ for `rope_frequencies`.

    References:
        bloc97, *NTK-Aware Scaled RoPE*, 2023; Peng et al., *YaRN*, ICLR 2024,
        Eq. 16 and definition 1.
    """
    return base * alpha ** (width / (width - 2))  # [9a]


def rope_frequencies(width: int, base: float) -> Array:
    r"""Angle per position of every pair of channels (E08).

    $$ \theta_i = b^{-2i/d}, \qquad i = 0, \dots, d/2 - 1 \tag{8a} $$

    Args:
        width: $d$, head width, even.
        base: $b$, above 1; 10000 in the paper.

    Returns:
        `(D/2,)` frequencies in radians per position, float64, from 1 downward.

    References:
        Su et al., *RoFormer*, 2021, section 3.2.2, Eq. 15. Differs from it in: pairs
        are counted from 0 (the paper counts from 1 and writes $-2(i-1)/d$).
    """
    pairs = np.arange(width // 2)
    return np.asarray(base ** (-2 * pairs / width))  # [8a] (D/2,)


def rope_tables(
    positions: Array, frequencies: Array, dtype: np.typing.DTypeLike
) -> tuple[Array, Array]:
    r"""Cosine and sine of every angle, in the layout that `rope` multiplies (E07).

    $$ \phi_{ti} = m_t\, \theta_i \tag{7a} $$

    Angles are formed in the precision of `frequencies`, float64: at position 30000
    a float32 angle has lost four digits.

    Args:
        positions: `(T,)` positions $m_t$.
        frequencies: `(D/2,)` from `rope_frequencies`.
        dtype: Of the tables; that of the model.

    Returns:
        cos: `(T, D)`, each cosine twice, for both channels of its pair.
        sin: `(T, D)`, each sine twice.
    """
    angles = np.repeat(positions[:, None] * frequencies, 2, axis=1)  # [7a] (T, D)
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


def quarter_turn(x: Array) -> Array:
    r"""Turn every channel pair by 90 degrees: $(a, b) \to (-b, a)$ (E07).

    Args:
        x: `(..., D)` with pairs in channels `(2i, 2i + 1)`.

    Returns:
        `(..., D)` turned pairs.
    """
    turned = np.empty_like(x)
    np.negative(x[..., 1::2], out=turned[..., 0::2])
    turned[..., 1::2] = x[..., 0::2]
    return turned


def rope(x: Array, cos: Array, sin: Array) -> tuple[Array, Cache]:
    r"""Turn channel pair i of the token at position m by m theta_i (E07).

    $$ \begin{pmatrix} y_{t,2i} \\ y_{t,2i+1} \end{pmatrix} =
       \begin{pmatrix} \cos\phi_{ti} & -\sin\phi_{ti} \\
                       \sin\phi_{ti} & \cos\phi_{ti} \end{pmatrix}
       \begin{pmatrix} x_{t,2i} \\ x_{t,2i+1} \end{pmatrix} \tag{7b} $$

    A rotation is its cosine times the identity plus its sine times a quarter turn,
    and that is how the code computes it: `x * cos + quarter_turn(x) * sin`.

    Args:
        x: `(B, T, H, D)` queries or keys.
        cos: `(T, D)` from `rope_tables`.
        sin: `(T, D)` from `rope_tables`.

    Returns:
        y: `(B, T, H, D)` turned.
        cache: `(cos, sin)` for `rope_backward`.

    References:
        Su et al., *RoFormer*, 2021, Eq. 34. Pairs are interleaved as there; GPT-NeoX
        and Hugging Face pair channel i with i + D/2, the same up to a permutation.
    """
    y = quarter_turn(x)
    y *= sin[:, None, :]
    y += x * cos[:, None, :]  # [7b] (B, T, H, D)
    return y, (cos, sin)


def rope_backward(dy: Array, cache: Cache) -> Array:
    r"""Turn the gradient back: the inverse of a rotation is its transpose (E07).

    Args:
        dy: `(B, T, H, D)` gradient of the output.
        cache: What `rope` returned.

    Returns:
        dx: `(B, T, H, D)` gradient of the input.
    """
    cos, sin = cache
    dx, _ = rope(dy, cos, -sin)  # [7b] the same angles, the other way
    return dx
