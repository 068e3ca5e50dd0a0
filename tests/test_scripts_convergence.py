"""scripts/convergence.py: the whole run, and on fewer steps what it writes."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import convergence
import numpy as np
import pytest
from command_line import Terminal, run

from moe import Model, Trainer
from moe.equations.router import router


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Thirty steps, and results in a folder of their own."""
    training = replace(convergence.TRAINING, total_steps=30)
    monkeypatch.setattr(convergence, "TRAINING", training)
    monkeypatch.setattr(convergence, "RESULT", tmp_path / "a/convergence.json")
    monkeypatch.setattr(convergence, "PICTURE", tmp_path / "b/convergence.svg")
    return tmp_path


@pytest.fixture
def terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    return Terminal(capsys, monkeypatch)


def test_the_model_learns_the_batch_and_keeps_its_experts_busy() -> None:
    states = convergence.converge()
    first, last = states[0], states[-1]
    assert [state["step"] for state in states] == list(range(0, 1001, 10))
    assert first["cross_entropy"] == pytest.approx(math.log(1000), abs=0.05)
    assert last["cross_entropy"] < 0.005
    assert last["balance_loss"] == pytest.approx(0.02, rel=0.05)
    loads = np.array(last["expert_load"])
    assert loads.shape == (2, 4)
    assert loads.min() > 0.1


def test_ids_are_consecutive_and_targets_follow() -> None:
    ids, targets = convergence.consecutive_ids()
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
    model = Model.initialise(convergence.CONFIG, rng=3)
    trainer = Trainer(model, convergence.TRAINING)
    state = convergence.state(trainer, *convergence.consecutive_ids())
    np.testing.assert_allclose(state["expert_load"], np.array(chosen) / 32)
    assert len(chosen) == 2


def test_two_runs_write_the_same_bits(terminal: Terminal, short: Path) -> None:
    files = [convergence.RESULT, convergence.PICTURE]
    # Thirty steps do not reach the goal, which the exit code says.
    terminal.run(convergence, code=1)
    first = [path.read_bytes() for path in files]
    terminal.run(convergence, code=1)
    assert [path.read_bytes() for path in files] == first
    result = json.loads(first[0])
    assert result["initial"] == result["states"][0]
    assert result["final"] == result["states"][-1]
    assert result["final"]["step"] == 30
    assert result["original_study"]["final_loss"]["Rust"] == 0.0001
    root = ElementTree.fromstring(first[1])
    assert root.find("{http://www.w3.org/2000/svg}desc") is not None


def test_bad_input_and_help(terminal: Terminal, tmp_path: Path) -> None:
    line = terminal.refused(convergence, "--steps", 3)
    assert "unrecognized arguments: --steps 3" in line
    shown = run("convergence.py", "--help", cwd=tmp_path).stdout
    assert "python scripts/convergence.py" in shown
