"""scripts/train.py on a text of two kilobytes."""

import json
import shlex
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import train
from command_line import Terminal, interrupt, run

from moe import Model, Trainer, load_checkpoint, save_checkpoint
from moe.corpus import read_text, sample_batch

TINY = ("--text", "text.txt", "--hidden", 8, "--batch", 2, "--seq", 8)
WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "that", "rat"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    words = np.random.default_rng(0).choice(WORDS, 500)
    (tmp_path / "text.txt").write_text(" ".join(words))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    return Terminal(capsys, monkeypatch)


def state(folder: Path) -> dict[str, Any]:
    """All of a checkpoint but the time that it took."""
    trainer, rng, notes = load_checkpoint(folder / "checkpoint.safetensors")
    buffers = trainer.model.parameters.flat, trainer.m.flat, trainer.v.flat
    return {
        "bits": [buffer.tobytes() for buffer in buffers],
        "step": trainer.step,
        "rng": rng.bit_generator.state,
        "notes": {k: v for k, v in notes.items() if k != "seconds"},
    }


def result(folder: Path) -> dict[str, Any]:
    """What `run.json` holds but the time that it took."""
    record = json.loads((folder / "run.json").read_text())
    assert record.pop("seconds") > 0
    return record


def test_a_run_leaves_checkpoint_record_picture_and_sample(folder: Path) -> None:
    process = run("train.py", *TINY, "--steps", 200, cwd=folder)
    out = folder / "runs/default"
    assert sorted(path.name for path in out.iterdir()) == [
        "checkpoint.safetensors",
        "loss.svg",
        "run.json",
    ]
    record = result(out)
    assert record["steps"] == record["training_config"]["total_steps"] == 200
    assert record["bytes_read"] == 200 * 2 * 8
    assert record["config"]["vocab_size"] == 256
    bits = record["held_out_bits_per_byte"]
    first = record["curves_bits_per_byte"]["training"][0][1]
    assert first == pytest.approx(8, abs=0.05), "the first loss is not log2(256)"
    assert bits < 0.7 * first
    assert record["curves_bits_per_byte"]["held_out"][-1] == [200, bits]
    assert {"gzip", "bz2", "xz", "order-3"} <= record["baselines_bits_per_byte"].keys()
    assert f"this model  {bits:.3f}" in process.stdout
    assert "a sample:\nThe " in process.stdout
    assert "100%" in process.stderr


def test_the_curves_are_means_over_the_steps_between_points(
    folder: Path, terminal: Terminal
) -> None:
    """407 steps: a point at every second, counted from the last, after the first."""
    terminal.run(train, *TINY, "--steps", 407, "--out", "run")
    curves = result(folder / "run")["curves_bits_per_byte"]
    steps = list(range(1, 408, 2))
    assert [step for step, _ in curves["held_out"]] == list(range(7, 408, 40))

    trainer, _, _ = load_checkpoint(folder / "run/checkpoint.safetensors")
    corpus, rng = read_text(Path("text.txt")), np.random.default_rng(0)
    model = Model.initialise(trainer.model.config, rng=rng)
    again, losses = Trainer(model, trainer.config), []
    for _ in range(407):
        again.train_step(*sample_batch(corpus.head, rng, batch=2, seq=8))
        losses.append(again.cross_entropy)
    means = [losses[0], *np.reshape(losses[1:], (203, 2)).mean(axis=1)]
    expected = np.column_stack((steps, np.array(means) / np.log(2)))
    np.testing.assert_allclose(curves["training"], expected)
    assert model.parameters.flat.tobytes() == trainer.model.parameters.flat.tobytes()


def test_the_same_seed_gives_the_same_bits_in_two_processes(
    folder: Path, terminal: Terminal
) -> None:
    length = (*TINY, "--steps", 12)
    run("train.py", *length, "--seed", 5, "--out", "a", cwd=folder)
    run("train.py", *length, "--seed", 5, "--out", "b", cwd=folder)
    assert state(folder / "a") == state(folder / "b")
    terminal.run(train, *length, "--seed", 6, "--out", "other")
    assert state(folder / "a")["bits"] != state(folder / "other")["bits"]


def test_ctrl_c_saves_and_the_command_that_it_shows_goes_on(
    folder: Path, terminal: Terminal
) -> None:
    length = (*TINY, "--steps", 1500)
    code, stderr = interrupt(
        "train.py",
        *(*length, "--out", "stopped"),
        cwd=folder,
        when=r"[1-9]\d*/1500",
        signal=signal.SIGINT,
    )
    assert code == 130, stderr
    stopped = state(folder / "stopped")
    assert 0 < stopped["step"] < 1500
    said, shown = stderr.splitlines()[-1].split("; go on with: ")
    assert said == f"saved at step {stopped['step']}"
    assert not (folder / "stopped/run.json").exists()

    words = shlex.split(shown)
    assert (words[0], Path(words[1]).name) == ("python", "train.py")
    run("train.py", *words[2:], cwd=folder)
    run("train.py", *length, "--out", "straight", cwd=folder)
    assert state(folder / "stopped") == state(folder / "straight")
    assert result(folder / "stopped") == result(folder / "straight")


