"""scripts/generate.py on an untrained model of bytes."""

from pathlib import Path

import generate
import numpy as np
import pytest
from command_line import Terminal, run

import moe
from moe import (
    Config,
    Greedy,
    Model,
    Temperature,
    TopK,
    TopP,
    Trainer,
    TrainingConfig,
    save_checkpoint,
)

CONFIG = Config(256, 8, 1, 2, 1, 4, 2, 1, 8, max_seq_len=64)


def save_model(path: Path, config: Config) -> Model:
    rng = np.random.default_rng(3)
    model = Model.initialise(config, rng=rng)
    model.parameters.lm_head[...] *= 80  # far from uniform: strategies differ
    save_checkpoint(path, Trainer(model, TrainingConfig()), rng)
    return model


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.chdir(tmp_path)
    return save_model(tmp_path / "m", CONFIG)


@pytest.fixture
def terminal(
    model: Model, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    return Terminal(capsys, monkeypatch)


STRATEGIES = {
    "default": ([], Temperature(1.0)),
    "greedy": (["--greedy"], Greedy()),
    "temperature": (["--temperature", 0.5], Temperature(0.5)),
    "top-k": (["--top-k", 3], TopK(3)),
    "top-k, temperature": (["--top-k", 3, "--temperature", 2], TopK(3, 2.0)),
    "top-p": (["--top-p", 0.4], TopP(0.4)),
    "top-p, temperature": (["--top-p", 0.4, "--temperature", 2], TopP(0.4, 2.0)),
}


@pytest.mark.parametrize(
    ("arguments", "strategy"), STRATEGIES.values(), ids=STRATEGIES.keys()
)
def test_it_prints_what_the_library_generates(
    model: Model,
    terminal: Terminal,
    arguments: list[object],
    strategy: moe.generation.SamplingStrategy,
) -> None:
    options = ("--checkpoint", "m", "--prompt", "añb", "--max-len", 60, "--seed", 5)
    shown = terminal.run(generate, *options, *arguments)
    prompt = np.frombuffer("añb".encode(), np.uint8)
    ids = moe.generate(model, prompt, 60, strategy, rng=5)
    assert shown == bytes(ids.tolist()).decode(errors="replace") + "\n"
    assert shown.startswith("añb")


def test_by_default_it_writes_as_much_as_the_model_can(
    model: Model, terminal: Terminal
) -> None:
    shown = terminal.run(generate, "--checkpoint", "m", "--top-k", 3)
    prompt = np.frombuffer(b"The ", np.uint8)
    ids = moe.generate(model, prompt, CONFIG.max_seq_len, TopK(3), rng=0)
    assert shown == bytes(ids.tolist()).decode(errors="replace") + "\n"


def test_strategies_and_seeds_differ(terminal: Terminal) -> None:
    options = ("--checkpoint", "m", "--max-len", 60)
    shown = [terminal.run(generate, *options, *a) for a, _ in STRATEGIES.values()]
    shown.append(terminal.run(generate, *options, "--seed", 1))
    assert len(set(shown)) == len(shown)


def test_a_new_process_prints_the_same(terminal: Terminal, tmp_path: Path) -> None:
    options = ("--checkpoint", "m", "--max-len", 30, "--top-p", 0.9)
    process = run("generate.py", *options, cwd=tmp_path)
    assert process.stdout == terminal.run(generate, *options)
    assert process.stderr == ""


BAD = {
    "no checkpoint": ([], "runs/default/checkpoint.safetensors: not a usable"),
    "not a checkpoint": (["--checkpoint", "text"], "text: not a usable checkpoint"),
    "not bytes": (["--checkpoint", "words"], "vocab_size of words must be 256: bytes"),
    "empty prompt": (["--prompt", ""], "--prompt must be at least one letter"),
    "too long": (["--checkpoint", "m", "--max-len", 65], "max_len must be an integer"),
    "no room": (["--checkpoint", "m", "--max-len", 4], "max_len must be an integer"),
    "no k": (["--top-k", 0], "--top-k: must be an integer of at least 1, got '0'"),
    "p above 1": (["--top-p", 1.1], "--top-p: must be a number in (0, 1]"),
    "p of 0": (["--top-p", 0], "--top-p: must be a number in (0, 1]"),
    "negative T": (
        ["--temperature", -1],
        "--temperature: must be a number in [0, inf)",
    ),
    "two choices": (["--top-p", 0.5, "--top-k", 5], "not allowed with argument"),
    "T and greedy": (["--greedy", "--temperature", 1], "absent with --greedy"),
    "unknown option": (["--beam", 4], "unrecognized arguments: --beam 4"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(
    terminal: Terminal, tmp_path: Path, arguments: list[object], message: str
) -> None:
    (tmp_path / "text").write_text("no such thing")
    save_model(tmp_path / "words", Config(1000, 8, 1, 2, 1, 4, 2, 1, 8, 64))
    assert message in terminal.refused(generate, *arguments)


def test_help_shows_examples(tmp_path: Path) -> None:
    shown = run("generate.py", "--help", cwd=tmp_path).stdout
    assert "python scripts/generate.py --prompt " in shown
