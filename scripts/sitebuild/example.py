"""Worked examples: the shipped functions run while the page is built."""

import contextlib
import inspect
import io
import re
from collections.abc import Iterator
from html import escape
from importlib import import_module
from itertools import chain
from typing import Any

import numpy as np

from moe.derivations import load
from moe.derivations.printing import latex
from sitebuild import mathml, numbers, symbols
from sitebuild.code import TAG, Function, line_html
from sitebuild.errors import SiteError
from sitebuild.recording import Call, compile_source, execute, follow

_RESULT = re.compile(r"^    (\w+): ", re.MULTILINE)


def run(source: str) -> str:
    """Run Python and return what it printed.

    Raises:
        SiteError: If it raises.
    """
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        execute(compile_source(source))
    return printed.getvalue()


def worked(source: str, stem: str, names: dict[str, str], anchor: str) -> str:
    """Run Python; show every line of the stem's functions with what it made.

    Args:
        source: Calls one or more functions of the stem.
        stem: Whose functions are followed.
        names: Symbol key for every expression by which code writes a symbol.
        anchor: Start of every id in the result.

    Raises:
        SiteError: If it raises, or calls no function of the stem.
    """
    calls = follow(source, stem)
    if not calls:
        raise SiteError(f"the example calls no function of moe.equations.{stem}")
    return "".join(
        _call(call, names, f"{anchor}-{number}") for number, call in enumerate(calls, 1)
    )


def _call(call: Call, names: dict[str, str], anchor: str) -> str:
    name = call.function.name
    return (
        f'<section class="walk trace" id="{anchor}" data-title="{name}, line by line" '
        f'data-start="end" aria-label="{anchor}: each line of {name}">'
        f'<p class="trace-title"><code>{name}</code>, line by line</p>'
        f"<ol>{''.join(_rows(call, names, anchor))}</ol></section>"
    )


def _rows(call: Call, names: dict[str, str], anchor: str) -> Iterator[str]:
    for number, text in call.function.lines:
        values = [
            f"{_name(name, names)} = {_value(value)}"
            for name, value in call.values.get(number, {}).items()
            if name != "_" and _is_told(value)
        ]
        values += [
            f"{_result(call.function, place, text, names)} {_value(value)}"
            for place, value in call.results.get(number, {}).items()
        ]
        if values:
            line = text.strip()
            label = escape(line.partition("#")[0].strip())
            shown = "".join(f'<div class="trace-value">{html}</div>' for html in values)
            yield (
                f'<li class="step trace-row" id="{anchor}-line-{number}" '
                f'data-label="{label}">'
                f'<div class="trace-line highlight"><code>{line_html(line, names)}'
                f'</code></div><div class="trace-values" role="group" tabindex="0" '
                f'aria-label="Values after {label}">{shown}</div></li>'
            )


def _is_told(value: Any) -> bool:
    """Whether a value is worth a line: caches, places in a loop and None are not."""
    return not isinstance(value, tuple | slice | None)


def _value(value: Any) -> str:
    if _is_unwritten(value):
        size = " × ".join(map(str, value.shape))
        return f'<span class="walk-note">{size}, not yet written</span>'
    return numbers.value(value)


def _is_unwritten(value: Any) -> bool:
    return (
        isinstance(value, np.ndarray)
        and value.dtype.kind == "f"
        and value.size > 0
        and bool(np.isnan(value).all())
    )


def _name(name: str, names: dict[str, str]) -> str:
    symbol = f' data-symbol="{names[name]}"' if name in names else ""
    return f"<code{symbol}>{name}</code>"


def _result(function: Function, place: int, line: str, names: dict[str, str]) -> str:
    """Name of a returned value: from the docstring, else from the line's equation."""
    docstring = inspect.getdoc(getattr(import_module(function.module), function.name))
    _, _, returns = (docstring or "").partition("\nReturns:\n")
    if named := _RESULT.findall(returns.partition("\n\n")[0]):
        return f"{_name(named[place], names)} ="
    if tag := TAG.search(line):
        return f"{_left_side(function.module.rpartition('.')[2], tag[1])} ="
    return "returns"


def _left_side(stem: str, tag: str) -> str:
    """What an equation of the stem is solved for."""
    equations = chain.from_iterable(entry.equation for entry in load(stem))
    left = next(e.relation.lhs for e in equations if e.tag == tag)
    base = getattr(left, "base", left)
    return mathml.inline(latex(base), symbols.page_marker(stem))
