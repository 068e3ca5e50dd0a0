"""Pictures: valid SVG with a name and a description, the same bits each time."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pictures import draw_curves

SVG = "{http://www.w3.org/2000/svg}"
PICTURE: dict[str, Any] = {
    "title": "Losses of <tiny> & small",
    "description": 'They fall to "0.1" in 3 steps.',
    "x_label": "step",
    "y_label": "nats",
    "curves": {"training": [(1, 3.0), (2, 1.0), (3, 0.1)], "held out": [(3, 0.2)]},
    "levels": {"gzip": 1.9},
    "log_scale": True,
}


def test_a_picture_has_name_description_and_readable_text(tmp_path: Path) -> None:
    draw_curves(tmp_path / "a.svg", **PICTURE)
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    ids = (root.get("aria-labelledby") or "").split()
    texts = [element.text for element in root if element.get("id") in ids]
    assert texts == [PICTURE["title"], PICTURE["description"]]
    shown = [element.text for element in root.iter(f"{SVG}text")]
    assert {"step", "nats", "training", "held out", "gzip"} <= set(shown)


def test_the_same_numbers_give_the_same_bits(tmp_path: Path) -> None:
    for name in "ab":
        draw_curves(tmp_path / name, **PICTURE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
