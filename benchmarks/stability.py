"""What the equations and the trainer do with extreme and broken numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from moe import Config, Model, NonFiniteError, Trainer, TrainingConfig
from moe.arrays import Array
from moe.equations.cross_entropy import cross_entropy, cross_entropy_backward
from moe.equations.rmsnorm import rmsnorm, rmsnorm_backward
from moe.equations.router import router
from moe.equations.softmax import softmax
from moe.equations.swiglu import silu, silu_backward

LARGE = 1e4
Case = Callable[[], tuple[str, bool]]


def finite(*arrays: Any) -> bool:
    """Whether every element of every array is finite."""
    return all(bool(np.isfinite(array).all()) for array in arrays)


def softmax_of_large_logits() -> tuple[str, bool]:
    """Logits of +-10,000 in float32."""
    p, _ = softmax(np.array([[LARGE, -LARGE, 0.0]], np.float32))
    return f"probabilities {p[0].tolist()}", finite(p) and p[0].tolist() == [1, 0, 0]


def cross_entropy_of_large_logits() -> tuple[str, bool]:
    """The target has the least of all probabilities: the loss is the difference."""
    loss, cache = cross_entropy(np.array([[LARGE, -LARGE]], np.float32), np.array([1]))
    gradient = cross_entropy_backward(1.0, cache)
    return f"loss {float(loss)}", float(loss) == 2 * LARGE and finite(gradient)


def silu_of_large_inputs() -> tuple[str, bool]:
    """Inputs of +-10,000 in float32, where exp overflows."""
    y, cache = silu(np.array([-LARGE, LARGE], np.float32))
    dx = silu_backward(np.ones(2, np.float32), cache)
    right = [abs(v) for v in y.tolist()] == [0, LARGE] and finite(dx)
    return f"{y.tolist()}, slopes {dx.tolist()}", right


def rmsnorm_of_zeros() -> tuple[str, bool]:
    """A token of zeros: epsilon keeps the root off zero."""
    y, cache = rmsnorm(np.zeros((1, 8), np.float32), np.ones(8, np.float32), 1e-5)
    dx, _ = rmsnorm_backward(np.ones((1, 8), np.float32), cache)
    return f"output 0, slope {float(dx[0, 0]):.4g}", not y.any() and finite(dx)


def rmsnorm_of_huge_tokens() -> tuple[str, bool]:
    """Channels of 1e18, whose squares still fit into float32."""
    y, _ = rmsnorm(np.full((1, 8), 1e18, np.float32), np.ones(8, np.float32), 1e-5)
    return f"output {float(y[0, 0]):.6g}", bool(np.allclose(y, 1, rtol=1e-6))


def router_of_equal_logits() -> tuple[str, bool]:
    """All experts equally likely: the lower index is chosen first."""
    weights, indices, _, _ = router(np.zeros((1, 4), np.float32), 2)
    chosen = indices[0].tolist()
    return f"experts {chosen}", chosen == [0, 1] and weights[0].tolist() == [0.5, 0.5]


def batch() -> tuple[Array, Array]:
    """Ids and targets for the tiny model."""
    ids = np.random.default_rng(0).integers(0, 1000, (2, 9))
    return ids[:, :-1], ids[:, 1:]


def model_with_large_weights() -> tuple[str, bool]:
    """All matrices a thousand times larger than they are drawn."""
    model = Model.initialise(Config.tiny(), rng=0)
    model.parameters.flat[: model.parameters.num_decayed] *= 1000
    logits, loss, cache = model.forward(batch()[0])
    gradients = model.backward(logits / logits.size, cache)
    size = float(np.abs(logits).max())
    return f"largest logit {size:.3g}", finite(logits, loss, gradients.flat)


def trainer_with(value: float, where: str) -> tuple[str, bool]:
    """A broken number in a weight: the step is refused and changes nothing."""
    model = Model.initialise(Config.tiny(), rng=0)
    trainer = Trainer(model, TrainingConfig())
    trainer.train_step(*batch())
    model.parameters.tensors[where].flat[0] = value
    before = [b.flat.copy() for b in (model.parameters, trainer.m, trainer.v)]
    try:
        trainer.train_step(*batch())
    except NonFiniteError as error:
        after = [b.flat for b in (model.parameters, trainer.m, trainer.v)]
        same = all(
            np.array_equal(old, new, equal_nan=True)
            for old, new in zip(before, after, strict=True)
        )
        return f"refused: {error}", same and trainer.step == 1
    return "the step was taken", False


CASES: dict[str, Case] = {
    "softmax of logits +-10,000": softmax_of_large_logits,
    "cross-entropy of logits +-10,000": cross_entropy_of_large_logits,
    "SiLU of +-10,000": silu_of_large_inputs,
    "RMSNorm of a zero token": rmsnorm_of_zeros,
    "RMSNorm of channels 1e18": rmsnorm_of_huge_tokens,
    "router with equal logits": router_of_equal_logits,
    "model with weights times 1000": model_with_large_weights,
    "train step with a NaN weight": lambda: trainer_with(np.nan, "layers.0.qkv"),
    "train step with an infinite weight": lambda: trainer_with(np.inf, "lm_head"),
}


def run_cases() -> list[dict[str, Any]]:
    """Run all cases.

    Returns:
        For each its name, what happened and whether that is right.
    """
    rows = []
    for name, case in CASES.items():
        with np.errstate(all="ignore"):
            outcome, passed = case()
        rows.append({"case": name, "outcome": outcome, "passed": passed})
    return rows
