"""Generation: pick a token, feed it back, keep keys and values of what was read."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from moe.arrays import Array
from moe.block import KeyValueCache
from moe.equations import sampling
from moe.model import Model
from moe.validation import integer, real, require, token_array


class SamplingStrategy(Protocol):
    """How the next token is chosen from the logits."""

    def pick_token(self, logits: Array, rng: np.random.Generator) -> int:
        """Choose from `(V,)` logits; a token of probability 0 is never chosen."""
        ...


@dataclass(frozen=True)
class Greedy:
    """The most likely token; of equal ones the lowest id."""

    def pick_token(self, logits: Array, rng: np.random.Generator) -> int:
        return sampling.draw(sampling.greedy(logits), uniform=0.0)


@dataclass(frozen=True)
class Temperature:
    """Draw from the softmax of logits divided by a temperature (E20)."""

    temperature: float = 1.0

    def __post_init__(self) -> None:
        real("temperature", self.temperature, "[0, inf)")

    def pick_token(self, logits: Array, rng: np.random.Generator) -> int:
        probabilities = sampling.temperature(logits, self.temperature)
        return sampling.draw(probabilities, rng.random())


@dataclass(frozen=True)
class TopK:
    """Draw from the `k` most likely tokens."""

    k: int
    temperature: float = 1.0

    def __post_init__(self) -> None:
        integer("k", self.k, least=1)
        real("temperature", self.temperature, "[0, inf)")

    def pick_token(self, logits: Array, rng: np.random.Generator) -> int:
        probabilities = sampling.temperature(logits, self.temperature)
        return sampling.draw(sampling.top_k(probabilities, self.k), rng.random())


@dataclass(frozen=True)
class TopP:
    """Draw from the smallest set of likely tokens with mass `p` (E21)."""

    p: float
    temperature: float = 1.0

    def __post_init__(self) -> None:
        real("p", self.p, "(0, 1]")
        real("temperature", self.temperature, "[0, inf)")

    def pick_token(self, logits: Array, rng: np.random.Generator) -> int:
        probabilities = sampling.temperature(logits, self.temperature)
        return sampling.draw(sampling.top_p(probabilities, self.p), rng.random())


def generate(
    model: Model,
    prompt: Array,
    max_len: int,
    strategy: SamplingStrategy,
    *,
    rng: np.random.Generator | int = 0,
) -> Array:
    """Continue a prompt token by token.

    Args:
        model: The model.
        prompt: `(P,)` token ids, at least one.
        max_len: Length of the result, prompt included; above `P`, at most the
            model's `max_seq_len`.
        strategy: How each token is picked.
        rng: Generator or seed.

    Returns:
        `(max_len,)` ids: the prompt and its continuation.

    Raises:
        TypeError: If `prompt` does not hold integers.
        ValueError: If an argument is out of range or the logits are not finite.
    """
    rng = np.random.default_rng(rng)
    config = model.config
    prompt = np.asarray(prompt)
    require(prompt.ndim == 1, "prompt.shape", prompt.shape, "of one axis")
    prompt = token_array("prompt", prompt[None], config.vocab_size)
    read = prompt.shape[1]
    integer("max_len", max_len, read + 1, config.max_seq_len)
    dtype = model.parameters.flat.dtype
    kv_cache = KeyValueCache(config, 1, max_len, dtype)
    ids = np.concatenate((prompt, np.zeros((1, max_len - read), prompt.dtype)), axis=1)
    new = prompt
    for place in range(read, max_len):
        logits, _, _ = model.forward(new, kv_cache)
        last = logits[0, -1]
        require(bool(np.isfinite(last).all()), "logits", last, "finite")
        ids[0, place] = strategy.pick_token(last, rng)
        new = ids[:, place : place + 1]
    return ids[0]
