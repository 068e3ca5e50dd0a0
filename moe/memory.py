"""Keep freed memory, so that a step does not ask the system for it again."""

import numpy as np

# glibc raises its thresholds up to 32 MiB; a little less, header included, counts.
LARGEST_KEPT = 2**25 - 2**16


def keep_freed_memory() -> None:
    """Teach the C allocator to keep what a forward or backward pass frees.

    glibc returns blocks above 128 KiB to the system when they are freed, and the
    next pass pays a page fault for every 4 KiB that it gets back. But it learns:
    freeing one large block raises the threshold to that block's size. The block
    below is never touched, so this costs microseconds and no memory. Allocators of
    other systems take no notice.
    """
    np.empty(LARGEST_KEPT, np.uint8)
