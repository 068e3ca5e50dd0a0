"""Wrong and harmless wiring of the model around its blocks."""

from mutants.harness import Change


def wiring(entry: str, old: str, new: str, story: str) -> Change:
    """A change of `moe.model` that breaks the use of an entry."""
    return Change(entry, "moe.model", old, new, story)


EMBEDDING = "embedding_backward(dx, embedding_cache, out=g.embedding)"
FINAL_NORM = "dx, _ = rmsnorm_backward(dx, norm_cache, out=g.final_norm)"
ADD_LOSS = "balance_loss = balance_loss + loss"
DOWN_THE_STACK = "dx = block_backward(dx, dbalance_loss, cache,"

MUTANTS = (
    wiring("E01", EMBEDDING, "pass", "the table gets no gradient"),
    wiring(
        "E01",
        EMBEDDING,
        EMBEDDING.replace("g.embedding", "g.lm_head"),
        "the table's gradient overwrites the head's, as if they were tied",
    ),
    wiring(
        "E01", "ids.ravel()", "ids.T.ravel()", "tokens laid out position by position"
    ),
    wiring(
        "E02",
        FINAL_NORM,
        FINAL_NORM.replace("dx, _ =", "_, _ ="),
        "the final norm's backward is computed and not passed on",
    ),
    wiring(
        "E02",
        "rmsnorm(x, p.final_norm, config.norm_eps)",
        "rmsnorm(y, p.blocks[-1].experts_norm, config.norm_eps)",
        "the last block's gain serves as the final one",
    ),
    wiring(
        "E03",
        "linear(x, p.lm_head)",
        "linear(x, p.embedding)",
        "head tied to the embedding table",
    ),
    wiring(
        "E03",
        "linear_backward(dlogits, head_cache, out=g.lm_head)",
        "linear_backward(dlogits, head_cache)",
        "gradient of the head never stored",
    ),
    wiring(
        "E10",
        "kv_cache.length += tokens",
        "kv_cache.length = tokens",
        "length of the cache set, not advanced",
    ),
    wiring("E10", "kv_cache.length += tokens", "pass", "length of the cache kept at 0"),
    wiring(
        "E10",
        "kv_cache, layer)",
        "kv_cache, 0)",
        "all layers share the cache of the first",
    ),
    wiring(
        "E11",
        "in reversed(range(config.num_layers))",
        "in range(config.num_layers)",
        "backward through the layers in forward order",
    ),
    wiring(
        "E11",
        "saved.append(x if self.recompute else cache)",
        "saved.append(y if self.recompute else cache)",
        "output of the block kept for recomputation",
    ),
    wiring("E13", ADD_LOSS, "balance_loss = loss", "loss of the last layer alone"),
    wiring(
        "E13",
        ADD_LOSS,
        "balance_loss = balance_loss + loss / config.num_layers",
        "mean over layers in place of sum",
    ),
    wiring(
        "E13",
        DOWN_THE_STACK,
        DOWN_THE_STACK.replace("dbalance_loss", "1.0"),
        "gradient of the balance loss not passed on",
    ),
    wiring(
        "E13",
        DOWN_THE_STACK,
        DOWN_THE_STACK.replace("dbalance_loss", "dbalance_loss * (layer == 0)"),
        "the balance loss of one layer alone has a gradient",
    ),
)

HARMLESS = (
    wiring(
        "E13",
        ADD_LOSS,
        "balance_loss = loss + balance_loss",
        "terms in the other order",
    ),
    wiring(
        "E11",
        "reversed(range(config.num_layers))",
        "range(config.num_layers - 1, -1, -1)",
        "the same layers, counted down",
    ),
)
