"""What the model is compared with: byte models by counting, and compressors."""

import gzip
import zlib
from collections import defaultdict

import numpy as np
import pytest
from baselines import baselines, byte_model

from moe.corpus import split

TEXT = b"a rose is a rose is a rose, said Gertrude; a nose is a nose. \x00\xff" * 3


def ids(text: bytes) -> np.ndarray:
    return np.frombuffer(text, np.uint8).astype(np.intp)


def witten_bell_loop(head: bytes, tail: bytes, order: int) -> float:
    """The same model, letter by letter, with dictionaries."""
    followers: dict[bytes, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for place, byte in enumerate(head):
        for length in range(min(order, place) + 1):
            followers[head[place - length : place]][byte] += 1

    def probability(context: bytes, byte: int) -> float:
        shorter = probability(context[1:], byte) if context else 1 / 256
        seen = followers.get(context)
        if seen is None:
            return shorter
        total, distinct = sum(seen.values()), len(seen)
        return (seen.get(byte, 0) + distinct * shorter) / (total + distinct)

    text, bits = head + tail, 0.0
    for place in range(len(head), len(text)):
        context = text[place - order : place]
        bits -= np.log2(probability(context, text[place]))
    return bits / len(tail)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("tail", [b"a rose", b"unheard: \x80\x00!", b"x"])
def test_counting_in_arrays_equals_counting_in_a_loop(order: int, tail: bytes) -> None:
    expected = witten_bell_loop(TEXT, tail, order)
    assert byte_model(ids(TEXT), ids(tail), order) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("head", [TEXT, TEXT + b"never seen \xfe\xfd\xfc"])
def test_the_probabilities_of_all_next_bytes_sum_to_one(
    order: int, head: bytes
) -> None:
    bits = [byte_model(ids(head), ids(bytes([byte])), order) for byte in range(256)]
    assert sum(2.0**-bit for bit in bits) == pytest.approx(1, rel=1e-12)


def test_compressors_are_charged_for_the_tail_alone() -> None:
    random = np.random.default_rng(0).integers(0, 256, 9000).astype(np.uint8).tobytes()
    corpus = split("x", random + random[:1000])
    bits = baselines(corpus)
    assert list(bits) == ["gzip", "bz2", "xz", "order-1", "order-2", "order-3"]
    # The tail repeats the head, which gzip and xz see: far less than 8 bits.
    assert bits["gzip"] < 2
    assert bits["xz"] < 2
    # zlib is gzip without its header and trailer, whose sizes cancel.
    head = random[:9000]
    extra = len(zlib.compress(random + random[:1000], 9)) - len(zlib.compress(head, 9))
    assert bits["gzip"] == pytest.approx(8 * extra / 1000)
    assert len(gzip.compress(head, 9)) > 9000
