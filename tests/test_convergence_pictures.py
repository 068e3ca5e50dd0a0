"""Pictures of the convergence run show its record: data, not pixels."""

import copy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import convergence
import convergence_pictures
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from PIL import Image

from benchmarks.reports.convergence import description

RUN, TORCH = convergence.records()
STATES = RUN["states"]


def drawn(index: int, run: dict[str, Any] = RUN) -> list[Any]:
    """Panels of a frame."""
    figure = Figure()
    shown = convergence_pictures.frames(run, TORCH)[index]
    convergence_pictures.draw_frame(figure, run, shown)
    return figure.axes


def curve(axes: Any, label: str) -> np.ndarray:
    """Points of a curve."""
    (line,) = (line for line in axes.lines if line.get_label() == label)
    return line.get_xydata()


def test_frames_go_from_the_first_state_to_the_last() -> None:
    steps = [shown.step for shown in convergence_pictures.frames(RUN, TORCH)]
    assert steps == list(range(0, 1001, 40))
    few = {**RUN, "states": STATES[:6]}
    assert [f.step for f in convergence_pictures.frames(few, None)] == [0, 40, 50]


@pytest.mark.parametrize("index", [0, 7, 20, 25])
def test_a_frame_draws_the_record_up_to_its_step(index: int) -> None:
    losses, *layers = drawn(index)
    states = STATES[: 4 * index + 1]
    for label, name in (("cross-entropy", "cross_entropy"), ("balance loss",) * 2):
        name = name.replace(" ", "_")
        wanted = [(state["step"], state[name]) for state in states]
        np.testing.assert_array_equal(curve(losses, f"{label}, ours"), wanted)
    assert TORCH is not None
    beside = TORCH["float32"]["points"][: len(states) : 5]
    wanted = [(point["step"], point["pytorch"]["cross_entropy"]) for point in beside]
    np.testing.assert_array_equal(curve(losses, "cross-entropy, PyTorch"), wanted)
    heights = [[bar.get_height() for bar in axes.patches] for axes in layers]
    assert heights == states[-1]["expert_load"]
    assert losses.get_title().startswith(f"step {states[-1]['step']}: ")
    low, high = losses.get_ylim()
    assert all(low < state["cross_entropy"] < high for state in STATES)


def test_another_record_gives_another_frame() -> None:
    changed = copy.deepcopy(RUN)
    changed["states"][28]["expert_load"][1][2] += 0.125
    changed["states"][28]["cross_entropy"] *= 2
    before, after = drawn(7), drawn(7, changed)
    assert after[2].patches[2].get_height() == before[2].patches[2].get_height() + 0.125
    old, new = (curve(a[0], "cross-entropy, ours") for a in (before, after))
    np.testing.assert_array_equal(new[-1], [old[-1][0], 2 * old[-1][1]])


def test_the_history_stacks_every_load() -> None:
    axes = Figure().add_subplot()
    convergence_pictures.draw_load_history(axes, 1, STATES)
    bands = [c for c in axes.collections if isinstance(c, PolyCollection)]
    assert len(bands) == 4
    loads = np.array([state["expert_load"][1] for state in STATES])
    tops = loads.cumsum(axis=1)
    for expert, band in enumerate(bands):
        vertices = band.get_paths()[0].vertices
        for step, top, load in zip(
            [s["step"] for s in STATES], tops[:, expert], loads[:, expert], strict=True
        ):
            heights = vertices[vertices[:, 0] == step, 1]
            assert heights.max() == pytest.approx(top)
            assert heights.min() == pytest.approx(top - load)


def test_the_animation_plays_once_in_less_than_five_seconds(tmp_path: Path) -> None:
    """What moves longer would need a button that stops it (WCAG 2.2.2)."""
    assert TORCH is not None
    few = {**RUN, "states": STATES[:6]}
    convergence_pictures.animate(tmp_path / "few.gif", few, TORCH)
    committed = convergence.ASSETS / "convergence.gif"
    for path, frames in ((tmp_path / "few.gif", 3), (committed, 26)):
        with Image.open(path) as image:
            assert image.n_frames == frames
            assert "loop" not in image.info
            assert image.n_frames * image.info["duration"] < 5000
    assert committed.stat().st_size < 100_000


def test_the_pictures_on_show_are_of_the_records(tmp_path: Path) -> None:
    convergence_pictures.draw_run(tmp_path / "convergence.svg", RUN, TORCH)
    assert TORCH is not None
    convergence_pictures.draw_agreement(tmp_path / "convergence-agreement.svg", TORCH)
    for path in tmp_path.iterdir():
        # Fonts differ between machines, and with them the places of the labels.
        assert words(path) == words(convergence.ASSETS / path.name)


def words(picture: Path) -> list[str]:
    """Title and description."""
    root = ElementTree.parse(picture).getroot()
    return [(part.text or "") for part in root if part.tag.endswith(("title", "desc"))]


def test_the_description_says_what_the_record_says() -> None:
    loads = [[0.125, 0.875], [0.5, 0.5]]
    run = {
        "initial": {"cross_entropy": 6.914, "balance_loss": 0.0312},
        "final": {
            "step": 70,
            "cross_entropy": 0.00042,
            "balance_loss": 0.02,
            "expert_load": loads,
        },
    }
    text = description(run, None)
    assert "from 6.91 to 4e-04 nats in 70 steps" in text
    assert "from 0.0312 to 0.0200" in text
    assert "share between 0.12 and 0.88 at the end" in text
    assert "PyTorch" not in text
    assert "PyTorch" in description(run, {"float32": {}})
