r"""Markdown extension: `$...$` and `$$...$$` become MathML, in pages and docstrings.

A page with the line `<!-- symbols: rmsnorm -->` (the build writes it) has the symbols
of that stem marked in its formulas.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor

from sitebuild import mathml, symbols

_INLINE = r"(?<![\\$])\$(?![\s$])((?:\\.|[^$\\])+?)(?<!\s)\$(?![\d$])"
_DISPLAY = re.compile(r"\s*\$\$(.+?)\$\$\s*", re.DOTALL)
_DIRECTIVE = re.compile(r"<!-- symbols: (\w+) -->")

# Before escapes (180), so that backslashes stay; after code spans (190).
_INLINE_PRIORITY = 185
# Before paragraphs (10) and lists, whose markers (`+`, `-`) may open a line of LaTeX.
_DISPLAY_PRIORITY = 95
# Before raw HTML (20), which would keep the directive as a comment.
_DIRECTIVE_PRIORITY = 25


def directive(stem: str) -> str:
    """The line that names the symbol table of a page."""
    return f"<!-- symbols: {stem} -->"


class _Directive(Preprocessor):
    """Reads which symbol table holds for the page."""

    def __init__(self, md: Markdown, extension: "MathExtension") -> None:
        super().__init__(md)
        self._extension = extension

    def run(self, lines: list[str]) -> list[str]:
        self._extension.marker = None
        for place, line in enumerate(lines):
            if found := _DIRECTIVE.fullmatch(line.strip()):
                self._extension.marker = symbols.page_marker(found[1])
                return lines[:place] + lines[place + 1 :]
        return lines


class _Inline(InlineProcessor):
    def __init__(self, md: Markdown, extension: "MathExtension") -> None:
        super().__init__(_INLINE, md)
        self._extension = extension

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[str, int, int]:
        html = mathml.inline(m[1], self._extension.marker)
        return self.md.htmlStash.store(html), m.start(0), m.end(0)


class _Display(BlockProcessor):
    """A block of one or more `$$...$$` and nothing else."""

    def __init__(self, md: Markdown, extension: "MathExtension") -> None:
        super().__init__(md.parser)
        self._extension = extension

    def test(self, parent: ElementTree.Element, block: str) -> bool:
        return bool(re.fullmatch(f"(?:{_DISPLAY.pattern})+", block, re.DOTALL))

    def run(self, parent: ElementTree.Element, blocks: list[str]) -> None:
        for latex in self._formulas(blocks.pop(0)):
            html = mathml.display(latex, self._extension.marker)
            element = ElementTree.SubElement(parent, "div", {"class": "formula"})
            element.text = self.parser.md.htmlStash.store(html)

    def _formulas(self, block: str) -> Iterator[str]:
        return (found[1] for found in _DISPLAY.finditer(block))


class MathExtension(Extension):
    """Registers the three parts."""

    marker: mathml.Marker | None = None

    def extendMarkdown(self, md: Markdown) -> None:
        """Called by Markdown."""
        md.preprocessors.register(_Directive(md, self), "symbols", _DIRECTIVE_PRIORITY)
        md.inlinePatterns.register(_Inline(md, self), "math", _INLINE_PRIORITY)
        md.parser.blockprocessors.register(
            _Display(md, self), "math", _DISPLAY_PRIORITY
        )


def makeExtension(**options: Any) -> MathExtension:
    """What Markdown calls to load the extension."""
    return MathExtension(**options)
