"""Wrong and harmless wiring of the training step: where it uses E14 to E19."""

from mutants.harness import Change


def wiring(entry: str, old: str, new: str, story: str) -> Change:
    """A change of `moe.training` that breaks the use of an entry."""
    return Change(entry, "moe.training", old, new, story)


LOSS = "loss, loss_cache = cross_entropy(flat, targets.ravel())"
MEAN = "(losses / parts).tolist()"
DLOGITS = "dlogits = cross_entropy_backward(share, loss_cache)"
BACKWARD = "self.model.backward(dlogits.reshape(logits.shape), cache, share, out=out)"
LATER_PART = "self._loss_and_gradients(i, t, 1 / parts, gradients)"
CLIP = "clip_factor([gradients.flat], config.max_grad_norm)"
BUFFERS = "buffers = [self.model.parameters, gradients, self.m, self.v]"
UPDATE = "self._update(gradients, step, float(rate), float(factor))"
GAINS = "(slice(decayed, None), 0.0)"
RATE = """            step,
            config.learning_rate,
            config.min_learning_rate,
            config.warmup_steps,
            config.total_steps,
"""
CHECK = """        if not np.isfinite(norm):
            raise NonFiniteError("""

MUTANTS = (
    wiring(
        "E14", LOSS, LOSS.replace("targets.", "ids."), "every token predicts itself"
    ),
    wiring(
        "E14",
        LOSS,
        LOSS.replace("targets.", "targets.T."),
        "targets laid out position by position",
    ),
    wiring("E14", MEAN, "losses.tolist()", "losses of the micro-batches not averaged"),
    wiring(
        "E14",
        "return self.cross_entropy + self.balance_loss",
        "return self.cross_entropy",
        "loss reported without the balance loss",
    ),
    wiring(
        "E14",
        "        if not np.isfinite(loss + balance_loss):",
        "        if False:",
        "a loss that is no number is passed on",
    ),
    wiring(
        "E15",
        DLOGITS,
        DLOGITS.replace("share", "1.0"),
        "gradients of the micro-batches not divided",
    ),
    wiring(
        "E15",
        "total.flat += gradients.flat",
        "total.flat[...] = gradients.flat",
        "each micro-batch overwrites the gradients of the one before",
    ),
    wiring(
        "E15",
        LATER_PART,
        LATER_PART.replace("gradients)", "total)"),
        "each micro-batch writes over the sum",
    ),
    wiring(
        "E15",
        BACKWARD,
        BACKWARD.replace("share,", "1.0,"),
        "gradient of the balance loss not divided among the micro-batches",
    ),
    wiring(
        "E15",
        BACKWARD,
        BACKWARD.replace("share,", "0.0,"),
        "the balance loss is added to the loss and not to the gradient",
    ),
    wiring(
        "E16",
        UPDATE,
        UPDATE.replace("step", "step + 1"),
        "steps counted one ahead: bias correction",
    ),
    wiring(
        "E16", BUFFERS, BUFFERS.replace("m, self.v", "v, self.m"), "moments swapped"
    ),
    wiring(
        "E16",
        BUFFERS,
        BUFFERS.replace("self.m,", "Parameters.zeros(self.model.config),"),
        "the first moment starts anew in every step",
    ),
    wiring("E16", GAINS, "(slice(decayed, None), config.weight_decay)", "gains decay"),
    wiring("E16", f"            {GAINS},\n", "", "gains are never updated"),
    wiring(
        "E16",
        "(slice(None, decayed), config.weight_decay)",
        "(slice(None, decayed), 0.0)",
        "nothing decays",
    ),
    wiring(
        "E16",
        "self.step, self.learning_rate = step, float(rate)",
        "self.learning_rate = float(rate)",
        "every step is the first",
    ),
    wiring("E17", "factor=factor", "factor=1.0", "norm computed, factor unused"),
    wiring(
        "E17",
        CLIP,
        "clip_factor([gradients.flat[: gradients.num_decayed]], config.max_grad_norm)",
        "gains left out of the norm",
    ),
    wiring(
        "E17",
        CLIP,
        "clip_factor([self.model.parameters.flat], config.max_grad_norm)",
        "norm of the parameters in place of their gradients",
    ),
    wiring(
        "E17",
        CLIP,
        "clip_factor([gradients.flat], 1.0)",
        "largest norm not taken from the configuration",
    ),
    wiring(
        "E17",
        "self.gradient_norm = float(norm)",
        "self.gradient_norm = float(norm * factor)",
        "norm reported after clipping",
    ),
    wiring(
        "E17",
        CHECK,
        "        if not np.isfinite(norm):\n"
        "            self._update(gradients, step, 0.0, 1.0)\n"
        "            raise NonFiniteError(",
        "update before the check",
    ),
    wiring(
        "E18",
        "learning_rate=rate",
        "learning_rate=config.learning_rate",
        "schedule computed but unused",
    ),
    wiring(
        "E18",
        RATE,
        RATE.replace("step,", "self.step,", 1),
        "schedule counts from 0: the first rate is 0",
    ),
    wiring(
        "E18",
        RATE,
        RATE.replace("step,", "step * config.micro_batches,", 1),
        "schedule counts micro-batches",
    ),
    wiring("E18", RATE, RATE.replace("config.warmup_steps", "0"), "warmup left out"),
    wiring(
        "E18",
        "self.step, self.learning_rate = step, float(rate)",
        "self.step, self.learning_rate = step, config.learning_rate",
        "base rate reported in place of the step's",
    ),
    wiring(
        "E19",
        RATE,
        RATE.replace("config.min_learning_rate", "0.0"),
        "minimum not passed on",
    ),
    wiring(
        "E19",
        RATE,
        RATE.replace("config.total_steps", "config.total_steps + config.warmup_steps"),
        "decay counted from the end of the warmup",
    ),
    wiring(
        "E19",
        RATE,
        RATE.replace("step,", "min(step, config.warmup_steps),", 1),
        "no decay",
    ),
)

HARMLESS = (
    wiring(
        "E16",
        "            (slice(None, decayed), config.weight_decay),\n"
        f"            {GAINS},\n",
        f"            {GAINS},\n"
        "            (slice(None, decayed), config.weight_decay),\n",
        "gains first, matrices then",
    ),
    wiring(
        "E17",
        CLIP,
        "clip_factor(list(gradients.tensors.values()), config.max_grad_norm)",
        "the norm tensor by tensor",
    ),
    wiring(
        "E15",
        "total.flat += gradients.flat",
        "total.flat[...] = gradients.flat + total.flat",
        "terms in the other order",
    ),
)
