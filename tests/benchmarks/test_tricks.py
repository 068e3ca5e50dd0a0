"""Every trick can be undone, and the model computes the same without it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import plans
from benchmarks.errors import UsageError
from benchmarks.processes import ROOT
from benchmarks.scenarios import ALL
from benchmarks.tricks import TRICKS, Trick, named

LOSSES = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import moe
assert moe.__file__.startswith(sys.argv[1]), moe.__file__
from moe import Config, Model, Trainer, TrainingConfig
trainer = Trainer(Model.initialise(Config.tiny(), rng=0), TrainingConfig())
ids = np.random.default_rng(0).integers(0, 1000, (2, 9))
print(json.dumps([trainer.train_step(ids[:, :-1], ids[:, 1:]) for _ in range(5)]))
"""


def losses(root: Path) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", LOSSES, str(root)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[float] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def shipped() -> list[float]:
    return losses(ROOT)


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name)
def test_changed_code_computes_the_same(
    trick: Trick, shipped: list[float], tmp_path: Path
) -> None:
    trick.write(tmp_path)
    changed = (tmp_path / "moe" / trick.module).read_text()
    assert changed != (ROOT / "moe" / trick.module).read_text()
    assert losses(tmp_path) == pytest.approx(shipped, rel=2e-6)


def test_text_that_is_gone_is_an_error(tmp_path: Path) -> None:
    stale = Trick("x", True, "model.py", (("no such text", ""),), (), "")
    with pytest.raises(ValueError, match="'no such text' does not stand once"):
        stale.write(tmp_path)


def test_plan_measures_each_where_it_should_show() -> None:
    chosen = named("kept-memory,adamw-blocks")
    with plans.against_tricks(chosen) as plan:
        assert all((side.moe_root / "moe").is_dir() for _, side in plan)
    assert [(scenario, side.name) for scenario, side in plan] == [
        ("dispatch_warm", "without kept-memory"),
        ("text_train_64", "without kept-memory"),
        ("mem_train_step", "without adamw-blocks"),
        ("scale_train_256", "without adamw-blocks"),
    ]
    assert len({trick.name for trick in TRICKS}) == len(TRICKS)
    assert all(name in ALL for trick in TRICKS for name in trick.scenarios)


def test_unknown_trick() -> None:
    with pytest.raises(UsageError, match="unknown trick 'x'; there are kept-memory"):
        named("x")
