"""The floors under a step: its products alone, its memory traffic, its dispatch.

How much of a step is the interpreter? Three floors and one ceiling say it:

- products: the step's own matrix products, replayed with operands and results already
  in place: what any language would spend in this BLAS;
- optimiser: the bytes that AdamW must read and write, at the bandwidth that this
  machine shows for adding two arrays of that size;
- dispatch: the NumPy calls of the step that are no matrix product, counted, at the
  price of the smallest: of a sum of two numbers, and of a row by its index;
- one token: the same step for a single token, less its own products and less the
  optimiser, whose calls are added again. It makes nearly the same calls on nearly no
  data, so it is what interpreter and dispatch cost at most.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.recording import Product, Recording, recording, watched
from benchmarks.scenarios import Scenario
from benchmarks.workloads import TRAINING, config_of, decode_call, token_batch
from moe import Config, Model, Trainer
from moe.arrays import Array
from moe.equations.adamw import adamw
from moe.parameters import Parameters

OPTIMISER_BYTES = 28  # per float32 parameter: read p, g, m, v; write p, m, v
PEAK_SIZE = 1024
BLOCK_SECONDS = 0.003

Call = Callable[[], Any]


def build_step(
    scenario: Scenario, seed: int, wrap: Callable[[Array], Array] = lambda x: x
) -> Call:
    """The scenario's call, on arrays that `wrap` returns."""
    config = config_of(scenario)
    ids, targets = map(wrap, token_batch(scenario, seed))
    flat = Parameters.initialise(config, rng=seed).flat
    model = Model(Parameters(config, wrap(flat)))
    if scenario.work == "forward":
        return lambda: model.forward(ids)
    if scenario.work == "decode":
        return decode_call(model, ids, targets[:, -1:], wrap)
    trainer = Trainer(model, TRAINING)
    for name, buffers in vars(trainer).items():
        if isinstance(buffers, Parameters):
            setattr(trainer, name, Parameters(config, wrap(buffers.flat)))
    return lambda: trainer.train_step(ids, targets)


def record_step(scenario: Scenario, seed: int) -> Recording:
    """Run the scenario's call once on watched arrays."""
    call = build_step(scenario, seed, watched)
    call()  # what is computed once and kept is not the step's, and must not be watched
    with recording() as seen:
        call()
    return seen


def replay(products: list[Product], seed: int) -> Call:
    """The products alone, each on its own buffers of the recorded layout."""
    rng = np.random.default_rng(seed)
    operands = [
        tuple(layout.allocate(rng) for layout in (p.left, p.right, p.result))
        for p in products
    ]
    matmul = np.matmul

    def call() -> None:
        for left, right, result in operands:
            matmul(left, right, out=result)

    return call


def optimiser_step(size: int, wrap: Callable[[Array], Array]) -> Call:
    """AdamW alone on so many parameters."""
    rng = np.random.default_rng(0)
    buffers = [wrap(rng.random(size, np.float32)) for _ in range(4)]

    def call() -> None:
        adamw(
            *buffers,
            step=1000,
            learning_rate=TRAINING.learning_rate,
            betas=TRAINING.betas,
            eps=TRAINING.eps,
            weight_decay=TRAINING.weight_decay,
        )

    return call


def fastest_in_turn(calls: dict[str, Call], seconds: float) -> dict[str, float]:
    """Best seconds per call of each, blocks taken in turn so that all meet the same.

    Args:
        calls: By name.
        seconds: For all of them together.

    Returns:
        By name.
    """
    loops = {}
    for name, call in calls.items():
        call()
        start = time.perf_counter()
        call()
        once = time.perf_counter() - start
        loops[name] = max(1, round(BLOCK_SECONDS / once))
    best = dict.fromkeys(calls, float("inf"))
    end, rounds = time.perf_counter() + seconds, 0
    while time.perf_counter() < end or rounds < 5:
        rounds += 1
        for name, call in calls.items():
            for _ in range(loops[name]):
                call()  # brings back what the others have driven out of the caches
            start = time.perf_counter()
            for _ in range(loops[name]):
                call()
            elapsed = (time.perf_counter() - start) / loops[name]
            best[name] = min(best[name], elapsed)
    return best


def activation_bytes(scenario: Scenario, seed: int) -> int:
    """Bytes that the backward needs: the arrays of the caches, each memory once.

    What the caches only refer to does not count: parameters, tables of rotations.
    """
    ids, _ = token_batch(scenario, seed)
    model = Model.initialise(config_of(scenario), rng=seed)
    _, _, cache = model.forward(ids)
    owned: dict[int, int] = {}

    def visit(value: Any) -> None:
        if isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
            if value is not model.parameters.flat and value.flags.writeable:
                owned[id(value)] = value.nbytes
        elif isinstance(value, tuple | list):
            for item in value:
                visit(item)

    visit(cache)
    return sum(owned.values())


