"""scripts/convergence.py: the whole run, and on fewer steps what it writes."""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import convergence
import convergence_run
import numpy as np
import pytest
from agreement import agreement
from command_line import Terminal, run

from moe import Model, Trainer
from moe.equations.router import router


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Thirty steps, no PyTorch, and a folder of its own for what is written."""
    training = replace(convergence_run.TRAINING, total_steps=30)
    monkeypatch.setattr(convergence_run, "TRAINING", training)
    monkeypatch.setattr(convergence, "RESULTS", tmp_path / "a")
    monkeypatch.setattr(convergence, "ASSETS", tmp_path / "b")
    monkeypatch.setitem(sys.modules, "torch", None)
    return tmp_path


@pytest.fixture
def terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    return Terminal(capsys, monkeypatch)


def test_the_model_learns_the_batch_and_keeps_its_experts_busy() -> None:
    states = convergence_run.converge()
    first, last = states[0], states[-1]
    assert [state["step"] for state in states] == list(range(0, 1001, 10))
    assert first["cross_entropy"] == pytest.approx(math.log(1000), abs=0.05)
    assert last["cross_entropy"] < 0.005
    assert last["balance_loss"] == pytest.approx(0.02, rel=0.05)
    loads = np.array(last["expert_load"])
    assert loads.shape == (2, 4)
    assert loads.min() > 0.1


def test_ids_are_consecutive_and_targets_follow() -> None:
    ids, targets = convergence_run.consecutive_ids()
    assert ids.shape == targets.shape == (2, 8)
    assert ids.ravel().tolist() == list(range(16))
    assert targets.ravel().tolist() == list(range(1, 17))


def test_the_load_is_what_the_routers_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []

    def watched(*arguments: Any) -> Any:
        result = router(*arguments)
        chosen.append(np.bincount(result[1].ravel(), minlength=4))
        return result

    monkeypatch.setattr("moe.block.router", watched)
    model = Model.initialise(convergence_run.CONFIG, rng=3)
    trainer = Trainer(model, convergence_run.TRAINING)
    state = convergence_run.state(trainer, *convergence_run.consecutive_ids())
    np.testing.assert_allclose(state["expert_load"], np.array(chosen) / 32)
    assert len(chosen) == 2


def test_two_runs_write_the_same_bits(terminal: Terminal, short: Path) -> None:
    names = ["a/convergence.json", "b/convergence.svg", "b/convergence.gif"]
    # Thirty steps do not reach the goal, which the exit code says.
    terminal.run(convergence, code=1)
    first = [(short / name).read_bytes() for name in names]
    terminal.run(convergence, code=1)
    assert [(short / name).read_bytes() for name in names] == first
    result = json.loads(first[0])
    assert result["initial"] == result["states"][0]
    assert result["final"] == result["states"][-1]
    assert result["final"]["step"] == 30
    assert result["original_study"]["final_loss"]["Rust"] == 0.0001
    root = ElementTree.fromstring(first[1])
    assert root.find("{http://www.w3.org/2000/svg}desc") is not None


def test_without_pytorch_one_line_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, short: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["convergence.py"])
    assert convergence.main() == 1
    said = [line for line in capsys.readouterr().err.splitlines() if "torch" in line]
    assert len(said) == 1
    assert "torch is missing, so PyTorch was not run beside ours" in said[0]
    assert sorted(path.name for path in short.rglob("*.*")) == [
        "convergence.gif",
        "convergence.json",
        "convergence.svg",
    ]


def test_draw_trains_nothing_and_draws_what_is_on_record(
    terminal: Terminal, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.run(convergence, code=1)
    record = (short / "a/convergence.json").read_bytes()
    pictures = sorted((short / "b").iterdir())
    drawn = [path.read_bytes() for path in pictures]
    for path in pictures:
        path.unlink()
    monkeypatch.delattr(convergence_run, "TRAINING")  # whoever trains now fails
    terminal.run(convergence, "--draw", code=1)
    assert [path.read_bytes() for path in pictures] == drawn
    assert (short / "a/convergence.json").read_bytes() == record


def test_draw_without_a_record_is_refused(terminal: Terminal, short: Path) -> None:
    line = terminal.refused(convergence, "--draw")
    assert "convergence.json: No such file or directory" in line


@pytest.fixture
def committed() -> tuple[dict[str, Any], dict[str, Any]]:
    run, torch = convergence.records()
    assert torch is not None, "convergence_torch.json is not of this run"
    return run, torch


def test_pytorch_was_run_beside_the_run_on_record(committed: Any) -> None:
    run, torch = committed
    assert convergence.fits(torch, run)
    run["states"][40]["cross_entropy"] *= 1 + 1e-12
    assert not convergence.fits(torch, run)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_agreement_on_record_follows_from_its_points(
    committed: Any, dtype: str
) -> None:
    _, torch = committed
    compared = torch[dtype]
    points = compared.pop("points")
    assert [point["step"] for point in points] == list(range(0, 1001, 10))
    assert compared == agreement(points)


def test_the_curves_coincide(committed: Any) -> None:
    _, torch = committed
    # Both sides round differently, and training amplifies it: float64 leaves room
    # for all 1000 steps, float32 for the first hundred.
    assert torch["float64"]["digits_throughout"] >= 6
    (five,) = (row for row in torch["float32"]["digits"] if row["digits"] == 5)
    assert five["steps"] >= 100


def test_bad_input_and_help(terminal: Terminal, tmp_path: Path) -> None:
    line = terminal.refused(convergence, "--steps", 3)
    assert "unrecognized arguments: --steps 3" in line
    shown = run("convergence.py", "--help", cwd=tmp_path).stdout
    assert "python scripts/convergence.py" in shown
