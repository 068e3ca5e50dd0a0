"""Checkpoints: all that training needs to go on bit for bit, in one safetensors file.

The file holds the parameters and both AdamW moments as named tensors. Its metadata
holds the rest as JSON (configurations, step, state of the random generator, the
caller's notes) and a SHA-256 over that JSON and all tensors, so that silent damage is
an error too. A file is written beside the old one and renamed over it: whenever the
process dies, the old or the new file is there, whole.
"""

import hashlib
import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import safetensors
import safetensors.numpy

from moe.arrays import Array
from moe.config import Config, TrainingConfig
from moe.model import Model
from moe.parameters import Parameters
from moe.safetensors_header import (
    LARGEST_HEADER,
    Header,
    read_header,
    require_names,
    strict_json,
)
from moe.training import Trainer, first_non_finite
from moe.validation import integer, require

FORMAT = "literate-moe checkpoint 1"
DTYPES: dict[np.dtype[Any], str] = {
    np.dtype(np.float32): "F32",
    np.dtype(np.float64): "F64",
}
RECORD = ("config", "format", "notes", "rng", "sha256", "step", "training")
# What the readers of files, JSON, tensors and configurations raise on bad input.
FAULTS = (
    safetensors.SafetensorError,
    OSError,
    ValueError,
    TypeError,
    OverflowError,
    MemoryError,
    RecursionError,
)

Configuration = TypeVar("Configuration", Config, TrainingConfig)


class CheckpointError(Exception):
    """A checkpoint cannot be written or read; the message names file and fault."""


class Checkpoint(NamedTuple):
    """What `load_checkpoint` returns.

    Attributes:
        trainer: Model, moments and step, ready for the next `train_step`.
        rng: The caller's random generator, in the state in which it was saved.
        notes: The caller's own record.
    """

    trainer: Trainer
    rng: np.random.Generator
    notes: dict[str, Any]


def save_checkpoint(
    path: str | os.PathLike[str],
    trainer: Trainer,
    rng: np.random.Generator,
    notes: dict[str, Any] | None = None,
) -> None:
    """Write a checkpoint; an older one of that name stays until this one is whole.

    Args:
        path: File to write; `<path>.partial` beside it is used on the way.
        trainer: What to save.
        rng: Generator that the batches are drawn from, on PCG64 as
            `numpy.random.default_rng` makes it.
        notes: Anything of the caller's that JSON can hold.

    Raises:
        CheckpointError: If a number is not finite or the file cannot be written.
    """
    try:
        kind = type(rng.bit_generator)
        require(kind is np.random.PCG64, "rng", kind.__name__, "a generator on PCG64")
        groups = _groups(trainer)
        dtype = trainer.model.parameters.flat.dtype
        require(dtype in DTYPES, "dtype", str(dtype), f"in {[str(d) for d in DTYPES]}")
        _require_finite(groups)
        record = _record(trainer, rng, notes or {})
        record["sha256"] = _digest(record, groups)
        # One key: the library writes several in an order that changes by process.
        metadata = {"checkpoint": json.dumps(record)}
        data = safetensors.numpy.save(_tensors(groups), metadata)
        length = int.from_bytes(data[:8], "little")
        integer("header length", length, 2, LARGEST_HEADER)
        _replace(Path(path), data)
    except FAULTS as error:
        raise CheckpointError(f"{path}: not saved: {_reason(error)}") from error


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint and check all of it.

    Args:
        path: File that `save_checkpoint` wrote.

    Returns:
        Trainer, generator and notes. The next `train_step` gives the bits that it
        would have given had the process never stopped.

    Raises:
        CheckpointError: If the file cannot be read or is not exactly such a file.
    """
    try:
        return _load(Path(path))
    except FAULTS as error:
        message = f"{path}: not a usable checkpoint: {_reason(error)}"
        raise CheckpointError(message) from error


def _reason(error: Exception) -> str:
    """What went wrong, without the path that an error of the system repeats."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _load(path: Path) -> Checkpoint:
    header = read_header(path)
    require_names("__metadata__", header.metadata, ["checkpoint"])
    record = strict_json("checkpoint", header.metadata["checkpoint"])
    require(record.get("format") == FORMAT, "format", record.get("format"), FORMAT)
    require_names("checkpoint", record, RECORD)
    config = _configuration("config", record["config"], Config)
    training = _configuration("training", record["training"], TrainingConfig)

    dtype = _dtype(header, config)
    trainer = Trainer(Model(Parameters.zeros(config, dtype)), training)
    groups = _groups(trainer)
    _check_entries(header, _tensors(groups))
    with safetensors.safe_open(path, framework="numpy") as file:
        for name, tensor in _tensors(groups).items():
            tensor[...] = file.get_tensor(name)
    claimed = record.pop("sha256")
    actual = _digest(record, groups)
    require(claimed == actual, "sha256", claimed, f"{actual}, that of the contents")
    _require_finite(groups)

    integer("step", record["step"], least=0)
    trainer.step = record["step"]
    return Checkpoint(trainer, _generator(record["rng"]), record["notes"])


