"""Tables of what was measured, and of what a page may ask for by name."""

from collections.abc import Callable
from typing import Any

from benchmarks.quantities import with_unit
from benchmarks.reports import charts, comparisons, convergence, svg, targets
from benchmarks.reports.markdown import bounds, table
from benchmarks.reports.sources import Results
from benchmarks.scenarios import ALL, SCENARIOS, Scenario
from benchmarks.table import describe

STAGES = {
    "interpreter": "start of the interpreter",
    "numpy": "import of NumPy",
    "package": "import of the package",
    "build": "building the model",
    "forward": "first forward pass",
}


def summaries(
    results: Results, wanted: Callable[[Scenario], bool]
) -> list[tuple[str, dict[str, Any]]]:
    """Scenarios of the 22 in their order, with what was measured of each."""
    names = [s.id for s in SCENARIOS.values() if wanted(s)]
    return [(name, results.value(f"main:scenarios.{name}")) for name in names]


def chart(results: Results, name: str) -> str:
    """A picture, its description as the text for who cannot see it."""
    words = svg.alternative(charts.CHARTS[name](results))
    return f"![{words}](charts/{name}.svg)"


def environment(results: Results, file: str) -> str:
    """The machine and the moment of a result."""
    e = results.value(f"{file}:environment")
    blas, cpu, python = e["blas"], e["cpu"], e["python"]
    seen = blas["threads_seen"] if blas["threads_verified"] else "not countable"
    load = [f"{e[when]['load']:.2f}" for when in ("before", "after")]
    rows = {
        "processor": f"{cpu['model']}, {cpu['available']} cores"
        + (" of a virtual machine" if cpu.get("virtual") else ""),
        "system": f"{e['os']['name']} {e['os']['release']}",
        "memory": with_unit(e["memory_bytes"], "GiB"),
        "Python": f"{python['implementation']} {python['version']}",
        "NumPy": e["numpy"]["version"],
        "BLAS": f"{blas['vendor']} {blas['version'] or blas['build_version']}, "
        f"kernels for {blas['architecture'] or 'this machine'}",
        "threads of BLAS": f"{blas['threads_requested']} asked for, {seen} seen",
        "commit": e["git"]["commit"][:12],
        "began": e["before"]["at"],
        "load average before and after": " and ".join(load),
        **e.get("peers", {}),
    }
    return table(
        "machine | what it is", [[name, str(value)] for name, value in rows.items()]
    )


def times(results: Results, axis: str) -> str:
    """Headline and typical time of every scenario of an axis."""
    rows = []
    for name, summary in summaries(results, lambda s: s.axis == axis):
        time, rate = summary["time"], summary.get("tokens_per_second")
        first, third = time["quartiles"]
        rows.append(
            [
                f"`{name}`",
                describe(ALL[name]),
                with_unit(time["best"], "s"),
                bounds(*time["interval"], "s"),
                with_unit(time["typical"], "s"),
                with_unit(third - first, "s", 2),
                with_unit(rate, "token/s") if rate else "",
            ]
        )
    head = "scenario | work | best | interval | typical | IQR | throughput"
    return table(head, rows)


def memory(results: Results) -> str:
    """Allocation and resident memory of every scenario."""
    rows = []
    for name, summary in summaries(results, lambda _: True):
        allocation, resident = summary.get("allocation", {}), summary["memory"]
        cells = [
            with_unit(allocation[key], "B") if key in allocation else ""
            for key in ("peak_traced_bytes", "retained_bytes")
        ]
        cells += [
            with_unit(resident["peak_resident_bytes"], "B"),
            with_unit(max(0, resident["over_idle_bytes"]), "B"),
        ]
        rows.append([f"`{name}`", *cells])
    return table("scenario | peak of a call | kept by it | resident | over idle", rows)


def collections(results: Results) -> str:
    """Garbage collections of the scenarios that had any."""
    rows = []
    for name, summary in summaries(results, lambda _: True):
        found = summary.get("collections")
        if found and sum(found["collections"]):
            counts = ", ".join(map(str, found["collections"]))
            share = with_unit(found["pause_share"], "%", 2)
            rows.append([f"`{name}`", str(found["calls"]), counts, share])
    if not rows:
        return "No scenario caused a single collection."
    return table("scenario | calls | collections by generation | of the time", rows)


