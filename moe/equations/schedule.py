r"""Learning-rate schedule: linear warmup (E18), then cosine decay (E19)."""

import numpy as np


def linear_warmup(step: int, base: float, warmup: int) -> float:
    r"""Rise in a straight line from 0 to the base rate (E18).

    $$ \eta_t = \eta_{\mathrm{base}}\, \frac{t}{T_w} \tag{18a} $$

    Args:
        step: $t$, from 1 to `warmup`.
        base: $\eta_{\mathrm{base}}$, rate at the end of the warmup.
        warmup: $T_w$, steps of warmup, at least 1.

    Returns:
        The learning rate $\eta_t$.

    References:
        Goyal et al., *Accurate, Large Minibatch SGD*, 2017, section 2.2 (gradual
        warmup). Differs from it in: starts from 0.
    """
    return base * step / warmup  # [18a]


def cosine_decay(
    step: int, base: float, minimum: float, warmup: int, total: int
) -> float:
    r"""Fall along half a cosine from the base rate to the minimum (E19).

    $$ u = \min\Bigl( 1, \max\Bigl( 0, \frac{t - T_w}{T - T_w} \Bigr) \Bigr)
       \tag{19a} $$
    $$ \eta_t = \eta_{\min} + (\eta_{\mathrm{base}} - \eta_{\min})\,
       \frac{1 + \cos \pi u}{2} \tag{19b} $$

    Args:
        step: $t$; past `total` the rate stays at the minimum.
        base: $\eta_{\mathrm{base}}$, rate at the end of the warmup.
        minimum: $\eta_{\min}$, rate at the end.
        warmup: $T_w$, steps of warmup.
        total: $T$, the step at which the minimum is reached, above `warmup`.

    Returns:
        The learning rate $\eta_t$.

    References:
        Loshchilov and Hutter, *SGDR*, 2017, Eq. 5. Differs from it in: one period,
        no restarts, and the argument clamped.
    """
    progress = min(1, max(0, (step - warmup) / (total - warmup)))  # [19a]
    return minimum + (base - minimum) * (1 + np.cos(np.pi * progress)) / 2  # [19b]


def learning_rate(
    step: int, base: float, minimum: float, warmup: int, total: int
) -> float:
    r"""Warmup (E18) while it lasts, then cosine decay (E19); they meet at the base.

    Args:
        step: $t$, counted from 1.
        base: Rate at the end of the warmup.
        minimum: Rate at the end.
        warmup: Steps of warmup; 0 for none.
        total: The step at which the minimum is reached.

    Returns:
        The learning rate of this step.
    """
    if step < warmup:
        return linear_warmup(step, base, warmup)
    return cosine_decay(step, base, minimum, warmup, total)
