"""Runs Python and records what each line of a stem's functions makes."""

import ast
import operator
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from types import CodeType, FrameType
from typing import Any
from unittest import mock

import numpy as np

from sitebuild.code import ROOT, Function, functions
from sitebuild.errors import SiteError

_EXAMPLE = "<example>"
_Statements = dict[int, ast.stmt]


@dataclass
class Call:
    """One call of a function of the page: what each of its lines made.

    Attributes:
        function: What was called.
        values: Locals that a line wrote, by number of the line and by name.
        results: What the line with `return` computed, by number of the line and by
            place among all that is returned.
    """

    function: Function
    values: dict[int, dict[str, Any]] = field(default_factory=dict)
    results: dict[int, dict[int, Any]] = field(default_factory=dict)


def follow(source: str, stem: str) -> list[Call]:
    """Run Python and record every call that it makes to functions of the stem.

    Raises:
        SiteError: If it raises.
    """
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
            execute(code)
        finally:
            sys.settrace(None)
    return calls


def compile_source(source: str) -> CodeType:
    """Compile Python that stands on a page."""
    try:
        return compile(source, _EXAMPLE, "exec")
    except SyntaxError as error:
        raise SiteError(f"the example is no Python: {error}") from error


def execute(code: CodeType) -> None:
    """Execute what was compiled."""
    try:
        exec(code, {})
    except Exception as error:
        raise SiteError(f"the example raised {error!r}") from error


def _unwritten(make: Callable[..., Any]) -> Callable[..., Any]:
    """As `np.empty`, with NaN or 0 in place of what the memory happened to hold."""

    def filled(*arguments: Any, **options: Any) -> Any:
        array = make(*arguments, **options)
        array.fill(np.nan if array.dtype.kind == "f" else 0)
        return array

    return filled


def _recorder(call: Call, frame: FrameType) -> Any:
    """A trace function that notes what each line wrote, changed or returned.

    Lines of compound statements are left out: a loop's variables say where it is.
    """
    statements = _simple_statements(call.function.module)
    before = _copies(frame)
    line = frame.f_lineno

    def on_line(frame: FrameType, event: str, result: Any) -> Any:
        nonlocal before, line
        now = _copies(frame)
        if line in statements:
            statement = statements[line]
            written = set(_written(statement))
            made = {
                name: new
                for name, new in now.items()
                if name in written or name not in before or not _same(before[name], new)
            }
            call.values.setdefault(statement.lineno, {}).update(made)
            if event == "return" and isinstance(statement, ast.Return):
                call.results[statement.lineno] = _computed(statement, result)
        before, line = now, frame.f_lineno
        return on_line

    return on_line


@cache
def _simple_statements(module: str) -> _Statements:
    """Every statement of a module that contains no other, by each of its lines."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    return {
        line: node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.stmt) and not hasattr(node, "body")
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def _written(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement assigns to, in whole or in part, or names as `out`."""
    for node in ast.walk(statement):
        if isinstance(node, ast.keyword) and node.arg == "out":
            place = node.value
        elif isinstance(getattr(node, "ctx", None), ast.Store):
            place = node
        else:
            continue
        while isinstance(place, ast.Subscript):
            place = place.value
        if isinstance(place, ast.Name):
            yield place.id


def _computed(statement: ast.Return, result: Any) -> dict[int, Any]:
    """What a `return` makes by itself: neither locals, told before, nor caches."""
    if isinstance(statement.value, ast.Tuple):
        parts = zip(statement.value.elts, result, strict=True)
    else:
        parts = zip([statement.value], [result], strict=True)
    return {
        place: _copy(value)
        for place, (expression, value) in enumerate(parts)
        if not isinstance(expression, ast.Name | ast.Tuple)
    }


def _copies(frame: FrameType) -> dict[str, Any]:
    return {name: _copy(value) for name, value in frame.f_locals.items()}


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _same(old: Any, new: Any) -> bool:
    if not isinstance(old, np.ndarray) or not isinstance(new, np.ndarray):
        return old is new
    if new.dtype == object:
        return old.shape == new.shape and all(map(operator.is_, old.flat, new.flat))
    return np.array_equal(old, new, equal_nan=True)
