"""Overfit one batch: the convergence run of the original study, beside PyTorch.

The tiny profile learns two sequences of eight consecutive ids for 1000 steps; the same
seed gives the same bits. Where PyTorch is installed, it trains from the same weights
on the same batch, in float32 and float64, and both losses are compared.

Writes convergence.json and convergence_torch.json in benchmarks/results, and from them
convergence.svg, convergence.gif and convergence-agreement.svg in docs/assets.

Examples:
  python scripts/convergence.py
  python scripts/convergence.py --draw     only the pictures, from the records
"""

import one_blas_thread  # noqa: F401 (before NumPy is imported)

# isort: split
import json
import math
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

# For `benchmarks`, which has PyTorch's model.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import convergence_run
import numpy as np
from agreement import agreement
from console import Parser, run_main
from convergence_pictures import animate, draw_agreement, draw_run

import moe

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks/results"
ASSETS = ROOT / "docs/assets"
LARGEST_FINAL_CROSS_ENTROPY = 0.005
# Cited, not measured here.
ORIGINAL_STUDY = {
    "source": "rosetta-moe, losses after its 1000 steps, Apple M1",
    "final_loss": {"Julia": 0.0208, "Go": 0.0247, "Python": 0.0233, "Rust": 0.0001},
    "note": "Python's includes the balance loss, which alone is 0.02 for two layers "
    "at uniform routing.",
}

Record = dict[str, Any]


def run_record() -> Record:
    """Train in NumPy, float32; the content of convergence.json."""
    states = convergence_run.converge()
    return {
        "command": "python scripts/convergence.py",
        "initial": states[0],
        "final": states[-1],
        "log_vocab_size": math.log(convergence_run.CONFIG.vocab_size),
        "original_study": ORIGINAL_STUDY,
        "batch": convergence_run.BATCH,
        "seq": convergence_run.SEQ,
        "seed": convergence_run.SEED,
        "config": asdict(convergence_run.CONFIG),
        "training_config": asdict(convergence_run.TRAINING),
        "versions": versions(),
        "states": states,
    }


def torch_record(run: Record) -> Record:
    """Train in PyTorch; the content of convergence_torch.json.

    Args:
        run: The run in NumPy, float32.

    Returns:
        For both dtypes the losses of both sides at every point, and their agreement.

    Raises:
        ModuleNotFoundError: If PyTorch is missing.
    """
    import convergence_torch

    compared = {}
    for dtype in ("float32", "float64"):
        ours = run["states"] if dtype == "float32" else convergence_run.converge(dtype)
        points = paired(ours, convergence_torch.converge(dtype))
        compared[dtype] = {**agreement(points), "points": points}
    return {
        "command": run["command"],
        "versions": {**run["versions"], "torch": convergence_torch.torch.__version__},
        **compared,
    }


def paired(ours: list[Record], theirs: list[Record]) -> list[Record]:
    """Losses of both sides, step by step."""
    losses = ("cross_entropy", "balance_loss")
    return [
        {
            "step": a["step"],
            "ours": {name: a[name] for name in losses},
            "pytorch": {name: b[name] for name in losses},
        }
        for a, b in zip(ours, theirs, strict=True)
    ]


def versions() -> dict[str, str]:
    """What the run depends on."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "literate-moe": moe.__version__,
    }


def fits(torch: Record, run: Record) -> bool:
    """Whether PyTorch was compared with this very run."""
    ours = [point["ours"]["cross_entropy"] for point in torch["float32"]["points"]]
    return ours == [state["cross_entropy"] for state in run["states"]]


def draw(run: Record, torch: Record | None) -> None:
    """All pictures of the records; without PyTorch, those of our own run."""
    ASSETS.mkdir(parents=True, exist_ok=True)
    draw_run(ASSETS / "convergence.svg", run, torch)
    animate(ASSETS / "convergence.gif", run, torch)
    if torch is not None:
        draw_agreement(ASSETS / "convergence-agreement.svg", torch)


def compute(parser: Parser) -> None:
    """Run both sides and write their records; say so where PyTorch is missing."""
    run = run_record()
    write("convergence", run)
    try:
        write("convergence_torch", torch_record(run))
    except ModuleNotFoundError as missing:
        print(
            f"{parser.prog}: {missing.name} is missing, so PyTorch was not run beside "
            "ours: pip install 'literate-moe[bench,peers]'",
            file=sys.stderr,
        )


def write(name: str, record: Record) -> None:
    """Write a record."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")


def records() -> tuple[Record, Record | None]:
    """The run, and PyTorch's beside it where one is there that fits."""
    run = json.loads((RESULTS / "convergence.json").read_text())
    path = RESULTS / "convergence_torch.json"
    torch = json.loads(path.read_text()) if path.exists() else None
    return run, torch if torch is not None and fits(torch, run) else None


def main() -> int:
    """Run the command line; return the exit code."""
    parser = Parser(__doc__)
    parser.add_argument(
        "--draw", action="store_true", help="do not train: draw what is on record"
    )
    options = parser.parse_args()
    with parser.bad_input():
        if not options.draw:
            compute(parser)
        run, torch = records()
        draw(run, torch)
    return report(parser, run, torch)


def report(parser: Parser, run: Record, torch: Record | None) -> int:
    """Print what came out; the exit code says whether the batch was learned."""
    for name, at in (("before", run["initial"]), ("after", run["final"])):
        print(
            f"{name:<8} cross-entropy {at['cross_entropy']:<12.4g} "
            f"balance loss {at['balance_loss']:.4g}"
        )
    if torch is not None:
        for dtype in ("float32", "float64"):
            rows = (f"{r['digits']} to {r['steps']}" for r in torch[dtype]["digits"])
            print(f"{dtype}: digits as PyTorch, to step: {', '.join(rows)}")
    limit = LARGEST_FINAL_CROSS_ENTROPY
    if run["final"]["cross_entropy"] >= limit:
        print(
            f"{parser.prog}: cross-entropy did not fall below {limit}", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    run_main(main)
