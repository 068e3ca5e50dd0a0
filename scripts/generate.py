"""Continue a prompt with a model that scripts/train.py has trained.

Examples:
  python scripts/generate.py --prompt "The for statement"
  python scripts/generate.py --prompt "import " --greedy --max-len 100
  python scripts/generate.py --checkpoint runs/novel/checkpoint.safetensors --top-p 0.8
"""

import one_blas_thread  # noqa: F401 (before NumPy is imported)

# isort: split
import argparse
import os
from pathlib import Path

import numpy as np
from console import Parser, number, run_main, whole_number

from moe import Greedy, Temperature, TopK, TopP, generate, load_checkpoint
from moe.corpus import VOCAB_SIZE
from moe.generation import SamplingStrategy
from moe.model import Model
from moe.validation import require


def arguments_parser() -> Parser:
    """The options of this script."""
    parser = Parser(__doc__)
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        default=Path("runs/default/checkpoint.safetensors"),
        help="trained model (default: %(default)s)",
    )
    parser.add_argument(
        "--prompt", default="The ", metavar="TEXT", help="default: %(default)r"
    )
    parser.add_argument(
        "--max-len",
        type=whole_number(2),
        metavar="N",
        help="bytes of the result, prompt included (default: as many as the model "
        "was trained on)",
    )
    parser.add_argument(
        "--temperature",
        type=number("[0, inf)"),
        metavar="T",
        help="0 is greedy (default: 1)",
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--greedy", action="store_true", help="always the most likely byte"
    )
    choice.add_argument(
        "--top-k", type=whole_number(1), metavar="K", help="draw from the K most likely"
    )
    choice.add_argument(
        "--top-p",
        type=number("(0, 1]"),
        metavar="P",
        help="draw from the smallest set of likely bytes with mass P",
    )
    parser.add_argument(
        "--seed", type=whole_number(0), metavar="N", default=0, help="(default: 0)"
    )
    return parser


def strategy(options: argparse.Namespace) -> SamplingStrategy:
    """How the options want each byte to be picked."""
    if options.greedy:
        wanted = options.temperature is None
        require(wanted, "--temperature", options.temperature, "absent with --greedy")
        return Greedy()
    temperature = 1.0 if options.temperature is None else options.temperature
    if options.top_k is not None:
        return TopK(options.top_k, temperature)
    if options.top_p is not None:
        return TopP(options.top_p, temperature)
    return Temperature(temperature)


def byte_model(path: Path) -> Model:
    """The model of a checkpoint, provided that its tokens are bytes."""
    model = load_checkpoint(path).trainer.model
    size = model.config.vocab_size
    require(size == VOCAB_SIZE, f"vocab_size of {path}", size, f"{VOCAB_SIZE}: bytes")
    return model


def main() -> int:
    parser = arguments_parser()
    options = parser.parse_args()
    with parser.bad_input():
        # surrogateescape gives back the bytes of a prompt that is no valid text.
        require(options.prompt != "", "--prompt", "", "at least one letter")
        prompt = np.frombuffer(os.fsencode(options.prompt), np.uint8)
        picks = strategy(options)
        model = byte_model(options.checkpoint)
        length = options.max_len or model.config.max_seq_len
        ids = generate(model, prompt, length, picks, rng=options.seed)
    print(bytes(ids.tolist()).decode(errors="replace"))
    return 0


if __name__ == "__main__":
    run_main(main)
