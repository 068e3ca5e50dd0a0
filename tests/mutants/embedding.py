"""Wrong and harmless versions of the embedding (E01)."""

from mutants.harness import Change

E01 = ("E01", "moe.equations.embedding")

MUTANTS = (
    Change(
        *E01,
        "np.add.at(dweight, ids, dx)",
        "dweight[ids] = dx",
        "a repeated id overwrites the gradient of the one before",
    ),
    Change(
        *E01,
        "np.add.at(dweight, ids, dx)",
        "dweight[ids] += dx",
        "a repeated id is added once: fancy += is buffered",
    ),
    Change(
        *E01,
        "np.add.at(dweight, ids, dx)",
        "rows, first = np.unique(ids, return_index=True)\n"
        "    dweight[rows] = dx[first]",
        "only the first token of each id has a gradient",
    ),
    Change(
        *E01,
        "np.add.at(dweight, ids, dx)",
        "np.add.at(dweight, ids, dx / np.bincount(ids)[ids][:, None])",
        "gradient averaged over the tokens of an id",
    ),
    Change(
        *E01,
        "    return dweight",
        "    dweight[0] = 0\n    return dweight",
        "row 0 taken for padding: it never learns",
    ),
    Change(
        *E01,
        "    dweight[...] = 0",
        "    pass",
        "gradient added to what the buffer held",
    ),
    Change(
        *E01,
        "np.empty_like(weight) if out is None else out",
        "np.empty_like(weight)",
        "the caller's buffer is left alone",
    ),
    Change(
        *E01,
        "x = weight[ids]",
        "x = weight[ids] * weight.shape[1] ** 0.5",
        "rows scaled by the root of the width, as in the first Transformer",
    ),
    Change(*E01, "x = weight[ids]", "x = weight[ids - 1]", "ids counted from 1"),
    Change(
        *E01,
        "x = weight[ids]",
        "x = weight[np.clip(ids, 0, len(weight) - 1)]",
        "an id outside the table silently reads its last row",
    ),
)

HARMLESS = (
    Change(
        *E01,
        "x = weight[ids]",
        "x = np.take(weight, ids, axis=0)",
        "the same rows by another call",
    ),
    Change(
        *E01,
        "np.add.at(dweight, ids, dx)",
        "[np.add(dweight[i], dx[n], out=dweight[i]) for n, i in enumerate(ids)]",
        "the scatter as a loop over tokens",
    ),
)
