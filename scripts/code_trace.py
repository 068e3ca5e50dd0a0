"""Run a function on symbols and watch what each of its lines computes.

After a line, every new or changed array is shown in terms of the names that were there
before it; then its own elements become names, so that the next line is read as it
is written: `y = x * r`, not the whole history of `r`.
"""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import numpy as np
from sympy import Expr, Indexed, Symbol

from moe.derivations.notation import array
from moe.derivations.traced import Traced, expression


@dataclass(frozen=True)
class Change:
    """What a line did to one local variable.

    Attributes:
        name: Of the variable, `result` for what a line returns.
        shape: Of the array, `()` for a number.
        element: One element of it, such as `y[0, 1]`, the longest to compute.
        value: What that element is, in names that the line could read.
    """

    name: str
    shape: tuple[int, ...]
    element: Expr
    value: Expr

    @property
    def is_news(self) -> bool:
        """Whether it says more than `x[0] = x[0]`."""
        return bool(self.element != self.value)


@dataclass(frozen=True)
class Line:
    """One executed line of the function."""

    number: int
    source: str
    changes: tuple[Change, ...]


def named_array(name: str, values: np.ndarray) -> np.ndarray:
    """Array of traced numbers `name[0, 1]` with these values."""
    result = np.empty(np.shape(values), object)
    for index, value in np.ndenumerate(values):
        element = array(name)[index] if index else Symbol(name)
        result[index] = Traced(element, float(value))
    return result


def run(
    function: Callable[..., Any], *args: Any, **kwargs: Any
) -> tuple[Any, list[Line]]:
    """Call a function and record its lines.

    Args:
        function: A function of `moe.equations`, in Python.
        args: Its arguments; arrays of `named_array`, integers, floats.
        kwargs: The same, by name.

    Returns:
        result: What the function returned.
        lines: In the order of execution, loops unrolled.
    """
    recorder = _Recorder(function)
    before = sys.gettrace()
    sys.settrace(recorder.enter)
    try:
        result = function(*args, **kwargs)
    finally:
        sys.settrace(before)
    return result, recorder.lines


class _Recorder:
    """Trace function of one code object."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.code: CodeType = function.__code__
        lines, self.first = inspect.getsourcelines(function)
        self.source = [line.rstrip() for line in lines]
        self.lines: list[Line] = []
        self.number: int | None = None
        self.seen: dict[str, list[Expr]] = {}

    def enter(self, frame: FrameType, event: str, _: Any) -> Any:
        """Trace the calls of our function, and of no other."""
        if frame.f_code is not self.code:
            return None
        for name, value in frame.f_locals.items():
            self._remember(name, value)
        return self.step

    def step(self, frame: FrameType, event: str, result: Any) -> Any:
        """A line is about to run, or the function returns: the one before is done."""
        if event in ("line", "return"):
            if self.number is not None:
                self._finish(frame, result)
            self.number = frame.f_lineno
        return self.step

    def _finish(self, frame: FrameType, result: Any) -> None:
        """Record the line that has just run; `result` is None before the return."""
        assert self.number is not None
        changes: list[Change | None] = []
        first = result[0] if isinstance(result, tuple) else result
        if not all(map(_is_name, _elements(first))):
            changes.append(self._change("result", first))
        for name, value in list(frame.f_locals.items()):
            change = self._change(name, value)
            if change is not None:
                changes.append(change)
                self._rename(name, value)
        for name, value in frame.f_locals.items():
            if name.endswith("_cache"):
                self._rename_inside(name.removesuffix("_cache"), value)
            self._remember(name, value)
        source = self.source[self.number - self.first]
        news = tuple(c for c in changes if c is not None and c.is_news)
        self.lines.append(Line(self.number, source, news))

    def _change(self, name: str, value: Any) -> Change | None:
        elements = _elements(value)
        if not elements or elements == self.seen.get(name):
            return None
        old = self.seen.get(name, [])
        new = [n for n, e in enumerate(elements) if n >= len(old) or old[n] != e]
        longest = max(new, key=lambda n: len(str(elements[n])))
        if isinstance(value, Traced):
            return Change(name, (), Symbol(name), elements[0])
        index = np.unravel_index(longest, value.shape)
        place = array(name)[tuple(map(int, index))]
        return Change(name, value.shape, place, elements[longest])

    def _rename(self, name: str, value: Any) -> None:
        """Let the elements be names; an array of other arrays' names stays one."""
        if isinstance(value, Traced):
            value.expr = value.expr if value.expr.is_Atom else Symbol(name)
            return
        if all(map(_is_name, _elements(value))):
            return
        for index in np.ndindex(value.shape):
            number = Traced.of(value[index])
            constant = number.expr.is_number
            fresh = number.expr if constant else array(name)[index]
            value[index] = Traced(fresh, number.value)

    def _rename_inside(self, name: str, cache: tuple[Any, ...]) -> None:
        """What another function keeps for its own backward gets that one's name."""
        for place, value in enumerate(cache):
            if isinstance(value, tuple):
                self._rename_inside(f"{name}{place}", value)
            elif _elements(value):
                self._rename(name if len(cache) == 1 else f"{name}{place}", value)

    def _remember(self, name: str, value: Any) -> None:
        elements = _elements(value)
        if elements:
            self.seen[name] = elements


def _is_name(element: Expr) -> bool:
    return bool(isinstance(element, Indexed) or element.is_Atom)


def _elements(value: Any) -> list[Expr]:
    """Expressions of a traced number or array of them; empty for all else."""
    if isinstance(value, Traced):
        return [value.expr]
    if isinstance(value, np.ndarray) and value.dtype == object and value.size:
        if any(element is None for element in value.flat):
            return []  # np.empty of objects: nothing is in it yet
        return [expression(element) for element in value.flat]
    return []
