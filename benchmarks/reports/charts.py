"""Pictures of the pages, from result files."""

from collections.abc import Callable
from typing import Any

from benchmarks.quantities import with_unit
from benchmarks.reports import svg
from benchmarks.reports.sources import Results

KINDS = ("a", "b", "c", "d")


def growth(results: Results, file: str, names: dict[str, str], title: str) -> str:
    """Time against size, both by their logarithm, one line for each series."""
    fits = {words: results.value(f"{file}:scaling.{n}") for n, words in names.items()}
    sizes = [size for fit in fits.values() for size in fit["sizes"]]
    seconds = [time for fit in fits.values() for time in fit["seconds"]]
    x, y = svg.LogAxis(sizes, 80, 560), svg.LogAxis(seconds, 300, 30)
    body, told = [], []
    for size in sorted(set(sizes)):
        body.append(svg.line(x.at(size), 30, x.at(size), 300, "grid"))
        body.append(svg.text(x.at(size), 318, str(size), "middle", "small"))
    for kind, (words, fit) in zip(KINDS, fits.items(), strict=False):
        points = [
            (x.at(size), y.at(time))
            for size, time in zip(fit["sizes"], fit["seconds"], strict=True)
        ]
        body.append(svg.path(points, kind))
        for (px, py), time in zip(points, fit["seconds"], strict=True):
            body.append(svg.dot(px, py, kind))
            body.append(svg.text(px, py - 9, with_unit(time, "s"), "middle", "small"))
        label = f"{words}: exponent {fit['exponent']:.2f}"
        body.append(svg.text(points[-1][0] + 10, points[-1][1] + 16, label, "start"))
        listed = ", ".join(
            f"{with_unit(t, 's')} at {s}"
            for s, t in zip(fit["sizes"], fit["seconds"], strict=True)
        )
        told.append(f"{label}; {listed}")
    return svg.document(title, ". ".join(told) + ".", 330, body)


def tokens_chart(results: Results) -> str:
    """Forward time against batch and against sequence length."""
    names = {"batch": "batch (seq 32)", "seq": "sequence (batch 2)"}
    return growth(results, "main", names, "Forward time against size")


def hidden_chart(results: Results) -> str:
    """Forward and train time against hidden size."""
    names = {"hidden_forward": "forward", "hidden_train": "train"}
    return growth(results, "hidden", names, "Time against hidden size")


def shares_chart(results: Results) -> str:
    """What a step is made of: products, optimiser floor, dispatch, the rest."""
    steps = ("dispatch_warm", "mem_train_step", "scale_forward_256", "scale_train_256")
    names = ("matrix products", "optimiser floor", "dispatch", "the rest")
    body, told = [], []
    for place, (kind, name) in enumerate(zip(KINDS, names, strict=True)):
        body.append(svg.bar(150 + 140 * place, 10, 12, 12, kind))
        body.append(svg.text(168 + 140 * place, 21, name))
    for row, step in enumerate(steps):
        found = results.value(f"main:scenarios.{step}.limits")
        shares = [found[f"{n}_share"] for n in ("product", "optimiser", "dispatch")]
        shares.append(max(0.0, 1 - sum(shares)))
        top, left = 40 + 36 * row, 150.0
        body.append(svg.text(140, top + 17, step, "end"))
        for kind, share in zip(KINDS, shares, strict=True):
            body.append(svg.bar(left, top, 540 * share, 24, kind))
            left += 540 * share
        parts = zip(names, shares, strict=True)
        told.append(
            f"{step}: " + ", ".join(f"{n} {with_unit(s, '%', 2)}" for n, s in parts)
        )
    return svg.document("What a step is made of", ". ".join(told) + ".", 190, body)


def peers_chart(results: Results) -> str:
    """Time of every peer over ours, with its interval."""
    rows: list[dict[str, Any]] = [
        row for row in results.value("peers:comparisons") if "status" not in row
    ]
    ends = [1 / bound for row in rows for bound in row["interval"]]
    x = svg.LogAxis([*ends, 1.0], 290, 620)
    height = 50 + 24 * len(rows)
    body = [svg.line(x.at(1), 24, x.at(1), height - 20, "axis")]
    body.append(svg.text(x.at(1), 16, "ours", "middle", "small"))
    told = []
    for place, row in enumerate(rows):
        y = 40 + 24 * place
        low, high = (1 / bound for bound in reversed(row["interval"]))
        times = with_unit(1 / row["ratio"], "x")
        body.append(
            svg.text(280, y + 4, f"{row['scenario']}, {row['baseline']}", "end")
        )
        body.append(svg.line(x.at(low), y, x.at(high), y, "a"))
        body.append(svg.dot(x.at(1 / row["ratio"]), y, "a"))
        body.append(svg.text(640, y + 4, times))
        told.append(f"{row['scenario']}, {row['baseline']}: {times}")
    title = "Time of other libraries over ours (right of the line: ours is faster)"
    return svg.document(title, ". ".join(told) + ".", height, body)


def parallel_chart(results: Results) -> str:
    """Efficiency of several processes at once."""
    body, told = [], []
    names = [f"parallel_{kind}T{n}" for kind in ("", "train_") for n in (1, 2, 4)]
    for row, name in enumerate(names):
        found = results.value(f"main:scenarios.{name}")
        top, share = 10 + 30 * row, found["efficiency"]
        over = found["oversubscribed"]
        words = with_unit(share, "%") + (" (oversubscribed)" if over else "")
        body.append(svg.text(140, top + 15, name, "end"))
        body.append(svg.bar(150, top, 400 * share, 20, "d" if over else "a"))
        body.append(svg.text(158 + 400 * share, top + 15, words))
        told.append(f"{name}: {words}")
    title = "Parallel efficiency: time of one process over time of n at once"
    return svg.document(title, ". ".join(told) + ".", 200, body)


CHARTS: dict[str, Callable[[Results], str]] = {
    "tokens": tokens_chart,
    "hidden": hidden_chart,
    "shares": shares_chart,
    "peers": peers_chart,
    "parallel": parallel_chart,
}
