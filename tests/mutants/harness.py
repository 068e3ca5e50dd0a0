"""Run the tests of one entry against a changed copy of the code they test.

The change is made while Python imports the module, in a process of its own: no file
is touched, and the tests cannot tell.
"""

import importlib.machinery
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300

# A module outside moe.equations is tested where the model uses the entry.
WIRING_TESTS = {
    "moe.block": "tests/test_model.py",
    "moe.model": "tests/test_model.py",
    "moe.parameters": "tests/test_training.py",
    "moe.training": "tests/test_training.py",
    "moe.generation": "tests/test_generation.py",
}


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

    @property
    def path(self) -> Path:
        """File of the module."""
        return ROOT / f"{self.module.replace('.', '/')}.py"

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
    def tests(self) -> list[str]:
        """Arguments that make pytest run the tests of the entry."""
        if self.module in WIRING_TESTS:
            return [WIRING_TESTS[self.module], "-m", f"{self.entry} and wiring"]
        stem = self.module.rpartition(".")[2]
        return [f"tests/equations/test_{stem}.py", "-m", self.entry]


@dataclass(frozen=True)
class Verdict:
    """What the tests said.

    Attributes:
        passed: Number of tests that passed.
        failed: Number that failed.
        killed_by: Kinds of evidence among those that failed, sorted.
        problem: Why the run says nothing, or empty.
    """

    passed: int
    failed: int
    killed_by: tuple[str, ...]
    problem: str = ""


def judge(change: Change) -> Verdict:
    """Run the tests of the change's entry against the changed code."""
    change.apply(change.path.read_text(encoding="utf-8"))
    fields = json.dumps(vars(change))
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}",
        "OPENBLAS_NUM_THREADS": "1",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mutants.harness", fields],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return Verdict(0, 1, ("timeout",))
    last = (done.stdout.splitlines() or [""])[-1]
    if not last.startswith("{"):
        return Verdict(0, 0, (), f"no verdict: {done.stderr[-500:]}")
    verdict = json.loads(last)
    return Verdict(**{**verdict, "killed_by": tuple(verdict["killed_by"])})


class ChangedLoader(importlib.machinery.SourceFileLoader):
    """Compiles the changed source; cached bytecode is passed over."""

    def __init__(self, name: str, path: str, change: Change) -> None:
        super().__init__(name, path)
        self.change = change

    def get_code(self, fullname: str) -> CodeType:
        """Code object of the changed module."""
        source = self.change.apply(Path(self.path).read_text(encoding="utf-8"))
        return compile(source, self.path, "exec", dont_inherit=True)


class ChangedFinder:
    """Finds the changed module under its own name."""

    def __init__(self, change: Change) -> None:
        self.change = change

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Spec of the changed module, None for every other."""
        if name != self.change.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.origin is not None:
            spec.loader = ChangedLoader(name, spec.origin, self.change)
        return spec


class Recorder:
    """A pytest plugin that counts outcomes and the kinds of evidence that failed."""

    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.kinds: set[str] = set()

    def pytest_runtest_logreport(self, report) -> None:  # type: ignore[no-untyped-def]
        """Count one report."""
        from traceability import KINDS

        self.passed += report.when == "call" and report.passed
        if report.failed:
            self.failed += 1
            self.kinds |= KINDS.keys() & report.keywords.keys()


def child(fields: str) -> None:
    """Install the change, run the tests, print the verdict as one line of JSON."""
    change = Change(**json.loads(fields))
    sys.meta_path.insert(0, ChangedFinder(change))
    import pytest

    recorder = Recorder()
    options = ["-q", "--tb=no", "-p", "no:cacheprovider", "--no-showlocals"]
    code = pytest.main([*change.tests, *options], [recorder])
    problem = "" if code in (0, 1) else f"pytest ended with exit code {int(code)}"
    verdict = Verdict(
        recorder.passed, recorder.failed, tuple(sorted(recorder.kinds)), problem
    )
    print(f"\n{json.dumps(vars(verdict))}")


if __name__ == "__main__":
    child(sys.argv[1])
