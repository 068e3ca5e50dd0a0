"""Checkpoints: every malformed or damaged file gives one error of the package's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import (
    ROUTER,
    Header,
    first_key_twice,
    hole,
    length_of,
    put_together,
    swap,
    with_entry,
    with_header,
    with_metadata,
    with_offsets,
    with_record,
    with_text,
)
from test_checkpoint import assert_same, make_trainer

import moe.checkpoint
from moe import CheckpointError, load_checkpoint, save_checkpoint
from moe.safetensors_header import LARGEST_HEADER


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, *make_trainer(2), {"corpus": "x"})
    return path


MALFORMED = {
    "empty": (lambda file: b"", "file size must be at least 8 bytes, got 0"),
    "seven bytes": (lambda file: file[:7], "file size"),
    "length past the end": (lambda file: length_of(len(file))(file), "header length"),
    "length 2^63": (length_of(2**63), "header length"),
    "length 100,000,001": (length_of(100_000_001), "header length"),
    "header of 4 MiB": (
        lambda file: length_of(LARGEST_HEADER + 1)(file) + bytes(LARGEST_HEADER),
        f"from 2 to {LARGEST_HEADER}, got {LARGEST_HEADER + 1}",
    ),
    "not UTF-8": (with_text(lambda t: t.replace(b"dtype", b"dt\xffpe")), "utf-8"),
    "an open brace": (lambda file: put_together(b"{ ", b""), "header must be JSON"),
    "a list": (lambda file: put_together(b"[]", b""), "first byte of the header"),
    "space before the brace": (with_text(lambda t: b" " + t), "first byte"),
    "text after the object": (with_text(lambda t: t + b"{}"), "header must be JSON"),
    "nested brackets": (
        lambda file: put_together(b'{"a":' + b"[" * 100_000 + b"}", b""),
        "recursion",
    ),
    "no tensors": (lambda file: put_together(b"{}", b""), "__metadata__"),
    "duplicate key": (with_text(first_key_twice), "keys in header must be unique"),
    "metadata not text": (
        with_metadata({"checkpoint": 1}),
        "__metadata__ must be an object of texts",
    ),
    "metadata a list": (with_metadata([]), "__metadata__ must be an object of texts"),
    "no metadata": (with_metadata({}), r"__metadata__.*missing \['checkpoint'\]"),
    "another tool's metadata": (
        with_metadata({"format": "pt"}),
        r"__metadata__.*missing \['checkpoint'\], unknown \['format'\]",
    ),
    "record not JSON": (
        with_metadata({"checkpoint": "{"}),
        "checkpoint must be JSON",
    ),
    "record a number": (
        with_metadata({"checkpoint": "1"}),
        "checkpoint must be a JSON object, got 'int'",
    ),
    "record with a key twice": (
        with_metadata({"checkpoint": '{"step": 1, "step": 2}'}),
        r"keys in checkpoint must be unique, got \['step'\]",
    ),
    "another format": (
        with_record(lambda record: record.update(format="literate-moe checkpoint 2")),
        "format must be literate-moe checkpoint 1, got 'literate-moe checkpoint 2'",
    ),
    "no digest": (
        with_record(lambda record: record.pop("sha256")),
        r"checkpoint.*missing \['sha256'\]",
    ),
    "another step": (with_record(lambda record: record.update(step=3)), "sha256"),
    "another rate": (
        with_record(lambda record: record["training"].update(learning_rate=0.02)),
        "sha256",
    ),
    "not a number": (
        with_record(lambda record: record["notes"].update(a=float("nan"))),
        "number in checkpoint must be finite, got 'NaN'",
    ),
    "overlap": (
        with_offsets(lambda start, end: [start - 4, end - 4]),
        "(?i)offset",
    ),
    "start after end": (with_offsets(lambda start, end: [end, start]), "(?i)offset"),
    "negative offset": (with_offsets(lambda start, end: [-16, end]), "(?i)invalid"),
    "float offset": (
        with_offsets(lambda start, end: [start, end + 0.5]),
        "(?i)invalid",
    ),
    "hole": (hole, "bytes of tensors"),
    "trailing bytes": (lambda file: file + bytes(4), "bytes of tensors"),
    "a tensor less": (with_header(lambda h: h.pop(ROUTER)), r"missing \['param"),
    "a tensor more, of no size": (
        with_header(
            lambda h: h.update(
                more={"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
            )
        ),
        r"unknown \['more'\]",
    ),
    "entry not an object": (with_header(lambda h: h.update({ROUTER: 1})), ROUTER),
    "extra field": (with_entry(more=1), rf"{ROUTER}.*unknown \['more'\]"),
    "another shape": (with_entry(shape=[4]), rf"shape of {ROUTER}"),
    "shape that overflows": (with_entry(shape=[2**40, 2**40]), "shape of"),
    "shape [0, 2^62]": (with_entry(shape=[0, 2**62]), "shape of"),
    "unknown dtype": (with_entry(dtype="F33"), rf"dtype of {ROUTER} must be F32"),
    "BF16": (with_entry(dtype="BF16"), "dtype of"),
    "two tensors exchanged": (with_header(swap), "sha256"),
}


def assert_refused(path: Path, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: not a usable checkpoint: ")
    assert "\n" not in text
    assert len(text) < len(str(path)) + 500


@pytest.mark.parametrize(
    ("malform", "message"), MALFORMED.values(), ids=MALFORMED.keys()
)
def test_a_malformed_file_is_refused(
    path: Path, malform: Callable[[bytes], bytes], message: str
) -> None:
    path.write_bytes(malform(path.read_bytes()))
    assert_refused(path, message)


def test_the_untouched_header_is_accepted_when_rewritten(path: Path) -> None:
    """The table's way of rewriting a file does not itself malform it."""
    path.write_bytes(with_header(lambda header: None)(path.read_bytes()))
    assert_same(load_checkpoint(path).trainer, make_trainer(2)[0])


