"""Allocation, resident memory and garbage collection: three runs, none of them timed.

Each has its own process, because tracing slows NumPy down several times, and because
a process's high-water mark never falls.
"""

import gc
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WARM_CALLS = 10


def allocation(run: Callable[[int], object]) -> dict[str, Any]:
    """Bytes that one warm call allocates at its peak, and keeps.

    Args:
        run: Runs so many calls.

    Returns:
        `peak_traced_bytes` over what was allocated before; `retained_bytes`, what
        the call added for good; `live_array_bytes`, array data alive after it.
    """
    run(WARM_CALLS)
    gc.collect()
    tracemalloc.start(1)
    try:
        run(1)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        run(1)
        after, peak = tracemalloc.get_traced_memory()
        arrays = tracemalloc.take_snapshot().filter_traces(
            [tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)]
        )
        array_bytes = sum(trace.size for trace in arrays.traces)
    finally:
        tracemalloc.stop()
    return {
        "peak_traced_bytes": peak - before,
        "retained_bytes": after - before,
        "live_array_bytes": array_bytes,
    }


def peak_resident_bytes() -> int:
    """High-water mark of the resident memory of this process, in bytes.

    Linux: `VmHWM`, because `ru_maxrss` there survives `exec` and so shows the
    parent's. Elsewhere `ru_maxrss`, which macOS counts in bytes.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def memory(run: Callable[[int], object]) -> dict[str, Any]:
    """Peak resident memory after some calls, in bytes."""
    run(WARM_CALLS)
    return {"peak_resident_bytes": peak_resident_bytes()}


def collections(run: Callable[[int], object], seconds: float) -> dict[str, Any]:
    """Garbage collections while calls run, and what they cost.

    Args:
        run: Runs so many calls.
        seconds: How long at least.

    Returns:
        `calls`, `collections` by generation, `pause_seconds` in total and
        `pause_share` of the time.
    """
    pauses, by_generation, started = 0, [0, 0, 0], 0

    def watch(phase: str, info: dict[str, int]) -> None:
        nonlocal pauses, started
        if phase == "start":
            started = time.perf_counter_ns()
        else:
            pauses += time.perf_counter_ns() - started
            by_generation[info["generation"]] += 1

    run(WARM_CALLS)
    gc.collect()
    gc.callbacks.append(watch)
    try:
        calls, begin = 0, time.perf_counter_ns()
        while (elapsed := time.perf_counter_ns() - begin) < seconds * 1e9:
            run(1)
            calls += 1
    finally:
        gc.callbacks.remove(watch)
    return {
        "calls": calls,
        "collections": by_generation,
        "pause_seconds": pauses * 1e-9,
        "pause_share": pauses / elapsed,
    }


MEASUREMENTS: dict[str, Callable[..., dict[str, Any]]] = {
    "allocation": allocation,
    "memory": memory,
    "collections": collections,
}
