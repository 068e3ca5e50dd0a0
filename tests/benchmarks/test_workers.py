"""Real worker processes: what they compute, measure and say when it goes wrong."""

import os

import numpy as np
import pytest

from benchmarks import lockstep, measuring
from benchmarks.budget import QUICK
from benchmarks.errors import BenchmarkError, CheckError, MissingError
from benchmarks.machine import describe_machine
from benchmarks.processes import (
    THREAD_VARIABLES,
    Worker,
    WorkerError,
    pinned_environment,
)
from benchmarks.scenarios import ALL, SCENARIOS
from benchmarks.stability import run_cases
from benchmarks.workloads import (
    Workload,
    build_one,
    config_of,
    kernel_workload,
    require_close,
)
from moe import Config

IN_PROCESS = [
    "mem_train_step",
    "mem_scale_batch_1",
    "kernel_matmul",
    "kernel_softmax",
    "kernel_rmsnorm",
    "decode_128",
]


@pytest.mark.parametrize("name", IN_PROCESS)
def test_every_kind_of_work_computes_what_it_should(name: str) -> None:
    workload = build_one(ALL[name], seed=1)
    assert workload.run(2) > 0
    assert workload.check()["error"] < 1e-5


@pytest.mark.parametrize("name", IN_PROCESS)
def test_a_wrong_result_fails_the_check(name: str) -> None:
    workload = build_one(ALL[name], seed=1)
    workload.run(1)
    result = workload._result
    if name == "mem_train_step":
        workload._result = result + 1  # a loss that rose
    else:
        array = result[0] if isinstance(result, tuple) else result
        array.flat[0] += 0.01 * np.abs(array).max()
    with pytest.raises(CheckError):
        workload.check()


def test_what_is_not_finite_or_of_another_shape_fails() -> None:
    ones = np.ones(3)
    with pytest.raises(CheckError, match="not finite"):
        require_close("x", np.array([1, np.nan, 1]), ones)
    with pytest.raises(CheckError, match=r"has shape \(2,\), expected \(3,\)"):
        require_close("x", np.ones(2), ones)


def test_hidden_256_is_the_profile_small() -> None:
    assert config_of(SCENARIOS["scale_forward_256"]) == Config.small()
    assert config_of(SCENARIOS["dispatch_warm"]) == Config.tiny()


def test_an_injected_slowdown_is_a_slowdown() -> None:
    workload = kernel_workload(SCENARIOS["kernel_matmul"], 0)
    fast = min(workload.run(50) for _ in range(40))
    workload.inject(1.0)
    slow = min(workload.run(50) for _ in range(40))
    assert slow > 1.5 * fast


def test_a_worker_measures_and_pins_its_threads() -> None:
    with Worker(threads=1) as worker:
        assert worker.hello["blas"]["threads_requested"] == 1
        worker.ask("build", scenario="kernel_softmax", seed=0)
        warm = worker.ask("warm_up", calls=10, blocks=1, block_seconds=0.001)
        timed = worker.ask("time", loops=warm["loops"], blocks=3)
        assert len(timed["block_ns"]) == 3
        assert 0 < timed["cpu_share"] < 1.2
        assert worker.ask("check")["error"] < 1e-5


def test_a_worker_with_other_threads_than_asked_for_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "benchmarks.processes.pinned_environment",
        lambda threads: pinned_environment(1),
    )
    with pytest.raises(BenchmarkError, match=r"asked for|, not 2"):
        Worker(threads=2)


def test_a_cold_start_finds_its_modules_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in pinned_environment()


def test_a_machine_does_not_choose_the_kernels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    assert "OPENBLAS_CORETYPE" not in pinned_environment()
    assert describe_machine()["environment"]["OPENBLAS_NUM_THREADS"] == "1"
    with Worker() as worker:
        assert worker.hello["blas"]["architecture"] != "Prescott"


def test_a_worker_that_dies_says_how() -> None:
    with Worker() as worker:
        worker._process.kill()
        with pytest.raises(WorkerError, match="a worker died: exit status -9"):
            worker.ask("check")


def test_errors_of_a_worker_arrive_with_their_kind() -> None:
    with Worker() as worker:
        with pytest.raises(WorkerError, match="KeyError: 'nothing'"):
            worker.ask("build", scenario="nothing", seed=0)
        worker.ask("build", scenario="mem_scale_seq_8", seed=0)
        with pytest.raises(CheckError, match="nothing has been run"):
            worker.ask("check")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import peers

    monkeypatch.setitem(peers.MODULES, "absent", ("no_such_module", "nolib"))
    with pytest.raises(MissingError, match="nolib is not installed: pip install -e"):
        peers.build_peer("absent", SCENARIOS["dispatch_warm"], 0)


