"""Checkpoint files taken apart, changed in one place and put together again."""

import json
from collections.abc import Callable
from typing import Any

Header = dict[str, Any]
ROUTER = "parameters.layers.0.router"


def take_apart(file: bytes) -> tuple[Header, bytes]:
    length = int.from_bytes(file[:8], "little")
    return json.loads(file[8 : 8 + length]), file[8 + length :]


def put_together(text: bytes, data: bytes) -> bytes:
    return len(text).to_bytes(8, "little") + text + data


def with_header(change: Callable[[Header], object]) -> Callable[[bytes], bytes]:
    """The file with one change in its header."""

    def malform(file: bytes) -> bytes:
        header, data = take_apart(file)
        change(header)
        return put_together(json.dumps(header).encode(), data)

    return malform


def with_text(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """The file with its header rewritten as text."""

    def malform(file: bytes) -> bytes:
        header, data = take_apart(file)
        return put_together(change(json.dumps(header).encode()), data)

    return malform


def with_metadata(metadata: Any) -> Callable[[bytes], bytes]:
    return with_header(lambda header: header.update(__metadata__=metadata))


def with_record(change: Callable[[Header], object]) -> Callable[[bytes], bytes]:
    """The file with one change in what its metadata record."""

    def malform(header: Header) -> None:
        record = json.loads(header["__metadata__"]["checkpoint"])
        change(record)
        header["__metadata__"]["checkpoint"] = json.dumps(record)

    return with_header(malform)


def with_entry(**values: Any) -> Callable[[bytes], bytes]:
    return with_header(lambda header: header[ROUTER].update(values))


def with_offsets(
    change: Callable[[int, int], list[float]],
) -> Callable[[bytes], bytes]:
    def malform(header: Header) -> None:
        header[ROUTER]["data_offsets"] = change(*header[ROUTER]["data_offsets"])

    return with_header(malform)


def length_of(length: int) -> Callable[[bytes], bytes]:
    return lambda file: length.to_bytes(8, "little") + file[8:]


def first_key_twice(text: bytes) -> bytes:
    entry = b'"%s": {"dtype": "U8", "shape": [16], "data_offsets": [0, 16]}'
    return b"{" + entry % ROUTER.encode() + b", " + text[1:]


def hole(file: bytes) -> bytes:
    """Move every tensor eight bytes back."""
    header, data = take_apart(file)
    for name, entry in header.items():
        if name != "__metadata__":
            entry["data_offsets"] = [at + 8 for at in entry["data_offsets"]]
    return put_together(json.dumps(header).encode(), bytes(8) + data)


def swap(header: Header) -> None:
    """Exchange two tensors of one shape: valid but for the digest."""
    other = ROUTER.replace("parameters", "first_moments")
    header[ROUTER], header[other] = header[other], header[ROUTER]
