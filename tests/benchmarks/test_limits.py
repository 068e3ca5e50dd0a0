"""Floors under a step, and memory: what is counted is what there is."""

import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.limits import (
    activation_bytes,
    active_flops,
    optimiser_step,
    record_step,
    replay,
)
from benchmarks.processes import ROOT, Worker
from benchmarks.recording import recording, watched
from benchmarks.resources import (
    WARM_CALLS,
    allocation,
    collections,
    peak_resident_bytes,
)
from benchmarks.scenarios import ALL, SCENARIOS
from benchmarks.workloads import config_of
from moe import Config
from moe.block import rotation_tables


def test_allocation_sees_arrays_and_their_peak() -> None:
    kept: list[np.ndarray] = []

    def run(calls: int) -> None:
        for _ in range(calls):
            # What came before the call that counts was larger.
            _ = np.empty(2**20 if len(kept) == WARM_CALLS + 1 else 2**22, np.uint8)
            kept.append(np.empty(1000, np.uint8))

    found = allocation(run)
    assert 2**20 <= found["peak_traced_bytes"] < 2**20 + 20_000
    assert 1000 <= found["retained_bytes"] < 5000


def test_activations_are_what_the_caches_own() -> None:
    """They grow by the same bytes with every pair of sequences, weights do not."""
    by_batch = {n: SCENARIOS[f"mem_scale_batch_{n}"] for n in (2, 4, 8)}
    two, four, eight = (activation_bytes(s, seed=0) for s in by_batch.values())
    assert eight - four == pytest.approx(2 * (four - two), rel=0.01)
    config = config_of(by_batch[2])
    rows = 2 * 32 * config.top_k * config.num_layers
    of_experts = 4 * rows * (2 * config.ffn_size + 3 * config.ffn_size)
    assert of_experts < two < 4 * config.num_parameters


def test_collections_are_counted_with_their_pauses() -> None:
    def run(calls: int) -> None:
        for _ in range(calls):
            for _ in range(1000):
                circle: list[object] = []
                circle.append(circle)

    found = collections(run, seconds=0.05)
    assert found["collections"][0] > 0
    assert 0 < found["pause_share"] < 1
    assert collections(lambda calls: None, seconds=0.01)["collections"] == [0, 0, 0]


def test_resident_memory_is_in_bytes_and_not_the_parents() -> None:
    """A child of a large process: `ru_maxrss` would show the parent's peak."""
    ballast = np.ones(2**25)  # 256 MiB
    assert peak_resident_bytes() > ballast.nbytes
    code = "from benchmarks.resources import peak_resident_bytes as p; print(p())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        check=True,
    )
    assert 2**20 < int(done.stdout) < ballast.nbytes


@pytest.mark.parametrize(
    "name",
    [
        "dispatch_warm",
        "mem_train_step",
        "mem_scale_seq_64",
        "scale_train_256",
        "decode_128",
    ],
)
def test_the_recorded_products_are_the_work_of_the_formula(name: str) -> None:
    """Routers, attention, experts, head: nothing missed, nothing twice.

    The combine of the experts' outputs is a product too, and not in the formula.
    """
    scenario = ALL[name]
    recorded = sum(product.flops for product in record_step(scenario, seed=0).products)
    formula = active_flops(config_of(scenario), scenario)
    assert 1 <= recorded / formula < 1.005


def test_the_recorded_step_is_the_step() -> None:
    """Watching changes no bit of the result."""
    scenario = SCENARIOS["mem_scale_seq_8"]
    seen = record_step(scenario, seed=0)
    assert seen.calls > 100
    assert seen.ufuncs["matmul"] >= len(seen.products)
    assert seen.ufuncs["exp"] >= 2


def test_what_the_model_keeps_is_not_watched() -> None:
    """It would carry the counting into the steps that are timed."""
    rotation_tables.cache_clear()
    scenario = SCENARIOS["mem_scale_seq_8"]
    record_step(scenario, seed=0)
    tables = rotation_tables(config_of(scenario), np.dtype(np.float32))
    assert [type(table) for table in tables] == [np.ndarray, np.ndarray]


def test_replay_multiplies_what_was_recorded() -> None:
    products = record_step(SCENARIOS["dispatch_warm"], seed=0).products
    call = replay(products, seed=0)
    operands = call.__closure__
    assert operands is not None
    (arrays,) = (c.cell_contents for c in operands if isinstance(c.cell_contents, list))
    call()
    for product, (left, right, result) in zip(products, arrays, strict=True):
        assert left.strides == product.left.strides
        assert right.shape == product.right.shape
        np.testing.assert_allclose(result, left @ right, rtol=1e-5, atol=1e-5)


def test_limits_of_a_step_add_up() -> None:
    with Worker() as worker:
        found = worker.ask("limits", scenario="mem_train_step", seed=0, seconds=0.2)
    assert found["ratio"] == pytest.approx(
        found["step"] / (found["products"] + found["optimiser"])
    )
    assert 0 < found["products"] < found["step"]
    assert found["optimiser"] == pytest.approx(
        28 * Config.tiny().num_parameters / found["bandwidth"]
    )
    assert 0 < found["utilisation"] < 1


@pytest.mark.parametrize("name", ["dispatch_warm", "mem_train_step", "decode_128"])
def test_what_calls_cost_at_least_is_less_than_at_most(name: str) -> None:
    with Worker() as worker:
        found = worker.ask("limits", scenario=name, seed=0, seconds=0.2)
    assert 0 < found["dispatch_share"] < found["interpreter_share_at_most"]
    assert found["indexing"] < found["calls"] - found["matrix_products"]


def test_adamw_passes_over_its_block_as_often_as_the_speed_page_says() -> None:
    step = optimiser_step(10, watched)
    with recording() as seen:
        step()
    assert sum(seen.ufuncs.values()) == 13
    page = (ROOT / "docs/benchmarks/speed.md").read_text(encoding="utf-8")
    assert "thirteen passes over each block" in page
