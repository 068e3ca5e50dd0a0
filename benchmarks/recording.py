"""Watch one step of the model: which NumPy calls it makes, which matrix products.

Every array of the step becomes a `WatchedArray`, whose ufuncs, array functions and
indexing go through Python and are counted. Constructors that take no array are
patched for the time of the recording. Attribute reads, `reshape` and other methods
that move no data are not counted, so the count is a lower bound.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np

from moe.arrays import Array

CONSTRUCTORS = ("empty", "zeros", "arange", "ones", "full", "asarray")


@dataclass(frozen=True)
class Layout:
    """Where the elements of an array lie."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str

    @classmethod
    def of(cls, array: Array) -> "Layout":
        """The layout of an array."""
        return cls(array.shape, array.strides, array.dtype.str)

    def allocate(self, rng: np.random.Generator) -> Array:
        """A new array of this layout, filled with normal numbers."""
        item = np.dtype(self.dtype).itemsize
        reach = sum(
            (n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True)
        )
        memory = rng.standard_normal(reach // item + 1).astype(self.dtype)
        return np.lib.stride_tricks.as_strided(memory, self.shape, self.strides)


@dataclass(frozen=True)
class Product:
    """One matrix product of the step."""

    left: Layout
    right: Layout
    result: Layout

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        shared = self.left.shape[-1]
        return 2 * shared * int(np.prod(self.result.shape))


@dataclass
class Recording:
    """What one step did.

    Attributes:
        products: Matrix products in order.
        ufuncs: Calls of ufuncs, matrix products among them, by name.
        functions: Calls of other array functions, by name.
        indexing: Reads and writes by index.
    """

    products: list[Product] = field(default_factory=list)
    ufuncs: dict[str, int] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)
    indexing: int = 0

    @property
    def calls(self) -> int:
        """All calls that were counted."""
        return sum(self.ufuncs.values()) + sum(self.functions.values()) + self.indexing


_current: Recording | None = None


def _plain(value: Any) -> Any:
    """The same without watching."""
    if isinstance(value, WatchedArray):
        return value.view(np.ndarray)
    if isinstance(value, tuple | list):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def watched(value: Any) -> Any:
    """The same, its operations counted while a `recording` is open."""
    if isinstance(value, np.ndarray):
        return value.view(WatchedArray)
    if isinstance(value, tuple):
        return tuple(watched(item) for item in value)
    if isinstance(value, list):
        return [watched(item) for item in value]
    return value


class WatchedArray(np.ndarray):
    """An array whose operations are counted."""

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        """Count the ufunc, record it if it is a matrix product, run it."""
        result = getattr(ufunc, method)(*_plain(inputs), **_plain(kwargs))
        if _current is not None:
            name = (
                ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
            )
            _current.ufuncs[name] = _current.ufuncs.get(name, 0) + 1
            if ufunc is np.matmul:
                left, right = _plain(inputs)
                if left.ndim > 1 and right.ndim > 1:
                    layouts = map(Layout.of, (left, right, result))
                    _current.products.append(Product(*layouts))
        given = kwargs.get("out")
        return given[0] if given and given[0] is not None else watched(result)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Count the function and run it."""
        if _current is not None:
            name = func.__name__
            _current.functions[name] = _current.functions.get(name, 0) + 1
        result = func(*_plain(args), **_plain(kwargs))
        given = kwargs.get("out")
        return given if given is not None else watched(result)

    def __getitem__(self, key: Any) -> Any:
        """Count the read."""
        if _current is not None:
            _current.indexing += 1
        return watched(self.view(np.ndarray)[_plain(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        """Count the write."""
        if _current is not None:
            _current.indexing += 1
        self.view(np.ndarray)[_plain(key)] = _plain(value)


@contextlib.contextmanager
def recording() -> Iterator[Recording]:
    """Count and record what is done to watched arrays in this block."""
    global _current

    def watching(constructor: Callable[..., Array]) -> Callable[..., Array]:
        return lambda *args, **kwargs: watched(
            constructor(*_plain(args), **_plain(kwargs))
        )

    with contextlib.ExitStack() as stack:
        for name in CONSTRUCTORS:
            constructor = watching(getattr(np, name))
            stack.enter_context(mock.patch.object(np, name, constructor))
        _current = Recording()
        try:
            yield _current
        finally:
            _current = None