def _record(
    trainer: Trainer, rng: np.random.Generator, notes: dict[str, Any]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "config": asdict(trainer.model.config),
        "training": asdict(trainer.config),
        "step": trainer.step,
        "rng": rng.bit_generator.state,
        "notes": notes,
    }


def _configuration(name: str, values: Any, kind: type[Configuration]) -> Configuration:
    require_names(name, values, [field.name for field in fields(kind)])
    # JSON has no tuples: a list stands for one.
    arguments: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in values.items()
    }
    return kind(**arguments)


def _generator(state: dict[str, Any]) -> np.random.Generator:
    require_names("rng", state, ("bit_generator", "has_uint32", "state", "uinteger"))
    require_names("rng.state", state["state"], ("inc", "state"))
    rng = np.random.Generator(np.random.PCG64(0))
    rng.bit_generator.state = state
    return rng


def _groups(trainer: Trainer) -> dict[str, Parameters]:
    return {
        "parameters": trainer.model.parameters,
        "first_moments": trainer.m,
        "second_moments": trainer.v,
    }


def _tensors(groups: dict[str, Parameters]) -> dict[str, Array]:
    return {
        f"{group}.{name}": tensor
        for group, parameters in groups.items()
        for name, tensor in parameters.tensors.items()
    }


def _digest(record: dict[str, Any], groups: dict[str, Parameters]) -> str:
    """SHA-256 of all but itself."""
    digest = hashlib.sha256(json.dumps(record, allow_nan=False).encode())
    for parameters in groups.values():
        digest.update(parameters.flat.data)
    return digest.hexdigest()


def _dtype(header: Header, config: Config) -> np.dtype[Any]:
    """The type whose size explains the file, found before memory is asked for."""
    numbers = 3 * config.num_parameters
    allowed = {numbers * dtype.itemsize: dtype for dtype in DTYPES}
    size = header.data_bytes
    require(size in allowed, "bytes of tensors", size, f"in {list(allowed)}")
    return allowed[size]


def _check_entries(header: Header, tensors: dict[str, Array]) -> None:
    require_names("tensors", header.entries, tensors)
    for name, tensor in tensors.items():
        entry, shape = header.entries[name], list(tensor.shape)
        require(entry["shape"] == shape, f"shape of {name}", entry["shape"], f"{shape}")
        dtype = DTYPES[tensor.dtype]
        require(entry["dtype"] == dtype, f"dtype of {name}", entry["dtype"], dtype)


def _require_finite(groups: dict[str, Parameters]) -> None:
    for group, parameters in groups.items():
        if not np.isfinite(parameters.flat).all():
            raise ValueError(first_non_finite(parameters, f"number of {group}"))


def _replace(path: Path, data: bytes) -> None:
    """Write beside `path`, force to the disk, rename over it."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too, must outlive a power cut
        finally:
            os.close(folder)
