"""Judge changes of the shipped code by the tests of the entry that they break."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# A module outside moe.equations is tested where the model uses the entry.
MODEL_TESTS = ["tests/test_model.py", "tests/test_model_interface.py"]
WIRING_TESTS = {
    "moe.block": MODEL_TESTS,
    "moe.model": MODEL_TESTS,
    "moe.parameters": ["tests/test_training.py"],
    "moe.training": ["tests/test_training.py"],
    "moe.generation": ["tests/test_generation.py"],
}


def source_path(module: str) -> Path:
    """File of a module, by its dotted path."""
    return ROOT / f"{module.replace('.', '/')}.py"


def tests_of(module: str) -> list[str]:
    """The test files that must notice a fault in a module."""
    stem = module.rpartition(".")[2]
    return WIRING_TESTS.get(module, [f"tests/equations/test_{stem}.py"])


@dataclass(frozen=True)
class Change:
    """One edit of the shipped code.

    Attributes:
        entry: The entry that it breaks (or, for a rewrite, leaves whole).
        module: Dotted path of the changed module.
        old: Text that stands exactly once in the module.
        new: What replaces it.
        story: What is wrong, or why nothing is, in a sentence.
    """

    entry: str
    module: str
    old: str
    new: str
    story: str

    def apply(self, source: str) -> str:
        """The changed source.

        Raises:
            ValueError: If `old` does not stand exactly once in it.
        """
        count = source.count(self.old)
        if count != 1:
            raise ValueError(f"{self.story}: {self.old!r} stands {count} times")
        return source.replace(self.old, self.new)

    @property
    def trial(self) -> dict[str, Any]:
        """The changed source, and arguments for pytest to run the entry's tests."""
        marks = self.entry + " and wiring" * (self.module in WIRING_TESTS)
        return {
            "module": self.module,
            "source": self.apply(source_path(self.module).read_text(encoding="utf-8")),
            "tests": [*tests_of(self.module), "-m", marks],
        }


@dataclass(frozen=True)
class Verdict:
    """What the tests said.

    Attributes:
        passed: Number of tests that passed.
        failed: Number in which a check failed.
        crashed: Number that died of anything else, such as a TypeError.
        killed_by: Kinds of evidence among those that failed, sorted.
        problem: Why the run says nothing, or empty.
    """

    passed: int = 0
    failed: int = 0
    crashed: int = 0
    killed_by: tuple[str, ...] = ()
    problem: str = ""


class Nursery:
    """A process that runs trials, one at a time."""

    def __init__(self) -> None:
        path = os.pathsep.join(map(str, (ROOT / "tests", ROOT / "scripts", ROOT)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mutants.nursery"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def judge(self, trial: dict[str, Any]) -> Verdict:
        """Run the tests of one trial.

        Args:
            trial: `module`, its changed `source`, and `tests`, arguments of pytest.
        """
        self._process.stdin.write(json.dumps(trial) + "\n")
        self._process.stdin.flush()
        verdict = json.loads(self._process.stdout.readline())
        return Verdict(**{**verdict, "killed_by": tuple(verdict.get("killed_by", ()))})

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def judge_all(
    trials: Iterable[dict[str, Any]], processes: int | None = None
) -> Iterator[Verdict]:
    """Verdicts in the order of the trials, `processes` at a time (all cores)."""
    own = threading.local()
    nurseries: list[Nursery] = []

    def start() -> None:
        own.nursery = Nursery()
        nurseries.append(own.nursery)

    def judge(trial: dict[str, Any]) -> Verdict:
        return own.nursery.judge(trial)

    try:
        with ThreadPoolExecutor(processes or os.cpu_count(), initializer=start) as pool:
            yield from pool.map(judge, trials)
    finally:
        for nursery in nurseries:
            nursery.close()
