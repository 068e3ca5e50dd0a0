"""Bits per byte of a model on held-out text."""

import math

import numpy as np

from moe.corpus import Corpus
from moe.equations.cross_entropy import cross_entropy
from moe.model import Model

# Windows per forward pass: enough for the matrix products, little memory.
WINDOWS = 16


def held_out_bits_per_byte(model: Model, corpus: Corpus, seq: int) -> float:
    """Mean surprise over the whole tail, every byte predicted exactly once.

    Windows of `seq` bytes advance by half their length, and only the second half of
    each is counted. So every byte is predicted from at least half a window of what
    stands before it, the first ones from the end of the head.

    Args:
        model: The model.
        corpus: The text.
        seq: Bytes in a window; the length that the model was trained on.

    Returns:
        Bits per byte of the tail.
    """
    text = np.concatenate((corpus.head, corpus.tail))
    stride = max(1, seq // 2)
    starts = np.arange(len(corpus.head), len(text), stride)  # first byte counted
    stops = np.minimum(starts + stride, len(text))
    places = stops[:, None] + np.arange(-seq, 0)  # (windows, seq) bytes predicted
    counted = places >= starts[:, None]
    nats = 0.0
    for first in range(0, len(starts), WINDOWS):
        windows = slice(first, first + WINDOWS)
        logits, _, _ = model.forward(text[places[windows] - 1])
        chosen = counted[windows]
        targets = text[places[windows][chosen]]
        mean, _ = cross_entropy(logits[chosen].astype(np.float64), targets)
        nats += float(mean) * len(targets)
    return nats / math.log(2) / len(corpus.tail)
