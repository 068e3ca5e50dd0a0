"""What is refused, kept, taken up again: measuring itself is faked."""

import os
from pathlib import Path
from typing import Any

import pytest
import synthetic
from synthetic import saved

from benchmarks import command_line, machine, measuring, sessions
from benchmarks.command_line import main
from benchmarks.errors import INTERRUPTED, OK, REFUSED, BenchmarkError


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
    assert "unstable: interval is +-" in row
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
    noisy(monkeypatch, until=12)
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
    assert sum(line.startswith("time") for line in lab) == 24


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


def test_a_busy_machine_is_refused_before_it_is_measured(
    lab: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cores = os.cpu_count() or 1
    monkeypatch.setattr(os, "getloadavg", lambda: (0.75 * cores, 0.0, 0.0))
    monkeypatch.setattr(command_line, "WAIT_FOR_QUIET", 0)
    assert main([]) == REFUSED
    assert "refused: the load average is" in capsys.readouterr().err
    assert lab == []


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