def test_the_package_of_another_folder_is_the_one_that_is_measured(tmp_path) -> None:
    (tmp_path / "moe").mkdir()
    (tmp_path / "moe" / "__init__.py").write_text("raise ValueError('another moe')")
    with pytest.raises(WorkerError, match="another moe"):
        Worker(moe_root=tmp_path)


def test_parallel_workers_are_spread_over_the_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from benchmarks.parallel import keep_to_core

    kept: list[set[int]] = []
    affinity = {"sched_getaffinity": lambda _: {5, 3}}
    affinity["sched_setaffinity"] = lambda _, cores: kept.append(cores)
    for name, fake in affinity.items():
        monkeypatch.setattr(os, name, fake, raising=False)
    for number in range(4):
        keep_to_core(number)
    assert kept == [{3}, {5}, {3}, {5}]


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="only Linux keeps a process to a core"
)
def test_each_parallel_worker_has_its_own_core(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from benchmarks.parallel import ProcessPool

    for variable in THREAD_VARIABLES:  # as the worker that opens a pool has them
        monkeypatch.setenv(variable, "1")
    pool = ProcessPool(SCENARIOS["parallel_T2"], seed=0, threads=1)
    try:
        kept = [os.sched_getaffinity(child.pid) for child, _ in pool._children]
    finally:
        pool.close()
    cores = sorted(os.sched_getaffinity(0))
    assert kept == [{cores[0]}, {cores[1 % len(cores)]}]


def test_parallel_workers_each_do_one_task_and_are_counted() -> None:
    with Worker() as worker:
        worker.ask("build", scenario="parallel_T2", seed=0)
        timed = worker.ask("time", loops=2, blocks=3)
        one = worker.ask("measure", what="allocation")
        resident = worker.ask("measure", what="memory")["peak_resident_bytes"]
        assert worker.ask("check")["error"] < 1e-5
    assert 0 < timed["cpu_share"] < 2.2
    with Worker() as worker:
        worker.ask("build", scenario="dispatch_warm", seed=0)
        alone = worker.ask("measure", what="allocation")
        single = worker.ask("measure", what="memory")["peak_resident_bytes"]
    # The same call in two processes allocates twice as much, give or take a header.
    assert one["peak_traced_bytes"] == pytest.approx(
        2 * alone["peak_traced_bytes"], rel=0.01
    )
    assert 1.5 * single < resident < 3 * single


def test_threads_do_the_same_work() -> None:
    from benchmarks.parallel import ThreadPool

    pool = ThreadPool(SCENARIOS["parallel_T2"], seed=0)
    assert pool.run(2) > 0
    assert pool.check()["error"] < 1e-5
    with pytest.raises(BenchmarkError, match="with processes, not threads"):
        pool.measure("memory")


def test_a_cold_start_is_split_into_its_stages() -> None:
    found = measuring.cold_start(SCENARIOS["dispatch_cold"], seed=0)
    assert list(found["stages"]) == list(measuring.STAGES)
    assert all(duration > 0 for duration in found["stages"].values())
    assert found["stages"]["numpy"] > found["stages"]["forward"]
    assert found["error"] < 1e-5


def test_extreme_numbers_do_what_they_should() -> None:
    wrong = [case for case in run_cases() if not case["passed"]]
    assert wrong == []


def test_lockstep_compares_two_processes() -> None:
    found = lockstep.run_pair(
        "kernel_softmax",
        lockstep.OURS,
        lockstep.Side("slowed", {"slowdown": 1.0}),
        seed=0,
        budget=QUICK,
    )
    assert found["ratio"] > 1.3
    assert found["blocks"] >= 4


def test_lockstep_refuses_a_side_with_more_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lockstep, "MOST_CPU", 0.0)
    with pytest.raises(CheckError, match="more threads than it was given"):
        lockstep.run_pair(
            "kernel_softmax", lockstep.OURS, lockstep.OURS, seed=0, budget=QUICK
        )


def test_a_call_is_timed_without_its_check() -> None:
    checked = []
    workload = Workload(lambda: 7, lambda result: checked.append(result) or {})
    workload.run(3)
    assert checked == []
    workload.check()
    assert checked == [7]
