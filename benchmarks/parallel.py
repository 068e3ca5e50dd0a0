"""Several workers doing the same work at once: one task for each, started together.

A pool that hands out tasks may give two of them to one worker; here worker n has its
own model, its own connection and its own task. A block lasts from the first start to
the last end, on one clock (`perf_counter` counts for the whole system).
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Iterable
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from benchmarks import blas
from benchmarks.errors import BenchmarkError, CheckError
from benchmarks.scenarios import Scenario
from benchmarks.workloads import Workload, build_one

START_WITHIN = 120  # seconds


def span(times: Iterable[tuple[int, int]]) -> int:
    """Nanoseconds from the first start to the last end."""
    starts, ends = zip(*times, strict=True)
    return max(ends) - min(starts)


def combined(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """What the workers measured, added up (`calls` and lists too, item by item)."""

    def add(values: list[Any]) -> Any:
        if isinstance(values[0], list):
            return [sum(column) for column in zip(*values, strict=True)]
        return sum(values)

    total = {key: add([answer[key] for answer in answers]) for key in answers[0]}
    for key in ("pause_share", "error"):  # shares and errors do not add up
        if key in total:
            total[key] = max(answer[key] for answer in answers)
    return total


def keep_to_core(number: int) -> None:
    """Keep this process on one of the available cores, counted round, if it can be.

    Workers that a barrier wakes together may all start on the core that woke them, and
    the system takes longer than a block to part them.
    """
    if hasattr(os, "sched_setaffinity"):  # Linux
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[number % len(cores)]})


def _serve(
    number: int,
    connection: Connection,
    barrier: Any,
    scenario: Scenario,
    seed: int,
    threads: int,
) -> None:
    """One child: build, report, then do what the connection says until it closes."""
    try:
        keep_to_core(number)
        blas.require_threads(blas.identify(), threads)
        workload = build_one(scenario, seed)
        connection.send(("ok", None))
    except Exception as error:
        connection.send(("error", str(error)))
        return
    while True:
        try:
            command, argument = connection.recv()
        except EOFError:
            return
        try:
            connection.send(("ok", _obey(workload, barrier, command, argument)))
        except CheckError as error:
            connection.send(("check", str(error)))


def _obey(workload: Workload, barrier: Any, command: str, argument: Any) -> Any:
    if command == "run":
        barrier.wait(START_WITHIN)
        cpu, start = time.process_time_ns(), time.perf_counter_ns()
        workload.run(argument)
        return start, time.perf_counter_ns(), time.process_time_ns() - cpu
    if command == "check":
        return workload.check()
    what, arguments = argument
    return workload.measure(what, **arguments)


class ProcessPool:
    """As many spawned processes as the scenario has workers."""

    def __init__(self, scenario: Scenario, seed: int, threads: int) -> None:
        """Start them and wait until each has built its model.

        Raises:
            BenchmarkError: If one of them fails.
        """
        # Named, because the default differs by system and by version of Python.
        context = multiprocessing.get_context("spawn")
        barrier = context.Barrier(scenario.workers)
        self._cpu_ns = 0
        self._children = []
        for number in range(scenario.workers):
            ours, theirs = context.Pipe()
            arguments = (number, theirs, barrier, scenario, seed, threads)
            child = context.Process(target=_serve, args=arguments, daemon=True)
            child.start()
            theirs.close()
            self._children.append((child, ours))
        self._answers()

    def _answers(self) -> list[Any]:
        answers = []
        for _, connection in self._children:
            try:
                status, value = connection.recv()
            except EOFError:
                raise BenchmarkError("a parallel worker died") from None
            if status != "ok":
                raise {"check": CheckError}.get(status, BenchmarkError)(value)
            answers.append(value)
        return answers

    def _ask(self, command: str, argument: Any = None) -> list[Any]:
        for _, connection in self._children:
            connection.send((command, argument))
        return self._answers()

    def run(self, loops: int) -> int:
        """Every worker runs so many calls; nanoseconds from first start to last end."""
        answers = self._ask("run", loops)
        self._cpu_ns += sum(cpu for _, _, cpu in answers)
        return span((start, end) for start, end, _ in answers)

    def check(self) -> dict[str, Any]:
        """Check what every worker computed."""
        return combined(self._ask("check"))

    def measure(self, what: str, **arguments: Any) -> dict[str, Any]:
        """A measurement of every worker, added up."""
        return combined(self._ask("measure", (what, arguments)))

    def children_cpu_ns(self) -> int:
        """CPU time of all workers since this was last asked."""
        cpu, self._cpu_ns = self._cpu_ns, 0
        return cpu

    def inject(self, slowdown: float) -> None:
        """Only single workloads can be slowed down."""
        if slowdown:
            raise BenchmarkError("a parallel scenario takes no slowdown")

    def close(self) -> None:
        """Close the connections, which ends the children, and wait for them."""
        for _, connection in self._children:
            connection.close()
        for child, _ in self._children:
            child.join(10)
            if child.is_alive():
                child.kill()


class ThreadPool:
    """As many threads: a measurement of its own where the interpreter has no GIL."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        """Build one model for each thread."""
        workers = range(scenario.workers)
        self._workloads = [build_one(scenario, seed) for _ in workers]

    def run(self, loops: int) -> int:
        """Every thread runs so many calls; nanoseconds from first start to last end."""
        barrier = threading.Barrier(len(self._workloads))
        times: list[tuple[int, int]] = []

        def work(workload: Workload) -> None:
            barrier.wait(START_WITHIN)
            start = time.perf_counter_ns()
            workload.run(loops)
            times.append((start, time.perf_counter_ns()))

        threads = [threading.Thread(target=work, args=(w,)) for w in self._workloads]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return span(times)

    def check(self) -> dict[str, Any]:
        """Check what every thread computed."""
        return combined([workload.check() for workload in self._workloads])

    def measure(self, what: str, **arguments: Any) -> NoReturn:
        """Threads share one heap; only their time is measured."""
        raise BenchmarkError(f"{what} is measured with processes, not threads")

    def children_cpu_ns(self) -> None:
        """Threads are no children."""

    def inject(self, slowdown: float) -> None:
        """Only single workloads can be slowed down."""
        if slowdown:
            raise BenchmarkError("a parallel scenario takes no slowdown")

    def close(self) -> None:
        """Nothing to end."""


def open_pool(
    scenario: Scenario, seed: int, pool: str, threads: int
) -> ProcessPool | ThreadPool:
    """The workers of a scenario, each with its own work.

    Args:
        scenario: One that has workers.
        seed: Of weights and inputs.
        pool: `processes` or `threads`.
        threads: Threads of BLAS in each process.
    """
    if pool == "threads":
        return ThreadPool(scenario, seed)
    return ProcessPool(scenario, seed, threads)
