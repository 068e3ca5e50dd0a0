"""Train a byte-level language model on text and compare it with compressors.

Without options: three minutes on the language reference that ships inside Python.
The folder of the run receives checkpoint.safetensors, run.json and loss.svg.

Examples:
  python scripts/train.py
  python scripts/train.py --text novel.txt --minutes 30 --out runs/novel
  python scripts/train.py --text novel.txt --out runs/novel --resume
"""

import one_blas_thread  # noqa: F401 (before NumPy is imported)

# isort: split
import argparse
import json
import platform
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from baselines import baselines
from console import (
    INTERRUPTED,
    Parser,
    deferred_interrupt,
    number,
    run_main,
    whole_number,
)
from pictures import draw_curves
from training_run import (
    TrainingRun,
    byte_config,
    require_no_run,
    seconds_per_step,
)

import moe
from moe import NonFiniteError, TopP, TrainingConfig, generate
from moe.corpus import Corpus, python_reference, read_text

# How a run begins. One that is resumed has these in its checkpoint.
DEFAULTS = {
    "minutes": 3.0,
    "seed": 0,
    "batch": 4,
    "seq": 128,
    "hidden": 64,
    "learning_rate": 3e-3,
}
# Half a megabyte is read a dozen times: without a strong decay the model learns it by
# heart, and the held-out text gets worse again.
WEIGHT_DECAY = 0.5
PROMPT = b"The "


def arguments_parser() -> Parser:
    """The options of this script."""
    parser = Parser(__doc__)
    parser.add_argument(
        "--text", type=Path, metavar="FILE", help="text to learn, in any encoding"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("runs/default"),
        help="folder of the run (default: %(default)s)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run that is in --out"
    )
    begin = parser.add_argument_group("how a run begins (not with --resume)")
    length = begin.add_mutually_exclusive_group()
    for place, name, kind, meaning in (
        (length, "minutes", number("(0, inf)"), "length; steps are estimated from it"),
        (
            length,
            "steps",
            whole_number(1),
            "length; the same seed repeats the same run",
        ),
        (begin, "seed", whole_number(0), "of weights and batches"),
        (begin, "batch", whole_number(1), "pieces of text in a step"),
        (
            begin,
            "seq",
            whole_number(8),
            "bytes in a piece, the longest text it can write",
        ),
        (begin, "hidden", whole_number(8), "width of the model, a multiple of 8"),
        (begin, "learning-rate", number("(0, inf)"), "highest rate of the schedule"),
    ):
        default = DEFAULTS.get(name.replace("-", "_"))
        if default is not None:
            meaning += f" (default: {default:g})"
        place.add_argument(
            f"--{name}", type=kind, metavar="N", default=argparse.SUPPRESS, help=meaning
        )
    return parser


def begin(corpus: Corpus, folder: Path, given: dict[str, Any]) -> TrainingRun:
    """A new run as the options say."""
    require_no_run(folder)
    options = {**DEFAULTS, **given}
    batch, seq = options["batch"], options["seq"]
    config = byte_config(options["hidden"], seq)
    steps = options.get("steps")
    if steps is None:
        seconds = 60 * options["minutes"]
        measured = seconds_per_step(config, corpus, batch, seq, min(2, seconds / 20))
        steps = max(1, round(seconds / measured))
    training = TrainingConfig(
        learning_rate=options["learning_rate"],
        warmup_steps=min(100, steps // 10),
        total_steps=steps,
        weight_decay=WEIGHT_DECAY,
    )
    return TrainingRun.begin(
        corpus, folder, config, training, batch=batch, seq=seq, seed=options["seed"]
    )


def record(run: TrainingRun) -> dict[str, Any]:
    """What `run.json` holds: the result first, then all that it depends on."""
    config, notes, corpus = run.trainer.model.config, run.notes, run.corpus
    return {
        "held_out_bits_per_byte": notes["held_out"][-1][1],
        "baselines_bits_per_byte": baselines(corpus),
        "steps": run.trainer.step,
        "bytes_read": run.trainer.step * notes["batch"] * notes["seq"],
        "seconds": notes["seconds"],
        "seed": notes["seed"],
        "batch": notes["batch"],
        "seq": notes["seq"],
        "text": {
            **notes["text"],
            "head_bytes": len(corpus.head),
            "tail_bytes": len(corpus.tail),
        },
        "parameters": config.num_parameters,
        "active_parameters": config.num_active_parameters,
        "config": asdict(config),
        "training_config": asdict(run.trainer.config),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "literate-moe": moe.__version__,
        },
        "curves_bits_per_byte": {
            "training": notes["training"],
            "held_out": notes["held_out"],
        },
    }


def report(run: TrainingRun) -> None:
    """Write `run.json` and `loss.svg`, print the comparison and a sample."""
    result = record(run)
    (run.folder / "run.json").write_text(json.dumps(result, indent=1) + "\n")
    bits, others = result["held_out_bits_per_byte"], result["baselines_bits_per_byte"]
    rows = sorted({"this model": bits, **others}.items(), key=lambda row: row[1])
    table = "\n".join(f"  {name:<12}{value:.3f}" for name, value in rows)
    draw_curves(
        run.folder / "loss.svg",
        title=f"Learning {run.corpus.name}",
        description=f"Held-out bits per byte fall to {bits:.3f} in {result['steps']} "
        f"steps; gzip needs {others['gzip']:.3f}, xz {others['xz']:.3f}.",
        x_label="step",
        y_label="bits per byte",
        curves={"training": run.notes["training"], "held out": run.notes["held_out"]},
        levels={name: others[name] for name in ("gzip", "xz")},
    )
    print(f"bits per byte of the held-out text:\n{table}\n")
    model = run.trainer.model
    prompt = np.frombuffer(PROMPT, np.uint8)
    ids = generate(model, prompt, model.config.max_seq_len, TopP(0.9), rng=0)
    print(f"a sample:\n{bytes(ids.tolist()).decode(errors='replace')}\n")
    print(f"in {run.folder}: checkpoint.safetensors, run.json, loss.svg")


def main() -> int:
    parser = arguments_parser()
    given = vars(parser.parse_args())
    text, folder, resume = (given.pop(name) for name in ("text", "out", "resume"))
    if resume and given:
        name = next(iter(given)).replace("_", "-")
        parser.error(f"--{name}: not with --resume, the run has it from its beginning")
    with parser.bad_input():
        corpus = python_reference() if text is None else read_text(text)
        if resume:
            run = TrainingRun.resume(corpus, folder)
        else:
            run = begin(corpus, folder, given)
    try:
        with parser.bad_input(), deferred_interrupt() as interrupted:
            run.train(interrupted)
    except NonFiniteError as error:
        print(f"stopped: {error}; kept: {run.checkpoint}", file=sys.stderr)
        return 1
    if not run.finished:
        options = ["--out", str(folder), *(["--text", str(text)] if text else [])]
        command = shlex.join(["python", sys.argv[0], *options, "--resume"])
        print(
            f"saved at step {run.trainer.step}; go on with: {command}", file=sys.stderr
        )
        return INTERRUPTED
    report(run)
    return 0


if __name__ == "__main__":
    run_main(main)
