"""The work of every scenario, built from the package and checked against float64."""

import gc
import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.errors import CheckError
from benchmarks.resources import MEASUREMENTS
from benchmarks.scenarios import Scenario
from moe import Config, KeyValueCache, Model, Trainer, TrainingConfig
from moe.arrays import Array
from moe.equations.rmsnorm import rmsnorm
from moe.equations.softmax import softmax

# Float32 results against float64, relative to the largest value.
TOLERANCE = 1e-4
NORM_EPS = 1e-5
# So small a rate keeps the work as it was at the start: routing, and with it the
# number of tokens of each expert, does not drift while steps are timed.
TRAINING = TrainingConfig(learning_rate=1e-6, warmup_steps=0, total_steps=10**9)


class Workload:
    """A call that can be timed, and a check of what it computed."""

    def __init__(
        self, call: Callable[[], Any], check: Callable[[Any], dict[str, Any]]
    ) -> None:
        """Name the call and how its last result is checked."""
        self._call = call
        self._check = check
        self._result: Any = None

    def run(self, loops: int) -> int:
        """Run so many calls; return their wall time in nanoseconds."""
        call, result = self._call, None
        start = time.perf_counter_ns()
        for _ in itertools.repeat(None, loops):
            result = call()
        elapsed = time.perf_counter_ns() - start
        self._result = result
        return elapsed

    def inject(self, slowdown: float) -> None:
        """Let every call spin for a share of its own best time on top."""
        if not slowdown:
            return
        fast = self._call
        extra = int(slowdown * min(self.run(1) for _ in range(200)))

        def slow() -> Any:
            result = fast()
            end = time.perf_counter_ns() + extra
            while time.perf_counter_ns() < end:
                pass
            return result

        self._call = slow

    def check(self) -> dict[str, Any]:
        """Check the last result.

        Raises:
            CheckError: If it is wrong, or nothing has been run.
        """
        if self._result is None:
            raise CheckError("nothing has been run")
        return self._check(self._result)

    def measure(self, what: str, **arguments: Any) -> dict[str, Any]:
        """One of `resources.MEASUREMENTS` of this call."""
        return MEASUREMENTS[what](self.run, **arguments)

    def children_cpu_ns(self) -> int | None:
        """CPU time of child processes in the last blocks; None where there are none."""
        return None

    def close(self) -> None:
        """Nothing to end."""


def require_close(what: str, got: Array, expected: Array) -> float:
    """Largest error relative to the largest expected value.

    Raises:
        CheckError: If a value is not finite or the error above `TOLERANCE`.
    """
    if got.shape != expected.shape:
        raise CheckError(f"{what} has shape {got.shape}, expected {expected.shape}")
    if not np.isfinite(got).all():
        raise CheckError(f"{what} is not finite")
    error = float(np.abs(got - expected).max() / np.abs(expected).max())
    if error > TOLERANCE:
        raise CheckError(f"{what} is off by {error:.1e}, allowed is {TOLERANCE:.0e}")
    return error


def config_of(scenario: Scenario) -> Config:
    """`tiny`, at the scenario's hidden size (256 is `small`)."""
    width = scenario.hidden
    return replace(
        Config.tiny(), hidden_size=width, head_dim=width // 4, ffn_size=4 * width
    )


def token_batch(scenario: Scenario, seed: int) -> tuple[Array, Array]:
    """Ids and targets of a scenario: `(batch, seq)` each."""
    rng = np.random.default_rng(seed)
    shape = (scenario.batch, scenario.seq + 1)
    ids = rng.integers(0, config_of(scenario).vocab_size, shape)
    return ids[:, :-1].copy(), ids[:, 1:].copy()


