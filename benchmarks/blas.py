"""Which BLAS NumPy uses, and how many threads it has."""

import os
from typing import Any

import numpy as np

from benchmarks.errors import BenchmarkError

VENDORS = {
    "openblas": "OpenBLAS",
    "accelerate": "Accelerate",
    "mkl": "MKL",
    "blis": "BLIS",
    "flexiblas": "FlexiBLAS",
    "cblas": "reference BLAS",
    "blas": "reference BLAS",
}
# Nothing can ask Accelerate for its number of threads; this variable sets it.
UNCOUNTED = {"Accelerate": "VECLIB_MAXIMUM_THREADS"}


def from_build(config: dict[str, Any]) -> dict[str, Any]:
    """Vendor and version that NumPy was built against.

    Args:
        config: What `numpy.show_config(mode="dicts")` returns.

    Returns:
        `vendor`, `build_name`, `build_version` and `build_configuration`.
    """
    blas = config.get("Build Dependencies", {}).get("blas", {})
    name = str(blas.get("name", "unknown"))
    vendor = next((v for key, v in VENDORS.items() if key in name.lower()), name)
    return {
        "vendor": vendor,
        "build_name": name,
        "build_version": str(blas.get("version", "unknown")),
        "build_configuration": str(blas.get("openblas configuration", "")) or None,
    }


def from_process(pools: list[dict[str, Any]]) -> dict[str, Any]:
    """Version, architecture and threads of the BLAS that is loaded.

    The wheel is built for many architectures; the one that runs is chosen when the
    library is loaded, so it is not what the build says.

    Args:
        pools: What `threadpoolctl.threadpool_info()` returns; empty for Accelerate
            and for a statically linked library.

    Returns:
        `version`, `architecture`, `threading_layer` and `threads_seen`, each None
        where the process cannot say.
    """
    loaded = next((pool for pool in pools if pool.get("user_api") == "blas"), {})
    return {
        "version": loaded.get("version"),
        "architecture": loaded.get("architecture"),
        "threading_layer": loaded.get("threading_layer"),
        "threads_seen": loaded.get("num_threads"),
    }


def identify() -> dict[str, Any]:
    """The BLAS of this process: what it was built with and what is loaded."""
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))  # load it
    return from_build(np.show_config(mode="dicts")) | from_process(threadpool_info())


def require_threads(blas: dict[str, Any], threads: int) -> None:
    """Raise unless the BLAS has the threads that were asked for, or was told so.

    Args:
        blas: What `identify` returned; `threads_requested` and `threads_verified` are
            written into it.
        threads: That were asked for.

    Raises:
        BenchmarkError: If it has another number, or cannot say and was not told.
    """
    seen, vendor = blas["threads_seen"], blas["vendor"]
    blas["threads_requested"] = threads
    blas["threads_verified"] = seen is not None
    if seen is None:
        variable = UNCOUNTED.get(vendor, "OMP_NUM_THREADS")
        told = os.environ.get(variable)
        if told != str(threads):
            raise BenchmarkError(
                f"{vendor} cannot be asked for its threads, and {variable} is {told}, "
                f"not {threads}"
            )
    elif seen != threads:
        raise BenchmarkError(f"{vendor} has {seen} threads, {threads} were asked for")


def simd_features() -> list[str]:
    """CPU features that NumPy found and uses."""
    return list(
        np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    )
