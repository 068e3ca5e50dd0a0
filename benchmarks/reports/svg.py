"""Small pictures without a plotting library: the same bytes everywhere.

Every picture has a title and a description that say in words what it shows, follows
the reader's colour scheme, and tells series apart by label and not by colour alone.
"""

import math
import re
from collections.abc import Sequence
from html import escape, unescape

WIDTH = 720
STYLE = """\
text { font: 13px sans-serif; fill: #222 }
.small { font-size: 11px } .inside { fill: #fff }
.axis { stroke: #888; fill: none } .grid { stroke: #ddd }
.a { fill: #1f6f8b; stroke: #1f6f8b } .b { fill: #c45b12; stroke: #c45b12 }
.c { fill: #4f7324; stroke: #4f7324 } .d { fill: #6b6b6b; stroke: #6b6b6b }
.line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #ddd } .inside { fill: #111 } .grid { stroke: #444 }
.a { fill: #6fc3df; stroke: #6fc3df } .b { fill: #f0a060; stroke: #f0a060 }
.c { fill: #a5cc70; stroke: #a5cc70 } .d { fill: #888; stroke: #888 }
}"""


def document(title: str, description: str, height: int, body: Sequence[str]) -> str:
    """A whole picture."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>{STYLE}</style>",
            *body,
            "</svg>\n",
        ]
    )


def alternative(picture: str) -> str:
    """What a picture says in words: its title and its description."""
    title, description = re.findall(r"<(?:title|desc)[^>]*>(.*?)<", picture)
    return unescape(f"{title}. {description}")


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    """A label."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">'
        f"{escape(words)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    places = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {places} class="{kind}"/>'


def bar(x: float, y: float, width: float, height: float, kind: str) -> str:
    """A filled rectangle."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'class="{kind}"/>'
    )


def dot(x: float, y: float, kind: str) -> str:
    """A point."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="{kind}"/>'


def path(points: Sequence[tuple[float, float]], kind: str) -> str:
    """Straight lines from point to point."""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}" class="{kind} line" style="fill:none"/>'


class LogAxis:
    """Values spread by their logarithm over a stretch of the picture."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        """Lay `values` between two coordinates, with some room at both ends."""
        low, high = math.log(min(values)), math.log(max(values))
        room = 0.06 * (high - low) or 0.1
        self._low, self._span = low - room, high - low + 2 * room
        self._start, self._length = start, end - start

    def at(self, value: float) -> float:
        """Coordinate of a value."""
        share = (math.log(value) - self._low) / self._span
        return self._start + share * self._length
