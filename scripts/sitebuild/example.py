"""Worked examples: the shipped functions run while the page is built."""

import contextlib
import io
import operator
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from types import CodeType, FrameType
from typing import Any
from unittest import mock

import numpy as np

from sitebuild import numbers
from sitebuild.code import Function, functions, line_html
from sitebuild.errors import SiteError

_EXAMPLE = "<example>"


@dataclass
class Call:
    """One call of a function of the page: what each of its lines made."""

    function: Function
    values: dict[int, dict[str, Any]] = field(default_factory=dict)


def run(source: str) -> str:
    """Run Python and return what it printed.

    Raises:
        SiteError: If it raises.
    """
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        _execute(compile_source(source), {})
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


def follow(source: str, stem: str) -> list[Call]:
    """Run Python and record every call that it makes to functions of the stem."""
    module = f"moe.equations.{stem}"
    known = functions(module)
    calls: list[Call] = []

    def on_call(frame: FrameType, event: str, _: Any) -> Any:
        inside = frame.f_globals.get("__name__") == module
        caller = frame.f_back.f_code.co_filename if frame.f_back else ""
        if not inside or caller != _EXAMPLE:
            return None
        calls.append(Call(known[frame.f_code.co_name]))
        return _recorder(calls[-1], frame)

    code = compile_source(source)
    with (
        mock.patch.object(np, "empty", _unwritten(np.empty)),
        mock.patch.object(np, "empty_like", _unwritten(np.empty_like)),
    ):
        sys.settrace(on_call)
        try:
            _execute(code, {})
        finally:
            sys.settrace(None)
    return calls


def _unwritten(make: Callable[..., Any]) -> Callable[..., Any]:
    """As `np.empty`, with NaN or 0 in place of what the memory happened to hold."""

    def filled(*arguments: Any, **options: Any) -> Any:
        array = make(*arguments, **options)
        array.fill(np.nan if array.dtype.kind == "f" else 0)
        return array

    return filled


def compile_source(source: str) -> CodeType:
    """Compile Python that stands on a page."""
    try:
        return compile(source, _EXAMPLE, "exec")
    except SyntaxError as error:
        raise SiteError(f"the example is no Python: {error}") from error


def _execute(code: CodeType, namespace: dict[str, Any]) -> None:
    try:
        exec(code, namespace)
    except Exception as error:
        raise SiteError(f"the example raised {error!r}") from error


def _recorder(call: Call, frame: FrameType) -> Any:
    """A trace function that notes which locals each line made or changed."""
    before = _copies(frame)
    line = frame.f_lineno

    def on_line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal before, line
        now = _copies(frame)
        made = {
            name: new
            for name, new in now.items()
            if name not in before or not _same(before[name], new)
        }
        if made:
            call.values.setdefault(line, {}).update(made)
        before, line = now, frame.f_lineno
        return on_line

    return on_line


def _copies(frame: FrameType) -> dict[str, Any]:
    return {
        name: value.copy() if isinstance(value, np.ndarray) else value
        for name, value in frame.f_locals.items()
    }


def _same(old: Any, new: Any) -> bool:
    if not isinstance(old, np.ndarray) or not isinstance(new, np.ndarray):
        return old is new
    if new.dtype == object:
        return old.shape == new.shape and all(map(operator.is_, old.flat, new.flat))
    return np.array_equal(old, new, equal_nan=True)


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
        values = "".join(
            f'<div class="trace-value"><code{_symbol(name, names)}>{name}</code> = '
            f"{numbers.value(value)}</div>"
            for name, value in call.values.get(number, {}).items()
            if not isinstance(value, tuple) and not _is_unwritten(value)
        )
        if values:
            line = text.strip()
            label = escape(line.partition("#")[0].strip())
            yield (
                f'<li class="step trace-row" id="{anchor}-line-{number}" '
                f'data-label="{label}">'
                f'<div class="trace-line highlight"><code>{line_html(line, names)}'
                f'</code></div><div class="trace-values" role="group" tabindex="0" '
                f'aria-label="Values after {label}">{values}</div></li>'
            )


def _is_unwritten(value: Any) -> bool:
    return (
        isinstance(value, np.ndarray)
        and value.dtype.kind == "f"
        and value.size > 0
        and bool(np.isnan(value).all())
    )


def _symbol(name: str, names: dict[str, str]) -> str:
    return f' data-symbol="{names[name]}"' if name in names else ""
