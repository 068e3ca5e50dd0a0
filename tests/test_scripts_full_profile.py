"""scripts/full_profile.py on small shapes: the same logits in one layer's memory."""

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import full_profile
import numpy as np
import pytest
from command_line import Terminal, run

from moe import Config, Model, Parameters
from moe.parameters import initialise_tensor

CONFIG = Config(50, 12, 3, 6, 2, 4, 4, 2, 20, 64, ntk_alpha=8.0)


@pytest.fixture
def terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    return Terminal(capsys, monkeypatch)


def whole_model(config: Config, seed: int) -> Model:
    parameters = Parameters.zeros(config)
    for layer in range(config.num_layers + 1):
        rng = np.random.default_rng([seed, layer])
        for name, tensor in parameters.tensors.items():
            owner = int(name.split(".")[1]) if "." in name else config.num_layers
            if owner == layer:
                initialise_tensor(name, tensor, config, rng)
    return Model(parameters)


def test_layer_by_layer_equals_the_whole_model() -> None:
    ids = np.random.default_rng(1).integers(0, 50, (2, 7))
    logits, loss, count = full_profile.forward_layer_by_layer(CONFIG, ids, seed=4)
    expected, expected_loss, _ = whole_model(CONFIG, 4).forward(ids)
    np.testing.assert_array_equal(logits, expected)
    assert loss == pytest.approx(float(expected_loss), rel=1e-6)
    assert count == CONFIG.num_parameters


def test_memory_does_not_grow_with_the_layers() -> None:
    def peak(layers: int) -> int:
        config = replace(CONFIG, num_layers=layers, ffn_size=2000)
        tracemalloc.start()
        full_profile.forward_layer_by_layer(config, np.zeros((1, 2), int), seed=0)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    assert peak(12) < 1.1 * peak(3)


def test_the_script_writes_what_it_measured(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Config, "full", lambda: CONFIG)
    monkeypatch.setattr(full_profile, "ROOT", tmp_path)
    monkeypatch.setattr(full_profile, "TOKENS", 5)
    monkeypatch.setattr(full_profile, "RESULT", tmp_path / "results/full.json")
    shown = terminal.run(full_profile)
    result = json.loads((tmp_path / "results/full.json").read_text())
    assert result["parameters"] == CONFIG.num_parameters
    assert result["logits_shape"] == [1, 5, 50]
    assert 0 < result["peak_resident_bytes"] < 4 * 2**30
    assert f"{CONFIG.num_parameters:,} drawn" in shown


GOOD = {
    "logits_finite": True,
    "parameters": 5,
    "parameters_by_formula": 5,
    "peak_resident_bytes": 4 * 2**30,
}
FAULTS = {
    "none": ({}, []),
    "not finite": ({"logits_finite": False}, ["logits are not finite"]),
    "count": ({"parameters": 4}, ["the parameters are not as many as the formula"]),
    "memory": ({"peak_resident_bytes": 4 * 2**30 + 1}, ["peak memory is 4294967297"]),
}


@pytest.mark.parametrize(("change", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_a_result_that_is_not_as_promised_is_named(
    change: dict[str, Any], expected: list[str]
) -> None:
    found = full_profile.faults({**GOOD, **change})
    assert len(found) == len(expected)
    assert all(map(str.startswith, found, expected))


def test_bad_input_and_help(terminal: Terminal, tmp_path: Path) -> None:
    line = terminal.refused(full_profile, "--layers", 3)
    assert "unrecognized arguments: --layers 3" in line
    assert "Takes minutes" in run("full_profile.py", "--help", cwd=tmp_path).stdout
