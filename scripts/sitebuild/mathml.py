r"""LaTeX to MathML Core, at build time: what a page shows needs no script to show it.

Broken LaTeX raises `MathError`, which fails the build. Symbols of a symbol table are
marked with `data-symbol`, so that a page can light up all places of a symbol.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from xml.etree import ElementTree

import math_core

from sitebuild.errors import SiteError
from sitebuild.linebreaks import break_lines

_CONVERTER = math_core.LatexToMathML(fancy_error=False)
_HTML_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);|#)\w+;")
_FORMULA = re.compile(r"<math.*?</math>", re.DOTALL)
_SINGLE = re.compile(r"<mi[^>]*>(\w)</mi>")
_TAG = re.compile(r"\\tag\{([^}]*)\}")
_SUBSCRIPTS = {"msub", "msubsup"}
_SCRIPTS = {"msup", *_SUBSCRIPTS}


class MathError(SiteError):
    """LaTeX that cannot be converted."""


class Marker:
    r"""Finds the symbols of a table in a formula.

    Args:
        latex_of: The LaTeX of every symbol, without indices, by the key of the
            symbol: `{"dx": r"\mathrm{d}x"}`.
    """

    def __init__(self, latex_of: dict[str, str]) -> None:
        self._keys: dict[tuple[str, ...], str] = {}
        for key, latex in latex_of.items():
            letter = next(_letters(list(_tree(latex, display=False))))
            self._keys[letter.names[0]] = key

    def mark(self, math: ElementTree.Element) -> None:
        """Add `data-symbol` to every element that shows a symbol."""
        for letter in _letters(list(math)):
            known = [name for name in letter.names if name in self._keys]
            if known:
                with_index = len(known[0]) == 3
                shown = letter.whole if with_index else letter.alone
                for element in (*letter.prefix, shown):
                    element.set("data-symbol", self._keys[known[0]])


def inline(latex: str, marker: Marker | None = None) -> str:
    """Convert LaTeX that stands in a line of text."""
    return _serialise(_math(latex, marker, display=False))


def content(latex: str) -> str:
    """Convert LaTeX that stands inside a formula: elements without a `math` around."""
    return "".join(map(_serialise, _math(latex, None, display=False)))


def display(latex: str, marker: Marker | None = None) -> str:
    r"""Convert LaTeX that stands on its own line; a `\tag` is shown beside it."""
    math = _math(_TAG.sub("", latex), marker, display=True)
    found = _TAG.search(latex)
    tag = f'<span class="equation-tag">({found[1]})</span>' if found else ""
    return _framed(math, "Formula", tag)


def equation(latex: str, tag: str, link: str | None, marker: Marker) -> str:
    """Convert an equation; its tag is a link.

    Args:
        latex: The equation.
        tag: `2a`.
        link: Where it stands; None says here, where it gets its anchor.
        marker: Finds its symbols.
    """
    math = _math(latex, marker, display=True)
    anchor = f' id="eq-{tag}"' if link is None else ""
    shown = f'<a class="equation-tag" href="{link or f"#eq-{tag}"}">({tag})</a>'
    return _framed(math, f"Equation {tag}", shown, anchor)


def step(latex: str, before: str | None, marker: Marker) -> str:
    """Convert one line of a derivation and mark what changed in it.

    Args:
        latex: The line.
        before: LaTeX of the line before, or None for the first.
        marker: Finds its symbols.
    """
    math = _math(latex, marker, display=True)
    if before is not None:
        _mark_change(list(_math(before, marker, display=True)), list(math))
    return _framed(math, "Line of the derivation")


def _framed(
    math: ElementTree.Element, label: str, tag: str = "", anchor: str = ""
) -> str:
    """The block that centres a formula, scrolls and can be reached by keyboard."""
    break_lines(math)
    name = f'role="group" aria-label="{label}" tabindex="0"'
    return f'<div class="equation"{anchor} {name}>{_serialise(math)}{tag}</div>'


def characters(pages: Iterable[str]) -> set[str]:
    """All characters that formulas in these pages show, for the font."""
    found: set[str] = set()
    for page in pages:
        for formula in _FORMULA.findall(page):
            found.update(unescape(re.sub(r"<[^>]*>", "", formula)))
            found.update(_italic(letter) for letter in _SINGLE.findall(formula))
    return found | {"√"}  # roots are elements, not characters


def _italic(letter: str) -> str:
    """The letter that a browser draws for a single letter in a formula."""
    if letter == "h":
        return "\N{PLANCK CONSTANT}"
    name = unicodedata.name(letter, "")
    try:
        return unicodedata.lookup(f"MATHEMATICAL ITALIC {_short_name(name)}")
    except KeyError:
        return letter


def _short_name(name: str) -> str:
    """`SMALL A` for `LATIN SMALL LETTER A`, `SMALL ALPHA` for Greek."""
    size, _, letter = name.removeprefix("LATIN ").removeprefix("GREEK ").partition(" ")
    return f"{size} {letter.removeprefix('LETTER ')}"


def _tree(latex: str, *, display: bool) -> ElementTree.Element:
    try:
        text = _CONVERTER.convert_with_local_state(latex, displaystyle=display)
    except math_core.LatexError as error:
        raise MathError(f"broken LaTeX in {latex!r}: {error}") from error
    return ElementTree.fromstring(_HTML_ENTITY.sub(lambda m: unescape(m[0]), text))


def _math(latex: str, marker: Marker | None, *, display: bool) -> ElementTree.Element:
    math = _tree(" ".join(latex.split()), display=display)
    # Glyph names would only fill the search index.
    math.set("data-search-exclude", "")
    if marker is not None:
        marker.mark(math)
    return math


def _serialise(math: ElementTree.Element) -> str:
    return ElementTree.tostring(math, encoding="unicode").replace(" />", "/>")


@dataclass(frozen=True)
class _Letter:
    """A letter of a formula.

    Attributes:
        names: As what a symbol table may have it, best first: `(prefix, letter,
            index)`, `(prefix, letter)`. The prefix is `d` for a gradient, else empty.
        prefix: The element of the upright d, if there is one.
        alone: The element of the letter.
        whole: The element of the letter with its index.
    """

    names: list[tuple[str, ...]]
    prefix: list[ElementTree.Element]
    alone: ElementTree.Element
    whole: ElementTree.Element


def _letters(siblings: list[ElementTree.Element]) -> Iterator[_Letter]:
    for place, element in enumerate(siblings):
        has_scripts = element.tag in _SCRIPTS and _letter_text(element) is None
        alone = element[0] if has_scripts else element
        text = _letter_text(alone)
        if text is None:
            yield from _letters(list(element))
            continue
        before = siblings[place - 1 : place] if place else []
        prefix = [e for e in before if _is_upright_d(e)]
        start = ("d" if prefix else "", text)
        indexed = has_scripts and element.tag in _SUBSCRIPTS
        indices = _index_names(element[1]) if indexed else []
        names = [*((*start, index) for index in indices), start]
        yield _Letter(names, prefix, alone, element)
        if has_scripts:
            yield from _letters(list(element)[1:])


def _letter_text(element: ElementTree.Element) -> str | None:
    """The letter that an element shows, with accent or prime; None if it shows none."""
    if element.tag == "mi" and not _is_upright_d(element):
        return element.text
    accented = element.tag == "mover" and element.get("accent")
    primed = element.tag == "msup" and set("".join(element[1].itertext())) <= {"′"}
    if (accented or primed) and element[0].tag == "mi":
        return "".join(element.itertext())
    return None


def _index_names(index: ElementTree.Element) -> list[str]:
    """What an index may add to the name of a symbol: `min` in `eta_{min, t}`."""
    leaves = [leaf.text or "" for leaf in index.iter() if leaf.tag in {"mi", "mn"}]
    return ["".join(leaves), leaves[0]] if leaves else []


def _is_upright_d(element: ElementTree.Element) -> bool:
    leaf = element.find("mi") if element.tag == "mrow" else element
    return leaf is not None and leaf.text == "d" and leaf.get("mathvariant") == "normal"


def _mark_change(
    old: list[ElementTree.Element], new: list[ElementTree.Element]
) -> None:
    """Mark with `data-changed` what is new, as far down as old and new agree."""
    texts = [[_text(element) for element in side] for side in (old, new)]
    changes = difflib.SequenceMatcher(None, *texts, autojunk=False).get_opcodes()
    for kind, old_start, old_end, start, end in changes:
        if kind == "equal":
            continue
        before, after = old[old_start:old_end], new[start:end]
        if len(before) == len(after) == 1 and _same_frame(before[0], after[0]):
            _mark_change(list(before[0]), list(after[0]))
            continue
        for element in after:
            element.set("data-changed", "")
        # The d of a gradient belongs to the letter that follows it.
        if after and start and _is_upright_d(new[start - 1]):
            new[start - 1].set("data-changed", "")


def _same_frame(old: ElementTree.Element, new: ElementTree.Element) -> bool:
    """Whether only the inside of a sum, bracket or fraction may have changed."""
    return old.tag == new.tag and new.tag in {"mrow", "mfrac"} and len(new) > 1


def _text(element: ElementTree.Element) -> str:
    return ElementTree.tostring(element, encoding="unicode")
