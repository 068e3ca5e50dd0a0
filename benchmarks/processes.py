"""Fresh worker processes, seen from the thin parent.

The parent asks, the worker answers, one line of JSON each way. The parent never
imports NumPy, so that no worker inherits memory, threads or settings from it.
"""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.errors import BenchmarkError, CheckError, MissingError

ROOT = Path(__file__).resolve().parent.parent
ANSWER_WITHIN = 400  # seconds; torch.compile takes most of a minute
THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
# Left to themselves, libraries take the kernels that suit the processor. A machine's
# settings must not decide that for some of them and not for others.
KERNEL_VARIABLES = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
)
# Without compiled modules on disk a cold start would time the compiler.
NO_COMPILED_MODULES = "PYTHONDONTWRITEBYTECODE"
# XLA takes no thread count; a pool of one core's size is the nearest thing.
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def pinned_environment(threads: int = 1) -> dict[str, str]:
    """The environment of a worker: threads of every BLAS given, kernels left alone.

    Both are read when the library is loaded, so they must stand before NumPy is
    imported; the worker verifies what came of it.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in (*KERNEL_VARIABLES, NO_COMPILED_MODULES)
    }
    environment.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    environment["PYTHONPATH"] = str(ROOT)
    environment["XLA_FLAGS"] = XLA_ONE_THREAD
    environment["TOKENIZERS_PARALLELISM"] = "false"
    environment["HF_HUB_OFFLINE"] = "1"
    return environment


class WorkerError(BenchmarkError):
    """A worker died, hung or reported an error."""


ERRORS: dict[str, type[BenchmarkError]] = {
    "check": CheckError,
    "missing": MissingError,
    "error": WorkerError,
}


class Worker:
    """A fresh interpreter that measures what it is asked to.

    Attributes:
        hello: What it said of itself: versions, BLAS, threads.
    """

    def __init__(self, *, threads: int = 1, moe_root: Path | None = None) -> None:
        """Start it.

        Args:
            threads: Threads of BLAS.
            moe_root: Folder that holds the package `moe` to measure; None for this
                checkout's.

        Raises:
            WorkerError: If it does not start or its BLAS has other threads.
        """
        command = [sys.executable, "-m", "benchmarks.worker", str(threads)]
        if moe_root is not None:
            command.append(str(moe_root))
        # A file, not a pipe: nobody reads it while the worker works.
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            cwd=ROOT,
            env=pinned_environment(threads),
            # Ctrl-C goes to the parent alone, which then closes its workers.
            start_new_session=True,
        )
        try:
            self.hello: dict[str, Any] = self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, command: str, **arguments: object) -> Any:
        """Have the worker do something and return its answer.

        Raises:
            CheckError: If what it computed was wrong.
            MissingError: If a library is missing.
            WorkerError: If anything else went wrong.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # `_answer` says how it died
            self._process.stdin.write(json.dumps([command, arguments]) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        stdout = self._process.stdout
        assert stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(ANSWER_WITHIN):
                raise WorkerError(f"a worker did not answer within {ANSWER_WITHIN} s")
        line = stdout.readline()
        if not line:
            raise WorkerError(f"a worker died: {self._last_words()}")
        status, answer = json.loads(line)
        if status != "ok":
            raise ERRORS[status](answer)
        return answer

    def _last_words(self) -> str:
        self._process.wait(timeout=10)
        self._stderr.seek(0)
        lines = [line for line in self._stderr.read().splitlines() if line.strip()]
        return lines[-1] if lines else f"exit status {self._process.returncode}"

    def close(self) -> None:
        """End the process and wait for it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
