"""The training step: loss, backward, clip, schedule, AdamW."""

import numpy as np

from moe.arrays import Array
from moe.config import TrainingConfig
from moe.equations.adamw import adamw
from moe.equations.clipping import clip_factor
from moe.equations.cross_entropy import cross_entropy, cross_entropy_backward
from moe.equations.schedule import learning_rate
from moe.model import Model
from moe.parameters import Parameters
from moe.validation import require, token_array


class NonFiniteError(FloatingPointError):
    """A loss or gradient is NaN or infinite; nothing has been updated."""


class Trainer:
    """Trains a model in place.

    Attributes:
        model: The model.
        config: How it is trained.
        step: Number of steps taken.
        m: First moments of AdamW.
        v: Second moments of AdamW.
        cross_entropy: Of the last step, in nats per token.
        balance_loss: Of the last step, summed over layers.
        gradient_norm: Of the last step, before clipping.
        learning_rate: Of the last step.
    """

    def __init__(self, model: Model, config: TrainingConfig) -> None:
        """Start from step 0 with zero moments.

        Args:
            model: Model to train; its parameters are updated in place.
            config: How to train it.
        """
        self.model = model
        self.config = config
        self.step = 0
        dtype = model.parameters.flat.dtype
        self.m = Parameters.zeros(model.config, dtype)
        self.v = Parameters.zeros(model.config, dtype)
        self._gradients = Parameters.zeros(model.config, dtype)
        self.cross_entropy = self.balance_loss = self.gradient_norm = 0.0
        self.learning_rate = 0.0

    def train_step(self, ids: Array, targets: Array) -> float:
        """One step on one batch.

        Args:
            ids: `(B, T)` token ids.
            targets: `(B, T)` the token that follows each of them.

        Returns:
            Cross-entropy plus balance loss before the step, in nats.

        Raises:
            ValueError: If ids or targets are malformed, or micro-batches do not
                divide the batch.
            NonFiniteError: If loss or gradient is not finite. Parameters, moments
                and step counter are then as before.
        """
        gradients = self._accumulate(ids, targets)
        config, step = self.config, self.step + 1
        factor, norm = clip_factor([gradients.flat], config.max_grad_norm)
        if not np.isfinite(norm):
            raise NonFiniteError(
                f"step {step}: {first_non_finite(gradients, 'gradient')}"
            )
        rate = learning_rate(
            step,
            config.learning_rate,
            config.min_learning_rate,
            config.warmup_steps,
            config.total_steps,
        )
        self._update(gradients, step, float(rate), float(factor))
        self.step, self.learning_rate = step, float(rate)
        self.gradient_norm = float(norm)
        return self.cross_entropy + self.balance_loss

    def _accumulate(self, ids: Array, targets: Array) -> Parameters:
        """Gradients of the mean loss over the micro-batches."""
        vocab_size, parts = self.model.config.vocab_size, self.config.micro_batches
        ids = token_array("ids", ids, vocab_size)
        targets = token_array("targets", targets, vocab_size)
        same = targets.shape == ids.shape
        require(same, "targets.shape", targets.shape, f"that of ids, {ids.shape}")
        even = len(ids) % parts == 0
        require(even, "batch size", len(ids), f"a multiple of micro_batches = {parts}")
        losses = np.zeros(2)
        total = self._gradients
        for part, (i, t) in enumerate(
            zip(np.split(ids, parts), np.split(targets, parts), strict=True)
        ):
            if part == 0:
                losses += self._loss_and_gradients(i, t, 1 / parts, total)
            else:
                gradients = Parameters.zeros(self.model.config, total.flat.dtype)
                losses += self._loss_and_gradients(i, t, 1 / parts, gradients)
                total.flat += gradients.flat
        self.cross_entropy, self.balance_loss = (losses / parts).tolist()
        return total

    def _loss_and_gradients(
        self, ids: Array, targets: Array, share: float, out: Parameters
    ) -> tuple[float, float]:
        """Both losses of one micro-batch; gradients of their `share` go into `out`."""
        logits, balance_loss, cache = self.model.forward(ids)
        flat = logits.reshape(-1, logits.shape[-1])
        loss, loss_cache = cross_entropy(flat, targets.ravel())
        if not np.isfinite(loss + balance_loss):
            where = first_non_finite(self.model.parameters, "parameter")
            raise NonFiniteError(f"step {self.step + 1}: loss is {loss}; {where}")
        dlogits = cross_entropy_backward(share, loss_cache)
        self.model.backward(dlogits.reshape(logits.shape), cache, share, out=out)
        return float(loss), float(balance_loss)

    def _update(
        self, gradients: Parameters, step: int, rate: float, factor: float
    ) -> None:
        """AdamW on the matrices with decay, then on the gains without."""
        config, decayed = self.config, gradients.num_decayed
        buffers = [self.model.parameters, gradients, self.m, self.v]
        for part, decay in (
            (slice(None, decayed), config.weight_decay),
            (slice(decayed, None), 0.0),
        ):
            adamw(
                *(buffer.flat[part] for buffer in buffers),
                step=step,
                learning_rate=rate,
                betas=config.betas,
                eps=config.eps,
                weight_decay=decay,
                factor=factor,
            )


def first_non_finite(parameters: Parameters, kind: str) -> str:
    """Say which tensor is the first to hold a NaN or an infinity, and where.

    Args:
        parameters: Parameters or gradients.
        kind: What to call them.

    Returns:
        A clause for an error message.
    """
    for name, tensor in parameters.tensors.items():
        bad = np.argwhere(~np.isfinite(tensor))
        if len(bad):
            index = tuple(bad[0].tolist())
            return f"first bad {kind} is {name}, {tensor[index]} at {index}"
    return f"every {kind} is finite, but their values overflow in the sum"
