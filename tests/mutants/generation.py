"""Wrong and harmless wiring of generation: where it uses E20 and E21."""

from mutants.harness import Change


def wiring(entry: str, old: str, new: str, story: str) -> Change:
    """A change of `moe.generation` that breaks the use of an entry."""
    return Change(entry, "moe.generation", old, new, story)


WARM = "probabilities = sampling.temperature(logits, self.temperature)\n"
PLAIN_DRAW = f"{WARM}        return sampling.draw(probabilities, rng.random())"
DRAW_K = "return sampling.draw(sampling.top_k(probabilities, self.k), rng.random())"
DRAW_P = "return sampling.draw(sampling.top_p(probabilities, self.p), rng.random())"
NEXT = "new = ids[:, place : place + 1]"

MUTANTS = (
    wiring(
        "E20",
        PLAIN_DRAW,
        PLAIN_DRAW.replace("self.temperature", "1.0"),
        "Temperature ignores its temperature",
    ),
    wiring(
        "E20",
        PLAIN_DRAW,
        PLAIN_DRAW.replace("rng.random()", "0.5"),
        "no random number: always the median token",
    ),
    wiring(
        "E20",
        f"{WARM}        {DRAW_K}",
        f"{WARM}        {DRAW_K}".replace("self.temperature", "1.0"),
        "TopK ignores its temperature",
    ),
    wiring(
        "E20",
        f"{WARM}        {DRAW_P}",
        f"{WARM}        {DRAW_P}".replace("self.temperature", "1.0"),
        "TopP ignores its temperature",
    ),
    wiring(
        "E20",
        "sampling.draw(sampling.greedy(logits), uniform=0.0)",
        "sampling.draw(sampling.temperature(logits, 1.0), uniform=0.0)",
        "Greedy takes the first possible token",
    ),
    wiring(
        "E20", "last = logits[0, -1]", "last = logits[0, 0]", "first position sampled"
    ),
    wiring(
        "E20",
        "strategy.pick_token(last, rng)",
        "strategy.pick_token(last, np.random.default_rng(0))",
        "the same random number for every token",
    ),
    wiring(
        "E20",
        "rng = np.random.default_rng(rng)",
        "rng = np.random.default_rng(0)",
        "the seed is ignored",
    ),
    wiring("E20", NEXT, "new = ids[:, place - 1 : place]", "fed back one token late"),
    wiring(
        "E20",
        "logits, _, _ = model.forward(new, kv_cache)",
        "logits, _, _ = model.forward(new)",
        "the cache is not used: each token stands alone",
    ),
    wiring("E21", DRAW_P, DRAW_P.replace("self.p)", "1.0)"), "TopP ignores its mass"),
    wiring(
        "E21",
        DRAW_P,
        "return sampling.draw(probabilities, rng.random())",
        "TopP cuts nothing",
    ),
    wiring(
        "E21",
        f"{WARM}        {DRAW_P}",
        "probabilities = sampling.top_p(sampling.temperature(logits, 1.0), self.p)\n"
        "        with np.errstate(divide='ignore'):\n"
        "            kept = np.log(probabilities)\n"
        "        probabilities = sampling.temperature(kept, self.temperature)\n"
        "        return sampling.draw(probabilities, rng.random())",
        "TopP cuts before the temperature, not after it",
    ),
    wiring("E21", DRAW_K, DRAW_K.replace("self.k)", "1)"), "TopK keeps one token"),
    wiring(
        "E21",
        DRAW_K,
        DRAW_K.replace("top_k(probabilities, self.k)", "top_p(probabilities, 0.9)"),
        "TopK cuts by mass",
    ),
    wiring(
        "E21",
        'real("p", self.p, "(0, 1]")',
        'real("p", self.p, "[0, 1]")',
        "mass 0 taken",
    ),
)

HARMLESS = (
    wiring(
        "E21",
        f"{WARM}        {DRAW_K}",
        f"{WARM}        kept = sampling.top_k(probabilities, self.k)\n"
        "        return sampling.draw(kept, rng.random())",
        "a name for what is kept",
    ),
    wiring(
        "E20",
        "last = logits[0, -1]",
        "last = logits[:, -1][0]",
        "the same row by another index",
    ),
)
