"""The machine and the moment of a measurement; no host name, no user name."""

import hashlib
import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT, THREAD_VARIABLES, pinned_environment

# What is timed: a change here, not in docs or results, makes a measurement unknown.
MEASURED_CODE = ("moe", ":(glob)benchmarks/*.py", "benchmarks/peers")
RECORDED_PREFIXES = ("NPY_", "MALLOC_", "OPENBLAS_", "MKL_", "OMP_", "KMP_")
PYTHON_VARIABLES = ("PYTHONHASHSEED", "PYTHONMALLOC", "PYTHONOPTIMIZE", "PYTHON_GIL")


def command_output(*command: str) -> str | None:
    """Standard output of a command, stripped; None where it fails or is missing."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, timeout=30
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def git_state() -> dict[str, Any] | None:
    """Commit and whether the measured code differs from it; None outside git."""
    commit = command_output("git", "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = command_output("git", "status", "--porcelain", "--", *MEASURED_CODE)
    diff = command_output("git", "diff", "HEAD", "--", *MEASURED_CODE)
    return {
        "commit": commit,
        "describe": command_output("git", "describe", "--always", "--tags"),
        "dirty": bool(changed),
        "changes": hashlib.sha256(f"{changed}{diff}".encode()).hexdigest()[:12],
    }


def cpu_model() -> str:
    """Name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    brand = command_output("sysctl", "-n", "machdep.cpu.brand_string")
    return brand or platform.processor() or platform.machine()


def caches() -> dict[str, str]:
    """Size of every cache of the first core, as Linux prints it."""
    sizes = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind = (folder / "level").read_text(), (folder / "type").read_text()
        size = (folder / "size").read_text()
        sizes[f"L{level.strip()} {kind.strip()}"] = size.strip()
    return sizes


def frequency_governor() -> str | None:
    """How the kernel chooses the clock; None where it does not say."""
    path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return path.read_text().strip() if path.exists() else None


def in_virtual_machine() -> bool | None:
    """Whether the processor says that a hypervisor is above it; None if unknown."""
    info = Path("/proc/cpuinfo")
    return " hypervisor" in info.read_text() if info.exists() else None


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def stolen_ticks() -> int | None:
    """CPU ticks that the hypervisor gave to others since boot; None if unknown."""
    stat = Path("/proc/stat")
    return int(stat.read_text().split("\n", 1)[0].split()[8]) if stat.exists() else None


def canary(seconds: float = 0.2) -> dict[str, float]:
    """Best and median time of a short pure-Python loop: how even this machine is."""
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(10_000):
            pass
        times.append(time.perf_counter() - start)
    return {"best": min(times), "median": sorted(times)[len(times) // 2]}


def power() -> dict[str, Any]:
    """Whether on mains; None where there is no battery."""
    import psutil

    battery = getattr(psutil, "sensors_battery", lambda: None)()
    return {"mains": None if battery is None else bool(battery.power_plugged)}


def describe_machine() -> dict[str, Any]:
    """What does not change while a measurement runs."""
    import psutil

    libc = " ".join(platform.libc_ver()) or None
    recorded = {
        name: value
        for name, value in sorted(pinned_environment().items())
        if name.startswith(RECORDED_PREFIXES)
        or name in (*PYTHON_VARIABLES, *THREAD_VARIABLES)
    }
    return {
        "cpu": {
            "model": cpu_model(),
            "architecture": platform.machine(),
            "physical": psutil.cpu_count(logical=False),
            "logical": os.cpu_count(),
            "available": available_cores(),
            "caches": caches(),
            "governor": frequency_governor(),
            "virtual": in_virtual_machine(),
        },
        "os": {"name": platform.system(), "release": platform.release(), "libc": libc},
        "memory_bytes": psutil.virtual_memory().total,
        "environment": recorded,
    }


def describe_moment() -> dict[str, Any]:
    """What may change while a measurement runs: taken before and after."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": os.getloadavg()[0],
        "stolen_ticks": stolen_ticks(),
        "canary": canary(),
        "power": power(),
    }
