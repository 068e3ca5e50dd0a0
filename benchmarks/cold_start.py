"""A new interpreter to the first logits, split into what it does on the way.

Run as a script by `benchmarks.suite`, never imported by a worker: the first line must
be the first thing that the interpreter does. `perf_counter` counts for the whole
system, so the parent's clock gives the time before the first line.
"""

import time

STARTED = time.perf_counter_ns()

import numpy as np  # noqa: E402

NUMPY_IMPORTED = time.perf_counter_ns()

from moe import Config, Model  # noqa: E402

PACKAGE_IMPORTED = time.perf_counter_ns()


def main() -> None:
    """Build, run one forward pass, print the clock at every stage and the check."""
    import json
    import sys

    batch, seq, seed = map(int, sys.argv[1:])
    ids = np.random.default_rng(seed).integers(0, 1000, (batch, seq))
    model = Model.initialise(Config.tiny(), rng=seed)
    built = time.perf_counter_ns()
    logits, _, _ = model.forward(ids)
    finished = time.perf_counter_ns()

    exact = Model.initialise(Config.tiny(), rng=seed, dtype=np.float64)
    expected, _, _ = exact.forward(ids)
    from benchmarks.resources import peak_resident_bytes
    from benchmarks.workloads import require_close

    stamps = [STARTED, NUMPY_IMPORTED, PACKAGE_IMPORTED, built, finished]
    error = require_close("logits", logits, expected)
    peak = peak_resident_bytes()
    print(json.dumps({"stamps": stamps, "error": error, "peak_resident_bytes": peak}))


if __name__ == "__main__":
    main()
