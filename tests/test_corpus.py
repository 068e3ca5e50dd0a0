"""Text as bytes: where it comes from, how it is split, what a batch is."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

from moe.corpus import python_reference, read_text, sample_batch, split


def test_head_and_tail_are_the_text_in_order() -> None:
    text = bytes(range(256)) + "Grüße\r\n\0".encode()
    corpus = split("x", text)
    whole = np.concatenate((corpus.head, corpus.tail))
    assert bytes(whole.tolist()) == text
    assert len(corpus.tail) == len(text) // 10
    assert corpus.sha256 == hashlib.sha256(text).hexdigest()
    assert np.issubdtype(corpus.head.dtype, np.integer)


def test_the_shortest_text_has_one_byte_held_out() -> None:
    corpus = split("x", b"0123456789")
    assert (len(corpus.head), corpus.tail.tolist()) == (9, [ord("9")])


@pytest.mark.parametrize("text", [b"", b"012345678"])
def test_a_shorter_text_is_refused(text: bytes) -> None:
    message = f"text x must be at least 10 bytes long, got '{len(text)} bytes'"
    with pytest.raises(ValueError, match=message):
        split("x", text)


def test_a_file_is_read_byte_by_byte(tmp_path: Path) -> None:
    path = tmp_path / "text.bin"
    path.write_bytes(b"\xff\xfe\r\n\n\r" * 5)
    corpus = read_text(path)
    assert corpus.name == "text.bin"
    assert corpus.head[:6].tolist() == [255, 254, 13, 10, 10, 13]
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "none")


def test_the_default_text_is_pythons_language_reference() -> None:
    corpus = python_reference()
    assert 300_000 < len(corpus.head) + len(corpus.tail) < 1_000_000
    assert bytes(corpus.head.tolist()).count(b"statement") > 100
    assert python_reference().sha256 == corpus.sha256


def test_a_python_without_its_documentation_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(ValueError, match=r"no pydoc_data\.topics; name a text file"):
        python_reference()


def test_targets_are_the_ids_that_follow_the_inputs() -> None:
    ids = np.arange(50) ** 2
    inputs, targets = sample_batch(ids, np.random.default_rng(0), batch=7, seq=5)
    assert inputs.shape == targets.shape == (7, 5)
    roots = np.sqrt(inputs).astype(int)
    np.testing.assert_array_equal(np.diff(roots, axis=1), 1)
    np.testing.assert_array_equal(targets, (roots + 1) ** 2)


def test_every_piece_of_the_text_can_be_drawn() -> None:
    ids, seq = np.arange(12), 4
    inputs, _ = sample_batch(ids, np.random.default_rng(0), batch=500, seq=seq)
    assert set(inputs[:, 0].tolist()) == set(range(len(ids) - seq))


def test_the_same_generator_draws_the_same_batch() -> None:
    a, b = (sample_batch(np.arange(99), np.random.default_rng(3), 4, 8) for _ in "ab")
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("seq", [0, 9, 10])
def test_a_piece_longer_than_the_text_is_refused(seq: int) -> None:
    with pytest.raises(ValueError, match=f"seq must be .* from 1 to 8, got {seq}"):
        sample_batch(np.arange(9), np.random.default_rng(0), batch=1, seq=seq)
