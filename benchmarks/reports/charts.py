"""Pictures of the pages, from result files."""

from collections.abc import Callable
from typing import Any

from benchmarks.quantities import with_unit
from benchmarks.reports import svg
from benchmarks.reports.sources import Results

KINDS = ("a", "b", "c", "d")


def growth(series: dict[str, tuple[list[float], dict[str, Any]]], title: str) -> str:
    """Time against size, both by their logarithm, one line for each series.

    Args:
        series: By its name: where its points stand, and its fit of `scaling`.
        title: Of the picture.

    Returns:
        SVG.
    """
    x = svg.LogAxis([size for sizes, _ in series.values() for size in sizes], 60, 660)
    y = svg.LogAxis([t for _, fit in series.values() for t in fit["seconds"]], 320, 60)
    body, told = [], []
    for size in sorted({size for sizes, _ in series.values() for size in sizes}):
        body.append(svg.line(x.at(size), 50, x.at(size), 330, "grid"))
        body.append(svg.text(x.at(size), 348, f"{size:.0f}", "middle", "small"))
    for row, (words, (sizes, fit)) in enumerate(series.items()):
        label = f"{words}: exponent {fit['exponent']:.2f}"
        body.append(svg.bar(60 + 330 * row, 10, 12, 12, KINDS[row]))
        body.append(svg.text(78 + 330 * row, 21, label))
        pairs = list(zip(sizes, fit["seconds"], strict=True))
        points = [(x.at(size), y.at(seconds)) for size, seconds in pairs]
        body.append(svg.path(points, KINDS[row]))
        below = 20 if row == 0 else -10
        for (left, top), (_, seconds) in zip(points, pairs, strict=True):
            body.append(svg.dot(left, top, KINDS[row]))
            words = with_unit(seconds, "s")
            body.append(svg.text(left, top + below, words, "middle", "small"))
        listed = ", ".join(f"{with_unit(t, 's')} at {size:.0f}" for size, t in pairs)
        told.append(f"{label}; {listed}")
    return svg.document(title, ". ".join(told) + ".", 360, body)


def tokens_chart(results: Results) -> str:
    """Forward time against tokens: more sequences, and longer ones."""
    series = {}
    for name, words, other in (
        ("batch", "sequences of 32", 32),
        ("seq", "2 longer", 2),
    ):
        fit = results.value(f"main:scaling.{name}")
        series[words] = ([other * size for size in fit["sizes"]], fit)
    return growth(series, "Forward time against tokens")


def hidden_chart(results: Results) -> str:
    """Forward and train time against hidden size."""
    series = {}
    for words in ("forward", "train"):
        fit = results.value(f"hidden:scaling.hidden_{words}")
        series[words] = (fit["sizes"], fit)
    return growth(series, "Time against hidden size")


def shares_chart(results: Results) -> str:
    """What a step is made of: products, optimiser floor, dispatch, the rest."""
    steps = ("dispatch_warm", "mem_train_step", "scale_forward_256", "scale_train_256")
    names = ("matrix products", "optimiser floor", "dispatch, at least", "the rest")
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
            if share > 0.08:
                middle, words = left + 270 * share, with_unit(share, "%", 2)
                body.append(svg.text(middle, top + 17, words, "middle", "inside"))
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


def history_chart(results: Results) -> str:
    """Time of earlier commits over that of the newest reference."""
    rows = results.value("history:")
    rows = [row for row in rows if row["reference"] == rows[-1]["reference"]]
    steps = {"dispatch_warm": "forward", "mem_train_step": "train step"}
    ratios = [ratio for row in rows for s in steps for ratio in row[s]["interval"]]
    y = svg.LogAxis([*ratios, 1.0], 300, 60)
    places = [90 + 540 * n / max(1, len(rows)) for n in range(len(rows) + 1)]
    body = [svg.line(60, y.at(1), 660, y.at(1), "axis")]
    told = []
    for place, row in zip(places, rows, strict=False):
        body.append(svg.text(place, 338, row["commit"][:7], "middle", "small"))
        body.append(svg.text(place, 352, row["date"], "middle", "small"))
    body.append(svg.text(places[-1], 338, rows[-1]["reference"][:7], "middle", "small"))
    body.append(svg.text(places[-1], 352, "reference", "middle", "small"))
    for kind, (step, words) in zip(KINDS, steps.items(), strict=False):
        left = 60 + 200 * KINDS.index(kind)
        body.append(svg.bar(left, 10, 12, 12, kind))
        body.append(svg.text(left + 18, 21, words))
        points = [
            (place, y.at(row[step]["ratio"]))
            for place, row in zip(places, rows, strict=False)
        ]
        body.append(svg.path([*points, (places[-1], y.at(1))], kind))
        for (x, top), row in zip(points, rows, strict=True):
            low, high = row[step]["interval"]
            body.append(svg.line(x, y.at(low), x, y.at(high), kind))
            body.append(svg.dot(x, top, kind))
            over = with_unit(row[step]["ratio"], "x")
            # The greater of the two is labelled above its interval, the other below.
            greatest = max(row[one]["ratio"] for one in steps)
            above = row[step]["ratio"] == greatest
            beside = y.at(high) - 6 if above else y.at(low) + 16
            body.append(svg.text(x, beside, over, "middle", "small"))
            told.append(f"{words} at {row['commit'][:7]}: {over}")
    title = "Time of earlier commits over that of the reference"
    return svg.document(title, ". ".join(told) + ".", 360, body)


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
    "history": history_chart,
}
