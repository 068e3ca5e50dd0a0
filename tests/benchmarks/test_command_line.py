"""What the user types, sees and gets back; measuring itself is faked."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import synthetic

from benchmarks import command_line, machine, measuring, results, sessions
from benchmarks.command_line import main
from benchmarks.errors import INTERRUPTED, OK, REFUSED, USAGE, BenchmarkError
from benchmarks.processes import ROOT
from benchmarks.scenarios import ALL, SCENARIOS


class FakeWorker:
    """Says what a worker says."""

    def __init__(self) -> None:
        said = ("python", "numpy", "blas", "package_version", "timer")
        self.hello = {key: synthetic.environment()[key] for key in said}

    def ask(self, command: str, **arguments: object) -> Any:
        assert command == "stability"
        return [{"case": "softmax", "outcome": "1.0", "passed": True}]

    def __enter__(self) -> "FakeWorker":
        return self

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Nothing is really measured; the list tells what would have been."""
    done: list[str] = []

    def of_kind(kind: str) -> Callable[..., dict[str, Any]]:
        def measure(
            scenario: Any, seed: int, budget: Any, *what: str
        ) -> dict[str, Any]:
            named = what[0] if kind == "resource" else kind
            done.append(f"{named} {scenario.id}")
            rows = synthetic.records_of(scenario)
            number = done.count(f"{named} {scenario.id}") - 1
            rows = [row["data"] for row in rows if row["kind"] == named]
            return rows[number % len(rows)]

        return measure

    monkeypatch.setattr(measuring, "time_once", of_kind("time"))
    monkeypatch.setattr(measuring, "measure_resource", of_kind("resource"))
    monkeypatch.setattr(measuring, "measure_limits", of_kind("limits"))
    monkeypatch.setattr(measuring, "measure_idle", lambda: {"peak_resident_bytes": 1})
    monkeypatch.setattr(sessions, "Worker", FakeWorker)
    monkeypatch.setattr(sessions, "ROOT", tmp_path)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "published")
    monkeypatch.setattr(machine, "canary", lambda: {"best": 1e-4, "median": 1e-4})
    clean = {"commit": "0" * 40, "describe": "v1", "dirty": False}
    monkeypatch.setattr(machine, "git_state", lambda: clean)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.1, 0.1, 0.1))
    itself = synthetic.comparison("dispatch_warm", "numpy", 1.0) | {"passed": True}
    monkeypatch.setattr(sessions, "self_test", lambda *_: itself)
    monkeypatch.chdir(tmp_path)
    return done


def saved(path: str = "runs/bench.json") -> dict[str, Any]:
    return results.load(Path(path))


