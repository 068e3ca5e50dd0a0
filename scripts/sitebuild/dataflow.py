"""The way of the data through the model, as SVG: parts link to their pages.

Three pictures that stand beside each other or, on a narrow screen, below: prediction,
training, generation. Shapes are computed from `Config.tiny()`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import prod

from moe import Config

CONFIG = Config.tiny()
BATCH, TOKENS = 2, 8  # of the shapes that are shown

_WIDTH, _HEIGHT = 356, 46
_GAP = 18
_HEAD = 40  # room for the title
_MARGIN = 12
_INDENT = 18  # of the parts within a block
_SIDE = 96  # width of a second link beside a part
_BLOCK_HEAD, _BLOCK_FOOT = 30, 14  # room for the title of the block, and below it

# What a letter of a shape stands for, here.
SIZES = {
    "B": BATCH,
    "T": TOKENS,
    "N": BATCH * TOKENS,
    "C": CONFIG.hidden_size,
    "H": CONFIG.num_heads,
    "G": CONFIG.num_kv_heads,
    "D": CONFIG.head_dim,
    "E": CONFIG.num_experts,
    "K": CONFIG.top_k,
    "F": CONFIG.ffn_size,
    "V": CONFIG.vocab_size,
    "H + G": CONFIG.num_heads + CONFIG.num_kv_heads,
    "(H + 2G) D": CONFIG.qkv_rows,
    "P": CONFIG.num_parameters,
}


@dataclass(frozen=True)
class Part:
    """A part of the model.

    Attributes:
        title: What it does.
        stem: Its page; None for what is no equation.
        function: Of the package; what it computes has the shape.
        shape: Axes, keys of `SIZES`; none for a number.
        adds: Whether its output is added to the stream of tokens.
        fresh: Whether it needs nothing of what stands above it.
    """

    title: str
    stem: str | None
    function: str | None
    shape: tuple[str, ...]
    adds: bool = False
    fresh: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """The shape in numbers."""
        return tuple(SIZES[axis] for axis in self.shape)

    @property
    def shape_text(self) -> str:
        """The shape in letters and in numbers."""
        if not self.shape:
            return "one number"
        letters = ", ".join(self.shape)
        if len(self.shape) == 1:
            return f"({letters}) = {prod(self.sizes):,}"
        return f"({letters}) = {' × '.join(f'{n:,}' for n in self.sizes)}"


class Row:
    """Parts side by side, which do not need each other.

    Attributes:
        parts: From left to right.
        inside: Title and stem of an equation that the part contains.
    """

    def __init__(self, *parts: Part, inside: tuple[str, str] | None = None) -> None:
        """Name the parts."""
        self.parts = parts
        self.inside = inside


BEFORE = (
    Row(Part("Token ids", None, None, ("B", "T"))),
    Row(Part("Embedding: look up rows", "embedding", "embedding", ("N", "C"))),
)
BLOCK = (
    Row(Part("RMSNorm", "rmsnorm", "rmsnorm", ("N", "C"))),
    Row(Part("Linear: q, k, v", "linear", "linear", ("N", "(H + 2G) D"))),
    Row(Part("RoPE: turn q and k", "rope", "rope", ("B", "T", "H + G", "D"))),
    Row(
        Part("Attention: read others", "attention", "attention", ("B", "T", "H", "D")),
        inside=("Softmax", "softmax"),
    ),
    Row(Part("Linear: mix heads", "linear", "linear", ("N", "C"), adds=True)),
    Row(Part("RMSNorm", "rmsnorm", "rmsnorm", ("N", "C"))),
    Row(Part("Linear: score experts", "linear", "linear", ("N", "E"))),
    Row(
        Part("Router: choose experts", "router", "router", ("N", "K")),
        inside=("Softmax", "softmax"),
    ),
    Row(
        Part("Experts: mix chosen", "experts", "experts", ("N", "C"), adds=True),
        inside=("SwiGLU", "swiglu"),
    ),
)
AFTER = (
    Row(Part("RMSNorm", "rmsnorm", "rmsnorm", ("N", "C"))),
    Row(Part("Linear: output head", "linear", "linear", ("N", "V"))),
)
TRAINING = (
    Row(
        Part("Cross-entropy", "cross_entropy", "cross_entropy", ()),
        Part("Balance of experts", "balance", "balance", ()),
    ),
    Row(Part("Backward: all parts in reverse", None, "backward", ("P",))),
    Row(
        Part("Clipping factor", "clipping", "clip_factor", ()),
        Part("Schedule of the rate", "schedule", "learning_rate", (), fresh=True),
    ),
    Row(Part("AdamW: new parameters", "adamw", "adamw", ("P",))),
)
GENERATION = (
    Row(Part("Logits of the last token", None, None, ("V",))),
    Row(Part("Sampling: temperature", "sampling", "temperature", ("V",))),
    Row(Part("Sampling: top-p", "sampling", "top_p", ("V",))),
    Row(Part("Sampling: draw the next id", "sampling", "draw", ())),
)


def figure(up: str) -> str:
    """The three pictures.

    Args:
        up: From the page to the top of the site.
    """
    pictures = (
        _picture(
            "prediction",
            "Prediction",
            f"From token ids through {CONFIG.num_layers} blocks to logits.",
            (BEFORE, BLOCK, AFTER),
            up,
        ),
        _picture(
            "training",
            "Training: logits and the next ids",
            "From the two losses through the gradient to new parameters.",
            ((), (), TRAINING),
            up,
        ),
        _picture(
            "generation",
            "Generation: the id is the next input",
            "From the logits of the last token to the next one.",
            ((), (), GENERATION),
            up,
        ),
    )
    first, *others = pictures
    return (
        '<div class="dataflow" data-search-exclude>'
        f"<div>{first}</div><div>{''.join(others)}{_legend()}</div></div>"
    )


def _legend() -> str:
    letters = {
        "B": "sequences",
        "T": "tokens of each",
        "N": "B × T tokens",
        "C": "channels",
        "H": "query heads",
        "G": "key/value heads",
        "D": "channels of a head",
        "E": "experts",
        "K": "experts of a token",
        "V": "words",
        "P": "parameters",
    }
    told = ", ".join(
        f"<b>{letter}</b> {words} ({SIZES[letter]:,})"
        for letter, words in letters.items()
    )
    return (
        f"<p>Numbers are those of the tiny profile: {told}. What is <b>added</b> is "
        "added to the stream of tokens, which passes by.</p>"
    )


def _picture(
    name: str,
    title: str,
    told: str,
    groups: tuple[Sequence[Row], Sequence[Row], Sequence[Row]],
    up: str,
) -> str:
    """One picture: rows before the block, in it, and after it."""
    before, block, after = groups
    first, last = len(before), len(before) + len(block) - 1
    rows = (*before, *block, *after)
    y, drawn = _HEAD, [f'<text class="flow-title" x="{_MARGIN}" y="22">{title}</text>']
    for number, row in enumerate(rows):
        within = first <= number <= last
        room = {first: _BLOCK_HEAD, last + 1: _BLOCK_FOOT} if block else {}
        extra = room.get(number, 0)
        y += extra
        if number:
            drawn.append(_arrows(rows[number - 1], row, y, _GAP + extra))
        drawn.append(_row(row, y, within, up))
        y += _HEIGHT + _GAP
        if within and number == last:
            drawn.insert(1, _frame(len(before), len(block)))
    height = y - _GAP + 4
    return (
        f'<svg class="flow" viewBox="0 0 {_WIDTH} {height:g}" role="group" '
        f'aria-labelledby="flow-{name} flow-{name}-told">'
        f'<title id="flow-{name}">{escape(title)}</title>'
        f'<desc id="flow-{name}-told">{escape(told)}</desc>{"".join(drawn)}</svg>'
    )


def _frame(before: int, block: int) -> str:
    """What is repeated in every layer: `block` rows below `before` others."""
    step = _HEIGHT + _GAP
    top = _HEAD + before * step - 4
    height = block * step + _BLOCK_HEAD - _GAP + 14
    return (
        f'<rect class="flow-block" x="1" y="{top}" width="{_WIDTH - 2}" '
        f'height="{height}" rx="8"/>'
        f'<text class="flow-note" x="{_WIDTH - _MARGIN}" y="{top + 19}" '
        f'text-anchor="end">block, {CONFIG.num_layers} times</text>'
    )


def _arrows(above: Row, row: Row, y: float, gap: float) -> str:
    """From every part above, or into every part here that needs one of them."""
    if len(above.parts) > 1:
        count, places = len(above.parts), range(len(above.parts))
    else:
        count = len(row.parts)
        places = [i for i, part in enumerate(row.parts) if not part.fresh]
    step = (_WIDTH - 2 * _MARGIN + 6) / count
    return "".join(
        f'<path class="flow-edge" d="M{x:g} {y - gap:g}V{y - 5:g}"/>'
        f'<path class="flow-head" d="M{x - 5:g} {y - 8:g}h10l-5 8z"/>'
        for x in (_MARGIN + _INDENT + 22 + place * step for place in places)
    )


def _row(row: Row, y: float, within: bool, up: str) -> str:
    left = _MARGIN + (_INDENT if within else 0)
    width = _WIDTH - 2 * left
    if row.inside:
        width -= _SIDE + 6
    step = (width + 6) / len(row.parts)
    drawn = ""
    for number, part in enumerate(row.parts):
        shape = part.shape_text + (", added" if part.adds else "")
        place = (left + number * step, y, step - 6)
        drawn += _box(part.title, shape, part.stem, place, up)
    if row.inside:
        title, stem = row.inside
        drawn += _box(title, "inside", stem, (left + width + 6, y, _SIDE), up)
    return drawn


def _box(
    title: str,
    told: str,
    stem: str | None,
    place: tuple[float, float, float],
    up: str,
) -> str:
    x, y, width = place
    drawn = (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{_HEIGHT}" rx="6"/>'
        f'<text x="{x + 10:g}" y="{y + 19:g}">{escape(title)}</text>'
        f'<text class="flow-shape" x="{x + 10:g}" y="{y + 37:g}">{escape(told)}</text>'
    )
    if stem is None:
        return f'<g class="flow-part">{drawn}</g>'
    label = escape(f"{title}, {told}")
    href = f"{up}equations/{stem}.html"
    return f'<a class="flow-part" href="{href}" aria-label="{label}">{drawn}</a>'
