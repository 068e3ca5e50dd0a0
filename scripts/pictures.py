"""Pictures: as SVG, read out by a screen reader; as GIF, where something moves.

The same numbers give the same bits.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

Points = Sequence[tuple[float, float]]

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "literate-moe",  # names in the file do not depend on the time
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
# Told apart without colour too.
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
GIF_COLORS = 64
LONG_PLACE = re.compile(r' (?:d|x|y)="[^"]*"')


def draw_curves(
    path: Path,
    *,
    title: str,
    description: str,
    x_label: str,
    y_label: str,
    curves: Mapping[str, Points],
    levels: Mapping[str, float] | None = None,
    log_scale: bool = False,
) -> None:
    """Draw curves, and levels to compare them with, into an SVG file.

    Args:
        path: File to write.
        title: What the picture shows; also its accessible name.
        description: What a reader who cannot see it should know.
        x_label: Quantity and unit along the bottom.
        y_label: Quantity and unit along the side.
        curves: Label to points `(x, y)`.
        levels: Label to the height of a horizontal line.
        log_scale: Logarithmic heights.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.add_subplot(title=title, xlabel=x_label, ylabel=y_label)
        lines = itertools.cycle(LINES)
        for label, points in curves.items():
            axes.plot(*zip(*points, strict=True), next(lines), label=label)
        for number, (label, height) in enumerate((levels or {}).items()):
            color = f"C{len(curves) + number}"
            axes.axhline(height, ls=next(lines), color=color, lw=1, label=label)
        if log_scale:
            axes.set_yscale("log")
        axes.legend()
        save_svg(figure, path, title, description)


def save_svg(figure: Figure, path: Path, title: str, description: str) -> None:
    """Write a figure that was drawn in `STYLE`, with an accessible name.

    Args:
        figure: What is drawn.
        path: File to write.
        title: Its accessible name.
        description: What a reader who cannot see it should know.
    """
    svg = StringIO()
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    drawn = re.sub(r"(?m)^ +", "", LONG_PLACE.sub(_rounded, svg.getvalue()))
    path.write_text(_described(drawn, title, description), encoding="utf-8")


def _rounded(place: re.Match[str]) -> str:
    """Places to a hundredth of a point: a page loads half as much."""
    return re.sub(r"\d+\.\d{3,}", lambda n: f"{float(n[0]):.2f}", place[0])


def save_gif(path: Path, figures: Sequence[Figure], milliseconds: int) -> None:
    """Write figures as an animation that plays once and stays at the last.

    Args:
        path: File to write.
        figures: One for each frame, of the same size.
        milliseconds: How long a frame is shown.
    """
    images = [_image(figure) for figure in figures]
    # One palette for all frames: what does not change keeps its bytes.
    palette = images[-1].quantize(GIF_COLORS)
    first, *others = (
        image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images
    )
    first.save(path, save_all=True, append_images=others, duration=milliseconds)


def _image(figure: Figure) -> Image.Image:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _described(svg: str, title: str, description: str) -> str:
    """The picture as one image with a name and a description, not as loose text."""
    start = svg.index("<svg ")
    end = svg.index(">", start)
    labels = (
        f'\n <title id="title">{escape(title)}</title>'
        f'\n <desc id="description">{escape(description)}</desc>'
    )
    role = ' role="img" aria-labelledby="title description"'
    return f"{svg[start:end]}{role}>{labels}{svg[end + 1 :]}"
