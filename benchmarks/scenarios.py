"""What is measured: the 22 scenarios of the original study, and studies beside them.

Ids, axes and workloads are those of the original (rosetta-moe). A scenario says what
is done; how it is done is in `benchmarks.workloads`, which only workers import.
"""

from dataclasses import dataclass

from benchmarks.errors import UsageError

AXES = {
    "memory": "time and memory against batch and sequence length",
    "compiler": "single kernels",
    "type_system": "warm and cold dispatch",
    "parallel": "several processes at once",
    "scale": "hidden size 256",
    "hidden": "time against hidden size (a study beside the 22)",
    "text": "the batch of scripts/train.py (a study beside the 22)",
    "decode": "one token with a key/value cache (a study beside the 22)",
}


@dataclass(frozen=True)
class Scenario:
    """One thing to measure.

    Attributes:
        id: Stable name.
        axis: Key of `AXES`.
        work: `forward`, `train`, `decode`, `cold`, `matmul`, `softmax` or `rmsnorm`.
        hidden: Hidden size of the model, or width of the kernel.
        batch: Sequences.
        seq: Tokens per sequence.
        workers: Processes at once; 0 is in the measuring process itself.
    """

    id: str
    axis: str
    work: str
    hidden: int = 64
    batch: int = 2
    seq: int = 32
    workers: int = 0

    @property
    def tokens(self) -> int:
        """Tokens that one call reads, over all workers; 0 for a kernel."""
        if self.work == "decode":
            return 1
        if self.work in ("matmul", "softmax", "rmsnorm"):
            return 0
        return self.batch * self.seq * max(1, self.workers)

    @property
    def has_limits(self) -> bool:
        """Whether a step of the model in one process: its products can be replayed."""
        return self.work in ("forward", "train", "decode") and self.workers == 0


def _original() -> list[Scenario]:
    rows = [Scenario("mem_train_step", "memory", "train", seq=8)]
    rows += [
        Scenario(f"mem_scale_batch_{n}", "memory", "forward", batch=n)
        for n in (1, 2, 4, 8)
    ]
    rows += [
        Scenario(f"mem_scale_seq_{n}", "memory", "forward", seq=n)
        for n in (8, 16, 32, 64)
    ]
    rows += [
        Scenario("kernel_matmul", "compiler", "matmul"),
        Scenario("kernel_softmax", "compiler", "softmax", hidden=1000),
        Scenario("kernel_rmsnorm", "compiler", "rmsnorm"),
        Scenario("dispatch_warm", "type_system", "forward"),
        Scenario("dispatch_cold", "type_system", "cold", batch=1, seq=8),
    ]
    rows += [
        Scenario(f"parallel_T{n}", "parallel", "forward", workers=n) for n in (1, 2, 4)
    ]
    rows += [
        Scenario(f"parallel_train_T{n}", "parallel", "train", seq=8, workers=n)
        for n in (1, 2, 4)
    ]
    return [
        *rows,
        Scenario("scale_forward_256", "scale", "forward", hidden=256),
        Scenario("scale_train_256", "scale", "train", hidden=256, seq=8),
    ]


def _studies() -> list[Scenario]:
    rows = [Scenario("decode_128", "decode", "decode", batch=1, seq=128)]
    rows += [
        Scenario(f"text_train_{hidden}", "text", "train", hidden, batch=4, seq=128)
        for hidden in (64, 256)
    ]
    for hidden in (64, 128, 256, 512):
        rows += [
            Scenario(f"hidden_forward_{hidden}", "hidden", "forward", hidden),
            Scenario(f"hidden_train_{hidden}", "hidden", "train", hidden, seq=8),
        ]
    return rows


SCENARIOS = {scenario.id: scenario for scenario in _original()}
ALL = SCENARIOS | {scenario.id: scenario for scenario in _studies()}


def select(axis: str | None = None, only: list[str] | None = None) -> list[Scenario]:
    """The scenarios that a command line names, in the registry's order.

    Args:
        axis: Key of `AXES`; None for the 22.
        only: Ids; None for all of the axis.

    Returns:
        At least one scenario.

    Raises:
        UsageError: If a name is unknown or nothing is left.
    """
    if axis is not None and axis not in AXES:
        raise UsageError(f"--axis must be one of {', '.join(AXES)}, got {axis!r}")
    for name in only or []:
        if name not in ALL:
            raise UsageError(f"unknown scenario {name!r}; --list prints all of them")
    pool = SCENARIOS if axis is None and only is None else ALL
    chosen = [
        scenario
        for scenario in pool.values()
        if (axis is None or scenario.axis == axis)
        and (only is None or scenario.id in only)
    ]
    if not chosen:
        raise UsageError(f"none of {', '.join(only or [])} is on the axis {axis!r}")
    return chosen
