"""Wrong and harmless wiring of the attention sublayer: E02, E03, E07 to E10."""

from mutants.harness import Change


def wiring(entry: str, old: str, new: str, story: str) -> Change:
    """A change of `moe.block` that breaks the use of an entry."""
    return Change(entry, "moe.block", old, new, story)


BASE = "base = ntk_base(base, config.ntk_alpha, config.head_dim)"
HERE = "here = slice(start, start + tokens)"
SPLIT = "qkv = qkv.reshape(at.batch, at.tokens, -1, config.head_dim)"
TURN_BACK = "dqk = rope_backward(np.concatenate((dq, dk), axis=2), rope_cache)"
STORE = "self.keys[layer, :, self.length : end] = k"
ALL_KEYS = "return self.keys[layer, :, :end], self.values[layer, :, :end]"
MASK = "causal_mask(tokens, start + tokens, dtype)"
RESIDUAL_BACK = "return dh + attention_sublayer_backward(dh,"

MUTANTS = (
    wiring(
        "E02",
        "rmsnorm(x, p.attention_norm, config.norm_eps)",
        "rmsnorm(x, p.attention_norm, 1e-6)",
        "epsilon of the configuration not passed on",
    ),
    wiring(
        "E02",
        "rmsnorm_backward(dx, norm_cache, out=g.attention_norm)",
        "rmsnorm_backward(dx, norm_cache)",
        "gradient of a gain never stored",
    ),
    wiring(
        "E02",
        "h = x + attended",
        "h = rmsnorm(x, p.attention_norm, config.norm_eps)[0] + attended",
        "the residual branches off behind the norm",
    ),
    wiring(
        "E03",
        "linear_backward(dy, output_cache, out=g.output)",
        "linear_backward(dy, output_cache)",
        "gradient of the output projection never stored",
    ),
    wiring(
        "E03",
        "linear(y.reshape(len(x), -1), p.output)",
        "linear(y.swapaxes(1, 2).reshape(len(x), -1), p.output)",
        "heads joined before tokens",
    ),
    wiring(
        "E07",
        TURN_BACK,
        "dqk = np.concatenate((dq, dk), axis=2)",
        "inverse rotation forgotten",
    ),
    wiring(
        "E07",
        TURN_BACK,
        "dqk = np.concatenate((rope_backward(dq, rope_cache), dk), axis=2)",
        "inverse rotation of the queries alone",
    ),
    wiring(
        "E07",
        "        qkv[:, :, turned:],\n",
        "        rope(qkv[:, :, turned:], at.cos, at.sin)[0],\n",
        "values turned as well",
    ),
    wiring(
        "E07",
        "        qk[:, :, config.num_heads :],\n",
        "        qkv[:, :, config.num_heads : turned],\n",
        "keys not turned",
    ),
    wiring(
        "E07", HERE, "here = slice(0, tokens)", "decoding starts at position 0 again"
    ),
    wiring(
        "E07",
        HERE,
        "skipped = int(start > 0)\n"
        "    here = slice(start + skipped, start + skipped + tokens)",
        "a position skipped between prompt and continuation",
    ),
    wiring(
        "E08",
        "base = config.rope_base",
        "base = 10000.0",
        "base of the configuration not passed on",
    ),
    wiring(
        "E08",
        "rope_frequencies(config.head_dim, base)",
        "rope_frequencies(config.head_dim, base).astype(np.float32)",
        "frequencies rounded to single precision",
    ),
    wiring("E09", BASE, "pass", "the stretch is in the configuration and not used"),
    wiring(
        "E09",
        BASE,
        BASE.replace("head_dim", "hidden_size"),
        "width of the model for the width of a head",
    ),
    wiring(
        "E09",
        "rope_frequencies(config.head_dim, base)",
        "rope_frequencies(config.head_dim, base) / config.ntk_alpha",
        "positions interpolated on top of the stretched base",
    ),
    wiring("E10", MASK, "np.zeros((tokens, start + tokens), dtype)", "a mask of zeros"),
    wiring(
        "E10",
        MASK,
        "np.zeros((tokens, start + tokens), dtype) if start else "
        "causal_mask(tokens, tokens, dtype)",
        "no mask once the cache holds something",
    ),
    wiring(
        "E10",
        MASK,
        "causal_mask(start + tokens, start + tokens, dtype)[:tokens]",
        "rows of the mask counted from position 0 in decoding",
    ),
    wiring(
        "E10",
        SPLIT,
        "qkv = qkv.reshape(at.batch, at.tokens, config.head_dim, -1).swapaxes(2, 3)",
        "channels of the heads interleaved",
    ),
    wiring(
        "E10",
        "np.concatenate((dqk, dv), axis=2)",
        "np.concatenate((dv, dqk), axis=2)",
        "gradients packed as v, q, k",
    ),
    wiring(
        "E10",
        STORE,
        STORE.replace("[layer", "[0"),
        "all layers write their keys to the first cache",
    ),
    wiring(
        "E10",
        STORE,
        "self.keys[layer, :, : k.shape[1]] = k",
        "new keys overwrite the oldest",
    ),
    wiring(
        "E10",
        ALL_KEYS,
        ALL_KEYS.replace("values[layer", "values[layer - 1"),
        "values of the layer before are returned",
    ),
    wiring(
        "E10",
        RESIDUAL_BACK,
        RESIDUAL_BACK.replace("(dh,", "(dy,"),
        "backward of attention gets the gradient from behind the experts",
    ),
    wiring(
        "E10",
        RESIDUAL_BACK,
        RESIDUAL_BACK.replace("dh + ", ""),
        "gradient of the residual around attention lost",
    ),
    wiring(
        "E10",
        "h = x + attended",
        "h = np.add(x, attended, out=x)",
        "the residual is added into the input",
    ),
)

HARMLESS = (
    wiring(
        "E07",
        "np.arange(config.max_seq_len)",
        "np.arange(1, config.max_seq_len + 1)",
        "positions counted from 1: only distances matter",
    ),
    wiring("E10", "h = x + attended", "h = attended + x", "terms in the other order"),
    wiring(
        "E07",
        TURN_BACK,
        "turned = (rope_backward(d, rope_cache) for d in (dq, dk))\n"
        "    dqk = np.concatenate(list(turned), axis=2)",
        "queries and keys turned back one after the other",
    ),
)
