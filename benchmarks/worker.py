"""The worker process: builds one workload and measures it as it is asked to.

Started by `benchmarks.processes.Worker`: one line of JSON in, one out, until standard
input closes. What is imported here is part of every worker; peers and limits are
imported only when asked for.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from benchmarks.errors import BenchmarkError, CheckError, MissingError
from benchmarks.scenarios import ALL


def take_over_stdout() -> TextIO:
    """Keep standard output for answers; what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


class Session:
    """What one worker has built; its public methods are the commands."""

    def __init__(self, threads: int) -> None:
        """Import NumPy and verify the threads of its BLAS."""
        from benchmarks import blas

        self._threads = threads
        self._blas = blas.identify()
        blas.require_threads(self._blas, threads)
        self._workload: Any = None

    def hello(self) -> dict[str, Any]:
        """Versions, BLAS and clock of this process."""
        import numpy as np

        import moe
        from benchmarks.blas import simd_features

        gil = getattr(sys, "_is_gil_enabled", lambda: True)()
        return {
            "python": {
                "version": platform.python_version(),
                "implementation": platform.python_implementation(),
                "build": platform.python_build()[0],
                "compiler": platform.python_compiler(),
                "gil": gil,
            },
            "numpy": {"version": np.__version__, "simd_found": simd_features()},
            "blas": self._blas,
            "package_version": moe.__version__,
            "timer": timer(),
        }

    def build(
        self,
        scenario: str,
        seed: int,
        implementation: str = "numpy",
        slowdown: float = 0.0,
        pool: str = "processes",
    ) -> dict[str, Any]:
        """Build the workload of a scenario, with the weights of a seed.

        Args:
            scenario: Id.
            seed: Of weights and inputs.
            implementation: `numpy` or a peer.
            slowdown: Share of its time that every call spins on top: a slowdown
                that the comparison must find.
            pool: `processes` or `threads`, for the parallel scenarios.
        """
        if implementation == "numpy":
            if ALL[scenario].workers:
                from benchmarks.parallel import open_pool

                self._workload = open_pool(ALL[scenario], seed, pool, self._threads)
            else:
                from benchmarks.workloads import build_one

                self._workload = build_one(ALL[scenario], seed)
            self._workload.inject(slowdown)
            return {}
        from benchmarks.peers import build_peer

        self._workload, agreement = build_peer(implementation, ALL[scenario], seed)
        return {"agreement": agreement}

    def warm_up(self, calls: int, blocks: int, block_seconds: float) -> dict[str, Any]:
        """Run at least so many calls and blocks untimed; say how many calls fill one.

        Returns:
            `loops`, calls per block, and `seconds`, of one call at best.
        """
        self._workload.run(1)  # lazy set-up is not part of any estimate
        best, done, loops = float("inf"), 1, 1
        while done < calls:
            best = min(best, self._workload.run(1) * 1e-9)
            done += 1
            loops = max(1, round(block_seconds / max(best, 1e-9)))
        for _ in range(blocks):
            best = min(best, self._workload.run(loops) * 1e-9 / loops)
            loops = max(1, round(block_seconds / best))
        return {"loops": loops, "seconds": best}

    def time(self, loops: int, blocks: int) -> dict[str, Any]:
        """Time blocks of calls, nothing else running.

        Returns:
            `block_ns`, wall time of each block; `cpu_share`, CPU time over wall time.
        """
        self._workload.children_cpu_ns()  # that of the warm-up is not of interest
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        block_ns = [self._workload.run(loops) for _ in range(blocks)]
        wall = time.perf_counter_ns() - wall
        cpu = time.process_time_ns() - cpu
        children = self._workload.children_cpu_ns()
        share = cpu / wall if children is None else children / sum(block_ns)
        return {"block_ns": block_ns, "cpu_share": share}

    def check(self) -> dict[str, Any]:
        """Compare what was timed with a float64 reference; the clock has stopped."""
        return self._workload.check()

    def measure(self, what: str, **arguments: Any) -> dict[str, Any]:
        """`allocation`, `memory` or `collections`, of the workload or its children."""
        return self._workload.measure(what, **arguments)

    def idle_memory(self) -> dict[str, Any]:
        """Resident memory of a worker that has imported the package, no more."""
        import moe.training  # noqa: F401
        from benchmarks.resources import peak_resident_bytes

        return {"peak_resident_bytes": peak_resident_bytes()}

    def limits(self, scenario: str, seed: int, seconds: float) -> dict[str, Any]:
        """Matrix products alone, memory traffic and dispatch: see `limits`."""
        from benchmarks.limits import measure_limits

        return measure_limits(ALL[scenario], seed, seconds)

    def stability(self) -> list[dict[str, Any]]:
        """What the model does with extreme and broken numbers."""
        from benchmarks.stability import run_cases

        return run_cases()

    def close(self) -> None:
        """End the workload's own processes."""
        if self._workload is not None:
            self._workload.close()


def timer() -> dict[str, float]:
    """Resolution of the clock and what reading it twice costs, in seconds."""
    pairs = []
    for _ in range(1000):
        start = time.perf_counter_ns()
        pairs.append(time.perf_counter_ns() - start)
    resolution = time.get_clock_info("perf_counter").resolution
    return {"resolution": resolution, "cost": sorted(pairs)[500] * 1e-9}


def answer(command: Callable[..., Any], arguments: dict[str, Any]) -> tuple[str, Any]:
    """Status and answer of one command; only ends of the process are not caught."""
    try:
        return "ok", command(**arguments)
    except CheckError as error:
        return "check", str(error)
    except (MissingError, ModuleNotFoundError) as error:
        return "missing", str(error)
    except BenchmarkError as error:
        return "error", str(error)
    except Exception as error:
        return "error", f"{type(error).__name__}: {error}"


def serve(threads: int) -> None:
    """Answer until standard input closes."""
    answers = take_over_stdout()

    def reply(*message: Any) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    status, session = answer(Session, {"threads": threads})
    if status != "ok":
        reply(status, session)
        return
    reply(*answer(session.hello, {}))
    for line in sys.stdin:
        name, arguments = json.loads(line)
        reply(*answer(getattr(session, name), arguments))
    session.close()


if __name__ == "__main__":
    if len(sys.argv) > 2:  # the package of another commit, not this checkout's
        sys.path.insert(0, sys.argv[2])
    serve(int(sys.argv[1]))
