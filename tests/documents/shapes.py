"""Shapes that docstrings state, against arrays that go in and come out."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

LINE = re.compile(r"^    (?:(\w+): )?`\(([^`]*)\)`", re.MULTILINE)
SECTION = re.compile(r"^(Args|Returns):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)

# No two alike, so that no letter can stand for another.
SIZES = {
    **{"B": 2, "T": 4, "S": 7, "H": 6, "G": 3, "D": 10, "N": 5, "C": 8},
    **{"V": 11, "O": 9, "E": 13, "K": 12, "F": 14, "n": 17},
}


class ShapeError(AssertionError):
    """A docstring states a shape that an array does not have."""


def stated(doc: str) -> dict[str, list[tuple[str, str]]]:
    """Names and shapes of `Args` and `Returns`; an unnamed result has an empty name."""
    return {
        section: [line for line in LINE.findall(body) if line[0] != "cache"]
        for section, body in SECTION.findall(doc)
    }


def check(function: Callable[..., Any], doc: str, arguments: Mapping[str, Any]) -> int:
    """Call a function and compare all shapes that its docstring states.

    Args:
        function: What to call.
        doc: Its docstring, as `inspect.getdoc` gives it.
        arguments: Its arguments, with axes of the lengths in `SIZES`.

    Returns:
        How many shapes were compared.

    Raises:
        ShapeError: If one differs, or a name is none of an argument.
    """
    sections = stated(doc)
    before = {n: a.shape for n, a in arguments.items() if isinstance(a, np.ndarray)}
    results = function(**arguments)
    results = results if isinstance(results, tuple) else (results,)
    for name, shape in sections.get("Args", []):
        if name not in before:
            raise ShapeError(f"{function.__name__} has no argument {name}")
        _compare(function, name, shape, before[name])
    returned = sections.get("Returns", [])
    arrays = [r for r in results if isinstance(r, np.ndarray) and r.ndim]
    if len(arrays) != len(returned):
        raise ShapeError(f"{function.__name__} returns {len(arrays)} arrays")
    for (name, shape), array in zip(returned, arrays, strict=True):
        _compare(function, name, shape, np.shape(array))
    return len(sections.get("Args", [])) + len(returned)


def _compare(
    function: Callable[..., Any], name: str, shape: str, got: tuple[int, ...]
) -> None:
    axes = [axis.strip() for axis in shape.split(",") if axis.strip()]
    leading = axes[:1] == ["..."]
    lengths = tuple(map(_length, axes[leading:]))
    have = got[len(got) - len(lengths) :] if leading else got
    if have != lengths:
        raise ShapeError(f"{function.__name__}, {name}: ({shape}) stated, is {got}")


def _length(axis: str) -> int:
    """`2F`, `T*H/G`, `D/2`."""
    product = re.sub(r"(\d)([A-Za-z])", r"\1*\2", axis).replace("/", "//")
    try:
        return int(eval(product, {"__builtins__": {}}, SIZES))
    except (NameError, SyntaxError, TypeError) as error:
        raise ShapeError(f"cannot read the axis {axis!r}") from error
