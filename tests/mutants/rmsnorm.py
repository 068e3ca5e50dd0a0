"""Wrong and harmless versions of RMSNorm (E02)."""

from mutants.harness import Change

E02 = ("E02", "moe.equations.rmsnorm")

MUTANTS = (
    Change(
        *E02, "/ np.sqrt(s + eps)", "/ (np.sqrt(s) + eps)", "epsilon outside the root"
    ),
    Change(*E02, "/ np.sqrt(s + eps)", "/ np.sqrt(s)", "no epsilon"),
    Change(*E02, "x, x) / x.shape[1]", "x, x)", "sum in place of mean"),
    Change(
        *E02,
        's = np.einsum("nc,nc->n", x, x) / x.shape[1]',
        "s = ((x - x.mean(1)[:, None]) ** 2).mean(1)",
        "variance in place of mean square: LayerNorm",
    ),
    Change(
        *E02,
        'np.einsum("nc,nc->n", x, x) / x.shape[1]',
        'np.einsum("nc,nc->", x, x) / x.size + 0 * x[:, 0]',
        "one mean square for all tokens",
    ),
    Change(*E02, "    y *= gamma  #", "    y += gamma  #", "gain added"),
    Change(
        *E02,
        "    y *= gamma  #",
        "    y *= 1 + gamma  #",
        "gain stored as offset from 1",
    ),
    Change(
        *E02,
        "    y = x * r[:, None]",
        "    y = np.multiply(x, r[:, None], out=x)",
        "the input is overwritten",
    ),
    Change(*E02, "np.matmul(r, dy_x, out=out)", "dy_x.sum(0)", "dgamma without r"),
    Change(
        *E02,
        "np.matmul(r, dy_x, out=out)",
        "np.matmul(r, dy_x)",
        "the caller's buffer for dgamma is left alone",
    ),
    Change(*E02, "dr * r * r / x.shape[1]", "dr * r * r", "dx: 1/C of the mean lost"),
    Change(*E02, "dr * r * r / x", "dr * r / x", "dx: r squared lost one r"),
    Change(*E02, "dx -= x * half", "dx += x * half", "dx: sign of the second term"),
    Change(
        *E02,
        "dx = dy * gamma",
        "dx = dy.copy()",
        "dx: gain left out of the direct term",
    ),
    Change(
        *E02, "dr = dy_x @ gamma", "dr = dy_x.sum(1)", "dx: gain left out of the mean"
    ),
    Change(*E02, "    dx -= x * half_ds[:, None]", "    pass", "dx: mean term dropped"),
)

HARMLESS = (
    Change(
        *E02,
        's = np.einsum("nc,nc->n", x, x) / x.shape[1]',
        "s = (x * x).sum(axis=1) / x.shape[1]",
        "the mean square by other calls",
    ),
    Change(
        *E02,
        "half_ds = dr * r * r / x.shape[1]",
        "half_ds = dr / x.shape[1] * (r * r)",
        "the same product in another order",
    ),
)