def active_flops(config: Config, scenario: Scenario) -> int:
    """Operations of the model's matrix products, by formula.

    Two per active parameter and token that is processed (the embedding table is read,
    not multiplied), and two products of every query with every key, masked or not;
    three times as many with the backward.

    References:
        Chowdhery et al., *PaLM*, 2022, appendix B, with active parameters for all.
    """
    matrices = config.num_active_parameters - config.vocab_size * config.hidden_size
    matrices -= (2 * config.num_layers + 1) * config.hidden_size  # gains
    queries = keys = scenario.seq
    if scenario.work == "decode":
        queries, keys = 1, scenario.seq + 1
    tokens, heads = scenario.batch * queries, config.num_heads * config.head_dim
    scores = 4 * tokens * keys * heads * config.num_layers
    return (2 * matrices * tokens + scores) * (3 if scenario.work == "train" else 1)


def dispatch_seconds(seen: Recording, best: dict[str, float]) -> float:
    """What the calls cost at least that are no matrix product."""
    others = seen.calls - seen.indexing - len(seen.products)
    return others * best["call"] + seen.indexing * best["index"]


def measure_limits(scenario: Scenario, seed: int, seconds: float) -> dict[str, Any]:
    """Step and floors of a scenario, all in this process.

    The step takes turns with its products, and then the prices with each other.

    Args:
        scenario: One that `has_limits`.
        seed: Of weights and inputs.
        seconds: To spend on it.

    Returns:
        Seconds, counts and ratios; `ratio` is step over products plus optimiser.
    """
    one_token = replace(scenario, batch=1, seq=1)
    recorded, recorded_one = (record_step(s, seed) for s in (scenario, one_token))
    config = config_of(scenario)
    rng = np.random.default_rng(seed)
    size = config.num_parameters
    a, b, c = (rng.standard_normal(size, np.float32) for _ in range(3))
    small = np.zeros((1, 1), np.float32)
    square = rng.standard_normal((PEAK_SIZE, PEAK_SIZE), np.float32)
    square_out = np.empty_like(square)
    trains = scenario.work == "train"
    whole = {
        "step": build_step(scenario, seed),
        "products": replay(recorded.products, seed),
    }
    parts = {
        "one_token": build_step(one_token, seed),
        "one_token_products": replay(recorded_one.products, seed),
        "stream": lambda: np.add(a, b, out=c),
        "call": lambda: small + small,
        "index": lambda: small[0],
    }
    if trains:
        parts["update"] = optimiser_step(size, lambda x: x)
    best = fastest_in_turn(whole, seconds / 2) | fastest_in_turn(parts, seconds / 2)
    peak = fastest_in_turn(
        {"peak": lambda: np.matmul(square, square, out=square_out)}, seconds / 5
    )
    bandwidth = 3 * a.nbytes / best["stream"]
    optimiser = OPTIMISER_BYTES * size / bandwidth if trains else 0.0
    dispatch = dispatch_seconds(recorded, best)
    flops = sum(product.flops for product in recorded.products)
    floor = best["products"] + optimiser
    interpreter = best["one_token"] - best["one_token_products"]
    if trains:
        with recording() as of_update:
            optimiser_step(size, watched)()
        interpreter -= best["update"] - dispatch_seconds(of_update, best)
    active = active_flops(config, scenario)
    peak_flops = 2 * PEAK_SIZE**3 / peak["peak"]
    return {
        "step": best["step"],
        "products": best["products"],
        "optimiser": optimiser,
        "optimiser_bytes": OPTIMISER_BYTES,
        "update": best["update"] if trains else 0.0,
        "dispatch": dispatch,
        "ratio": best["step"] / floor,
        "product_share": best["products"] / best["step"],
        "optimiser_share": optimiser / best["step"],
        "dispatch_share": dispatch / best["step"],
        "interpreter_share_at_most": interpreter / best["step"],
        "calls": recorded.calls,
        "indexing": recorded.indexing,
        "call_seconds": best["call"],
        "index_seconds": best["index"],
        "matrix_products": len(recorded.products),
        "flops": flops,
        "activation_bytes": activation_bytes(scenario, seed) if trains else 0,
        "active_flops": active,
        "bandwidth": bandwidth,
        "peak_flops": peak_flops,
        "utilisation": active / best["step"] / peak_flops,
    }
