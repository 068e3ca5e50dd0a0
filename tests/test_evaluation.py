"""Bits per byte of the held-out text: every byte once, with enough before it."""

import numpy as np
import pytest
from evaluation import held_out_bits_per_byte

from moe import Config, Model
from moe.corpus import VOCAB_SIZE, Corpus, split

CONFIG = Config(VOCAB_SIZE, 8, 1, 2, 1, 4, 2, 1, 8, 64)


def make_model() -> Model:
    model = Model.initialise(CONFIG, rng=0, dtype=np.float64)
    model.parameters.flat *= 20  # far from uniform, so that context matters
    return model


def make_corpus(tail: int) -> Corpus:
    text = np.random.default_rng(1).integers(0, VOCAB_SIZE, 10 * tail).astype(np.uint8)
    return split("x", text.tobytes())


def one_by_one(model: Model, corpus: Corpus, seq: int) -> float:
    """Byte by byte, with the same context, and the logarithm of a softmax."""
    text = np.concatenate((corpus.head, corpus.tail)).tolist()
    begin, end, stride, bits = len(corpus.head), len(text), max(1, seq // 2), 0.0
    for place in range(begin, end):
        stop = min(begin + (place - begin) // stride * stride + stride, end)
        context = np.array([text[stop - seq - 1 : place]])
        logits = model.forward(context)[0][0, -1]
        p = np.exp(logits - logits.max())
        bits -= np.log2(p[text[place]] / p.sum())
    return bits / (end - begin)


@pytest.mark.parametrize("seq", [2, 5, 8])
@pytest.mark.parametrize("tail", [1, 4, 23, 80])
def test_windows_equal_one_byte_at_a_time(tail: int, seq: int) -> None:
    model, corpus = make_model(), make_corpus(tail)
    expected = one_by_one(model, corpus, seq)
    actual = held_out_bits_per_byte(model, corpus, seq)
    assert actual == pytest.approx(expected, rel=1e-12)


def test_a_uniform_model_needs_eight_bits() -> None:
    model = make_model()
    model.parameters.lm_head[...] = 0
    assert held_out_bits_per_byte(model, make_corpus(50), 8) == pytest.approx(8)
