"""Other libraries doing the same work: same weights, same inputs, same results.

Before a peer is timed, its logits (or the losses of its first steps) are compared
with ours in the same process; a peer that computes something else is no peer.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.errors import CheckError, MissingError
from benchmarks.scenarios import Scenario
from benchmarks.workloads import TRAINING, Workload, config_of, token_batch
from moe import Model, Trainer
from moe.arrays import Array

MODULES = {
    "torch": ("benchmarks.peers.pytorch", "torch"),
    "torch-compile": ("benchmarks.peers.pytorch_compiled", "torch"),
    "jax": ("benchmarks.peers.jax_jit", "jax"),
    "hf": ("benchmarks.peers.huggingface", "transformers"),
}
FIRST_STEPS = 3
LOGITS_WITHIN = 1e-4  # relative to the largest logit
LOSS_WITHIN = 1e-5  # relative


class Peer:
    """What a peer module builds.

    Attributes:
        version: Library and version.
        call: What is timed.
        result: Turns what `call` returned into a NumPy array: logits, or the loss of
            the step that was just taken.
    """

    def __init__(
        self, version: str, call: Callable[[], Any], result: Callable[[Any], Array]
    ) -> None:
        """Name the parts."""
        self.version = version
        self.call = call
        self.result = result


def ours(scenario: Scenario, seed: int) -> list[Array]:
    """Logits of our model, or losses of its first steps."""
    model = Model.initialise(config_of(scenario), rng=seed)
    ids, targets = token_batch(scenario, seed)
    if scenario.work == "train":
        trainer = Trainer(model, TRAINING)
        return [np.array(trainer.train_step(ids, targets)) for _ in range(FIRST_STEPS)]
    if scenario.work == "decode":
        ids = np.concatenate((ids, targets[:, -1:]), axis=1)
        return [model.forward(ids)[0][:, -1:]]
    return [model.forward(ids)[0]]


def difference(got: Array, expected: Array) -> float:
    """Largest, relative to the largest expected value."""
    if got.shape != expected.shape:
        raise CheckError(f"the peer's result is {got.shape}, ours {expected.shape}")
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def build_peer(
    name: str, scenario: Scenario, seed: int
) -> tuple[Workload, dict[str, Any]]:
    """Build a peer and compare it with ours.

    Args:
        name: Key of `MODULES`.
        scenario: A forward, train or decode scenario.
        seed: Of weights and inputs.

    Returns:
        The workload, and how well it agrees: `version`, `what` and `error`.

    Raises:
        MissingError: If the library is not installed or has no such work.
        CheckError: If it computes something else.
    """
    module, library = MODULES[name]
    try:
        build = import_module(module).build
    except ModuleNotFoundError as error:
        raise MissingError(
            f'{library} is not installed: pip install -e ".[peers]"'
        ) from error
    peer: Peer = build(scenario, seed)
    expected = ours(scenario, seed)
    trains = scenario.work == "train"
    what, allowed = ("loss", LOSS_WITHIN) if trains else ("logits", LOGITS_WITHIN)
    off = max(difference(peer.result(peer.call()), e) for e in expected)
    if not off <= allowed:
        raise CheckError(f"{name}: {what} off by {off:.1e}, allowed is {allowed:.0e}")

    def check(result: Any) -> dict[str, Any]:
        last = peer.result(result)
        if trains:
            if not float(last) < float(expected[0]):
                raise CheckError(f"{name}: the loss does not fall")
        elif not difference(last, expected[0]) <= allowed:
            raise CheckError(f"{name}: the timed result is not that of the first call")
        return {"error": off}

    agreement = {"version": peer.version, "what": what, "error": off}
    return Workload(peer.call, check), agreement
