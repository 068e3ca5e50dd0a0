"""Wrong and harmless versions of AdamW (E16)."""

from mutants.harness import Change

E16 = ("E16", "moe.equations.adamw")
GRADIENT = "g = gradient[block] * (factor * (1 - beta1))"
FIRST = "m_b *= beta1\n        m_b += g"
SECOND = "v_b *= beta2\n        v_b += g"
SQUARE = "g *= g"
ROOT2 = "root2 = (1 - beta2**step) ** 0.5"
RATE = "rate = learning_rate * root2 / (1 - beta1**step)"
EPSILON = "update += eps * root2"
DECAY = "w_b *= 1 - learning_rate * weight_decay"
ALL_BLOCKS = "range(0, weight.size, BLOCK)"

MUTANTS = (
    Change(
        *E16,
        RATE,
        RATE.replace("step)", "(step + 1))"),
        "bias correction of the first moment one step ahead",
    ),
    Change(
        *E16,
        ROOT2,
        ROOT2.replace("step)", "(step + 1))"),
        "bias correction of the second moment one step ahead",
    ),
    Change(
        *E16,
        RATE,
        "rate = learning_rate * root2",
        "bias of the first moment not corrected",
    ),
    Change(*E16, ROOT2, "root2 = 1.0", "bias of the second moment not corrected"),
    Change(*E16, ROOT2, "root2 = 1 - beta2**step", "bias corrected outside the root"),
    Change(
        *E16, ROOT2, ROOT2.replace("beta2", "beta1"), "betas swapped in the correction"
    ),
    Change(*E16, EPSILON, "update += eps", "epsilon before the bias correction"),
    Change(
        *E16,
        EPSILON,
        "np.sqrt(v_b + eps * root2**2, out=update)",
        "epsilon inside the root",
    ),
    Change(*E16, "update = np.sqrt(v_b, out=g)", "update = v_b.copy()", "no root"),
    Change(
        *E16,
        GRADIENT,
        f"{GRADIENT} + (1 - beta1) * weight_decay * w_b\n"
        "        w_b /= 1 - learning_rate * weight_decay",
        "decay added to the gradient: coupled, as in Adam with a penalty",
    ),
    Change(*E16, DECAY, "w_b *= 1 - weight_decay", "decay without the learning rate"),
    Change(*E16, DECAY, "pass", "no decay"),
    Change(*E16, DECAY, DECAY.replace("-", "+"), "decay's sign: weights grow"),
    Change(
        *E16,
        f"{DECAY}  # [16d]\n        w_b -= update",
        f"w_b -= update\n        {DECAY}",
        "decay after the step: it shrinks the step too",
    ),
    Change(
        *E16,
        GRADIENT,
        "g = gradient[block] * (1 - beta1)",
        "clipping factor ignored",
    ),
    Change(
        *E16,
        SQUARE,
        "g /= factor\n        g *= g",
        "second moment of the gradient before clipping",
    ),
    Change(
        *E16,
        GRADIENT,
        "g = gradient[block]\n        g *= factor * (1 - beta1)",
        "the gradient is overwritten",
    ),
    Change(
        *E16,
        FIRST,
        "m_b *= 1 - beta1\n        m_b += beta1 / (1 - beta1) * g",
        "weights of old and new swapped in the first moment",
    ),
    Change(*E16, FIRST, f"{FIRST} / (1 - beta1)", "moment as in plain SGD"),
    Change(
        *E16, SECOND, SECOND.replace("2", "1"), "the first beta in the second moment"
    ),
    Change(
        *E16,
        SQUARE,
        "g = abs(g) * (1 - beta1)",
        "absolute value in place of the square",
    ),
    Change(
        *E16,
        "(1 - beta2) / (1 - beta1) ** 2",
        "(1 - beta2) / (1 - beta1)",
        "the first moment's factor not taken out of the square",
    ),
    Change(
        *E16,
        FIRST,
        "m_b = beta1 * m_b + g",
        "first moment not kept: updated in a copy",
    ),
    Change(
        *E16,
        ALL_BLOCKS,
        "range(0, weight.size - weight.size % BLOCK or 1, BLOCK)",
        "a tail that fills no block is never updated",
    ),
    Change(*E16, ALL_BLOCKS, "range(0, 1, BLOCK)", "only the first block is updated"),
    Change(*E16, "w_b -= update", "w_b += update", "uphill"),
)

HARMLESS = (
    Change(*E16, "BLOCK = 65536", "BLOCK = 1000", "blocks of another size"),
    Change(
        *E16,
        FIRST,
        "m_b += g - (1 - beta1) * m_b",
        "the first moment as a step towards the gradient",
    ),
    Change(
        *E16,
        DECAY,
        "w_b -= learning_rate * weight_decay * w_b",
        "the decay subtracted, as the page writes it",
    ),
)
