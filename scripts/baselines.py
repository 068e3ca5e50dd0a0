"""What others need for the held-out text: compressors, and byte models by counting."""

import bz2
import gzip
import lzma
from collections.abc import Callable

import numpy as np

from moe.arrays import Array
from moe.corpus import VOCAB_SIZE, Corpus

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 9, mtime=0),
    "bz2": lambda data: bz2.compress(data, 9),
    "xz": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
}


def baselines(corpus: Corpus) -> dict[str, float]:
    """Bits per byte of the tail, given the head.

    Args:
        corpus: The text.

    Returns:
        Name of each compressor and byte model to its bits per byte.
    """
    head, tail = (ids.astype(np.uint8).tobytes() for ids in (corpus.head, corpus.tail))
    bits = {
        name: 8 * (len(compress(head + tail)) - len(compress(head))) / len(tail)
        for name, compress in COMPRESSORS.items()
    }
    for order in (1, 2, 3):
        bits[f"order-{order}"] = byte_model(corpus.head, corpus.tail, order)
    return bits


def byte_model(head: Array, tail: Array, order: int) -> float:
    r"""Bits per byte of a model that counts what followed the last few bytes.

    Counts come from the head alone. Orders are interpolated as Witten and Bell do:
    with $c(h)$ the number of times that context $h$ was seen, $d(h)$ the number of
    different bytes that followed it, and $h'$ the context without its first byte,

    $$ p(b \mid h) = \frac{c(hb) + d(h)\, p(b \mid h')}{c(h) + d(h)}, $$

    and below order 0 every byte has probability 1/256.

    Args:
        head: `(n,)` byte values to count in.
        tail: `(m,)` byte values to predict, those that follow the head.
        order: Number of bytes in the longest context.

    Returns:
        Mean of $-\log_2 p$ over the tail.

    References:
        Witten and Bell, *The Zero-Frequency Problem*, 1991, method C; Chen and
        Goodman, *An Empirical Study of Smoothing Techniques*, 1999, Eq. 17-19.
    """
    text = np.concatenate((head, tail))
    held_out = slice(len(head), None)
    probability = np.full(len(tail), 1 / VOCAB_SIZE)
    context = np.zeros(len(text), np.int64)
    for length in range(order + 1):
        if length:  # the byte that stands `length` places before, as a higher digit
            context[length:] += text[:-length] * VOCAB_SIZE ** (length - 1)
        known = slice(length, len(head))  # places in the head with a whole context
        grams = context * VOCAB_SIZE + text
        seen_grams, gram_counts = np.unique(grams[known], return_counts=True)
        seen, first = np.unique(seen_grams // VOCAB_SIZE, return_index=True)
        totals = np.add.reduceat(gram_counts, first)
        distinct = np.diff([*first, len(seen_grams)])
        count = _look_up(grams[held_out], seen_grams, gram_counts)
        total = _look_up(context[held_out], seen, totals)
        novel = _look_up(context[held_out], seen, distinct)
        mixed = (count + novel * probability) / np.maximum(total + novel, 1)
        probability = np.where(total > 0, mixed, probability)
    return float(-np.log2(probability).mean())


def _look_up(keys: Array, known: Array, values: Array) -> Array:
    """Values of keys among sorted known ones; 0 for the others."""
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[place] == keys, values[place], 0)
