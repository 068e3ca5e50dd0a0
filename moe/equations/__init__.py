"""The lesson: one module per equation page, pure NumPy functions, no state.

Modules in the order of the forward pass, then of the training step, then of
sampling. Each function `f` that has a gradient is followed by `f_backward`.
"""

STEMS = (
    "embedding",
    "rmsnorm",
    "linear",
    "swiglu",
    "softmax",
    "rope",
    "attention",
    "router",
    "experts",
    "balance",
    "cross_entropy",
    "clipping",
    "adamw",
    "schedule",
    "sampling",
)
