"""Wrong and harmless versions of dispatch and combine (E11)."""

from mutants.harness import Change

E11 = ("E11", "moe.equations.experts")
COMBINE = "np.matmul(weights[:, None, :], o)[:, 0]"
SORTED_WEIGHTS = "    sorted_do *= weights.reshape(-1, 1)[order]"

MUTANTS = (
    Change(
        *E11,
        "zip([0, *ends], ends, strict=False)",
        "zip(ends, [*ends[1:], ends[-1]], strict=False)",
        "inclusive sums taken for the starts: every expert gets its neighbour's",
    ),
    Change(
        *E11,
        "np.bincount(assigned, minlength=experts)",
        "np.bincount(assigned)",
        "no slice for unused experts at the end",
    ),
    Change(
        *E11,
        "[slice(*span) for span in",
        "[slice(a, min(b, a + len(assigned) // experts)) for a, b in",
        "tokens beyond an even share are dropped",
    ),
    Change(
        *E11,
        "sorted_x = x[order // top_k]",
        "sorted_x = x[order % len(x)]",
        "assignments read as choice-major",
    ),
    Change(
        *E11,
        "    o[order] = sorted_o",
        "    o = sorted_o[order]",
        "the permutation is applied again, not undone",
    ),
    Change(*E11, "    o[order] = sorted_o", "    o = sorted_o", "left in expert order"),
    Change(
        *E11,
        COMBINE,
        "o.sum(axis=1)",
        "outputs added without their weights",
    ),
    Change(
        *E11,
        "sorted_x = x[order // top_k]",
        "sorted_x = x[order // top_k] * weights.reshape(-1, 1)[order]",
        "weights applied before the expert as well",
    ),
    Change(
        *E11,
        "np.matmul(h[span], down[expert].T,",
        "np.matmul(h[span], down[0].T,",
        "all experts share the first one's down weight",
    ),
    Change(
        *E11,
        "np.matmul(o, dy[:, :, None])[:, :, 0]",
        "np.matmul(o * weights[:, :, None], dy[:, :, None])[:, :, 0]",
        "dweights: of the weighted outputs",
    ),
    Change(*E11, SORTED_WEIGHTS, "    pass", "dx: combine weights forgotten"),
    Change(
        *E11,
        SORTED_WEIGHTS,
        "    sorted_do *= weights.reshape(-1, 1)",
        "dx: weights in token order on gradients in expert order",
    ),
    Change(
        *E11,
        "    dx[order] = sorted_dx",
        "    dx = sorted_dx[order]",
        "dx: the permutation is applied again, not undone",
    ),
    Change(
        *E11,
        "dx.reshape(tokens, top_k, -1).sum(axis=1)",
        "dx.reshape(tokens, top_k, -1)[:, 0]",
        "dx: of the first choice alone",
    ),
    Change(
        *E11,
        "dx.reshape(tokens, top_k, -1).sum(axis=1)",
        "dx.reshape(tokens, top_k, -1).mean(axis=1)",
        "dx: mean over the choices in place of sum",
    ),
    Change(
        *E11,
        "    dx = np.empty_like(sorted_dx)\n    dx[order] = sorted_dx\n"
        "    dx = dx.reshape(tokens, top_k, -1).sum(axis=1)",
        "    dx = np.zeros_like(dy)\n    dx[order // top_k] += sorted_dx",
        "dx: a token that comes back twice is added once",
    ),
    Change(
        *E11,
        "np.matmul(dhidden[span].T, sorted_x[span], out=dgate_up[expert])",
        "np.matmul(dhidden[span].T, sorted_x[span]) if span.stop > span.start else 0",
        "dgate_up: computed and thrown away",
    ),
    Change(
        *E11,
        "np.empty_like(down) if out[1] is None else out[1]",
        "np.empty_like(down)",
        "ddown: the caller's buffer is left alone",
    ),
)

HARMLESS = (
    Change(
        *E11,
        COMBINE,
        "(weights[:, :, None] * o).sum(axis=1)",
        "the combination by other calls",
    ),
    Change(
        *E11,
        "    o = np.empty_like(sorted_x)\n    o[order] = sorted_o",
        "    o = sorted_o[np.argsort(order)]",
        "the inverse permutation written out",
    ),
    Change(
        *E11,
        "    dx = np.empty_like(sorted_dx)\n    dx[order] = sorted_dx\n"
        "    dx = dx.reshape(tokens, top_k, -1).sum(axis=1)",
        "    dx = np.zeros_like(dy)\n    np.add.at(dx, order // top_k, sorted_dx)",
        "the same sum as a scatter",
    ),
)
