"""Text as bytes: a token id is a byte value, so every file is a corpus and V = 256."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from moe.arrays import Array
from moe.validation import integer, require

VOCAB_SIZE = 256
# Of every ten bytes, the last one of the text is held out.
HELD_OUT = 10


class Corpus(NamedTuple):
    """A text in two parts.

    Attributes:
        name: What to call it.
        head: `(n,)` byte values to learn from.
        tail: `(m,)` byte values held out, those that follow the head.
        sha256: Of the whole text, in hexadecimal.
    """

    name: str
    head: Array
    tail: Array
    sha256: str


def python_reference() -> Corpus:
    """The language reference that ships inside CPython, about 450 kB.

    Returns:
        The corpus. Its text differs a little between Python versions.

    Raises:
        ValueError: If this Python was installed without its documentation.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        message = "this Python carries no pydoc_data.topics; name a text file"
        raise ValueError(message) from error
    return split("pydoc_data.topics", "\n".join(topics.values()).encode())


def read_text(path: Path) -> Corpus:
    """A file of the reader's own, in any encoding.

    Args:
        path: The file.

    Returns:
        The corpus.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is too short to split.
    """
    return split(path.name, path.read_bytes())


def split(name: str, text: bytes) -> Corpus:
    """Hold the last tenth of a text out.

    Args:
        name: What to call the text.
        text: At least ten bytes.

    Returns:
        The corpus.

    Raises:
        ValueError: If the text is too short.
    """
    size = f"at least {HELD_OUT} bytes long"
    require(len(text) >= HELD_OUT, f"text {name}", f"{len(text)} bytes", size)
    ids = np.frombuffer(text, np.uint8).astype(np.intp)
    end = len(ids) - len(ids) // HELD_OUT
    return Corpus(name, ids[:end], ids[end:], hashlib.sha256(text).hexdigest())


def sample_batch(
    ids: Array, rng: np.random.Generator, batch: int, seq: int
) -> tuple[Array, Array]:
    """Draw pieces of a text, each from a random place, with replacement.

    Args:
        ids: `(n,)` token ids, more than `seq` of them.
        rng: Source of the places.
        batch: Number of pieces, `B`.
        seq: Tokens of a piece, `T`.

    Returns:
        inputs: `(B, T)` ids.
        targets: `(B, T)` the id that follows each of them.

    Raises:
        ValueError: If the text is too short for one piece.
    """
    integer("seq", seq, 1, len(ids) - 1)
    starts = rng.integers(0, len(ids) - seq, size=batch)
    pieces = ids[starts[:, None] + np.arange(seq + 1)]  # (B, T + 1)
    return pieces[:, :-1], pieces[:, 1:]
