"""Wrong and harmless versions of cross-entropy and its gradient (E14, E15)."""

from mutants.harness import Change

E14 = ("E14", "moe.equations.cross_entropy")
E15 = ("E15", "moe.equations.cross_entropy")
SHIFTED = "shifted = logits - logits.max(axis=1, keepdims=True)"
CHOSEN = "    chosen = shifted[np.arange(len(targets)), targets]  # (N,)"
EXPONENTIALS = "    exponentials = np.exp(shifted, out=shifted)"
LOSS = "(np.log(totals) - chosen).mean()"

MUTANTS = (
    Change(*E14, SHIFTED, "shifted = logits.copy()", "no shift: large logits overflow"),
    Change(
        *E14,
        SHIFTED,
        "shifted = logits - logits.max()",
        "one shift for all tokens: a token far below the others underflows",
    ),
    Change(
        *E14,
        SHIFTED,
        "shifted = np.subtract(logits, logits.max(axis=1, keepdims=True), out=logits)",
        "the logits are overwritten",
    ),
    Change(
        *E14,
        f"{CHOSEN}\n{EXPONENTIALS}",
        f"{EXPONENTIALS}\n{CHOSEN}",
        "the target's logit is read after its exponential overwrote it",
    ),
    Change(
        *E14,
        "len(targets)), targets]  #",
        "len(targets)), np.roll(targets, -1)]  #",
        "targets shifted by one, though they come shifted",
    ),
    Change(*E14, LOSS, "(np.log(totals) - chosen).sum()", "sum in place of mean"),
    Change(*E14, LOSS, "(np.log2(totals) - chosen).mean()", "bits mixed with nats"),
    Change(*E14, LOSS, "(chosen - np.log(totals)).mean()", "log-likelihood: the sign"),
    Change(
        *E14,
        LOSS,
        "-np.log(np.maximum(np.exp(chosen) / totals, 1e-12)).mean()",
        "logarithm of a clamped probability: rare targets cost too little",
    ),
    Change(
        *E14,
        LOSS,
        "(np.log(totals) - chosen)[targets != 0].mean()",
        "target 0 taken for padding",
    ),
    Change(
        *E15,
        "    dlogits[np.arange(tokens), targets] -= scale",
        "    pass",
        "one-hot not subtracted",
    ),
    Change(
        *E15,
        "dlogits[np.arange(tokens), targets] -= scale",
        "dlogits[:, targets] -= scale",
        "every token pays for the targets of all",
    ),
    Change(
        *E15,
        "dlogits[np.arange(tokens), targets] -= scale",
        "dlogits[np.arange(tokens), targets] -= dloss",
        "mean over the softmax, sum over the one-hot",
    ),
    Change(*E15, "scale = dloss / tokens", "scale = dloss", "not divided by N"),
    Change(*E15, "scale = dloss / tokens", "scale = 1 / tokens", "dloss lost"),
    Change(*E15, "scale = dloss / tokens", "scale = -dloss / tokens", "sign: uphill"),
    Change(
        *E15,
        "scale = dloss / tokens",
        "scale = dloss / exponentials.size",
        "divided by N V: mean over all logits",
    ),
    Change(
        *E15,
        "exponentials * (scale / totals)[:, None]",
        "exponentials * scale",
        "exponentials not normalised",
    ),
    Change(
        *E15,
        "dlogits = exponentials * (scale / totals)[:, None]",
        "dlogits = exponentials\n    dlogits *= (scale / totals)[:, None]",
        "the backward eats its cache",
    ),
)

HARMLESS = (
    Change(
        *E14,
        LOSS,
        "np.log(totals).mean() - chosen.mean()",
        "difference of the means",
    ),
    Change(
        *E15,
        "exponentials * (scale / totals)[:, None]",
        "exponentials / totals[:, None] * scale",
        "softmax first, its share then",
    ),
)
