"""The benchmark: scenarios, how they are measured, and what may be said about them.

`scripts/bench.py` starts it. The parent process never imports NumPy: everything that
is timed runs in fresh worker processes (`benchmarks.worker`).
"""
