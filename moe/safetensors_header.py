"""The header of a safetensors file, checked before a library trusts it.

The format is eight bytes of length, that many bytes of JSON, then the numbers. The
safetensors library checks that the tensors tile the numbers; this module refuses what
it lets pass: duplicate keys, of which two readers may see different tensors, unknown
fields, space before the brace, and headers that are large for no reason.

References:
    safetensors, *Format*, version 0.4 and later, README of the project.
"""

import json
import os
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from moe.validation import integer, require

# The entries of 1,000 layers with their moments fit; a hostile length does not.
LARGEST_HEADER = 2**22


class Header(NamedTuple):
    """What the header of a file says.

    Attributes:
        entries: Name of each tensor to `{"dtype", "shape", "data_offsets"}`.
        metadata: Name to text.
        data_bytes: Bytes in the file after the header.
    """

    entries: dict[str, Any]
    metadata: dict[str, str]
    data_bytes: int


def read_header(path: Path) -> Header:
    """Read and check the header of a safetensors file.

    Args:
        path: The file.

    Returns:
        The header; of each entry the keys are checked, not yet the values.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If the header is malformed.
        RecursionError: If its JSON is nested beyond reason.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        require(size >= 8, "file size", size, "at least 8 bytes")
        length = int.from_bytes(file.read(8), "little")
        integer("header length", length, 2, min(LARGEST_HEADER, size - 8))
        text = file.read(length)
    require(text[:1] == b"{", "first byte of the header", text[:1], "b'{'")
    entries = strict_json("header", text)
    metadata = entries.pop("__metadata__", {})
    is_text = isinstance(metadata, dict) and all(
        isinstance(value, str) for value in metadata.values()
    )
    require(is_text, "__metadata__", type(metadata).__name__, "an object of texts")
    for name, entry in entries.items():
        require_names(name, entry, ("data_offsets", "dtype", "shape"))
    return Header(entries, metadata, size - 8 - length)


def strict_json(name: str, text: bytes | str) -> dict[str, Any]:
    """Parse a JSON object; refuse duplicate keys, NaN and Infinity.

    Args:
        name: What the text is called in an error.
        text: JSON, bytes in UTF-8.

    Returns:
        The object.

    Raises:
        ValueError: If the text is not such an object.
        RecursionError: If it is nested beyond reason.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        repeated = [key for key, count in counts.most_common(3) if count > 1]
        require(not repeated, f"keys in {name}", repeated, "unique")
        return dict(pairs)

    def constant(text: str) -> None:
        require(False, f"number in {name}", text, "finite")

    if isinstance(text, bytes):
        text = text.decode("utf-8")
    try:
        value = json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} must be JSON: {error}") from error
    require(isinstance(value, dict), name, type(value).__name__, "a JSON object")
    return value


def require_names(what: str, value: Any, names: Collection[str]) -> None:
    """Raise unless `value` is an object with exactly these keys.

    Args:
        what: What the object is called.
        value: What came.
        names: The keys that it must have.

    Raises:
        ValueError: If it is no object, or a key is missing or unknown.
    """
    require(isinstance(value, dict), what, type(value).__name__, "a JSON object")
    missing = sorted(set(names) - value.keys())[:3]
    unknown = sorted(value.keys() - set(names))[:3]
    complete = not missing and not unknown
    fault = f"missing {missing}, unknown {unknown}"
    require(complete, f"names in {what}", fault, "exactly those expected")
