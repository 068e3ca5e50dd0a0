"""Wrong and harmless versions of SiLU (E04) and SwiGLU (E05)."""

from mutants.harness import Change

E04 = ("E04", "moe.equations.swiglu")
E05 = ("E05", "moe.equations.swiglu")

MUTANTS = (
    Change(*E04, "= np.negative(x)", "= np.array(x)", "sign in the sigmoid's exponent"),
    Change(*E04, "= np.negative(x)", "= -1.702 * x", "quick GELU in place of SiLU"),
    Change(
        *E04,
        "= np.negative(x)",
        "= np.negative(x, out=x)",
        "the input is overwritten",
    ),
    Change(
        *E04,
        'with np.errstate(over="ignore"):',
        "if True:",
        "a warning for a large negative input",
    ),
    Change(
        *E04,
        "return x * sigmoid, (x, sigmoid)",
        "return np.multiply(x, sigmoid, out=sigmoid), (x, sigmoid)",
        "the output overwrites the sigmoid that the backward needs",
    ),
    Change(
        *E04,
        "    dx *= x\n    dx += 1",
        "    dx += 1",
        "dx: x lost inside the bracket",
    ),
    Change(
        *E04,
        "    dx *= x\n    dx += 1",
        "    dx *= x",
        "dx: slope of the sigmoid only, x as a factor forgotten",
    ),
    Change(
        *E04,
        "dx = 1 - sigmoid  # [4a]\n    dx *= x\n    dx += 1  # [4b]",
        "dx = np.ones_like(x)",
        "dx: gate treated as constant",
    ),
    Change(*E04, "dx = 1 - sigmoid", "dx = 1 + sigmoid", "dx: sign of the sigmoid"),
    Change(
        *E04,
        "dx = 1 - sigmoid",
        "dx = np.subtract(1, sigmoid, out=sigmoid)",
        "the backward eats its cache",
    ),
    Change(
        *E05,
        "gate_up[:, :width], gate_up[:, width:]",
        "gate_up[:, width:], gate_up[:, :width]",
        "gate and up swapped",
    ),
    Change(
        *E05,
        "gate_up[:, :width], gate_up[:, width:]",
        "gate_up[:, 0::2], gate_up[:, 1::2]",
        "gate and up taken as interleaved",
    ),
    Change(*E05, "h = activation * up", "h = activation + up", "gate added"),
    Change(
        *E05,
        "h = activation * up",
        "h = activation.copy()",
        "no up: plain SiLU that calls itself SwiGLU",
    ),
    Change(*E05, "h = activation * up", "h = gate * up", "no activation: bilinear"),
    Change(
        *E05,
        "silu_backward(dh * up, silu_cache)",
        "silu_backward(dh, silu_cache)",
        "dgate: factor up lost",
    ),
    Change(
        *E05,
        "silu_backward(dh * up, silu_cache)",
        "dh * up",
        "dgate: slope of SiLU lost",
    ),
    Change(
        *E05,
        "np.multiply(dh, activation, out=",
        "np.multiply(dh, silu_cache[0], out=",
        "dup: gate before its activation",
    ),
    Change(
        *E05,
        "np.multiply(dh, activation, out=",
        "np.multiply(dh, 0, out=",
        "dup: no gradient reaches the up weight",
    ),
    Change(
        *E05,
        "linear_backward(dhidden, gate_up_cache)  #",
        "linear_backward(dhidden, gate_up_cache)\n"
        "    half = dhidden.shape[1] // 2\n"
        "    dx = dhidden[:, :half] @ gate_up_cache[1][:half]  #",
        "dx: the token's fork into gate and up is not added",
    ),
)

HARMLESS = (
    Change(
        *E04,
        "    return x * sigmoid, (x, sigmoid)",
        "    return sigmoid * x, (x, sigmoid)",
        "factors in the other order",
    ),
    Change(
        *E04,
        "    dx = 1 - sigmoid  # [4a]\n    dx *= x\n    dx += 1  # [4b]\n"
        "    dx *= sigmoid\n    dx *= dy",
        "    dx = dy * (sigmoid + x * sigmoid * (1 - sigmoid))",
        "the slope multiplied out",
    ),
    Change(
        *E05,
        "h = activation * up",
        "h = up * activation",
        "factors in the other order",
    ),
    Change(
        *E05,
        "silu_backward(dh * up, silu_cache)",
        "silu_backward(dh, silu_cache) * up",
        "up after the slope",
    ),
)
