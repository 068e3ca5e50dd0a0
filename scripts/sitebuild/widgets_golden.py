"""The numbers behind the widgets of formulas, computed by the shipped functions.

The first golden point of a widget is where it starts and what its table shows; the
others are settings at which the tests of the site compare JavaScript with NumPy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from moe.arrays import Array
from moe.equations.adamw import adamw
from moe.equations.balance import balance, balance_backward
from moe.equations.rope import ntk_base, rope_frequencies, rope_tables
from moe.equations.schedule import learning_rate

Settings = dict[str, float]
# Significant digits of a golden value.
DIGITS = 10
# The valley of the optimisers.
START, MINIMUM = np.array([-2.0, -1.5]), np.array([2.0, 1.0])


@dataclass(frozen=True)
class Golden:
    """What a widget is built from.

    Attributes:
        name: What it shows.
        points: Settings, and the values that NumPy has there.
        caption: Of the table: the settings of the first point.
        head: Titles of its columns.
        rows: Its cells.
        data: What else the script needs.
    """

    name: str
    points: list[dict[str, Any]]
    caption: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    data: dict[str, Any]


def points_at(
    values: Callable[[Settings], dict[str, Any]], *settings: Settings
) -> list[dict[str, Any]]:
    """Settings and the values there, as JSON has them.

    Args:
        values: Name to number or array, from settings.
        settings: The points.
    """
    return [
        {
            "settings": at,
            "values": {name: _rounded(value) for name, value in values(at).items()},
        }
        for at in settings
    ]


def _rounded(value: Any) -> Any:
    if np.ndim(value):
        return [_rounded(part) for part in value]
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")


def rope() -> Golden:
    def values(settings: Settings) -> dict[str, Any]:
        width = int(settings["width"])
        base = ntk_base(settings["base"], settings["alpha"], width)
        frequencies = rope_frequencies(width, base)
        positions = np.array([settings["position"]])
        cos, sin = rope_tables(positions, frequencies, float)
        return {
            "base": base,
            "unscaled": rope_frequencies(width, settings["base"]),
            "frequencies": frequencies,
            "cos": cos[0, ::2],
            "sin": sin[0, ::2],
        }

    points = points_at(
        values,
        {"width": 16, "base": 10000, "alpha": 4, "position": 40},
        {"width": 32, "base": 500000, "alpha": 1, "position": 255},
        {"width": 4, "base": 100, "alpha": 16, "position": 1},
    )
    first = points[0]["values"]
    turns = np.array([first["unscaled"], first["frequencies"]]) * 40 / (2 * np.pi)
    return Golden(
        "Eight pairs as hands on dials, turned by their position",
        points,
        "Turns at position 40 for d = 16 and b = 10000, by NumPy",
        ("Pair", "θ", "θ with α = 4", "Turns", "Turns with α = 4"),
        [
            (
                str(pair),
                f"{first['unscaled'][pair]:.3g}",
                f"{first['frequencies'][pair]:.3g}",
                f"{turns[0, pair]:.3g}",
                f"{turns[1, pair]:.3g}",
            )
            for pair in range(8)
        ],
        {},
    )


def schedule() -> Golden:
    def values(settings: Settings) -> dict[str, Any]:
        shape = (
            settings["base"],
            settings["minimum"],
            int(settings["warmup"]),
            int(settings["total"]),
        )
        return {"rate": learning_rate(int(settings["step"]), *shape)}

    points = points_at(
        values,
        {"total": 1000, "warmup": 100, "base": 0.003, "minimum": 0.0003, "step": 300},
        {"total": 100, "warmup": 0, "base": 0.01, "minimum": 0, "step": 1},
        {"total": 2000, "warmup": 500, "base": 0.001, "minimum": 0.001, "step": 2100},
    )
    return Golden(
        "The learning rate, step by step",
        points,
        "Warmup of 100 steps to 0.003, decay to 0.0003 at step 1000, by NumPy",
        ("Step", "Learning rate"),
        [
            (str(step), f"{learning_rate(step, 0.003, 0.0003, 100, 1000):.3g}")
            for step in (1, 50, *range(100, 1001, 100))
        ],
        {},
    )


def routing(counts: list[int], sure: float) -> tuple[Array, Array]:
    """Tokens that choose one expert each, and are equally sure of it.

    Args:
        counts: Tokens of every expert.
        sure: Probability of the chosen expert; the others share the rest.

    Returns:
        probabilities: `(N, E)`.
        indices: `(N, 1)`.
    """
    indices = np.repeat(np.arange(len(counts)), counts)
    others = (1 - sure) / (len(counts) - 1)
    probabilities = np.full((len(indices), len(counts)), others)
    probabilities[np.arange(len(indices)), indices] = sure
    return probabilities, indices[:, None]


def load_balance() -> Golden:
    def values(settings: Settings) -> dict[str, Any]:
        counts = [int(settings[f"tokens{expert}"]) for expert in range(4)]
        probabilities, indices = routing(counts, settings["sure"])
        loss, cache = balance(probabilities, indices, settings["alpha"])
        return {
            "load": cache[0],
            "mean": probabilities.mean(axis=0),
            "loss": loss,
            "gradient": balance_backward(1.0, cache)[0],
        }

    def settings(counts: str, sure: float, alpha: float) -> Settings:
        tokens = {f"tokens{e}": int(n) for e, n in enumerate(counts.split())}
        return {**tokens, "sure": sure, "alpha": alpha}

    points = points_at(
        values,
        settings("16 8 6 2", 0.7, 0.01),
        settings("32 0 0 0", 1, 0.1),
        settings("5 1 30 0", 0.25, 0.001),
    )
    first = points[0]["values"]
    return Golden(
        "Four experts: loads, probabilities and the price of imbalance",
        points,
        f"Tokens 16, 8, 6, 2, each sure by 0.7: L = {first['loss']:.4f}, by NumPy",
        ("Expert", "Load f", "Mean probability P", "Gradient of its probabilities"),
        [
            (
                str(e),
                *(f"{first[name][e]:.4g}" for name in ("load", "mean", "gradient")),
            )
            for e in range(4)
        ],
        {},
    )


def slope(w: Array, settings: Settings) -> Array:
    """Gradient of the valley, half the squared distance, the second axis steeper."""
    return np.array([1, settings["steep"]]) * (w - MINIMUM)


def adam_path(settings: Settings, *, decay: float, penalty: float) -> Array:
    """AdamW, or with `penalty` Adam with L2, from the start of the valley.

    Args:
        settings: Of the widget.
        decay: Decoupled decay.
        penalty: Added to the gradient, times the weight.

    Returns:
        `(steps + 1, 2)` weights.
    """
    w, m, v = START.copy(), np.zeros(2), np.zeros(2)
    path = [START]
    for step in range(1, int(settings["steps"]) + 1):
        adamw(
            w,
            slope(w, settings) + penalty * w,
            m,
            v,
            step=step,
            learning_rate=settings["rate"],
            betas=(settings["beta1"], settings["beta2"]),
            eps=1e-8,
            weight_decay=decay,
        )
        path.append(w.copy())
    return np.array(path)


def sgd_path(settings: Settings) -> Array:
    """Plain gradient descent with the L2 penalty, from the same start.

    Args:
        settings: Of the widget.

    Returns:
        `(steps + 1, 2)` weights.
    """
    path = [START]
    for _ in range(int(settings["steps"])):
        gradient = slope(path[-1], settings) + settings["decay"] * path[-1]
        path.append(path[-1] - settings["sgd_rate"] * gradient)
    return np.array(path)


def optimisers() -> Golden:
    def paths(settings: Settings) -> list[Array]:
        decay = settings["decay"]
        return [
            adam_path(settings, decay=decay, penalty=0),
            adam_path(settings, decay=0, penalty=decay),
            sgd_path(settings),
        ]

    start = {
        "steps": 150,
        "decay": 0.3,
        "rate": 0.1,
        "sgd_rate": 0.08,
        "steep": 20,
        "beta1": 0.9,
        "beta2": 0.999,
    }
    other = {**start, "steps": 60, "beta1": 0, "beta2": 0.9, "decay": 0}
    return Golden(
        "Three optimisers in one valley",
        points_at(
            lambda settings: {"ends": [path[-1] for path in paths(settings)]},
            start,
            other,
        ),
        "Weights on the way, with η = 0.1 (SGD: 0.08) and λ = 0.3, by NumPy",
        ("Step", "AdamW", "Adam with L2", "SGD with L2"),
        [
            (str(step), *(f"({x:.3f}, {y:.3f})" for x, y in places))
            for step, places in enumerate(zip(*paths(start), strict=True))
            if step % 15 == 0
        ],
        {},
    )
