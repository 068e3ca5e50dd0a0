"""Import before NumPy: one thread for the matrix products.

The products of a small model are too short to share: threads wait for each other
longer than they work, most of all when another process wants the core. One thread
also leaves no choice in how a sum is split, so the same seed gives the same bits on
the same machine. A number of threads set in the environment is respected.
"""

import os

for name in (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OMP_NUM_THREADS",
):
    os.environ.setdefault(name, "1")
