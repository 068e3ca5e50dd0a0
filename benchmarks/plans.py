"""What is compared with what: this code with a commit, or with other libraries."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.errors import UsageError
from benchmarks.lockstep import Side
from benchmarks.machine import command_output
from benchmarks.processes import ROOT
from benchmarks.scenarios import ALL, Scenario
from benchmarks.tricks import Trick

Plan = list[tuple[str, Side]]
PEERS = ("torch", "torch-compile", "jax", "hf")
# What a commit is compared by, and peers: forward and train at both sizes.
STEPS = ("dispatch_warm", "mem_train_step", "scale_forward_256", "scale_train_256")
# Where more threads of BLAS may help: from the smallest step to the largest.
THREAD_STEPS = (
    "mem_train_step",
    "text_train_64",
    "scale_train_256",
    "text_train_256",
    "hidden_train_512",
)
PEER_STEPS = (*STEPS, "decode_128")


def resolve_commit(name: str) -> str:
    """Full id of a commit.

    Raises:
        UsageError: If git does not know it.
    """
    commit = command_output("git", "rev-parse", "--verify", f"{name}^{{commit}}")
    if commit is None:
        raise UsageError(f"--against: git knows no commit {name!r}")
    return commit


def peer_names(text: str) -> list[str]:
    """The peers that `--peers` names.

    Raises:
        UsageError: If one is unknown.
    """
    names = list(PEERS) if text == "all" else text.split(",")
    for name in names:
        if name not in PEERS:
            raise UsageError(f"unknown peer {name!r}; there are {', '.join(PEERS)}")
    return names


def commit_steps(scenarios: list[Scenario] | None) -> list[str]:
    """The scenarios to compare with a commit.

    Args:
        scenarios: That were named; None for forward and train at both sizes.

    Raises:
        UsageError: If one cannot take turns.
    """
    names = list(STEPS) if scenarios is None else [s.id for s in scenarios]
    for name in names:
        if ALL[name].work == "cold":
            raise UsageError(f"{name} cannot take turns, so it has no lockstep")
    return names


def peer_steps(scenarios: list[Scenario] | None) -> list[str]:
    """The scenarios to compare with peers.

    Args:
        scenarios: That were named; None for forward, train and decoding.

    Raises:
        UsageError: If one has no peers.
    """
    names = list(PEER_STEPS) if scenarios is None else [s.id for s in scenarios]
    for name in names:
        if ALL[name].work not in ("forward", "train", "decode"):
            raise UsageError(f"{name} has no peers; they run steps of the model")
        if ALL[name].workers:
            raise UsageError(f"{name} has no peers; they run in one process")
    return names


def against_peers(names: list[str], peers: list[str]) -> Plan:
    """Every scenario against every peer: same weights and inputs."""
    sides = [Side(peer, {"implementation": peer}) for peer in peers]
    return [(name, side) for name in names for side in sides]


def with_threads(threads: int) -> Plan:
    """The thread steps, so many threads of BLAS against one."""
    side = Side(f"{threads} threads", threads=threads)
    return [(name, side) for name in THREAD_STEPS]


@contextmanager
def against_commit(names: list[str], commit: str) -> Iterator[Plan]:
    """Every scenario against the package of a commit, written out for the while."""
    with tempfile.TemporaryDirectory() as folder:
        export(commit, Path(folder))
        side = Side(commit[:12], moe_root=Path(folder))
        yield [(name, side) for name in names]


@contextmanager
def against_tricks(tricks: list[Trick]) -> Iterator[Plan]:
    """Every trick where it should show, against the package changed for the while."""
    with tempfile.TemporaryDirectory() as folder:
        plan = []
        for trick in tricks:
            root = Path(folder) / trick.name
            trick.write(root)
            side = Side(trick.variant, moe_root=root)
            plan += [(scenario, side) for scenario in trick.scenarios]
        yield plan


def export(commit: str, folder: Path) -> None:
    """Write the package of a commit into a folder.

    Raises:
        UsageError: If that commit has no package `moe`.
    """
    done = subprocess.run(
        ["git", "archive", commit, "moe"], capture_output=True, cwd=ROOT
    )
    if done.returncode:
        raise UsageError(f"--against: commit {commit[:12]} has no package moe")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
