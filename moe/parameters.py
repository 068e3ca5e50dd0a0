"""All parameters in one flat buffer, with a named view for every tensor.

One buffer makes clipping one dot product, AdamW one loop and a checkpoint one copy.
Matrices come first and gains last, so weight decay is a slice.
"""

import math
from typing import NamedTuple, Self

import numpy as np

from moe.arrays import Array
from moe.config import Config
from moe.validation import require


class BlockParameters(NamedTuple):
    """Tensors of one block, or their gradients."""

    qkv: Array  # ((H + 2G) * D, C) queries, keys, values
    output: Array  # (C, H * D)
    router: Array  # (E, C)
    gate_up: Array  # (E, 2F, C)
    down: Array  # (E, C, F)
    attention_norm: Array  # (C,)
    experts_norm: Array  # (C,)


def block_shapes(config: Config) -> BlockParameters:
    """Shapes of the tensors of one block, in a `BlockParameters`."""
    c, e, f = config.hidden_size, config.num_experts, config.ffn_size
    shapes = (
        (config.qkv_rows, c),
        (c, config.num_heads * config.head_dim),
        (e, c),
        (e, 2 * f, c),
        (e, c, f),
        (c,),
        (c,),
    )
    return BlockParameters(*shapes)  # type: ignore[arg-type]


def tensor_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors in the order of the flat buffer."""
    table = (config.vocab_size, config.hidden_size)
    shapes: dict[str, tuple[int, ...]] = {"embedding": table}
    for layer in range(config.num_layers):
        for name, shape in block_shapes(config)._asdict().items():
            shapes[f"layers.{layer}.{name}"] = shape
    shapes["lm_head"] = table
    shapes["final_norm"] = (config.hidden_size,)
    return dict(sorted(shapes.items(), key=lambda item: len(item[1]) == 1))


class Parameters:
    """One flat buffer and its views; also used for gradients and moments.

    Attributes:
        config: Shape of the model.
        flat: `(num_parameters,)` buffer.
        num_decayed: Length of the head of `flat` that weight decay acts on.
        tensors: Name to view, in the order of the buffer.
        blocks: The views of each block.
    """

    def __init__(self, config: Config, flat: Array) -> None:
        """Lay the views over `flat`.

        Args:
            config: Shape of the model.
            flat: `(config.num_parameters,)` buffer of any float dtype.

        Raises:
            ValueError: If `flat` has another shape.
        """
        size = config.num_parameters
        require(flat.shape == (size,), "flat.shape", flat.shape, f"({size},)")
        self.config = config
        self.flat = flat
        self.tensors: dict[str, Array] = {}
        self.num_decayed = start = 0
        for name, shape in tensor_shapes(config).items():
            end = start + math.prod(shape)
            self.tensors[name] = flat[start:end].reshape(shape)
            if len(shape) > 1:
                self.num_decayed = end
            start = end
        self.blocks = [self._block(layer) for layer in range(config.num_layers)]
        self.embedding = self.tensors["embedding"]
        self.final_norm = self.tensors["final_norm"]
        self.lm_head = self.tensors["lm_head"]

    def _block(self, layer: int) -> BlockParameters:
        names = BlockParameters._fields
        return BlockParameters(*(self.tensors[f"layers.{layer}.{n}"] for n in names))

    @classmethod
    def zeros(cls, config: Config, dtype: np.typing.DTypeLike = np.float32) -> Self:
        """Gradients or moments before the first step."""
        return cls(config, np.zeros(config.num_parameters, dtype))

    @classmethod
    def initialise(
        cls,
        config: Config,
        *,
        rng: np.random.Generator | int,
        dtype: np.typing.DTypeLike = np.float32,
    ) -> Self:
        r"""Draw initial parameters.

        Matrices are normal with standard deviation 0.02; those that write to the
        residual stream (`output`, `down`) have it divided by $\sqrt{2L}$, so that
        the stream's variance does not grow with depth. Gains are 1. Logits are then
        small and the loss starts near $\ln V$.

        Args:
            config: Shape of the model.
            rng: Generator or seed; the same seed gives the same bits.
            dtype: Of the buffer.

        Returns:
            The parameters.

        References:
            Radford et al., *Language Models are Unsupervised Multitask Learners*,
            2019, section 2.3 (the residual scale).
        """
        rng = np.random.default_rng(rng)
        parameters = cls.zeros(config, dtype)
        for name, tensor in parameters.tensors.items():
            initialise_tensor(name, tensor, config, rng)
        return parameters


def initialise_tensor(
    name: str, tensor: Array, config: Config, rng: np.random.Generator
) -> None:
    """Fill one tensor in place, as `Parameters.initialise` says.

    Args:
        name: Of the tensor; its last part decides the scale.
        tensor: View to fill.
        config: Shape of the model.
        rng: Source of the normal numbers.
    """
    if tensor.ndim == 1:
        tensor[...] = 1
        return
    deviation = 0.02
    if name.endswith(("output", "down")):
        deviation /= math.sqrt(2 * config.num_layers)
    # Drawn in float32 for every dtype: a float64 model starts from the same numbers.
    tensor[...] = rng.standard_normal(tensor.shape, np.float32)
    tensor *= deviation
