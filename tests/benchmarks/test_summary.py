"""From records to a verdict on them: what is refused, and why it says so."""

import random
from dataclasses import replace

import pytest
import synthetic

from benchmarks.budget import FULL, QUICK
from benchmarks.estimation import ratio_interval, verdict
from benchmarks.scenarios import ALL, SCENARIOS
from benchmarks.summary import (
    add_efficiency,
    last_attempt,
    over_numpy,
    reasons_against,
    scaling,
    summarise_scenario,
    summarise_time,
)

WARM = SCENARIOS["dispatch_warm"]


def records(factors: list[float], attempt: int = 0) -> list[dict]:
    """One process for each factor on its floor of 1 ms."""
    rows = []
    for replica, factor in enumerate(factors):
        data = synthetic.time_record(WARM, replica, 1e-3)["data"]
        floor = min(data["block_ns"]) / data["loops"]
        scale = factor * 1e6 / floor
        block_ns = [ns * scale for ns in data["block_ns"]]
        rows.append(data | {"block_ns": block_ns, "attempt": attempt})
    return rows


def test_best_is_the_median_of_the_minima_of_processes() -> None:
    factors = [1.00, 1.01, 1.02, 1.01, 1.04, 1.00, 1.02, 1.01, 1.03, 1.00, 1.01, 1.02]
    time = summarise_time(records(factors))
    assert time["best"] == pytest.approx(1.01e-3)
    assert time["interval"] == pytest.approx([1.00e-3, 1.02e-3])  # 3rd to 10th of 12
    assert time["coverage"] == pytest.approx(1 - 2 * (1 + 12 + 66) / 2**12)
    assert time["spread"] == pytest.approx(0.04)
    assert time["typical"] > time["best"]
    assert reasons_against(time, FULL, synthetic.TIMER_COST) == []


def test_two_disturbed_processes_do_not_decide_three_do() -> None:
    disturbed = [1.3, 1.4, 1.25]
    time = summarise_time(records([1.0] * 10 + disturbed[:2]))
    assert reasons_against(time, FULL, synthetic.TIMER_COST) == []
    assert time["best"] == pytest.approx(1e-3)
    assert time["spread"] == pytest.approx(0.4)  # kept, for whoever looks at it
    time = summarise_time(records([1.0] * 9 + disturbed))
    (reason,) = reasons_against(time, FULL, synthetic.TIMER_COST)
    assert reason == "interval is +-12.5%, allowed is +-5%"


def test_too_few_processes_are_incomplete() -> None:
    time = summarise_time(records([1.0] * 3))
    assert reasons_against(time, FULL, synthetic.TIMER_COST) == ["3 of 12 processes"]


@pytest.mark.parametrize(
    ("timer_cost", "least"), [(50e-9, "1.00 ms"), (5e-6, "5.00 ms")]
)
def test_blocks_must_be_long_against_the_clock(timer_cost: float, least: str) -> None:
    rows = [row | {"loops": 1} for row in records([0.9e-0] * 12)]
    for row in rows:
        row["block_ns"] = [0.9e6] * 100
    (reason,) = reasons_against(summarise_time(rows), FULL, timer_cost)
    assert reason == f"a block took 0.90 ms, at least {least} are needed"


def test_a_starved_process_is_told_so() -> None:
    rows = [row | {"cpu_share": 0.5} for row in records([1.0] * 9 + [1.2] * 3)]
    reasons = reasons_against(summarise_time(rows), FULL, synthetic.TIMER_COST)
    assert reasons[-1] == "it had 50% of a core"


def test_only_the_newest_attempt_counts() -> None:
    rows = records([1.0] * 9 + [2.0] * 3) + records([1.0] * 12, attempt=1)
    time = summarise_time(last_attempt(rows))
    assert time["attempts"] == 2
    assert time["processes"] == 12
    assert time["spread"] < 0.05


def loaded_machine(rng: random.Random, seconds: float) -> list[float]:
    """Blocks on a machine whose speed flips between two states, as was measured."""
    blocks, slow = [], rng.random() < 0.5
    for _ in range(FULL.blocks):
        if rng.random() < 0.02:
            slow = not slow
        factor = 1.75 if slow else 1.0
        blocks.append(seconds * factor * (1 + rng.expovariate(20)))
    return blocks


