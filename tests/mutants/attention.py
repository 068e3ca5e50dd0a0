"""Wrong and harmless versions of causal grouped-query attention (E10)."""

from mutants.harness import Change

E10 = ("E10", "moe.equations.attention")
TRIANGLE = "np.triu(mask, k=keys - queries + 1)"
MASKED = """\
    by_token = scores.reshape(*scores.shape[:2], tokens, -1, scores.shape[3])
    by_token += mask[:, None, :]"""

MUTANTS = (
    Change(
        *E10,
        TRIANGLE,
        "np.triu(mask, k=keys - queries + 2)",
        "every query sees one token of the future",
    ),
    Change(
        *E10,
        TRIANGLE,
        "np.triu(mask, k=max(keys - queries, 1))",
        "with a cache, a query does not see itself",
    ),
    Change(
        *E10,
        TRIANGLE,
        "np.triu(mask, k=1)",
        "queries aligned with the first key: wrong with a cache",
    ),
    Change(*E10, TRIANGLE, "0 * np.tri(queries, keys)", "no mask"),
    Change(*E10, "-math.inf, dtype", "-30.0, dtype", "a mask that large scores exceed"),
    Change(
        *E10,
        MASKED,
        "    scores += np.tile(mask, (scores.shape[2] // tokens, 1))",
        "mask tiled over rows in place of repeated for each token's heads",
    ),
    Change(
        *E10,
        "    x = x.reshape(batch, tokens, groups, heads // groups, width)\n"
        "    return x.swapaxes(1, 2)",
        "    x = x.reshape(batch, tokens, heads // groups, groups, width)\n"
        "    return x.transpose(0, 3, 1, 2, 4)",
        "head h reads key/value head h mod G: tile in place of repeat",
    ),
    Change(
        *E10,
        "k, v = k.swapaxes(1, 2), v.swapaxes(1, 2)",
        "k, v = k[:, :, ::-1].swapaxes(1, 2), v[:, :, ::-1].swapaxes(1, 2)",
        "key/value heads in reverse order",
    ),
    Change(
        *E10, "fold_heads(q * (1 / math.sqrt(width)), ", "fold_heads(q, ", "no scale"
    ),
    Change(
        *E10,
        "q * (1 / math.sqrt(width))",
        "q * (1 / width)",
        "scaled by the width, not by its root",
    ),
    Change(
        *E10,
        "q * (1 / math.sqrt(width))",
        "q * (1 / math.sqrt(width * q.shape[2]))",
        "scaled by the width of all heads together",
    ),
    Change(
        *E10,
        "q * (1 / math.sqrt(width))",
        "np.multiply(q, 1 / math.sqrt(width), out=q)",
        "the queries are overwritten",
    ),
    Change(
        *E10,
        "    dq *= 1 / math.sqrt(width)",
        "    pass",
        "dq: scale forgotten",
    ),
    Change(
        *E10,
        "dk = dscores.swapaxes(2, 3) @ q",
        "dk = dscores.swapaxes(2, 3) @ q * (1 / math.sqrt(width))",
        "dk: scaled twice",
    ),
    Change(
        *E10,
        "dscores = softmax_backward(dp, softmax_cache)",
        "dscores = dp * p",
        "dq, dk: second term of the softmax Jacobian dropped",
    ),
    Change(
        *E10,
        "dv = p.swapaxes(2, 3) @ dy",
        "dv = p.swapaxes(2, 3) @ dy * (tokens / p.shape[2])",
        "dv: mean over the heads of a group in place of sum",
    ),
    Change(
        *E10,
        "dk = dscores.swapaxes(2, 3) @ q",
        "dk = dscores.swapaxes(2, 3) @ q * (tokens / p.shape[2])",
        "dk: mean over the heads of a group in place of sum",
    ),
    Change(
        *E10,
        "dk.swapaxes(1, 2), dv.swapaxes(1, 2)",
        "dv.swapaxes(1, 2), dk.swapaxes(1, 2)",
        "dk and dv returned in the wrong order",
    ),
)

HARMLESS = (
    Change(
        *E10,
        TRIANGLE,
        "np.triu(mask, k=1 + keys - queries)",
        "the same diagonal, counted differently",
    ),
    Change(
        *E10,
        "    dq = dscores @ k  # [10a] (B, G, TR, D)\n    dq *= 1 / math.sqrt(width)",
        "    dq = dscores @ (k * (1 / math.sqrt(width)))",
        "the scale on the other factor",
    ),
    Change(
        *E10,
        MASKED,
        "    scores += np.repeat(mask, scores.shape[2] // tokens, axis=0)",
        "the mask repeated for the heads of each token",
    ),
)