RECORDS = {
    "a negative step": ({"step": -1}, "step must be an integer of at least 0, got -1"),
    "a step that is a float": ({"step": 1.0}, "step must be an integer"),
    "no step": ({"step": None}, "step must be an integer"),
    "a config that is a list": ({"config": []}, "config must be a JSON object"),
    "no rng": ({"rng": {}}, "rng.*missing"),
    "another rng": (
        {
            "rng": {
                "bit_generator": "MT19937",
                "state": {"state": 1, "inc": 1},
                "has_uint32": 0,
                "uinteger": 0,
            }
        },
        "PCG64",
    ),
    "an rng out of range": (
        {
            "rng": {
                "bit_generator": "PCG64",
                "state": {"state": -1, "inc": 1},
                "has_uint32": 0,
                "uinteger": 0,
            }
        },
        "int|range",
    ),
}


@pytest.mark.parametrize(("change", "message"), RECORDS.values(), ids=RECORDS.keys())
def test_a_sealed_but_senseless_record_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, change: Header, message: str
) -> None:
    honest = moe.checkpoint._record

    def senseless(*arguments: Any) -> Header:
        return {**honest(*arguments), **change}

    monkeypatch.setattr(moe.checkpoint, "_record", senseless)
    save_checkpoint(path, *make_trainer(2))
    assert_refused(path, message)


CONFIGS = {
    "no such size": ("config", {"vocab_size": 10**30}, "bytes of tensors"),
    "layers without end": ("config", {"num_layers": 10**12}, "bytes of tensors"),
    "a float for a size": ("config", {"vocab_size": 3.0}, "vocab_size must be an int"),
    "an unknown field": ("config", {"more": 1}, r"config.*unknown \['more'\]"),
    "a text for a rate": ("training", {"learning_rate": "1"}, "learning_rate must be"),
    "a rate out of range": ("training", {"learning_rate": 1e999}, "finite"),
    "betas that are no pair": ("training", {"betas": 0.9}, "float"),
    "three betas": ("training", {"betas": [0.1, 0.2, 0.3]}, "betas must be a pair"),
}


@pytest.mark.parametrize(
    ("section", "change", "message"), CONFIGS.values(), ids=CONFIGS.keys()
)
def test_a_senseless_configuration_is_refused(
    path: Path, section: str, change: Header, message: str
) -> None:
    malform = with_record(lambda record: record[section].update(change))
    path.write_bytes(malform(path.read_bytes()))
    assert_refused(path, message)


def test_a_number_that_is_not_finite_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, rng = make_trainer(2)
    trainer.v.flat[0] = np.nan
    with monkeypatch.context() as patch:
        patch.setattr(moe.checkpoint, "_require_finite", lambda groups: None)
        save_checkpoint(path, trainer, rng)
    assert_refused(path, r"first bad number of second_moments is embedding, nan")


def test_no_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none", "No such file")
    assert_refused(tmp_path, "directory|denied")


def test_every_truncation_is_refused(path: Path) -> None:
    file = path.read_bytes()
    for length in range(len(file)):
        path.write_bytes(file[:length])
        with pytest.raises(CheckpointError):
            load_checkpoint(path)


def test_a_flipped_bit_is_refused_or_means_nothing(path: Path) -> None:
    """One random bit of every byte: an error of ours, or exactly what was saved."""
    file, rng = path.read_bytes(), np.random.default_rng(0)
    trainer, generator = make_trainer(2)
    refused = 0
    for place in range(len(file)):
        damaged = bytearray(file)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            loaded = load_checkpoint(path)
        except CheckpointError:
            refused += 1
            continue
        assert_same(loaded.trainer, trainer)
        assert loaded.rng.bit_generator.state == generator.bit_generator.state
        assert loaded.notes == {"corpus": "x"}
    # What a reader may ignore is white space and the padding of the header.
    assert refused > len(file) - 20
