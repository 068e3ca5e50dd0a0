"""Runs tests against changed code, each time in a fresh copy of this process.

What every test imports (pytest, SymPy, Hypothesis) is imported once, `moe` never:
each trial forks, installs the changed module and runs pytest. No file is touched, and
the tests cannot tell. It reads trials from standard input, a line of JSON each, and
answers with a line each. Needs a system that can fork: Linux or macOS.
"""

import importlib.machinery
import json
import os
import resource
import signal
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType

import hypothesis.extra.numpy  # noqa: F401  # imported once for all trials
import pytest
import sympy  # noqa: F401

LIMIT_S = 120  # of processor time: a busy machine changes no verdict

OPTIONS = [
    *("-q", "--tb=no", "--no-showlocals", "-p", "no:cacheprovider"),
    # Hypothesis is here before pytest starts.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
]

# What a check raises. All else that a test dies of is a crash of the changed code.
CHECKS = (AssertionError, pytest.fail.Exception, Warning)


class ChangedModule:
    """Finds one module under its own name and loads a changed source for it."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Spec of the changed module, None for every other."""
        if name != self.name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.origin is not None:
            spec.loader = ChangedLoader(name, spec.origin, self.source)
        return spec


class ChangedLoader(importlib.machinery.SourceFileLoader):
    """Compiles the changed source; cached bytecode is passed over."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self.source = source

    def get_code(self, fullname: str) -> CodeType:
        """Code object of the changed module."""
        return compile(self.source, self.path, "exec", dont_inherit=True)


class Recorder:
    """A pytest plugin that counts outcomes and the kinds of evidence that failed."""

    def __init__(self) -> None:
        self.passed = self.failed = self.crashed = 0
        self.kinds: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the slow tests last: with `--exitfirst` they seldom run."""
        items.sort(key=lambda item: item.get_closest_marker("symbols") is not None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what passed."""
        self.passed += report.when == "call" and report.passed

    def pytest_exception_interact(
        self, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> None:
        """Count what failed, by whether a check said so."""
        from traceability import KINDS

        error = call.excinfo.value
        if isinstance(error, BaseExceptionGroup):
            said = error.subgroup(CHECKS) is not None
        else:
            said = isinstance(error, CHECKS)
        self.failed += said
        self.crashed += not said
        if said:
            self.kinds |= KINDS.keys() & report.keywords.keys()


def run(trial: dict) -> dict:
    """Install the changed source, run the tests, say what they said."""
    sys.meta_path.insert(0, ChangedModule(trial["module"], trial["source"]))
    recorder = Recorder()
    code = pytest.main([*trial["tests"], *OPTIONS], [recorder])
    return {
        "passed": recorder.passed,
        "failed": recorder.failed,
        "crashed": recorder.crashed,
        "killed_by": sorted(recorder.kinds),
        "problem": "" if code in (0, 1) else f"pytest ended with exit code {int(code)}",
    }


def answer(line: str) -> str:
    """Run one trial in a child and return its verdict."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(silence, stream)
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S + 5))
        try:
            verdict = run(json.loads(line))
        except BaseException as error:  # a child never returns into the parent's loop
            verdict = {"problem": repr(error)}
        os.write(send, json.dumps(verdict).encode())
        os._exit(0)
    os.close(send)
    text = os.read(receive, 1 << 16).decode()
    os.close(receive)
    _, status = os.waitpid(child, 0)
    late = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
    problem = f"more than {LIMIT_S} s of processor time" if late else "no verdict"
    return text or json.dumps({"problem": problem})


if __name__ == "__main__":
    for request in sys.stdin:
        print(answer(request), flush=True)
