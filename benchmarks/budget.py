"""How much is measured, and when the result is refused."""

from dataclasses import asdict, dataclass
from typing import Any

# A block must be long against the clock that times it.
SHORTEST_BLOCK = 1e-3  # seconds
TIMER_MARGIN = 1000  # blocks are at least this many times the cost of the timer

WIDEST_INTERVAL = 0.05  # half-width of the headline's interval, relative
SAME_WITHIN = 0.03  # an interval inside 1 +- this is "same"
SMALLEST_EFFECT = 0.02  # "faster" and "slower" need more than this
DRIFT = 0.05  # between the moments of two result files, relative
BUSIEST_START = 0.5  # load average over logical cores
MOST_CPU = 1.2  # CPU time over wall time of work that should have one thread
CONFIDENCE = 0.95  # of every interval
TRIMMED = 0.2  # of the pairs, at either end
THRESHOLDS = {
    "shortest_block": SHORTEST_BLOCK,
    "widest_interval": WIDEST_INTERVAL,
    "same_within": SAME_WITHIN,
    "smallest_effect": SMALLEST_EFFECT,
    "busiest_start": BUSIEST_START,
    "most_cpu": MOST_CPU,
    "confidence": CONFIDENCE,
    "trimmed": TRIMMED,
}


@dataclass(frozen=True)
class Budget:
    """How much is measured.

    Attributes:
        quick: Whether this is for orientation only.
        processes: Fresh processes per scenario.
        blocks: Timed blocks per process, at most.
        fewest_blocks: At least, where a block takes long.
        process_seconds: Length of the timing in one process, between these bounds.
        block_seconds: Length of a block.
        warmup_blocks: Untimed blocks before them.
        warmup_calls: Untimed calls at least.
        cold_starts: Interpreters started per round of `dispatch_cold`.
        attempts: How often an unstable scenario is measured at most.
        pairs: Fresh pairs of processes per look of a comparison.
        looks: Looks at most: an unresolved comparison goes on with as many pairs.
        pair_seconds: Length of the lockstep of one pair.
        pair_block_seconds: Length of its blocks.
        limit_processes: Fresh processes for the limits of a scenario.
        limit_seconds: Length of a limits measurement.
        collection_seconds: Length of the run that counts garbage collections; 0 for
            none.
    """

    quick: bool = False
    processes: int = 12
    blocks: int = 100
    fewest_blocks: int = 20
    process_seconds: float = 0.5
    block_seconds: float = 0.005
    warmup_blocks: int = 3
    warmup_calls: int = 10
    cold_starts: int = 5
    attempts: int = 3
    pairs: int = 8
    looks: int = 8
    pair_seconds: float = 2.0
    pair_block_seconds: float = 0.003
    limit_processes: int = 6
    limit_seconds: float = 1.0
    collection_seconds: float = 0.3

    def blocks_of(self, seconds: float) -> int:
        """Blocks per process where one of them takes so many seconds."""
        return min(
            self.blocks, max(self.fewest_blocks, int(self.process_seconds / seconds))
        )

    def as_dict(self) -> dict[str, Any]:
        """For the result file."""
        return asdict(self)


FULL = Budget()
QUICK = Budget(
    quick=True,
    processes=2,
    blocks=10,
    fewest_blocks=5,
    process_seconds=0.1,
    block_seconds=0.002,
    warmup_blocks=1,
    cold_starts=1,
    attempts=1,
    pairs=3,
    looks=1,
    pair_seconds=0.3,
    limit_processes=0,
    collection_seconds=0.0,
)
