"""A laboratory in which nothing is really measured."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import synthetic

from benchmarks import machine, measuring, results, sessions


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
