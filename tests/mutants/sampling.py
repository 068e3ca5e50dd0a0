"""Wrong and harmless versions of temperature, drawing, top-k and top-p (E20, E21)."""

from mutants.harness import Change

E20 = ("E20", "moe.equations.sampling")
E21 = ("E21", "moe.equations.sampling")
SEARCH = 'np.searchsorted(cumulative, uniform * cumulative[-1], side="right")'
CROSSING = 'int(np.searchsorted(cumulative, p, side="left")) + 1'
TOP_K = """    order = np.argsort(-probabilities, kind="stable")
    return renormalise(probabilities, order[:k])"""
TOP_P = """    order = np.argsort(-probabilities, kind="stable")
    cumulative"""

MUTANTS = (
    Change(*E20, "shifted / temperature", "shifted * temperature", "multiplied by T"),
    Change(*E20, "shifted / temperature", "shifted", "temperature ignored"),
    Change(
        *E20,
        "softmax(shifted / temperature)",
        "(softmax(shifted)[0] / temperature, ())",
        "divided after the softmax",
    ),
    Change(
        *E20,
        "    if temperature == 0:\n        return greedy(logits)\n",
        "",
        "temperature 0 divides by 0",
    ),
    Change(
        *E20,
        "if temperature == 0:",
        "if temperature <= 0.5:",
        "cold is taken for frozen",
    ),
    Change(
        *E20,
        "shifted = logits - logits.max()",
        "shifted = logits",
        "quotient of a large logit and a small temperature overflows",
    ),
    Change(
        *E20,
        "np.argmax(logits)",
        "len(logits) - 1 - np.argmax(logits[::-1])",
        "of equal logits the highest index wins",
    ),
    Change(*E20, "np.argmax(logits)", "np.argmin(logits)", "the least likely token"),
    Change(
        *E20,
        "possible = np.flatnonzero(probabilities)",
        "possible = np.arange(len(probabilities))",
        "a token of probability 0 can be drawn",
    ),
    Change(*E20, SEARCH, SEARCH.replace("right", "left"), "interval ends included"),
    Change(
        *E20,
        SEARCH,
        SEARCH.replace("uniform * cumulative[-1]", "uniform"),
        "the sum of the probabilities taken for exactly 1",
    ),
    Change(
        *E20,
        "np.cumsum(probabilities[possible])",
        "np.cumsum(probabilities[possible]) - probabilities[possible]",
        "exclusive sums: every token gets its neighbour's stretch",
    ),
    Change(
        *E20,
        "int(possible[min(int(place), len(possible) - 1)])",
        "min(int(place), len(possible) - 1)",
        "place among the possible tokens returned as token",
    ),
    Change(
        *E21, CROSSING, CROSSING.removesuffix(" + 1"), "the token that crosses p is cut"
    ),
    Change(
        *E21,
        CROSSING,
        CROSSING.replace("left", "right"),
        "one token too many where the mass is exactly p",
    ),
    Change(*E21, CROSSING, f"{CROSSING} + 1", "one token too many"),
    Change(
        *E21,
        "np.cumsum(probabilities[order])",
        "np.cumsum(probabilities)",
        "mass summed in the order of ids",
    ),
    Change(
        *E21,
        TOP_P,
        TOP_P.replace("-prob", "prob"),
        "least likely tokens kept",
    ),
    Change(
        *E21,
        "order[:kept])",
        "np.arange(kept))",
        "ranks taken for ids",
    ),
    Change(
        *E21,
        "probabilities[kept] / probabilities[kept].sum()",
        "probabilities[kept]",
        "not renormalised",
    ),
    Change(
        *E21,
        "probabilities[kept] / probabilities[kept].sum()",
        "softmax(probabilities[kept])[0]",
        "softmax of the probabilities",
    ),
    Change(
        *E21,
        "q = np.zeros_like(probabilities)",
        "q = probabilities",
        "tail not cut, and the caller's array overwritten",
    ),
    Change(*E21, "order[:k])", "order[: k + 1])", "top-k keeps one more"),
    Change(
        *E21,
        "order[:k])",
        "np.flatnonzero(probabilities >= probabilities[order[:k][-1]]))",
        "top-k keeps all tokens that tie with the last",
    ),
    Change(*E21, TOP_K, TOP_K.replace("-prob", "prob"), "top-k keeps the least likely"),
)

HARMLESS = (
    Change(
        *E20,
        "shifted / temperature",
        "shifted * (1 / temperature)",
        "times the inverse",
    ),
    Change(
        *E21,
        CROSSING,
        "int((cumulative < p).sum()) + 1",
        "tokens before the crossing counted in place of searched",
    ),
)
