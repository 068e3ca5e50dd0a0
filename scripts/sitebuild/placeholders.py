"""What may stand between double braces in `docs/`, and what becomes of it.

`docs/contributing.md` is the reference for those who write pages.
"""

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from moe.registry import BY_ID
from sitebuild import (
    code,
    code_walk,
    dataflow,
    derivation,
    evidence,
    example,
    graph,
    matrix,
    symbols,
    widgets,
)
from sitebuild.errors import SiteError
from sitebuild.markdown_math import directive

_FENCE = re.compile(r"\s*(```+|~~~+)\s*(.*)")
_BLOCK = re.compile(r"\{\{(.*)\}\}\s*")
_INLINE = re.compile(r"(?<!`)\{\{\s*badge\s+(\w+)\s*\}\}(?!`)")
_SPAN = re.compile(r"`[^`]*`")
_TAG = re.compile(r"(?<![\w\]])\((\d+[a-z])\)(?!\])")
_RUN_FENCES = ("example", "run")


@dataclass
class Page:
    """A page while it is expanded.

    Attributes:
        path: Relative to `docs/`.
        cited: What it shows: `("code", "rmsnorm")`, `("equation", "E02")`, ...
        examples: How many worked examples it has so far.
    """

    path: str
    cited: set[tuple[str, str]] = field(default_factory=set)
    examples: int = 0

    @property
    def stem(self) -> str | None:
        """The stem whose page it is, if it is one."""
        folder, _, name = self.path.partition("/")
        return name.removesuffix(".md") if folder == "equations" else None

    @property
    def up(self) -> str:
        """From the page to the top of the site."""
        return "../" * self.path.count("/")


def expand(page: Page, text: str) -> str:
    """Replace everything that is generated.

    Raises:
        SiteError: At the first mistake; names page and line.
    """
    lines = [*_expanded(page, text.splitlines())]
    if page.stem:
        lines += ["", directive(page.stem)]
    return "\n".join(lines) + "\n"


def _expanded(page: Page, lines: list[str]) -> Iterator[str]:
    number = 0
    while number < len(lines):
        line = lines[number]
        try:
            if fence := _FENCE.fullmatch(line):
                end = _end_of_fence(lines, number, fence[1])
                yield from _fenced(page, fence[2], lines[number : end + 1])
                number = end
            elif block := _BLOCK.fullmatch(line):
                yield from ("", _block(page, block[1].split()), "")
            else:
                yield _inline(page, line)
        except SiteError as error:
            raise SiteError(f"docs/{page.path}, line {number + 1}: {error}") from error
        number += 1


def _end_of_fence(lines: list[str], start: int, mark: str) -> int:
    for number in range(start + 1, len(lines)):
        if lines[number].strip() == mark:
            return number
    raise SiteError("a fence is never closed")


def _fenced(page: Page, language: str, lines: list[str]) -> Iterator[str]:
    """A fence as it stands, or what running it shows, indented as it was."""
    if language not in _RUN_FENCES:
        yield from lines
        return
    margin = lines[0][: -len(lines[0].lstrip())]
    source = textwrap.dedent("\n".join(lines[1:-1])) + "\n"
    if language == "run":
        shown = f"```text\n{example.run(source)}```"
    else:
        stem = _stem(page)
        page.examples += 1
        anchor = f"example-{page.examples}"
        shown = example.worked(source, stem, symbols.code_names(stem), anchor)
    yield textwrap.indent(f"```python\n{source}```\n\n{shown}\n", margin)


def _inline(page: Page, line: str) -> str:
    def badge(found: re.Match[str]) -> str:
        return _badge(page, found[1])

    line = _INLINE.sub(badge, line)
    if "{{" in _SPAN.sub("", line):
        raise SiteError("a placeholder stands alone on its line, unindented")
    return _with_tag_links(line, page.stem) if page.stem else line


def _with_tag_links(line: str, stem: str) -> str:
    """Make `(2a)` in prose a link, where the page has such an equation."""
    known = derivation.tags(stem)

    def link(found: re.Match[str]) -> str:
        tag = found[1]
        return f"[({tag})](#eq-{tag})" if tag in known else found[0]

    spans = _SPAN.findall(line)
    prose = [_TAG.sub(link, text) for text in _SPAN.split(line)]
    return "".join(map("".join, zip(prose, [*spans, ""], strict=True)))


def _block(page: Page, words: list[str]) -> str:
    name, *arguments = words or [""]
    if name not in _BLOCKS:
        raise SiteError(f"no placeholder {name!r}; there are {', '.join(_BLOCKS)}")
    make, count = _BLOCKS[name]
    if len(arguments) != count:
        raise SiteError(f"{name} takes {count} argument(s), got {len(arguments)}")
    html = make(page, *arguments)
    page.cited.update((name, argument) for argument in arguments)
    return html


def _stem(page: Page) -> str:
    if page.stem is None:
        raise SiteError("only a page in docs/equations/ can show this")
    return page.stem


def _own_entry(page: Page, entry_id: str) -> str:
    symbols.require_entry(entry_id)
    if BY_ID[entry_id].stem != _stem(page):
        raise SiteError(f"{entry_id} belongs on docs/{BY_ID[entry_id].page}")
    return entry_id


def _badge(page: Page, entry_id: str) -> str:
    symbols.require_entry(entry_id)
    page.cited.add(("badge", entry_id))
    return evidence.badge(entry_id, f"{page.up}traceability.html")


def _code(page: Page, name: str) -> str:
    stem = _stem(page)
    shown = code.function(f"moe.equations.{stem}", name)
    html = code.listing(shown, symbols.code_names(stem), derivation.tags(stem))
    # A link of Markdown, not of HTML, so that the reference lists this page.
    return (
        f"[`{name}`][{shown.dotted}]{{ .code-name }} in `{shown.path}`, lines "
        f"{shown.first} to {shown.last}, without its docstring\n{{ .code-caption }}"
        f"\n\n{html}\n\n{code_walk.folded(stem, name)}"
    )


def _equation(page: Page, entry_id: str) -> str:
    return derivation.equations(_own_entry(page, entry_id))


def _symbols(page: Page, entry_id: str) -> str:
    return symbols.table(_own_entry(page, entry_id))


def _derivation(page: Page, entry_id: str) -> str:
    return derivation.steps(_own_entry(page, entry_id))


def _evidence(page: Page, entry_id: str) -> str:
    return evidence.table(_own_entry(page, entry_id))


def _widget(page: Page, stem: str) -> str:
    if stem != _stem(page):
        raise SiteError(f"the widget {stem!r} belongs on docs/equations/{stem}.md")
    return widgets.html(stem, page.up)


def _dataflow(page: Page) -> str:
    return dataflow.figure(page.up)


def _matrix(_: Page) -> str:
    return matrix.table()


def _graph(_: Page) -> str:
    return graph.svg()


def _states(_: Page) -> str:
    return matrix.legend()


# Name, what makes it, how many arguments it takes.
_BLOCKS: dict[str, tuple[Callable[..., str], int]] = {
    "badge": (_badge, 1),
    "equation": (_equation, 1),
    "symbols": (_symbols, 1),
    "code": (_code, 1),
    "derivation": (_derivation, 1),
    "evidence": (_evidence, 1),
    "widget": (_widget, 1),
    "dataflow": (_dataflow, 0),
    "matrix": (_matrix, 0),
    "graph": (_graph, 0),
    "states": (_states, 0),
}
