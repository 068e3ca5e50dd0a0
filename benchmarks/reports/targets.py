"""What the code set out to reach, and what was measured of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.quantities import with_unit
from benchmarks.reports.markdown import bounds, table
from benchmarks.reports.sources import Results

Answer = tuple[str, str, str]  # measured, interval, met or not


@dataclass(frozen=True)
class Target:
    """One line of the table.

    Attributes:
        work: What is measured.
        against: What it is set against.
        wanted: The target in words.
        judge: Looks it up and judges it.
    """

    work: str
    against: str
    wanted: str
    judge: Callable[[Results], Answer]


def _settled(met: bool, missed: bool) -> str:
    """A word; an interval that lies on both sides settles nothing."""
    return "met" if met else "missed" if missed else "unresolved"


def _at_most(most: float, ratio: float, interval: list[float]) -> Answer:
    low, high = interval
    word = _settled(high <= most, low > most)
    return with_unit(ratio, "x"), bounds(low, high, "x"), word


def _peer(scenario: str, peer: str, least: float | None = None) -> Target:
    """Ours against a library: faster, or not slower where `least` is None."""

    def judge(results: Results) -> Answer:
        key = f"peers:comparisons[scenario={scenario},baseline={peer}]"
        found: dict[str, Any] = results.value(key)
        if "status" in found:
            return found["status"], found["reason"], "not measured"
        high, low = (1 / bound for bound in found["interval"])
        word = found["verdict"]
        if least is None:
            met, missed = word in ("faster", "same"), word == "slower"
        else:
            met = word == "faster" and low >= least
            missed = word in ("slower", "same") or high < least
        measured = with_unit(1 / found["ratio"], "x")
        return measured, bounds(low, high, "x"), _settled(met, missed)

    wanted = "not slower"
    if least is not None:
        wanted = "faster" if least == 1 else f"its time at least {least:.0f} × ours"
    return Target(scenario, f"{peer}: its time over ours", wanted, judge)


def _floor(scenario: str, most: float) -> Target:
    """A step over its floor."""

    def judge(results: Results) -> Answer:
        found = results.value(f"main:scenarios.{scenario}.limits")
        return _at_most(most, found["ratio"], found["ratio_interval"])

    return Target(
        scenario, "products and optimiser alone", f"at most {most:.2f} ×", judge
    )


def _cold_start(most: float) -> Target:
    def judge(results: Results) -> Answer:
        found = results.value("main:scenarios.dispatch_cold.over_numpy")
        return _at_most(most, found["ratio"], found["interval"])

    wanted = f"at most {most:.1f} ×"
    return Target("dispatch_cold", "interpreter with NumPy alone", wanted, judge)


def _memory(scenario: str, most: float) -> Target:
    def judge(results: Results) -> Answer:
        found = results.value(f"main:scenarios.{scenario}")
        peak = found["allocation"]["peak_traced_bytes"]
        ratio = peak / found["limits"]["activation_bytes"]
        return with_unit(ratio, "x"), "counted", _settled(ratio <= most, ratio > most)

    against = "peak memory over the activations"
    return Target(scenario, against, f"at most {most:.0f} ×", judge)


def _growth(series: str, work: str, most: float) -> Target:
    def judge(results: Results) -> Answer:
        file = "hidden" if series.startswith("hidden") else "main"
        exponent = results.value(f"{file}:scaling.{series}.exponent")
        return f"{exponent:.2f}", "fitted", _settled(exponent <= most, exponent > most)

    return Target(work, "exponent", f"at most {most:.0f}", judge)


TARGETS = (
    *(_peer("dispatch_warm", p, 1) for p in ("torch", "torch-compile", "jax", "hf")),
    *(_peer("mem_train_step", p, 1) for p in ("torch", "torch-compile", "jax")),
    _floor("dispatch_warm", 1.7),
    _floor("mem_train_step", 2.0),
    *(_peer("scale_forward_256", p) for p in ("torch-compile", "jax")),
    _floor("scale_forward_256", 1.15),
    _peer("scale_train_256", "jax"),
    _floor("scale_train_256", 1.25),
    _peer("decode_128", "torch", 3),
    _cold_start(1.3),
    _memory("mem_train_step", 2),
    _growth("batch", "forward against batch", 1),
    _growth("seq", "forward against length", 2),
    _growth("hidden_forward", "forward against hidden size", 2),
    _growth("hidden_train", "train against hidden size", 2),
)


def table_of(results: Results) -> str:
    """Every target with what was measured."""
    rows = []
    for target in TARGETS:
        measured, interval, met = target.judge(results)
        rows.append(
            [target.work, target.against, target.wanted, measured, interval, met]
        )
    return table("work | against | target | measured | interval | outcome", rows)
