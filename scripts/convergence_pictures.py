"""Pictures of the convergence run: both losses, the load of the experts, PyTorch's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from agreement import differences
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pictures import STYLE, save_gif, save_svg

from benchmarks.reports.convergence import description

# The spacing of float32 numbers at 1: a loss below it is a few roundings.
FLOAT32_SPACING = float(np.finfo(np.float32).eps)
OURS, THEIRS, BALANCE = "#0b5394", "#c2410c", "#4d7c0f"
EXPERTS = ("#1d4e89", "#4f9dd0", "#e0a458", "#9a3b26")
STATES_BETWEEN_FRAMES = 4
STATES_BETWEEN_MARKERS = 5
MILLISECONDS = 180  # a frame; all of them take less than five seconds
LARGEST_LOAD = 0.6
# Where equal numbers lie on a logarithmic scale, which has no zero.
EQUAL = 1e-17

Record = dict[str, Any]
Points = list[tuple[float, float]]


class Frame(NamedTuple):
    """What one picture of the animation shows.

    Attributes:
        step: Steps taken.
        cross_entropy: `(step, nats)` up to here, ours.
        balance_loss: `(step, nats)` up to here, ours.
        pytorch: `(step, nats)` up to here, cross-entropy at some of the points.
        expert_load: For each layer the share of the assignments of each expert.
    """

    step: int
    cross_entropy: Points
    balance_loss: Points
    pytorch: Points
    expert_load: list[list[float]]


def frames(run: Record, torch: Record | None) -> list[Frame]:
    """The animation: every fourth state, and the last."""
    states = run["states"]
    shown = sorted({*range(0, len(states), STATES_BETWEEN_FRAMES), len(states) - 1})
    return [frame(states[: index + 1], torch) for index in shown]


def frame(states: Sequence[Record], torch: Record | None) -> Frame:
    """The picture of a run that ends with the last of these states."""
    last = states[-1]
    points = torch["float32"]["points"][: len(states)] if torch else []
    return Frame(
        last["step"],
        [(s["step"], s["cross_entropy"]) for s in states],
        [(s["step"], s["balance_loss"]) for s in states],
        [
            (p["step"], p["pytorch"]["cross_entropy"])
            for p in points[::STATES_BETWEEN_MARKERS]
        ],
        last["expert_load"],
    )


def draw_losses(axes: Axes, run: Record, shown: Frame) -> None:
    """Both losses over the steps, on a logarithmic scale."""
    lowest = min(value for _, value in frame(run["states"], None).cross_entropy)
    axes.set(
        xlabel="step",
        ylabel="nats per token",
        yscale="log",
        xlim=(-0.01 * run["final"]["step"], 1.01 * run["final"]["step"]),
        ylim=(min(lowest, FLOAT32_SPACING) / 3, 30),
    )
    axes.minorticks_off()
    axes.axhline(run["log_vocab_size"], color="0.45", lw=1, ls=":")
    axes.axhspan(1e-12, FLOAT32_SPACING, color="0.9", zorder=0)
    axes.annotate(
        "below the resolution of float32",
        (0.02, FLOAT32_SPACING),
        xycoords=("axes fraction", "data"),
        va="top",
        color="0.35",
        fontsize="small",
    )
    axes.annotate(
        "ln 1000: uniform guesses",
        (0.98, run["log_vocab_size"]),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color="0.35",
        fontsize="small",
    )
    curve(axes, shown.cross_entropy, "-", color=OURS, lw=2, label="cross-entropy, ours")
    if shown.pytorch:
        curve(
            axes,
            shown.pytorch,
            "o",
            color=THEIRS,
            fillstyle="none",
            label="cross-entropy, PyTorch",
        )
    curve(axes, shown.balance_loss, "--", color=BALANCE, label="balance loss, ours")
    axes.legend(loc="upper right", bbox_to_anchor=(1, 0.93), fontsize="small")


def curve(axes: Axes, points: Points, style: str, **options: Any) -> None:
    """One curve."""
    axes.plot(*zip(*points, strict=True), style, **options)


def draw_loads(axes: Axes, layer: int, loads: Sequence[float]) -> None:
    """The load of the experts of a layer as bars."""
    experts = range(len(loads))
    axes.bar(experts, loads, color=EXPERTS, width=0.7)
    axes.axhline(1 / len(loads), color="0.2", lw=1, ls="--")
    axes.set(title=f"layer {layer}: load of the experts", ylim=(0, LARGEST_LOAD))
    axes.set_xticks(experts, [f"expert {e}" for e in experts])
    axes.grid(visible=False, axis="x")
    axes.set_axisbelow(True)


def draw_load_history(axes: Axes, layer: int, states: Sequence[Record]) -> None:
    """The load of the experts of a layer over the steps, stacked to one."""
    loads = np.array([s["expert_load"][layer] for s in states]).T
    axes.stackplot([s["step"] for s in states], loads, colors=EXPERTS)
    for expert, share in enumerate(np.linspace(0, 1, len(loads), endpoint=False)):
        place = share + 0.5 / len(loads)
        axes.text(
            0.98,
            place,
            f"expert {expert}",
            transform=axes.transAxes,
            ha="right",
            va="center",
            fontsize="small",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )
        if expert:
            axes.axhline(share, color="white", lw=1, ls="--")
    axes.set(
        title=f"layer {layer}: load of the experts",
        xlim=(0, states[-1]["step"]),
        ylim=(0, 1),
    )
    axes.grid(visible=False)


def draw_frame(figure: Figure, run: Record, shown: Frame) -> None:
    """One picture of the animation."""
    losses, *layers = panels(figure, len(shown.expert_load))
    draw_losses(losses, run, shown)
    mantissa, exponent = f"{shown.cross_entropy[-1][1]:.1e}".split("e")
    nats = rf"${mantissa} \times 10^{{{int(exponent)}}}$ nats"
    losses.set_title(f"step {shown.step}: {nats}")
    for layer, loads in enumerate(shown.expert_load):
        draw_loads(layers[layer], layer, loads)


def panels(figure: Figure, layers: int) -> list[Axes]:
    """A wide panel, and beside it one for each layer."""
    grid = figure.add_gridspec(layers, 2, width_ratios=(1.5, 1))
    return [
        figure.add_subplot(grid[:, 0]),
        *(figure.add_subplot(grid[layer, 1]) for layer in range(layers)),
    ]


def animate(path: Path, run: Record, torch: Record | None) -> None:
    """The run as a GIF that plays once and stays at its last frame."""
    with rc_context(STYLE):
        figures = []
        for shown in frames(run, torch):
            figure = Figure(figsize=(8, 4.2), dpi=100, layout="constrained")
            draw_frame(figure, run, shown)
            figures.append(figure)
        save_gif(path, figures, MILLISECONDS)


def draw_run(path: Path, run: Record, torch: Record | None) -> None:
    """The whole run in one picture that does not move."""
    states = run["states"]
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 5), layout="constrained")
        losses, *layers = panels(figure, len(run["final"]["expert_load"]))
        draw_losses(losses, run, frame(states, torch))
        losses.set_title("Overfitting one batch of 16 consecutive ids")
        for layer, axes in enumerate(layers):
            draw_load_history(axes, layer, states)
        layers[-1].set_xlabel("step")
        title = "Overfitting one batch: losses and load of the experts"
        save_svg(figure, path, title, description(run, torch))


def draw_agreement(path: Path, torch: Record) -> None:
    """How far ours and PyTorch's cross-entropy are apart, in both dtypes."""
    with rc_context(STYLE):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.add_subplot(
            title="Cross-entropy, ours against PyTorch",
            xlabel="step",
            ylabel="relative difference",
            yscale="log",
            ylim=(EQUAL / 3, 10),
        )
        axes.minorticks_off()
        words = []
        for dtype, marker, color in (("float32", "s", THEIRS), ("float64", "o", OURS)):
            found = differences(torch[dtype]["points"])
            shown = [(step, max(apart, EQUAL)) for step, apart in found]
            curve(axes, shown, marker, color=color, ms=4, mew=0, label=dtype)
            largest = max(apart for _, apart in found)
            words.append(f"{largest:.0e} in {dtype}")
        axes.annotate(
            "equal", (1, EQUAL), xycoords=("axes fraction", "data"), ha="right"
        )
        axes.legend()
        told = f"The largest relative difference is {' and '.join(words)}."
        save_svg(figure, path, "Cross-entropy, ours against PyTorch", told)
