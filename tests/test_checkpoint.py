"""Checkpoints: exact round trip and bit-identical resume, in one and two processes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moe import (
    CheckpointError,
    Config,
    Model,
    Trainer,
    TrainingConfig,
    load_checkpoint,
    save_checkpoint,
)

CONFIG = Config(3, 2, 1, 1, 1, 2, 2, 1, 1, 4, rope_base=100.0)
TESTS = Path(__file__).parent
IMPORTABLE = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}


def make_trainer(
    steps: int, dtype: Any = np.float32
) -> tuple[Trainer, np.random.Generator]:
    rng = np.random.default_rng(7)
    model = Model.initialise(CONFIG, rng=rng, dtype=dtype)
    config = TrainingConfig(learning_rate=0.01, betas=(0.8, 0.99), total_steps=20)
    trainer = Trainer(model, config)
    take_steps(trainer, rng, steps)
    return trainer, rng


def take_steps(trainer: Trainer, rng: np.random.Generator, steps: int) -> None:
    for _ in range(steps):
        ids = rng.integers(0, CONFIG.vocab_size, (2, 4))
        trainer.train_step(ids[:, :-1], ids[:, 1:])


def assert_same(a: Trainer, b: Trainer) -> None:
    for x, y in ((a.model.parameters, b.model.parameters), (a.m, b.m), (a.v, b.v)):
        assert x.flat.dtype == y.flat.dtype
        assert x.flat.tobytes() == y.flat.tobytes()
    assert a.step == b.step
    assert a.config == b.config
    assert a.model.config == b.model.config


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everything_comes_back_bit_for_bit(tmp_path: Path, dtype: Any) -> None:
    trainer, rng = make_trainer(3, dtype)
    notes = {"text": "ünïcode", "losses": [0.1, 1 / 3], "deep": {"a": None}}
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, trainer, rng, notes)
    loaded = load_checkpoint(path)
    assert_same(loaded.trainer, trainer)
    assert loaded.notes == notes
    assert loaded.rng.bit_generator.state == rng.bit_generator.state
    assert list(tmp_path.iterdir()) == [path]  # and nothing of the way there is left


def test_moments_are_saved_and_not_only_zeros(tmp_path: Path) -> None:
    trainer, rng = make_trainer(3)
    save_checkpoint(tmp_path / "c", trainer, rng)
    loaded = load_checkpoint(tmp_path / "c").trainer
    assert np.count_nonzero(loaded.m.flat)
    assert np.count_nonzero(loaded.v.flat)


def test_saving_what_was_loaded_gives_the_same_bytes(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "first", *make_trainer(3), {"a": [1]})
    save_checkpoint(tmp_path / "second", *load_checkpoint(tmp_path / "first"))
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


TRAIN = """
import sys
from test_checkpoint import load_checkpoint, make_trainer, save_checkpoint, take_steps
source, target, steps = sys.argv[1:]
trainer, rng = make_trainer(0) if source == "new" else load_checkpoint(source)[:2]
take_steps(trainer, rng, int(steps))
save_checkpoint(target, trainer, rng)
"""


def test_stop_and_resume_in_another_process_changes_no_bit(tmp_path: Path) -> None:
    def train(source: str, target: str, steps: int) -> bytes:
        command = [sys.executable, "-c", TRAIN, source, target, str(steps)]
        subprocess.run(command, cwd=tmp_path, env=IMPORTABLE, check=True)
        return (tmp_path / target).read_bytes()

    straight = train("new", "straight", 5)
    half = train("new", "half", 2)
    assert half != straight
    assert train("half", "resumed", 3) == straight


@pytest.mark.parametrize("group", ["parameters", "first_moments", "second_moments"])
def test_a_number_that_is_not_finite_is_not_saved(tmp_path: Path, group: str) -> None:
    path = tmp_path / "model.safetensors"
    trainer, rng = make_trainer(1)
    save_checkpoint(path, trainer, rng)
    good = path.read_bytes()
    buffers = {
        "parameters": trainer.model.parameters,
        "first_moments": trainer.m,
        "second_moments": trainer.v,
    }
    buffers[group].blocks[0].router[1, 0] = np.inf
    with pytest.raises(CheckpointError) as caught:
        save_checkpoint(path, trainer, rng)
    assert str(caught.value) == (
        f"{path}: not saved: first bad number of {group} "
        "is layers.0.router, inf at (1, 0)"
    )
    assert path.read_bytes() == good


def test_what_cannot_be_saved_is_named(tmp_path: Path) -> None:
    trainer, rng = make_trainer(1)
    other = np.random.Generator(np.random.MT19937(0))
    with pytest.raises(CheckpointError, match=r"rng must be .* PCG64, got 'MT19937'"):
        save_checkpoint(tmp_path / "c", trainer, other)
    with pytest.raises(CheckpointError, match="not JSON serializable"):
        save_checkpoint(tmp_path / "c", trainer, rng, {"a": object()})
    with pytest.raises(CheckpointError, match="Out of range float values"):
        save_checkpoint(tmp_path / "c", trainer, rng, {"a": float("nan")})
    with pytest.raises(CheckpointError, match="header length"):
        save_checkpoint(tmp_path / "c", trainer, rng, {"a": "x" * 2**22})
    complex_trainer = Trainer(
        Model.initialise(CONFIG, rng=0, dtype=np.complex128), trainer.config
    )
    with pytest.raises(CheckpointError, match=r"dtype must be .*got 'complex128'"):
        save_checkpoint(tmp_path / "c", complex_trainer, rng)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    trainer, rng = make_trainer(1)
    with pytest.raises(CheckpointError, match=r"nowhere.c: not saved: .*No such file"):
        save_checkpoint(tmp_path / "nowhere" / "c", trainer, rng)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(CheckpointError, match="folder: not saved"):
        save_checkpoint(folder, trainer, rng)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_full_disk_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    trainer, rng = make_trainer(1)
    save_checkpoint(path, trainer, rng)
    good = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    take_steps(trainer, rng, 1)
    with pytest.raises(CheckpointError, match="No space left on device"):
        save_checkpoint(path, trainer, rng)
    assert path.read_bytes() == good
    assert list(tmp_path.iterdir()) == [path]
