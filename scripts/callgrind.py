"""Instructions of one step of the model, counted by valgrind's tool callgrind."""

import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

# The benchmarks are not part of the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import available_cores
from benchmarks.processes import ROOT, THREAD_VARIABLES

# Scenarios of the benchmark.
STEPS = {"forward": "dispatch_warm", "train": "mem_train_step"}
FEW, MANY = 1, 3
# The processor that valgrind emulates has AVX2 and no AVX-512, whatever it runs on. So
# NumPy takes the same kernels everywhere, and OpenBLAS is told to.
KERNEL = "Haswell"
# The collector is off: when it runs depends on all that was allocated before.
PROGRAM = """
import gc, json, platform, sys
import moe, numpy
from benchmarks.blas import identify
from benchmarks.scenarios import ALL
from benchmarks.workloads import build_one
workload = build_one(ALL[sys.argv[1]], seed=0)
gc.disable()
workload.run(int(sys.argv[2]))
print(json.dumps({
    "package": moe.__path__[0],
    "python": platform.python_version(),
    "numpy": numpy.__version__,
    "kernel": identify()["architecture"],
}))
"""


class CountError(ValueError):
    """Instructions cannot be counted or compared here; one line says why."""


@dataclass(frozen=True)
class Count:
    """What counting one package gave.

    Attributes:
        instructions: Of one step, by its name in `STEPS`.
        versions: What they depend on besides the package: `python`, `numpy`, the BLAS
            `kernel`, `valgrind`.
    """

    instructions: dict[str, int]
    versions: dict[str, str]


def count(roots: Sequence[Path]) -> list[Count]:
    """Count every step of packages, as many at once as there are cores.

    Args:
        roots: Folders that hold a package `moe` each.

    Raises:
        CountError: If valgrind is missing or a program fails.
    """
    valgrind = require_valgrind()
    jobs = [(scenario, root) for root in roots for scenario in STEPS.values()]
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(available_cores()) as pool,
    ):
        found = pool.map(lambda job: count_step(*job, Path(folder)), jobs)
        # Silent where standard error is no terminal.
        bar = tqdm(found, total=len(jobs), unit="count", disable=None)
        counted = dict(zip(jobs, bar, strict=True))
    counts = []
    for root in roots:
        of_root = {step: counted[scenario, root] for step, scenario in STEPS.items()}
        instructions = {step: number for step, (number, _) in of_root.items()}
        _, versions = of_root["forward"]
        counts.append(Count(instructions, {**versions, "valgrind": valgrind}))
    return counts


def require_valgrind() -> str:
    """Version of valgrind.

    Raises:
        CountError: If it is missing, or its emulated processor is not x86_64.
    """
    here = f"{platform.system()} {platform.machine()}"
    if here != "Linux x86_64":
        raise CountError(f"instructions are counted on Linux x86_64, this is {here}")
    if shutil.which("valgrind") is None:
        raise CountError("valgrind is missing: apt-get install valgrind")
    return output("valgrind", "--version").strip().removeprefix("valgrind-")


def count_step(scenario: str, root: Path, scratch: Path) -> tuple[int, dict[str, str]]:
    """Instructions of one step, and the versions that the program named.

    Args:
        scenario: Id.
        root: Folder that holds the package `moe`.
        scratch: Existing folder for what is written on the way.

    Raises:
        CountError: If the program fails or imports another package.
    """
    # Nothing of the caller's environment, which could change a count.
    environment = {
        **dict.fromkeys(THREAD_VARIABLES, "1"),
        "OPENBLAS_CORETYPE": KERNEL,
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": f"{root}:{ROOT}",
        "PYTHONPYCACHEPREFIX": str(scratch / "compiled"),
    }
    program = [sys.executable, "-P", "-c", PROGRAM, scenario]
    # Not counted: compiles the modules, for a run that had to would count that.
    versions = json.loads(output(*program, "1", env=environment, cwd=scratch))
    package = Path(versions.pop("package"))
    if package.resolve() != (root / "moe").resolve():
        raise CountError(f"{package} was imported in place of {root / 'moe'}")
    totals = []
    for steps in (FEW, MANY):
        with tempfile.NamedTemporaryFile(dir=scratch) as file:
            callgrind = ("valgrind", "--tool=callgrind")
            callgrind += (f"--callgrind-out-file={file.name}",)
            output(*callgrind, *program, str(steps), env=environment, cwd=scratch)
            totals.append(total(Path(file.name).read_text(encoding="utf-8")))
    return per_step(*totals), versions


def output(*command: str, **options: Any) -> str:
    """Standard output of a command.

    Raises:
        CountError: If it fails: its last words.
    """
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        said = done.stderr.strip() or f"exit code {done.returncode}"
        raise CountError(f"{Path(command[0]).name}: {said.splitlines()[-1]}")
    return done.stdout


def total(profile: str) -> int:
    """All instructions of a run, out of callgrind's file.

    Raises:
        CountError: If it does not say.
    """
    found = re.search(r"^totals: (\d+)$", profile, re.MULTILINE)
    if found is None:
        raise CountError("the file that callgrind wrote has no line `totals:`")
    return int(found[1])


def per_step(few: int, many: int) -> int:
    """Instructions of one step, out of the totals of `FEW` and of `MANY` steps."""
    return round((many - few) / (MANY - FEW))