def test_all_22_scenarios_table_and_json(
    lab: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == OK
    out, err = capsys.readouterr()
    assert all(f"\n{name} " in out for name in SCENARIOS)
    assert err == ""  # the progress bar is silent where there is no terminal
    result = saved()
    assert result["publishable"]
    assert list(result["scenarios"]) == list(SCENARIOS)
    assert len(SCENARIOS) == 22
    assert {s["status"] for s in result["scenarios"].values()} == {"stable"}
    assert lab.count("time mem_train_step") == 8
    assert not list(Path("runs").glob("*.journal.jsonl"))


def test_the_original_ids_are_kept() -> None:
    sizes = {"batch": (1, 2, 4, 8), "seq": (8, 16, 32, 64)}
    ids = ["mem_train_step"]
    ids += [f"mem_scale_{kind}_{n}" for kind, of in sizes.items() for n in of]
    ids += ["kernel_matmul", "kernel_softmax", "kernel_rmsnorm"]
    ids += ["dispatch_warm", "dispatch_cold"]
    ids += [f"parallel_T{n}" for n in (1, 2, 4)]
    ids += [f"parallel_train_T{n}" for n in (1, 2, 4)]
    ids += ["scale_forward_256", "scale_train_256"]
    assert list(SCENARIOS) == ids


def test_order_is_shuffled_in_every_round_and_by_seed(lab: list[str]) -> None:
    main([])
    times = [line for line in lab if line.startswith("time")]
    rounds = [times[i : i + 22] for i in range(0, len(times), 22)]
    assert len({tuple(r) for r in rounds}) == 8
    assert all(sorted(r) == sorted(rounds[0]) for r in rounds)
    first = list(lab)
    lab.clear()
    main(["--seed", "1"])
    assert lab != first


def test_raw_values_are_written_as_pyperf_does(lab: list[str]) -> None:
    import pyperf

    main(["--only", "dispatch_warm"])
    suite = pyperf.BenchmarkSuite.load("runs/bench.pyperf.json")
    (benchmark,) = suite.get_benchmarks()
    assert benchmark.get_name() == "dispatch_warm"
    assert len(benchmark.get_runs()) == 8
    best = saved()["scenarios"]["dispatch_warm"]["time"]["per_process"]
    assert [min(r.values) for r in benchmark.get_runs()] == pytest.approx(best)


def noisy(monkeypatch: pytest.MonkeyPatch, until: int) -> None:
    """The first processes of `dispatch_warm` are disturbed more and more."""
    calm = measuring.time_once
    count = 0

    def measure(scenario: Any, *rest: Any) -> dict[str, Any]:
        nonlocal count
        row = calm(scenario, *rest)
        if scenario.id == "dispatch_warm":
            count += 1
            if count <= until:
                row = row | {"block_ns": [ns * (1 + count) for ns in row["block_ns"]]}
        return row

    monkeypatch.setattr(measuring, "time_once", measure)


def test_an_unstable_scenario_is_refused_with_its_reason(
    lab: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    noisy(monkeypatch, until=10**6)
    status = main(["--only", "dispatch_warm", "kernel_softmax", "--json", "noise.json"])
    assert status == REFUSED
    out = capsys.readouterr().out
    (row,) = (line for line in out.splitlines() if line.startswith("dispatch_warm "))
    assert "unstable: minima of processes differ by" in row
    assert " us" not in row
    assert " ms" not in row
    result = saved("noise.json")
    assert not result["publishable"]
    assert result["scenarios"]["dispatch_warm"]["status"] == "unstable"
    assert result["scenarios"]["dispatch_warm"]["time"]["attempts"] == 3
    assert result["scenarios"]["kernel_softmax"]["status"] == "stable"
    assert not Path("noise.pyperf.json").exists()


def test_an_unstable_scenario_is_measured_anew(
    lab: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    noisy(monkeypatch, until=8)
    assert main(["--only", "dispatch_warm", "kernel_softmax"]) == OK
    scenarios = saved()["scenarios"]
    assert scenarios["dispatch_warm"]["time"]["attempts"] == 2
    assert scenarios["kernel_softmax"]["time"]["attempts"] == 1


def test_a_failed_self_test_measures_nothing(
    lab: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = synthetic.comparison("dispatch_warm", "numpy", 1.1) | {"passed": False}
    monkeypatch.setattr(sessions, "self_test", lambda *_: wide)
    assert main([]) == REFUSED
    assert not any(line.startswith("time") for line in lab)
    assert "scenarios" not in saved()
    assert "1 of 1 self-tests failed" in capsys.readouterr().out


def test_published_results_are_never_overwritten_by_refused_ones(
    lab: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = tmp_path / "published" / "main.json"
    assert main(["--only", "dispatch_warm", "--json", str(target)]) == OK
    before = target.read_text()
    noisy(monkeypatch, until=10**6)
    assert main(["--only", "dispatch_warm", "--json", str(target)]) == REFUSED
    assert target.read_text() == before
    assert not saved(str(tmp_path / "runs" / "main.json"))["publishable"]


def test_code_that_differs_from_its_commit_is_not_published(
    lab: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dirty = {"commit": "0" * 40, "describe": "v1", "dirty": True}
    monkeypatch.setattr(machine, "git_state", lambda: dirty)
    assert main(["--only", "dispatch_warm"]) == REFUSED
    assert saved()["reasons"] == ["the measured code differs from its commit"]


def test_interrupted_runs_keep_what_is_finished_and_go_on(
    lab: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calm = measuring.time_once

    def impatient(*arguments: Any) -> dict[str, Any]:
        if sum(line.startswith("time") for line in lab) == 9:
            raise KeyboardInterrupt
        return calm(*arguments)

    only = ["--only", "dispatch_warm", "kernel_softmax"]
    monkeypatch.setattr(measuring, "time_once", impatient)
    assert main(only) == INTERRUPTED
    result = saved()
    assert result["interrupted"]
    kept = sum(s["time"]["processes"] for s in result["scenarios"].values())
    assert kept == 9
    assert {s["status"] for s in result["scenarios"].values()} == {"incomplete"}
    monkeypatch.setattr(measuring, "time_once", calm)
    capsys.readouterr()
    assert main(only) == OK
    assert "going on: " in capsys.readouterr().out
    assert sum(line.startswith("time") for line in lab) == 16


def test_another_seed_does_not_go_on(
    lab: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(*arguments: Any) -> dict[str, Any]:
        raise KeyboardInterrupt

    calm = measuring.time_once
    monkeypatch.setattr(measuring, "time_once", impatient)
    main(["--only", "dispatch_warm"])
    monkeypatch.setattr(measuring, "time_once", calm)
    lab.clear()
    assert main(["--only", "dispatch_warm", "--seed", "1"]) == OK
    assert "memory dispatch_warm" in lab


def test_quick_is_marked(lab: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--only", "dispatch_warm"]) == OK
    assert "quick: for orientation only" in capsys.readouterr().out
    result = saved()
    assert result["quick"]
    assert not result["publishable"]


def test_a_busy_machine_is_refused_before_it_is_measured(
    lab: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cores = os.cpu_count() or 1
    monkeypatch.setattr(os, "getloadavg", lambda: (0.75 * cores, 0.0, 0.0))
    monkeypatch.setattr(command_line, "WAIT_FOR_QUIET", 0)
    assert main([]) == REFUSED
    assert "refused: the load average is" in capsys.readouterr().err
    assert lab == []


def test_results_name_neither_host_nor_user(
    lab: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import getpass
    import platform

    main(["--only", "dispatch_warm", "kernel_softmax"])
    written = [path.read_text() for path in Path("runs").glob("*.json")]
    assert len(written) == 2
    for text in written:
        assert f'"{platform.node()}"' not in text
        assert f'"{getpass.getuser()}"' not in text
        assert str(Path.home()) not in text
        assert "hostname" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "nothing"], "unknown scenario 'nothing'"),
        (["--axis", "nowhere"], "invalid choice: 'nowhere'"),
        (["--axis", "memory", "--only", "dispatch_warm"], "none of dispatch_warm"),
        (["--peers", "tensorflow"], "unknown peer 'tensorflow'"),
        (["--peers", "jax", "--only", "kernel_matmul"], "kernel_matmul has no peers"),
        (["--peers", "jax", "--only", "parallel_T1"], "they run in one process"),
        (["--against", "no-such-commit"], "git knows no commit 'no-such-commit'"),
        (["--compare", "a.json", "b.json"], "there is no file a.json"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
        (["--self-test", "0"], "--self-test must be at least 1, got 0"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["--list", "--quick", "surplus"], "unrecognized arguments: surplus"),
    ],
)
def test_a_wrong_command_line_is_one_clear_line(
    lab: list[str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    assert status == USAGE
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert lab == []


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "python scripts/bench.py --quick" in capsys.readouterr().out


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == OK
    out = capsys.readouterr().out
    assert all(name in out for name in ALL)


def test_a_missing_library_skips_its_rows(
    lab: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.errors import MissingError

    def compare(scenario: str, baseline: Any, *rest: Any) -> dict[str, Any]:
        if baseline.name == "jax":
            raise MissingError("jax is not installed")
        return synthetic.comparison(scenario, baseline.name, 0.8)

    monkeypatch.setattr(sessions, "compare", compare)
    assert main(["--peers", "torch,jax", "--only", "dispatch_warm"]) == OK
    assert "skipped: jax is not installed" in capsys.readouterr().out
    torch, jax = saved()["comparisons"]
    assert torch["verdict"] == "faster"
    assert jax["status"] == "skipped"


def test_a_peer_that_computes_something_else_is_not_published(
    lab: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(*_: Any) -> dict[str, Any]:
        raise BenchmarkError("torch: logits off by 1e-01")

    monkeypatch.setattr(sessions, "compare", compare)
    assert main(["--peers", "torch", "--only", "dispatch_warm"]) == REFUSED
    assert saved()["reasons"] == ["dispatch_warm: torch: logits off by 1e-01"]


def test_comparing_files_says_what_may_be_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = synthetic.measured([SCENARIOS["dispatch_warm"], SCENARIOS["kernel_softmax"]])
    new = json.loads(json.dumps(old))
    time = new["scenarios"]["dispatch_warm"]["time"]
    time["best"] *= 0.7
    time["interval"] = [0.7 * bound for bound in time["interval"]]
    for name, result in (("old", old), ("new", new)):
        (tmp_path / f"{name}.json").write_text(json.dumps(result))
    paths = [str(tmp_path / "old.json"), str(tmp_path / "new.json")]
    assert main(["--compare", *paths]) == OK
    out = capsys.readouterr().out
    assert "ratio 0.700  faster" in out
    assert "ratio 1.000  unresolved" in out
    new["environment"]["cpu"]["model"] = "Napier's bones"
    (tmp_path / "new.json").write_text(json.dumps(new))
    main(["--compare", *paths])
    out = capsys.readouterr().out
    assert "cpu model: Abacus and Napier's bones" in out
    assert "faster" not in out


def test_the_parent_stays_thin() -> None:
    code = (
        "import sys, benchmarks.command_line, benchmarks.suite; "
        "sys.exit('numpy' in sys.modules or 'moe' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
