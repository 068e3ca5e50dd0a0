"""Wrong and harmless wiring of the experts sublayer: E02, E11, E12, E13."""

from mutants.harness import Change


def wiring(entry: str, old: str, new: str, story: str) -> Change:
    """A change of `moe.block` that breaks the use of an entry."""
    return Change(entry, "moe.block", old, new, story)


FORK = "rmsnorm_backward(dx_experts + dx_router, norm_cache, out=g.experts_norm)"
ROUTER_BACK = "router_backward(dweights, dprobabilities, router_cache)"
BALANCE = "balance(probabilities, indices, config.balance_alpha)"

MUTANTS = (
    wiring(
        "E02",
        "rmsnorm(x, p.experts_norm, config.norm_eps)",
        "rmsnorm(x, p.attention_norm, config.norm_eps)",
        "both sublayers share one gain",
    ),
    wiring(
        "E02",
        f"dx, _ = {FORK}",
        "dx, _ = rmsnorm_backward(dx_experts, norm_cache, out=g.experts_norm)\n"
        "    dx += dx_router",
        "the router's gradient goes round the norm",
    ),
    wiring(
        "E11",
        "dh = dy + experts_sublayer_backward",
        "dh = experts_sublayer_backward",
        "gradient of the residual around the experts lost",
    ),
    wiring("E11", "return h + mixed,", "return x + mixed,", "residual skips attention"),
    wiring(
        "E11",
        "experts_sublayer(h, p, config)",
        "experts_sublayer(x, p, config)",
        "experts beside attention in place of behind it",
    ),
    wiring(
        "E11",
        "dy, experts_cache, out=(g.gate_up, g.down)",
        "dy, experts_cache",
        "gradients of the experts never stored",
    ),
    wiring(
        "E11",
        "experts(x, weights, indices,",
        "experts(x, np.full_like(weights, 1 / config.top_k), indices,",
        "plain mean of the chosen experts",
    ),
    wiring(
        "E12",
        "router(logits, config.top_k)",
        "router(logits, 2)",
        "number of chosen experts not taken from the configuration",
    ),
    wiring(
        "E12",
        FORK,
        FORK.replace("dx_experts + dx_router", "dx_experts"),
        "gradient of the fork into the router dropped",
    ),
    wiring(
        "E12",
        FORK,
        FORK.replace("dx_experts + dx_router", "dx_router"),
        "gradient of the fork into the experts overwritten",
    ),
    wiring(
        "E12",
        FORK,
        FORK.replace("dx_experts + dx_router", "dx_experts - dx_router"),
        "sign of the router's gradient",
    ),
    wiring(
        "E12",
        ROUTER_BACK,
        ROUTER_BACK.replace("dweights", "np.zeros_like(dweights)"),
        "the router learns from the balance loss alone",
    ),
    wiring(
        "E12",
        "linear_backward(dlogits, logits_cache, out=g.router)",
        "linear_backward(dlogits, logits_cache)",
        "gradient of the router never stored",
    ),
    wiring(
        "E13",
        ROUTER_BACK,
        ROUTER_BACK.replace("dprobabilities", "np.zeros_like(dprobabilities)"),
        "the balance loss is reported and not learned from",
    ),
    wiring(
        "E13",
        BALANCE,
        BALANCE.replace("config.balance_alpha", "0.01"),
        "weight of the loss not taken from the configuration",
    ),
    wiring(
        "E13",
        BALANCE,
        BALANCE.replace("indices", "indices[:, :1]"),
        "first choices alone are counted",
    ),
)

HARMLESS = (
    wiring(
        "E11",
        "dh = dy + experts_sublayer_backward(dy, dloss, experts_cache, g)",
        "dh = experts_sublayer_backward(dy, dloss, experts_cache, g) + dy",
        "terms in the other order",
    ),
    wiring(
        "E12",
        FORK,
        FORK.replace("dx_experts + dx_router", "dx_router + dx_experts"),
        "the fork's gradients in the other order",
    ),
)