def scaling(results: Results) -> str:
    """Fitted exponents and straight lines."""
    series = ("main:batch", "main:seq", "hidden:hidden_forward", "hidden:hidden_train")
    rows = []
    for file, name in (key.split(":") for key in series):
        fit = results.value(f"{file}:scaling.{name}")
        rows.append(
            [
                name.replace("_", ", "),
                ", ".join(map(str, fit["sizes"])),
                ", ".join(with_unit(seconds, "s") for seconds in fit["seconds"]),
                f"{fit['exponent']:.2f}",
                with_unit(fit["fixed"], "s") if "fixed" in fit else "",
                with_unit(fit["per_token"], "s") if "per_token" in fit else "",
            ]
        )
    return table("series | sizes | times | exponent | fixed | per token", rows)


def parallel(results: Results) -> str:
    """Speed-up and efficiency of the parallel scenarios."""
    cores = results.value("main:environment.cpu.available")
    rows = []
    for name, summary in summaries(results, lambda s: s.workers > 0):
        threads = summary.get("threads")
        rows.append(
            [
                f"`{name}`",
                str(summary["workers"]),
                with_unit(summary["time"]["best"], "s"),
                with_unit(summary["speedup"], "x"),
                with_unit(summary["efficiency"], "%"),
                with_unit(summary["time"]["cpu_share"], "", 2),
                f"oversubscribed: {cores} cores" if summary["oversubscribed"] else "",
                with_unit(threads["best"], "s") if threads else "none: GIL",
            ]
        )
    head = "scenario | processes | best | speed-up | efficiency | cores busy"
    return table(f"{head} | note | threads", rows)


def stages(results: Results) -> str:
    """Where a cold start spends its time."""
    found = results.value("main:scenarios.dispatch_cold.stages")
    total = sum(found.values())
    rows = [
        [words, with_unit(found[name], "s"), with_unit(found[name] / total, "%", 2)]
        for name, words in STAGES.items()
    ]
    return table("stage | time | share", rows)


def with_limits(results: Results, file: str) -> list[tuple[str, dict[str, Any]]]:
    """Scenarios of a file whose limits were measured, and the limits."""
    scenarios = results.value(f"{file}:scenarios")
    return [(name, s["limits"]) for name, s in scenarios.items() if "limits" in s]


def limits(results: Results, file: str) -> str:
    """Floors under every step of the model."""
    rows = []
    for name, found in with_limits(results, file):
        optimiser = found["optimiser"]
        rows.append(
            [
                f"`{name}`",
                with_unit(found["step"], "s"),
                with_unit(found["products"], "s"),
                with_unit(optimiser, "s") if optimiser else "none",
                with_unit(found["ratio"], "x"),
                bounds(*found["ratio_interval"], "x"),
                with_unit(found["active_flops"], "FLOP"),
                with_unit(found["peak_flops"], "FLOP/s"),
                with_unit(found["utilisation"], "%", 2),
            ]
        )
    head = "scenario | step | products alone | optimiser floor | step over floor"
    head += " | interval"
    return table(f"{head} | active work | measured peak | utilisation", rows)


def interpreter(results: Results, file: str) -> str:
    """How much of a step is the interpreter."""
    rows = []
    for name, found in with_limits(results, file):
        rows.append(
            [
                f"`{name}`",
                with_unit(found["product_share"], "%", 2),
                with_unit(found["optimiser_share"], "%", 2),
                f"{found['calls']:.0f}",
                f"{found['indexing']:.0f}",
                with_unit(found["call_seconds"], "s"),
                with_unit(found["index_seconds"], "s"),
                with_unit(found["dispatch_share"], "%", 2),
                with_unit(max(0, found["interpreter_share_at_most"]), "%", 2),
            ]
        )
    head = "scenario | products | optimiser floor | NumPy calls | of them indexing"
    head += " | smallest call | smallest index | dispatch, at least"
    return table(f"{head} | with interpreter, at most", rows)


def stability(results: Results) -> str:
    """What extreme and broken numbers do."""
    rows = [
        [case["case"], case["outcome"], "right" if case["passed"] else "WRONG"]
        for case in results.value("main:stability")
    ]
    return table("case | outcome | verdict", rows)


GENERATORS: dict[str, Callable[..., str]] = {
    "chart": chart,
    "environment": environment,
    "times": times,
    "memory": memory,
    "collections": collections,
    "scaling": scaling,
    "parallel": parallel,
    "stages": stages,
    "limits": limits,
    "interpreter": interpreter,
    "stability": stability,
    "comparisons": comparisons.lockstep,
    "self_test": comparisons.self_test,
    "tricks": comparisons.tricks,
    "targets": targets.table_of,
    "original": comparisons.original,
    "tracing": comparisons.tracing,
    "convergence": convergence.picture,
    "agreement": convergence.agreement,
}
