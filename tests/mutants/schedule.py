"""Wrong and harmless versions of warmup and cosine decay (E18, E19)."""

from mutants.harness import Change

E18 = ("E18", "moe.equations.schedule")
E19 = ("E19", "moe.equations.schedule")
WARMUP = "return base * step / warmup"
PROGRESS = "min(1, max(0, (step - warmup) / (total - warmup)))"
COSINE = "minimum + (base - minimum) * (1 + np.cos(np.pi * progress)) / 2"

MUTANTS = (
    Change(
        *E18, WARMUP, "return base * (step - 1) / warmup", "first step at a rate of 0"
    ),
    Change(*E18, WARMUP, "return base * (step + 1) / warmup", "one step ahead"),
    Change(
        *E18,
        WARMUP,
        "return base * step / (warmup + 1)",
        "the base rate is never reached",
    ),
    Change(*E18, WARMUP, "return base * (step // warmup)", "whole division: no slope"),
    Change(*E18, WARMUP, "return base * (step / warmup) ** 2", "a parabola"),
    Change(
        *E18, WARMUP, "return base * (1 - step / warmup)", "falls where it should rise"
    ),
    Change(*E18, WARMUP, "return base / warmup", "constant"),
    Change(
        *E19,
        PROGRESS,
        "max(0, (step - warmup) / (total - warmup))",
        "not clamped: the rate rises again after the end",
    ),
    Change(
        *E19,
        PROGRESS,
        "min(1, max(0, step / total))",
        "progress counted from step 0: a jump after the warmup",
    ),
    Change(
        *E19,
        PROGRESS,
        "min(1, max(0, (step - warmup) / total))",
        "the minimum is reached a warmup too late",
    ),
    Change(
        *E19,
        PROGRESS,
        "min(1, max(0, (step - 1 - warmup) / (total - warmup)))",
        "one step behind",
    ),
    Change(*E19, COSINE, COSINE.replace("(base - minimum)", "base"), "too high by min"),
    Change(*E19, COSINE, COSINE[len("minimum + ") :], "falls to 0, not to the minimum"),
    Change(*E19, COSINE, COSINE.replace("np.cos", "np.sin"), "sine"),
    Change(*E19, COSINE, COSINE.replace("1 + ", "1 - "), "rises in place of falling"),
    Change(
        *E19, COSINE, COSINE.replace("np.pi", "2 * np.pi"), "a whole turn: back at base"
    ),
    Change(
        *E19,
        COSINE,
        "minimum + (base - minimum) * (1 - progress)",
        "a straight line: no flat ends",
    ),
    Change(
        *E19, "if step < warmup:", "if step < warmup - 1:", "warmup ends a step early"
    ),
    Change(*E19, "if step < warmup:", "if step < total:", "warmup never ends"),
)

HARMLESS = (
    Change(*E18, WARMUP, "return base * (step / warmup)", "the quotient first"),
    Change(
        *E19,
        COSINE,
        "minimum + (base - minimum) * np.cos(np.pi * progress / 2) ** 2",
        "half-angle formula",
    ),
    Change(
        *E19,
        "if step < warmup:",
        "if warmup and step <= warmup:",
        "both pieces give the base rate where they meet",
    ),
)
