"""Run one forward pass of the full profile, 6.9 billion parameters, in little memory.

One layer is in memory at a time: its weights are drawn from a seed into one buffer,
which the next layer uses again. Prints and writes the time, the peak memory and the
number of parameters. Takes minutes.

Example:
  python scripts/full_profile.py
"""

import json
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from console import Parser, run_main
from tqdm import tqdm

from moe import Config, Parameters
from moe.arrays import Array
from moe.block import block, geometry
from moe.equations.embedding import embedding
from moe.equations.linear import linear
from moe.equations.rmsnorm import rmsnorm
from moe.parameters import initialise_tensor

# The benchmarks are not part of the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import available_cores, cpu_model
from benchmarks.resources import peak_resident_bytes

ROOT = Path(__file__).resolve().parent.parent
TOKENS = 128
SEED = 0
LARGEST_PEAK = 4 * 2**30
RESULT = ROOT / "benchmarks/results/full_profile.json"


def forward_layer_by_layer(
    config: Config, ids: Array, seed: int
) -> tuple[Array, float, int]:
    """One forward pass in the memory of one layer.

    Layer `l` is drawn as `Parameters.initialise` draws it, from the seed
    `[seed, l]`; embedding, head and last norm from `[seed, L]`.

    Args:
        config: Shape of the model.
        ids: `(B, T)` token ids.
        seed: Of all weights.

    Returns:
        logits: `(B, T, V)`.
        balance_loss: Summed over layers.
        parameters: How many numbers were drawn or set.
    """
    buffer = Parameters.zeros(replace(config, num_layers=1))
    parameters = 0

    def draw(names: list[str], layer: int) -> None:
        nonlocal parameters
        rng = np.random.default_rng([seed, layer])
        for name in names:
            initialise_tensor(name, buffer.tensors[name], config, rng)
            parameters += buffer.tensors[name].size

    ends = [name for name in buffer.tensors if not name.startswith("layers.")]
    of_layer = [name for name in buffer.tensors if name.startswith("layers.")]
    draw(ends, config.num_layers)
    batch, tokens = ids.shape
    at = geometry(config, batch, tokens, 0, buffer.flat.dtype)
    x, _ = embedding(ids.ravel(), buffer.embedding)
    balance_loss = 0.0
    for layer in tqdm(range(config.num_layers), unit="layer", dynamic_ncols=True):
        draw(of_layer, layer)
        x, loss, _ = block(x, buffer.blocks[0], config, at)
        balance_loss += float(loss)
    x, _ = rmsnorm(x, buffer.final_norm, config.norm_eps)
    logits, _ = linear(x, buffer.lm_head)
    return logits.reshape(batch, tokens, -1), balance_loss, parameters


def measure(config: Config) -> dict[str, Any]:
    """Run the pass on random ids and say what it took and gave."""
    ids = np.random.default_rng(SEED).integers(0, config.vocab_size, (1, TOKENS))
    began = time.perf_counter()
    logits, balance_loss, parameters = forward_layer_by_layer(config, ids, SEED)
    return {
        "command": "python scripts/full_profile.py",
        "parameters": parameters,
        "parameters_by_formula": config.num_parameters,
        "active_parameters": config.num_active_parameters,
        "layers": config.num_layers,
        "tokens": TOKENS,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time(),
        "peak_resident_bytes": peak_resident_bytes(),
        "logits_shape": logits.shape,
        "logits_finite": bool(np.isfinite(logits).all()),
        "logits_standard_deviation": float(logits.std()),
        "balance_loss": balance_loss,
        "cores": available_cores(),
        "cpu": cpu_model(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }


def faults(result: dict[str, Any]) -> list[str]:
    """What in a result is not as it must be."""
    peak, limit = result["peak_resident_bytes"], LARGEST_PEAK
    wrong = {
        "logits are not finite": not result["logits_finite"],
        "the parameters are not as many as the formula says": (
            result["parameters"] != result["parameters_by_formula"]
        ),
        f"peak memory is {peak} bytes, above {limit}": peak > limit,
    }
    return [fault for fault, found in wrong.items() if found]


def main() -> int:
    parser = Parser(__doc__)
    parser.parse_args()
    result = measure(Config.full())
    print(
        f"parameters   {result['parameters']:,} drawn, "
        f"{result['parameters_by_formula']:,} by formula, "
        f"{result['active_parameters']:,} active\n"
        f"logits       {result['logits_shape']}, finite: {result['logits_finite']}\n"
        f"time         {result['seconds']:.0f} s for {TOKENS} tokens, "
        f"{result['cpu_seconds']:.0f} s of processor time\n"
        f"peak memory  {result['peak_resident_bytes'] / 2**30:.2f} GiB"
    )
    for fault in (found := faults(result)):
        print(f"{parser.prog}: {fault}", file=sys.stderr)
    if found:
        return 1
    with parser.bad_input():
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {RESULT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    run_main(main)
