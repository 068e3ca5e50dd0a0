"""Which BLAS it is, from what NumPy and threadpoolctl have been seen to say."""

import pytest

from benchmarks.blas import from_build, from_process, identify, require_threads
from benchmarks.errors import BenchmarkError

# As `numpy.show_config(mode="dicts")` printed them, shortened to what is read.
OPENBLAS = {
    "Build Dependencies": {
        "blas": {
            "name": "scipy-openblas",
            "found": True,
            "version": "0.3.31.188.0",
            "detection method": "pkgconfig",
            "openblas configuration": "OpenBLAS 0.3.31 DYNAMIC_ARCH Haswell",
        }
    }
}
ACCELERATE = {
    "Build Dependencies": {
        "blas": {
            "name": "accelerate",
            "found": True,
            "version": "unknown",
            "detection method": "system",
            "openblas configuration": "unknown",
        }
    }
}
MKL = {
    "Build Dependencies": {
        "blas": {
            "name": "mkl-sdl",
            "found": True,
            "version": "2026.2",
            "detection method": "pkgconfig",
        }
    }
}
OPENBLAS_POOL = {
    "user_api": "blas",
    "internal_api": "openblas",
    "num_threads": 1,
    "version": "0.3.31.188.0",
    "threading_layer": "pthreads",
    "architecture": "SkylakeX",
}
OPENMP_POOL = {"user_api": "openmp", "internal_api": "openmp", "num_threads": 8}


@pytest.mark.parametrize(
    ("config", "vendor", "version"),
    [
        (OPENBLAS, "OpenBLAS", "0.3.31.188.0"),
        (ACCELERATE, "Accelerate", "unknown"),
        (MKL, "MKL", "2026.2"),
        ({}, "unknown", "unknown"),
    ],
)
def test_vendor_from_the_build(config: dict, vendor: str, version: str) -> None:
    found = from_build(config)
    assert (found["vendor"], found["build_version"]) == (vendor, version)


def test_the_loaded_architecture_is_not_that_of_the_build() -> None:
    """The wheel says Haswell; the core that it chose at run time is another."""
    seen = from_process([OPENMP_POOL, OPENBLAS_POOL])
    assert seen["architecture"] == "SkylakeX"
    assert seen["threads_seen"] == 1


def test_accelerate_shows_no_pool() -> None:
    assert from_process([])["threads_seen"] is None


def test_threads_that_differ_are_an_error() -> None:
    blas = from_build(OPENBLAS) | from_process([OPENBLAS_POOL | {"num_threads": 4}])
    with pytest.raises(BenchmarkError, match="OpenBLAS has 4 threads, 1 were asked"):
        require_threads(blas, 1)


def test_accelerate_counts_as_pinned_only_if_it_was_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blas = from_build(ACCELERATE) | from_process([])
    monkeypatch.delenv("VECLIB_MAXIMUM_THREADS", raising=False)
    with pytest.raises(BenchmarkError, match="VECLIB_MAXIMUM_THREADS is None"):
        require_threads(blas, 1)
    monkeypatch.setenv("VECLIB_MAXIMUM_THREADS", "1")
    require_threads(blas, 1)
    assert not blas["threads_verified"]


def test_a_statically_linked_mkl_is_told_by_openmp(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    blas = from_build(MKL) | from_process([])
    with pytest.raises(BenchmarkError, match="OMP_NUM_THREADS is 2, not 1"):
        require_threads(blas, 1)


def test_this_process_can_say_what_it_uses() -> None:
    assert identify()["vendor"] != "unknown"
