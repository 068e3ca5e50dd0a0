"""Wrong and harmless versions of router gating (E12)."""

from mutants.harness import Change

E12 = ("E12", "moe.equations.router")
ORDER = 'np.argsort(-probabilities, axis=1, kind="stable")'

MUTANTS = (
    Change(
        *E12, "weights = chosen / mass", "weights = chosen.copy()", "not renormalised"
    ),
    Change(
        *E12,
        "weights = chosen / mass",
        "weights, _ = softmax(chosen)",
        "softmax of the chosen probabilities in place of their shares",
    ),
    Change(
        *E12,
        "weights = chosen / mass",
        "weights = chosen / (mass + 1e-9)",
        "an epsilon in the denominator",
    ),
    Change(
        *E12,
        "chosen.sum(axis=1, keepdims=True)",
        "chosen.sum(axis=0, keepdims=True)",
        "mass summed over tokens",
    ),
    Change(
        *E12,
        ORDER,
        'np.argsort(probabilities, axis=1, kind="stable")',
        "the least likely experts are chosen",
    ),
    Change(
        *E12,
        ORDER,
        'np.argsort(probabilities, axis=1, kind="stable")[:, ::-1]',
        "ties go to the higher index",
    ),
    Change(
        *E12,
        "order[:, :top_k]",
        "order[:, 1 : top_k + 1]",
        "the best expert is passed over",
    ),
    Change(
        *E12,
        "order[:, :top_k]",
        "np.sort(order[:, :top_k], axis=1)",
        "chosen experts by index: largest weight no longer first",
    ),
    Change(
        *E12,
        "return weights, indices, probabilities, (",
        "return weights, indices, chosen / mass.max(), (",
        "the balance loss gets the chosen weights, not the probabilities",
    ),
    Change(
        *E12,
        "(dweights - mean) / mass",
        "dweights / mass",
        "dlogits: the mass treated as constant",
    ),
    Change(
        *E12,
        "(dweights - mean) / mass",
        "dweights - mean",
        "dlogits: division by the mass lost",
    ),
    Change(
        *E12, "(dweights - mean) / mass", "(dweights + mean) / mass", "dlogits: sign"
    ),
    Change(
        *E12,
        "(weights * dweights).sum(axis=1, keepdims=True)",
        "dweights.mean(axis=1, keepdims=True)",
        "dlogits: plain mean in place of the weighted one",
    ),
    Change(
        *E12,
        "dp = dprobabilities.copy()",
        "dp = np.zeros_like(dprobabilities)",
        "dlogits: the balance loss is not passed on",
    ),
    Change(
        *E12,
        "dp = dprobabilities.copy()",
        "dp = dprobabilities",
        "the caller's gradient is overwritten",
    ),
    Change(
        *E12,
        "dp[rows, indices] += dchosen",
        "dp[rows, indices] = dchosen",
        "dlogits: chosen experts lose the gradient of the balance loss",
    ),
    Change(
        *E12,
        "    dp[rows, indices] += dchosen",
        "    pass",
        "dlogits: nothing is learned from the combine weights",
    ),
)

HARMLESS = (
    Change(
        *E12,
        "(dweights - mean) / mass",
        "dweights / mass - mean / mass",
        "the quotient multiplied out",
    ),
    Change(
        *E12,
        "dp[rows, indices] += dchosen",
        "np.add.at(dp, (rows, indices), dchosen)",
        "a scatter that would also bear repeated experts",
    ),
)
