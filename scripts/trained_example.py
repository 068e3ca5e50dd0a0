"""Look into a model that scripts/train.py has trained, for the widgets of the site.

Writes benchmarks/results/trained_example.json: the scores of the next byte after some
prompts, and of a text that was held out all scores of the attention and the router.

Examples:
  python scripts/train.py --minutes 2
  python scripts/trained_example.py
  python scripts/trained_example.py --run runs/novel
"""

import one_blas_thread  # noqa: F401 (before NumPy is imported)

# isort: split
import json
import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from console import Parser, run_main

from moe import Model, load_checkpoint
from moe.arrays import Array
from moe.block import rotation_tables
from moe.equations.attention import causal_mask
from moe.equations.embedding import embedding
from moe.equations.experts import experts
from moe.equations.linear import linear
from moe.equations.rmsnorm import rmsnorm
from moe.equations.rope import rope
from moe.equations.router import router
from moe.equations.softmax import softmax
from moe.validation import require

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks/results/trained_example.json"
# The model is nearly sure, hesitates between a few bytes, has no idea.
PROMPTS = ("The whi", "The in", "If the ")
# From the held-out tail of the language reference: a word comes twice.
TEXT = "if *d* has a key *key*, "
DIGITS = 6


def byte_ids(text: str) -> Array:
    """`(1, T)` ids of a text."""
    return np.frombuffer(text.encode(), np.uint8).astype(np.intp)[None]


def look_inside(model: Model, ids: Array) -> tuple[Array, Array, Array]:
    """The forward pass once more, with all that the model itself does not return.

    Args:
        model: The model.
        ids: `(1, T)` token ids.

    Returns:
        scores: `(L, H, T, T)` scaled scores of the attention, before the mask.
        router_logits: `(L, T, E)`.
        logits: `(T, V)`, those of `Model.forward` but for rounding.
    """
    config, p = model.config, model.parameters
    tokens = ids.shape[1]
    cos, sin = (table[:tokens] for table in rotation_tables(config, p.flat.dtype))
    ends = np.cumsum((config.num_heads, config.num_kv_heads))
    scores, router_logits = [], []
    x, _ = embedding(ids.ravel(), p.embedding)
    for tensors in p.blocks:
        normed, _ = rmsnorm(x, tensors.attention_norm, config.norm_eps)
        qkv = linear(normed, tensors.qkv)[0].reshape(tokens, -1, config.head_dim)
        q, k, v = np.split(qkv, ends, axis=1)
        q, k = (rope(part[None], cos, sin)[0][0] for part in (q, k))
        readers = config.num_heads // config.num_kv_heads
        k, v = (part.repeat(readers, axis=1) for part in (k, v))
        scores.append(np.einsum("thd,shd->hts", q, k) / math.sqrt(config.head_dim))
        weights, _ = softmax(scores[-1] + causal_mask(tokens, tokens, x.dtype))
        mixed = np.einsum("hts,shd->thd", weights, v).reshape(tokens, -1)
        x = x + linear(mixed, tensors.output)[0]
        normed, _ = rmsnorm(x, tensors.experts_norm, config.norm_eps)
        router_logits.append(linear(normed, tensors.router)[0])
        w, chosen, _, _ = router(router_logits[-1], config.top_k)
        x = x + experts(normed, w, chosen, tensors.gate_up, tensors.down)[0]
    x, _ = rmsnorm(x, p.final_norm, config.norm_eps)
    return np.array(scores), np.array(router_logits), linear(x, p.lm_head)[0]


def rounded(x: Any) -> Any:
    """Numbers in nested lists, to the digits that the record keeps."""
    if isinstance(x, list):
        return [rounded(part) for part in x]
    return float(f"{x:.{DIGITS}g}")


def example(model: Model, run: dict[str, Any]) -> dict[str, Any]:
    """What is written.

    Args:
        model: The trained model.
        run: Its `run.json`.

    Returns:
        The record; of the attention only scores that the mask leaves, row by row.
    """
    scores, router_logits, logits = look_inside(model, byte_ids(TEXT))
    expected = model.forward(byte_ids(TEXT))[0][0]
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-3)
    rows = [
        [[row[: t + 1].tolist() for t, row in enumerate(head)] for head in layer]
        for layer in scores
    ]
    return {
        "command": f"python scripts/train.py --steps {run['steps']} "
        f"--seed {run['seed']}",
        "commit": subprocess.check_output(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, text=True
        ).strip(),
        "seed": run["seed"],
        "steps": run["steps"],
        "seconds": run["seconds"],
        "held_out_bits_per_byte": run["held_out_bits_per_byte"],
        "text_learnt": run["text"],
        "versions": run["versions"],
        "next_byte": [
            {
                "prompt": prompt,
                "logits": rounded(model.forward(byte_ids(prompt))[0][0, -1].tolist()),
            }
            for prompt in PROMPTS
        ],
        "text": TEXT,
        "top_k": model.config.top_k,
        "attention_scores": rounded(rows),
        "router_logits": rounded(router_logits.tolist()),
    }


def main() -> int:
    parser = Parser(__doc__)
    parser.add_argument(
        "--run",
        type=Path,
        metavar="DIR",
        default=Path("runs/default"),
        help="folder of the run (default: %(default)s)",
    )
    options = parser.parse_args()
    with parser.bad_input():
        model = load_checkpoint(options.run / "checkpoint.safetensors").trainer.model
        size = model.config.vocab_size
        require(size == 256, f"vocab_size of {options.run}", size, "256: bytes")
        run = json.loads((options.run / "run.json").read_text(encoding="utf-8"))
        RESULT.write_text(json.dumps(example(model, run)) + "\n", encoding="utf-8")
    print(f"written to {RESULT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    run_main(main)
