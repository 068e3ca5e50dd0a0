"""Random arrays for E11 to E21, and what the shipped functions make of them.

A case returns what a derivation is given, by code name, and what its chains must
then give. Used by `test_derived_code.py`.
"""

import numpy as np

from moe.equations.adamw import adamw
from moe.equations.balance import balance, balance_backward
from moe.equations.clipping import clip_factor
from moe.equations.cross_entropy import cross_entropy, cross_entropy_backward
from moe.equations.experts import experts, experts_backward
from moe.equations.router import router, router_backward
from moe.equations.sampling import greedy, temperature, top_p
from moe.equations.schedule import cosine_decay, linear_warmup


def experts_case(normal):
    indices = np.array([[2, 0], [0, 2], [4, 0], [2, 4]])  # 1 and 3 see no token
    x, weights, dy = normal(4, 3), normal(4, 2), normal(4, 3)
    gate_up, down = normal(5, 4, 3), normal(5, 3, 2)
    _, cache = experts(x, weights, indices, gate_up, down)
    names = ("dx", "dweights", "dgate_up", "ddown")
    given = {"x": x, "weights": weights, "indices": indices, "dy": dy}
    given |= {"gate_up": gate_up, "down": down}
    return given, dict(zip(names, experts_backward(dy, cache), strict=True))


def router_case(normal):
    logits, dweights, dprobabilities = normal(3, 5), normal(3, 2), normal(3, 5)
    weights, indices, _, cache = router(logits, 2)
    given = {"logits": logits, "indices": indices}
    given |= {"dweights": dweights, "dprobabilities": dprobabilities}
    dlogits = router_backward(dweights, dprobabilities, cache)
    return given, {"weights": weights, "dlogits": dlogits}


def balance_case(normal):
    alpha, dloss = 0.3, 1.7
    indices = np.array([[2, 0], [0, 2], [3, 0]])
    probabilities = normal(3, 4)
    _, cache = balance(probabilities, indices, alpha)
    load = np.tile([3, 0, 2, 1], (3, 1)) / 6
    uniform = np.full((3, 4), 0.25)
    given = {"probabilities": probabilities, "indices": indices}
    given |= {"alpha": alpha, "dloss": dloss}
    return given, {
        "dprobabilities": balance_backward(dloss, cache),
        "balance(1 / E, ...)": balance(uniform, indices, alpha)[0],
        "balance(f, ...)": balance(load, indices, alpha)[0],
    }


def cross_entropy_case(normal):
    given = {"logits": 3 * normal(4, 5), "targets": np.array([4, 0, 4, 2])}
    return given, {"loss": cross_entropy(**given)[0]}


def cross_entropy_gradient_case(normal):
    given, _ = cross_entropy_case(normal)
    _, cache = cross_entropy(**given)
    dlogits = cross_entropy_backward(-1.3, cache)
    return given | {"dloss": -1.3}, {"dlogits": dlogits}


def adamw_case(normal):
    steps = 4
    weight, m, v = normal(1), np.zeros(1), np.zeros(1)
    gradient = np.concatenate([[np.nan], normal(steps)])  # no gradient at step 0
    moments = [[0, 0]]
    settings = {"learning_rate": 0.1, "eps": 0.03, "weight_decay": 0.2}
    for step in range(1, steps + 1):
        before = weight[0]
        now = gradient[step : step + 1]
        adamw(weight, now, m, v, step=step, betas=(0.7, 0.9), **settings)
        moments.append([m[0], v[0]])
    m_after, v_after = np.transpose(moments)
    given = {"step": steps, "gradient": gradient, "weight": before, **settings}
    given |= {"betas[0]": 0.7, "betas[1]": 0.9}
    # Every moment is derived from the one before, the last from the gradients alone.
    after = {"m": m_after, "v": v_after}
    return given | after, {**after, "updated": weight[0]}


def clipping_case(normal):
    gradients, max_norm = normal(3, 4), 0.5
    factor, norm = clip_factor(list(gradients), max_norm)
    assert norm > max_norm
    return {"gradients": gradients, "max_norm": max_norm}, {"factor": factor}


def warmup_case(normal):
    given = {"step": 3, "base": 0.1, "warmup": 7}
    return given, {"rate": linear_warmup(**given)}


def decay_case(normal):
    given = {"step": 9, "base": 0.1, "minimum": 0.01, "warmup": 7, "total": 20}
    return given, {"rate": cosine_decay(**given)}


def temperature_case(normal):
    logits = normal(6)
    given = {"logits": logits, "temperature": 0.4, "best": int(logits.argmax())}
    return given, {
        "probabilities": temperature(logits, 0.4),
        "greedy": greedy(logits),
    }


def top_p_case(normal):
    p, last = 0.8, 2
    probabilities = np.array([0.25, 0.1, 0.35, 0.3])
    in_order = np.sort(probabilities)[::-1]
    below = p - in_order[:last].sum()
    given = {"others": in_order, "kept - 1": last, "chosen": np.zeros(4, int)}
    given |= {"below": below, "above": in_order[last] - below}
    q = top_p(probabilities, p)
    return given, {"q": np.sort(q)[::-1], "kept": np.count_nonzero(q)}


CASES = {
    "E11": experts_case,
    "E12": router_case,
    "E13": balance_case,
    "E14": cross_entropy_case,
    "E15": cross_entropy_gradient_case,
    "E16": adamw_case,
    "E17": clipping_case,
    "E18": warmup_case,
    "E19": decay_case,
    "E20": temperature_case,
    "E21": top_p_case,
}

# Steps in between, which no function returns.
INTERNAL = {
    "E11": {"do", "dh", "dhidden"},
    "E12": {"dp"},
    "E19": {"(base + minimum) / 2", "(base - minimum) / 2"},
}
