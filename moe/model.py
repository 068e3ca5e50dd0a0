"""The model: embedding, blocks, norm and head, forward and backward.

It composes equations and holds no formula; the blocks are in `moe.block`.
"""

from typing import Self

import numpy as np

from moe.arrays import Array, Cache
from moe.block import KeyValueCache, block, block_backward, geometry
from moe.config import Config
from moe.equations.embedding import embedding, embedding_backward
from moe.equations.linear import linear, linear_backward
from moe.equations.rmsnorm import rmsnorm, rmsnorm_backward
from moe.memory import keep_freed_memory
from moe.parameters import Parameters
from moe.validation import require, token_array


class Model:
    """Embedding, blocks, norm, head.

    Attributes:
        config: Shape of the model.
        parameters: All tensors.
        recompute: Keep only the input of each block for the backward and run the
            block again there (activation checkpointing): less memory, same bits.
    """

    def __init__(self, parameters: Parameters, *, recompute: bool = False) -> None:
        self.config = parameters.config
        self.parameters = parameters
        self.recompute = recompute
        keep_freed_memory()

    @classmethod
    def initialise(
        cls,
        config: Config,
        *,
        rng: np.random.Generator | int,
        dtype: np.typing.DTypeLike = np.float32,
    ) -> Self:
        """A model with fresh parameters, as `Parameters.initialise` draws them."""
        return cls(Parameters.initialise(config, rng=rng, dtype=dtype))

    def forward(
        self, ids: Array, kv_cache: KeyValueCache | None = None
    ) -> tuple[Array, Array, Cache]:
        """Predict the next token at every position.

        Args:
            ids: `(B, T)` token ids, integers in `[0, V)`.
            kv_cache: Where given, `ids` continue what it holds, and it is extended.

        Returns:
            logits: `(B, T, V)`.
            balance_loss: Scalar, summed over layers (E13).
            cache: For `backward`.

        Raises:
            TypeError: If `ids` are not integers.
            ValueError: If their shape or a value is wrong, or the sequence too long.
        """
        config, p = self.config, self.parameters
        ids = token_array("ids", ids, config.vocab_size)
        batch, tokens = ids.shape
        start = 0 if kv_cache is None else kv_cache.length
        longest = config.max_seq_len
        if kv_cache is not None:
            longest = min(longest, kv_cache.keys.shape[2])
        require(
            start + tokens <= longest,
            "sequence length",
            start + tokens,
            f"at most {longest}",
        )
        at = geometry(config, batch, tokens, start, p.flat.dtype)

        x, embedding_cache = embedding(ids.ravel(), p.embedding)
        balance_loss, saved = x.dtype.type(0), []
        for layer, tensors in enumerate(p.blocks):
            y, loss, cache = block(x, tensors, config, at, kv_cache, layer)
            balance_loss = balance_loss + loss
            saved.append(x if self.recompute else cache)
            x = y
        x, norm_cache = rmsnorm(x, p.final_norm, config.norm_eps)
        logits, head_cache = linear(x, p.lm_head)
        if kv_cache is not None:
            kv_cache.length += tokens
        caches = (at, embedding_cache, saved, norm_cache, head_cache)
        return logits.reshape(batch, tokens, -1), balance_loss, caches

    def backward(
        self,
        dlogits: Array,
        cache: Cache,
        dbalance_loss: float = 1.0,
        out: Parameters | None = None,
    ) -> Parameters:
        """Gradient of every parameter.

        Args:
            dlogits: `(B, T, V)` gradient of the logits.
            cache: What `forward` returned, without a `kv_cache`.
            dbalance_loss: Gradient of the balance loss: 1 where it is simply added
                to the loss.
            out: Receives the gradients, overwritten; new where None.

        Returns:
            The gradients, named as the parameters are.
        """
        config, p = self.config, self.parameters
        g = Parameters.zeros(config, p.flat.dtype) if out is None else out
        at, embedding_cache, saved, norm_cache, head_cache = cache
        dlogits = dlogits.reshape(-1, config.vocab_size)
        dx, _, _ = linear_backward(dlogits, head_cache, out=g.lm_head)
        dx, _ = rmsnorm_backward(dx, norm_cache, out=g.final_norm)
        for layer in reversed(range(config.num_layers)):
            cache = saved[layer]
            if self.recompute:
                _, _, cache = block(saved[layer], p.blocks[layer], config, at)
            dx = block_backward(dx, dbalance_loss, cache, g.blocks[layer], config, at)
        embedding_backward(dx, embedding_cache, out=g.embedding)
        return g