def test_a_run_is_saved_on_the_way(
    folder: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = []
    monkeypatch.setattr("training_run.SECONDS_BETWEEN_SAVES", -1)
    monkeypatch.setattr(
        "training_run.save_checkpoint",
        lambda path, trainer, rng, notes: saved.append(trainer.step),
    )
    terminal.run(train, *TINY, "--steps", 3)
    assert saved == [0, 1, 2, 3, 3]


def test_resuming_a_finished_run_only_reports_again(
    folder: Path, terminal: Terminal
) -> None:
    terminal.run(train, *TINY, "--steps", 6)
    before = state(folder / "runs/default"), result(folder / "runs/default")
    terminal.run(train, "--text", "text.txt", "--resume")
    assert (state(folder / "runs/default"), result(folder / "runs/default")) == before


def test_minutes_become_steps_that_the_checkpoint_keeps(
    folder: Path, terminal: Terminal
) -> None:
    terminal.run(train, *TINY, "--minutes", 0.005, "--out", "run")
    trainer = load_checkpoint(folder / "run/checkpoint.safetensors").trainer
    assert trainer.step == trainer.config.total_steps > 1


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(
    folder: Path,
) -> None:
    rate = ("--steps", 50, "--learning-rate", 1e30, "--out", "run")
    process = run("train.py", *TINY, *rate, cwd=folder, code=1)
    line = process.stderr.splitlines()[-1]
    assert line.startswith("stopped: step ")
    assert "first bad " in line
    assert line.endswith("; kept: run/checkpoint.safetensors")
    trainer = load_checkpoint(folder / "run/checkpoint.safetensors").trainer
    assert np.isfinite(trainer.model.parameters.flat).all()
    assert not (folder / "run/run.json").exists()


BAD = {
    "unknown option": (["--stepz", 3], "unrecognized arguments: --stepz 3"),
    "abbreviated option": (["--step", 3], "unrecognized arguments: --step 3"),
    "no steps": (["--steps", 0], "--steps: must be an integer of at least 1, got '0'"),
    "half a step": (["--steps", 1.5], "--steps: must be an integer"),
    "no minutes": (["--minutes", 0], "--minutes: must be a number in (0, inf)"),
    "minutes not a number": (["--minutes", "nan"], "--minutes: must be a number"),
    "both lengths": (["--steps", 1, "--minutes", 1], "not allowed with"),
    "negative seed": (["--seed", -1], "--seed: must be an integer of at least 0"),
    "odd width": (["--hidden", 12], "--hidden must be a multiple of 8, got 12"),
    "negative rate": (["--learning-rate", -1], "--learning-rate: must be a number"),
    "piece too long": (["--seq", 10**4], "seq must be an integer from 1 to"),
    "no such text": (["--text", "none.txt"], "none.txt: No such file or directory"),
    "text is a folder": (["--text", "."], "Is a directory"),
    "empty text": (["--text", "empty.txt"], "text empty.txt must be at least 10 bytes"),
    "short text": (["--text", "short.txt"], "seq must be an integer from 1 to"),
    "out is a file": (["--steps", 1, "--out", "text.txt/run"], "text.txt"),
    "nothing to resume": (["--resume", "--out", "none"], "No such file"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(
    folder: Path, terminal: Terminal, arguments: list[object], message: str
) -> None:
    (folder / "empty.txt").touch()
    (folder / "short.txt").write_text("0123456789")
    line = terminal.refused(train, "--text", "text.txt", *arguments)
    assert message in line
    assert not list(folder.rglob("*.safetensors"))


def test_bad_input_ends_the_process_with_two(folder: Path) -> None:
    process = run("train.py", "--text", "none.txt", cwd=folder, code=2)
    assert process.stdout == ""
    assert process.stderr == (
        "train.py: error: none.txt: No such file or directory "
        "(--help shows all options)\n"
    )


def test_a_run_is_neither_overwritten_nor_mixed_up(
    folder: Path, terminal: Terminal
) -> None:
    terminal.run(train, *TINY, "--steps", 2)
    checkpoint = folder / "runs/default/checkpoint.safetensors"
    before = checkpoint.read_bytes()
    line = terminal.refused(train, *TINY, "--steps", 3)
    assert "a folder without a run (or --resume goes on" in line
    line = terminal.refused(train, "--resume")
    assert "--text must be the text that the run began with, text.txt" in line
    line = terminal.refused(train, "--resume", "--learning-rate", 1)
    assert "--learning-rate: not with --resume" in line
    assert checkpoint.read_bytes() == before


def test_a_checkpoint_of_something_else_is_refused(
    folder: Path, terminal: Terminal
) -> None:
    terminal.run(train, *TINY, "--steps", 2)
    path = folder / "runs/default/checkpoint.safetensors"
    save_checkpoint(path, *load_checkpoint(path)[:2])
    line = terminal.refused(train, "--text", "text.txt", "--resume")
    assert "names in notes of the checkpoint" in line
    path.write_bytes(path.read_bytes()[:-1])
    line = terminal.refused(train, "--text", "text.txt", "--resume")
    assert "not a usable checkpoint" in line


def test_help_shows_examples_and_defaults(folder: Path) -> None:
    shown = run("train.py", "--help", cwd=folder).stdout
    assert "python scripts/train.py --text novel.txt --minutes 30" in shown
    assert "(default: 0.003)" in shown
