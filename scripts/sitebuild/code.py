"""Functions of the package, shown as they stand in their files."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES, Comment, Name, _TokenType

from sitebuild.errors import SiteError

ROOT = Path(__file__).parents[2]
TAG = re.compile(r"\[(\d+[a-z])\]")
_SHAPE = re.compile(r"\(([^()]*)\)")

Token = tuple[_TokenType, str]


@dataclass(frozen=True)
class Function:
    """A function and where it stands.

    Attributes:
        name: Its name.
        module: Dotted path of its module.
        path: File, relative to the repository.
        first: Number of its first line in the file.
        last: Number of its last line.
        lines: Number and text of every line that is not docstring.
    """

    name: str
    module: str
    path: str
    first: int
    last: int
    lines: tuple[tuple[int, str], ...]

    @property
    def dotted(self) -> str:
        """Dotted path of the function."""
        return f"{self.module}.{self.name}"

    @property
    def tags(self) -> set[str]:
        """Tags of the equations that its lines name."""
        return {tag for _, line in self.lines for tag in TAG.findall(line)}


@cache
def functions(module: str) -> dict[str, Function]:
    """All functions of a module, by name, in the order of the file."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    if not path.exists():
        raise SiteError(f"no module {module!r}")
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    return {
        node.name: _function(node, module, path.relative_to(ROOT), lines)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }


def function(module: str, name: str) -> Function:
    """One function.

    Raises:
        SiteError: If the module has no function of this name.
    """
    found = functions(module)
    if name not in found:
        raise SiteError(f"no function {name!r} in {module}; it has {', '.join(found)}")
    return found[name]


def listing(shown: Function, names: dict[str, str], anchors: set[str]) -> str:
    """A function as HTML: tags are links, symbols are marked.

    Args:
        shown: The function.
        names: Symbol key for every expression by which code writes a symbol.
        anchors: Tags of the equations of the page.

    Raises:
        SiteError: If a line names an equation that the page does not have.
    """
    unknown = sorted(shown.tags - anchors)
    if unknown:
        raise SiteError(f"{shown.dotted} names equations {unknown}; the page has none")
    body = "\n".join(line_html(text, names) for _, text in shown.lines)
    return (
        f'<div class="language-python highlight" id="code-{shown.name}" '
        'data-search-exclude><pre class="listing" tabindex="0" role="group" '
        f'aria-label="Code of {shown.name}"><code>{body}\n</code></pre></div>'
    )


def line_html(text: str, names: dict[str, str]) -> str:
    """One line of code as HTML."""
    tokens = [
        (kind, value)
        for kind, value in PythonLexer(stripnl=False).get_tokens(text)
        if value != "\n"
    ]
    return "".join(_marked(tokens, names))


def _function(
    node: ast.FunctionDef, module: str, path: Path, lines: list[str]
) -> Function:
    last = node.end_lineno or node.lineno
    docstring = node.body[0]
    hidden: set[int] = set()
    if ast.get_docstring(node) is not None:
        hidden = set(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    shown = [(n, lines[n - 1]) for n in range(node.lineno, last + 1) if n not in hidden]
    return Function(node.name, module, str(path), node.lineno, last, tuple(shown))


def _marked(tokens: list[Token], names: dict[str, str]) -> Iterator[str]:
    """Tokens as HTML; those that together write a symbol are wrapped in one span."""
    writings = [([v for _, v in _words(code)], key) for code, key in names.items()]
    writings.sort(key=lambda pair: -len(pair[0]))
    place = 0
    while place < len(tokens):
        for words, key in writings:
            part = tokens[place : place + len(words)]
            if [v for _, v in part] == words and not _is_attribute(tokens, place):
                inner = "".join(_span(*token) for token in part)
                yield f'<span data-symbol="{key}">{inner}</span>'
                place += len(words)
                break
        else:
            kind, value = tokens[place]
            yield _comment(value, names) if kind in Comment else _span(kind, value)
            place += 1


def _words(code: str) -> list[Token]:
    return [token for token in PythonLexer().get_tokens(code) if token[1] != "\n"]


def _is_attribute(tokens: list[Token], place: int) -> bool:
    if tokens[place][0] not in Name:
        return True
    return place > 0 and tokens[place - 1][1].endswith(".")


def _span(kind: _TokenType, value: str) -> str:
    css = STANDARD_TYPES.get(kind, "")
    text = escape(value, quote=False)
    return f'<span class="{css}">{text}</span>' if css else text


def _comment(text: str, names: dict[str, str]) -> str:
    """A comment: its tags are links, the sizes of its shapes are marked."""

    def link(found: re.Match[str]) -> str:
        return f'<a href="#eq-{found[1]}">[{found[1]}]</a>'

    def sizes(found: re.Match[str]) -> str:
        return f"({re.sub(r'[A-Z]', size, found[1])})"

    def size(found: re.Match[str]) -> str:
        if found[0] not in names.values():
            return found[0]
        return f'<span data-symbol="{found[0]}">{found[0]}</span>'

    html = _SHAPE.sub(sizes, escape(text, quote=False))
    return f'<span class="c1">{TAG.sub(link, html)}</span>'
