"""The picture of the data flow: every stem is there, and every shape is right."""

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from sitebuild import dataflow

import moe.block
import moe.model
import moe.training
from moe import Model, TopP, Trainer, TrainingConfig
from moe.equations import sampling
from moe.generation import generate
from moe.registry import ENTRIES

STEMS = {entry.stem for entry in ENTRIES}
DOCS = Path(__file__).parents[2] / "docs"
Shapes = dict[str, list[tuple[int, ...]]]


def rows(*groups: tuple[dataflow.Row, ...]) -> list[dataflow.Part]:
    return [part for group in groups for row in group for part in row.parts]


FORWARD = rows(dataflow.BEFORE, dataflow.BLOCK, dataflow.AFTER)
PARTS = [*FORWARD, *rows(dataflow.TRAINING, dataflow.GENERATION)]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Shapes:
    """What the functions of the model compute, by name, in the order of the calls."""
    shapes: Shapes = defaultdict(list)

    def watch(place: Any, name: str) -> None:
        function: Callable[..., Any] = getattr(place, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            result = function(*arguments, **options)
            first = result[0] if isinstance(result, tuple) else result
            if name == "adamw":  # updates its first argument in place
                first = arguments[0]
            if name == "backward":
                first = result.flat
            shapes[name].append(np.shape(first))
            return result

        monkeypatch.setattr(place, name, watched)

    for name in ("rmsnorm", "linear", "rope", "attention", "router", "experts"):
        watch(moe.block, name)
    watch(moe.block, "balance")
    for name in ("embedding", "rmsnorm", "linear"):
        watch(moe.model, name)
    watch(Model, "backward")
    for name in ("cross_entropy", "clip_factor", "learning_rate", "adamw"):
        watch(moe.training, name)
    for name in ("temperature", "top_p", "draw"):
        watch(sampling, name)
    return shapes


def batch() -> np.ndarray:
    return np.arange(dataflow.BATCH * dataflow.TOKENS).reshape(dataflow.BATCH, -1)


def test_shapes_are_those_of_the_tiny_model(seen: Shapes) -> None:
    Model.initialise(dataflow.CONFIG, rng=0).forward(batch())
    for name in ("rmsnorm", "linear"):  # of all layers: keep the first and the end
        in_block = sum(part.function == name for part in rows(dataflow.BLOCK))
        del seen[name][in_block:-1]
    assert FORWARD[0].sizes == batch().shape
    for part in FORWARD[1:]:
        assert part.function is not None
        assert part.sizes == seen[part.function].pop(0), part.title


def test_shapes_of_a_step_of_training(seen: Shapes) -> None:
    training = TrainingConfig(total_steps=20)
    trainer = Trainer(Model.initialise(dataflow.CONFIG, rng=0), training)
    trainer.train_step(batch(), batch())
    # With decay and without: two calls that share the parameters.
    seen["adamw"] = [(sum(shape[0] for shape in seen["adamw"]),)]
    for part in rows(dataflow.TRAINING):
        assert part.function is not None
        assert part.sizes == seen[part.function][0], part.title


def test_shapes_of_generation(seen: Shapes) -> None:
    model = Model.initialise(dataflow.CONFIG, rng=0)
    generate(model, batch()[0], dataflow.TOKENS + 1, TopP(0.9))
    logits, *steps = rows(dataflow.GENERATION)
    assert logits.sizes == seen["temperature"][0]
    for part in steps:
        assert part.function is not None
        assert part.sizes == seen[part.function][0], part.title


def test_every_stem_is_linked_and_every_link_has_a_page() -> None:
    html = dataflow.figure("../")
    links = re.findall(r'href="([^"]*)"', html)
    assert {Path(link).stem for link in links} == STEMS
    for link in set(links):
        assert link.startswith("../equations/")
        page = link.removeprefix("../").replace(".html", ".md")
        assert (DOCS / page).is_file(), link


def test_functions_belong_to_the_page_that_is_linked() -> None:
    of_stem = defaultdict(set)
    for entry in ENTRIES:
        of_stem[entry.stem] |= {*entry.functions}
    for part in PARTS:
        if part.stem is not None:
            assert part.function in of_stem[part.stem], part.title


def test_pictures_can_be_read_without_seeing_them() -> None:
    html = dataflow.figure("")
    pictures = re.findall(r"<svg.*?</svg>", html)
    assert len(pictures) == 3
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        named = (root.get("aria-labelledby") or "").split()
        texts = {part.get("id"): part.text for part in root}
        assert all(texts[name] for name in named)
        for link in root.iter("a"):
            shown = ", ".join(text.text or "" for text in link.iter("text"))
            assert link.get("aria-label") == shown


@pytest.mark.parametrize("page", ["index.md", "journey.md"])
def test_it_stands_on_its_pages(page: str) -> None:
    assert "\n{{ dataflow }}\n" in (DOCS / page).read_text(encoding="utf-8")


def test_text_stays_in_its_box() -> None:
    """At 14 and 12 units a letter is about half as wide, on average."""
    for picture in re.findall(r"<svg.*?</svg>", dataflow.figure("")):
        for box in ElementTree.fromstring(picture).iter():
            rect = box.find("rect")
            if box.get("class") != "flow-part" or rect is None:
                continue
            for size, text in zip((14, 12), box.iter("text"), strict=True):
                room = float(rect.get("width") or 0) - 16
                assert 0.5 * size * len(text.text or "") < room, text.text