def forward_workload(scenario: Scenario, seed: int) -> Workload:
    """Logits of one batch."""
    model = Model.initialise(config_of(scenario), rng=seed)
    ids, _ = token_batch(scenario, seed)

    def check(result: Any) -> dict[str, Any]:
        exact = Model.initialise(config_of(scenario), rng=seed, dtype=np.float64)
        logits, balance_loss, _ = exact.forward(ids)
        error = require_close("logits", result[0], logits)
        require_close("balance loss", np.array([result[1]]), np.array([balance_loss]))
        return {"error": error}

    return Workload(lambda: model.forward(ids), check)


def train_workload(scenario: Scenario, seed: int) -> Workload:
    """One step after another on one batch."""
    config = config_of(scenario)
    ids, targets = token_batch(scenario, seed)
    trainer = Trainer(Model.initialise(config, rng=seed), TRAINING)
    first = trainer.train_step(ids, targets)

    def check(loss: float) -> dict[str, Any]:
        double = Model.initialise(config, rng=seed, dtype=np.float64)
        exact = Trainer(double, TRAINING).train_step(ids, targets)
        error = require_close("first loss", np.array([first]), np.array([exact]))
        if not loss < first:
            raise CheckError(f"loss went from {first} to {loss}: it does not train")
        return {"error": error, "steps": trainer.step}

    return Workload(lambda: trainer.train_step(ids, targets), check)


def decode_call(
    model: Model, ids: Array, new: Array, wrap: Callable[[Array], Array] = lambda x: x
) -> Callable[[], Array]:
    """Read `ids`; return the call that gives the logits of one more token.

    The arrays that keep keys and values are those that `wrap` returns.
    """
    kv_cache = KeyValueCache(model.config, 1, ids.shape[1] + 1, np.float32)
    kv_cache.keys, kv_cache.values = wrap(kv_cache.keys), wrap(kv_cache.values)
    model.forward(ids, kv_cache)

    def call() -> Array:
        kv_cache.length = ids.shape[1]  # forget the token of the last call
        return model.forward(new, kv_cache)[0]

    return call


def decode_workload(scenario: Scenario, seed: int) -> Workload:
    """The logits of one more token behind `seq` tokens that were read."""
    model = Model.initialise(config_of(scenario), rng=seed)
    ids, targets = token_batch(scenario, seed)
    new = targets[:, -1:]

    def check(logits: Array) -> dict[str, Any]:
        exact = Model.initialise(config_of(scenario), rng=seed, dtype=np.float64)
        whole, _, _ = exact.forward(np.concatenate((ids, new), axis=1))
        return {"error": require_close("logits", logits, whole[:, -1:])}

    return Workload(decode_call(model, ids, new), check)


def kernel_workload(scenario: Scenario, seed: int) -> Workload:
    """One function on the shapes of the original: 64^3, 1000, (2, 32, 64)."""
    rng = np.random.default_rng(seed)
    width = scenario.hidden
    rows = {"matmul": width, "softmax": 1, "rmsnorm": scenario.batch * scenario.seq}
    x = rng.standard_normal((rows[scenario.work], width), np.float32)
    other = rng.standard_normal((width, width), np.float32)
    wide = x.astype(np.float64)
    call: Callable[[], Any]
    if scenario.work == "matmul":
        call, expected = (lambda: x @ other), wide @ other.astype(np.float64)
    elif scenario.work == "softmax":
        powers = np.exp(wide - wide.max())
        call, expected = (lambda: softmax(x)[0]), powers / powers.sum()
    else:
        gain = other[0]
        root = np.sqrt((wide * wide).mean(axis=1, keepdims=True) + NORM_EPS)
        call, expected = (lambda: rmsnorm(x, gain, NORM_EPS)[0]), wide / root * gain
    return Workload(
        call, lambda result: {"error": require_close(scenario.work, result, expected)}
    )


def build_one(scenario: Scenario, seed: int) -> Workload:
    """The work of a scenario, in this process alone."""
    builders = {
        "forward": forward_workload,
        "train": train_workload,
        "decode": decode_workload,
    }
    workload = builders.get(scenario.work, kernel_workload)(scenario, seed)
    # What was built stays; the collector need not look at it again and again.
    gc.collect()
    return workload
