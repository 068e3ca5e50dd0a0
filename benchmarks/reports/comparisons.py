"""Tables that set one thing beside another."""

from benchmarks.quantities import with_unit
from benchmarks.reports.markdown import bounds, table
from benchmarks.reports.sources import Results
from benchmarks.tricks import TRICKS


def lockstep(results: Results, file: str) -> str:
    """Every comparison of a file: how many times our time each baseline takes."""
    rows, reasons = [], []
    for found in results.value(f"{file}:comparisons"):
        named = [f"`{found['scenario']}`", found["baseline"]]
        if "status" in found:
            rows.append([*named, "", "", "", "", found["status"]])
            reasons.append(f"{named[0]}, {named[1]}: {found['reason']}.")
            continue
        low, high = found["interval"]
        agreement = found["agreement"].get(found["baseline"])
        agrees = f"{agreement['what']} to {agreement['error']:.0e}" if agreement else ""
        rows.append(
            [
                *named,
                with_unit(found["baseline_seconds"], "s"),
                with_unit(found["candidate_seconds"], "s"),
                with_unit(1 / found["ratio"], "x"),
                bounds(1 / high, 1 / low, "x"),
                ", ".join(filter(None, (found["verdict"], agrees))),
            ]
        )
    head = "scenario | against | its time | ours | its time over ours | interval"
    compared = table(f"{head} | ours is, results agree", rows)
    return "\n\n".join([compared, *reasons])


def tricks(results: Results, which: str) -> str:
    """What the code would cost without its tricks, or with those it does not have.

    What makes most of a difference stands first.

    Args:
        results: Files.
        which: `kept` or `left-out`.
    """
    measured = {
        trick: [
            results.value(
                f"tricks:comparisons[baseline={trick.variant},scenario={scenario}]"
            )
            for scenario in trick.scenarios
        ]
        for trick in TRICKS
        if trick.kept == (which == "kept")
    }
    by_worth = sorted(measured, key=lambda t: min(m["ratio"] for m in measured[t]))
    stories, rows = [], []
    for trick in by_worth:
        stories.append(f"- `{trick.name}`: {trick.story}")
        for found in measured[trick]:
            low, high = found["interval"]
            rows.append(
                [
                    f"`{trick.name}`",
                    f"`{found['scenario']}`",
                    with_unit(found["baseline_seconds"], "s"),
                    with_unit(found["candidate_seconds"], "s"),
                    with_unit(1 / found["ratio"], "x"),
                    bounds(1 / high, 1 / low, "x"),
                    found["verdict"],
                ]
            )
    word = "without" if which == "kept" else "with"
    head = f"trick | scenario | {word} it | shipped | {word} over shipped"
    return "\n".join([*stories, "", table(f"{head} | interval | shipped is", rows)])


def self_test(results: Results, file: str) -> str:
    """Every comparison of the code with itself, and with itself slowed down."""
    rows = []
    for kind, words in (("self_tests", "itself"), ("injected_tests", "itself slowed")):
        for number, test in enumerate(results.value(f"{file}:{kind}"), 1):
            ratios = (test["ratio"], *test["interval"])
            cells = [f"{100 * (ratio - 1):+.2f} %" for ratio in ratios]
            rows.append([f"{words} {number}", *cells, test["verdict"]])
    return table("against | difference | from | to | verdict", rows)


def original(results: Results) -> str:
    """The original's published figures beside ours."""
    published = results.value("cited:original.published")
    rows = []
    for name, by_language in published.items():
        ours = results.value(f"main:scenarios.{name}.time")
        cells = [with_unit(seconds, "s") for seconds in by_language.values()]
        cells += [with_unit(ours[key], "s") for key in ("best", "typical")]
        rows.append([f"`{name}`", *cells])
    languages = " | ".join(f"{name} (M1)" for name in next(iter(published.values())))
    return table(f"scenario | {languages} | ours, best | ours, typical", rows)


def tracing(results: Results) -> str:
    """The original's Python: its last warm-up, untraced, and the published median."""
    rows = [
        [
            f"`{name}`",
            with_unit(row["last_warmup"], "s"),
            with_unit(row["median"], "s"),
            with_unit(row["median"] / row["last_warmup"], "x"),
        ]
        for name, row in results.value("cited:original.python_tracing").items()
    ]
    return table("scenario | last warm-up | published median | ratio", rows)