def test_under_load_it_refuses_or_is_right() -> None:
    """200 simulated runs: never a published figure that is off by 5 %."""
    rng = random.Random(3)
    refused = 0
    for _ in range(200):
        rows = []
        for _ in range(FULL.processes):
            block_ns = [1e9 * s * 5 for s in loaded_machine(rng, 1e-3)]
            rows.append(
                {"block_ns": block_ns, "loops": 5, "cpu_share": 0.8, "attempt": 0}
            )
        time = summarise_time(rows)
        if reasons_against(time, FULL, synthetic.TIMER_COST):
            refused += 1
        else:
            assert time["best"] == pytest.approx(1e-3, rel=0.05)
    assert 0 < refused < 200  # both branches were taken


def test_lockstep_under_load_is_never_often_wrong() -> None:
    """A against A where every pair meets another machine: at most 1 in 20 is told."""
    rng = random.Random(4)
    wrong = found = 0
    for _ in range(400):
        same, slower = [], []
        for _ in range(FULL.pairs):
            a, b = (min(loaded_machine(rng, 1e-3)) for _ in range(2))
            same.append(b / a)
            slower.append(1.05 * b / a)
        wrong += verdict(*ratio_interval(same)) in ("faster", "slower")
        found += verdict(*ratio_interval(slower)) == "slower"
    assert wrong <= 0.05 * 400
    assert found > 0


def test_parallel_efficiency_is_against_one_worker() -> None:
    rows = {
        f"parallel_T{n}": {"work": "forward", "workers": n, "time": {"best": t}}
        for n, t in ((1, 1.0), (2, 1.25), (4, 2.0))
    }
    add_efficiency(rows)
    assert [row["efficiency"] for row in rows.values()] == [1.0, 0.8, 0.5]
    assert [row["speedup"] for row in rows.values()] == [1.0, 1.6, 2.0]


def test_oversubscribed_rows_are_marked() -> None:
    for cores, marked in ((2, True), (4, False)):
        scenario = SCENARIOS["parallel_T4"]
        summary = summarise_scenario(
            scenario, synthetic.records_of(scenario), 4e7, FULL, 5e-8, cores
        )
        assert summary["oversubscribed"] is marked


def test_memory_is_told_over_as_many_idle_workers() -> None:
    scenario = SCENARIOS["parallel_T2"]
    rows = synthetic.records_of(scenario)
    summary = summarise_scenario(scenario, rows, 4e7, FULL, 5e-8, 2)
    peak = summary["memory"]["peak_resident_bytes"]
    assert summary["memory"]["over_idle_bytes"] == peak - 8e7


def test_scaling_is_fitted_only_to_stable_rows() -> None:
    rows = synthetic.measured([s for s in ALL.values() if s.axis == "memory"])
    fits = scaling(rows["scenarios"])
    assert set(fits) == {"batch", "seq"}
    # The synthetic forward takes 200 us and 10 us for each token.
    assert fits["batch"]["fixed"] == pytest.approx(2e-4, rel=0.1)
    assert fits["batch"]["per_token"] == pytest.approx(1e-5, rel=0.05)
    rows["scenarios"]["mem_scale_seq_8"]["status"] = "unstable"
    assert set(scaling(rows["scenarios"])) == {"batch"}


def test_quick_runs_fewer_of_everything() -> None:
    full, quick = FULL.as_dict(), QUICK.as_dict()
    assert all(quick[key] <= full[key] for key in full if key != "quick")
    assert replace(FULL, quick=True).as_dict()["quick"]


def test_long_blocks_are_fewer_but_never_too_few() -> None:
    assert FULL.blocks_of(0.005) == FULL.blocks
    assert FULL.blocks_of(0.02) == 25
    assert FULL.blocks_of(1.0) == FULL.fewest_blocks


def test_a_cold_start_is_set_against_numpy_alone() -> None:
    base = {"interpreter": 20, "numpy": 80, "package": 10, "build": 5, "forward": 5}
    found = over_numpy([base | {"forward": 5 + extra} for extra in (0, 10, 20)])
    assert found == {"ratio": 1.3, "interval": [1.2, 1.4]}


def test_the_interval_of_a_limit_is_over_processes() -> None:
    ratios = [2.1, 2.3, 2.2, 2.25, 2.15, 2.4]
    rows = [
        synthetic.record(WARM, "limits", synthetic.LIMITS | {"ratio": ratio}, n)
        for n, ratio in enumerate(ratios)
    ]
    limits = summarise_scenario(WARM, rows, None, FULL, synthetic.TIMER_COST, 2)
    assert limits["limits"]["ratio"] == pytest.approx(2.225)
    assert limits["limits"]["ratio_interval"] == [2.1, 2.4]
