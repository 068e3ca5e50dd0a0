"""One kind of error for bad input: it names the argument and what is allowed."""

import math

import numpy as np

from moe.arrays import Array


def require(ok: bool, name: str, value: object, allowed: str) -> None:
    """Raise unless `ok`.

    Raises:
        ValueError: `<name> must be <allowed>, got <value>`.
    """
    if not ok:
        raise ValueError(f"{name} must be {allowed}, got {value!r}")


def integer(name: str, value: object, least: int, most: float = math.inf) -> None:
    """Raise unless `value` is a whole number in `[least, most]` (a bool is not)."""
    allowed = f"an integer of at least {least}"
    if most < math.inf:
        allowed = f"an integer from {least} to {most}"
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    require(whole and least <= value <= most, name, value, allowed)  # type: ignore[operator]


def real(name: str, value: object, interval: str) -> None:
    """Raise unless `value` is a finite number in `interval`.

    Args:
        name: What the value is called.
        value: What came.
        interval: As in mathematics: `"(0, 1]"`, `"[0, inf)"`.
    """
    low, high = (float(end) for end in interval[1:-1].split(","))
    ok = isinstance(value, int | float | np.integer | np.floating)
    ok = ok and not isinstance(value, bool) and math.isfinite(value)  # type: ignore[arg-type]
    if ok:
        above = value >= low if interval[0] == "[" else value > low  # type: ignore[operator]
        below = value <= high if interval[-1] == "]" else value < high  # type: ignore[operator]
        ok = bool(above and below)
    require(ok, name, value, f"a number in {interval}")


def token_array(name: str, ids: object, vocab_size: int) -> Array:
    """Return `ids` as an array, or raise unless it is a batch of token ids.

    Args:
        name: What the array is called.
        ids: `(B, T)` integers in `[0, vocab_size)`, neither axis empty.
        vocab_size: `V`.

    Returns:
        `(B, T)` ids.

    Raises:
        TypeError: If `ids` does not hold integers.
        ValueError: If its shape or a value is wrong.
    """
    array = np.asarray(ids)
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name} must hold integers, got dtype {array.dtype}")
    two_axes = "of shape (batch, seq), neither of them 0"
    require(array.ndim == 2 and array.size > 0, f"{name}.shape", array.shape, two_axes)
    low, high = int(array.min()), int(array.max())
    worst = low if low < 0 else high
    require(low >= 0 and high < vocab_size, name, worst, f"in [0, {vocab_size})")
    return array
