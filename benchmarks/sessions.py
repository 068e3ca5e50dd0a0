"""What one run of the command line does, from the first process to the result file."""

import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks import machine, results, table
from benchmarks.budget import THRESHOLDS, Budget
from benchmarks.errors import (
    INTERRUPTED,
    OK,
    REFUSED,
    BenchmarkError,
    MissingError,
)
from benchmarks.filecompare import compare_results
from benchmarks.journal import Item, Journal
from benchmarks.lockstep import OURS, Side, compare, injected_test, self_test
from benchmarks.processes import ROOT, Worker
from benchmarks.scenarios import Scenario
from benchmarks.suite import Suite
from benchmarks.summary import scaling


def compare_files(old: Path, new: Path) -> int:
    """Print how two result files differ."""
    print("\n".join(compare_results(results.load(old), results.load(new))))
    return OK


class Session:
    """One run: progress, table, result."""

    def __init__(self, budget: Budget, seed: int, path: Path, command: str) -> None:
        """Look at the machine.

        Args:
            budget: How much to measure.
            seed: Of weights, inputs and order.
            path: Where the result goes.
            command: For the record.
        """
        self._command = command
        self._budget = budget
        self._seed = seed
        self._path = path
        self._started = time.monotonic()
        with Worker() as worker:
            self._hello = worker.hello
        self._before = machine.describe_moment()
        self._git = machine.git_state()
        # Silent where standard error is no terminal.
        self._bar = tqdm(total=0, disable=None, leave=False, unit="run")

    def _expect(self, more: int) -> None:
        if self._bar.total is not None:
            self._bar.total += more
            self._bar.refresh()

    def _tick(self) -> None:
        self._bar.update()

    def _print(self, text: str) -> None:
        self._bar.clear()
        print(text, flush=True)
        self._bar.refresh()

    def _finish(self, interrupted: bool = False, **content: Any) -> int:
        """Write the result; print why it is not to be published; exit status."""
        self._bar.close()
        environment = self._hello | machine.describe_machine()
        environment |= {"git": self._git, "before": self._before}
        environment["after"] = machine.describe_moment()
        peers = content.pop("peer_versions", None)
        if peers:
            environment["peers"] = peers
        result = {
            "schema_version": results.SCHEMA_VERSION,
            "quick": self._budget.quick,
            "interrupted": interrupted,
            "command": self._command,
            "seed": self._seed,
            "budget": self._budget.as_dict(),
            "thresholds": THRESHOLDS,
            "duration": time.monotonic() - self._started,
            "environment": environment,
            **content,
        }
        reasons = results.why_not_publishable(result)
        result |= {"publishable": not reasons, "reasons": reasons}
        path = self._path
        if reasons and path.resolve().is_relative_to(results.RESULTS):
            # That folder holds only what may be published.
            path = ROOT / "runs" / path.name
        results.save(path, result)
        print(f"wrote {path}")
        if self._budget.quick:
            print("quick: for orientation only")
        elif reasons:
            print("not to be published:", *reasons, sep="\n  ")
        if interrupted:
            return INTERRUPTED
        return REFUSED if reasons and not self._budget.quick else OK

    def _test_once(self) -> dict[str, Any]:
        """The self-test that comes before anything else."""
        self._expect(self._budget.pairs)
        test = self_test(self._seed, self._budget, self._tick, self._expect)
        low, high = test["interval"]
        self._print(
            f"self-test: the code against itself: ratio {test['ratio']:.3f} "
            f"[{low:.3f}, {high:.3f}], {test['verdict']}"
        )
        return test

    def _open_journal(self, plan: list[str]) -> Journal:
        """The records of this run; those of a like run that was interrupted."""
        settings = {
            "plan": plan,
            "budget": self._budget.as_dict(),
            "seed": self._seed,
            "git": self._git,
            "hello": self._hello | {"timer": None},
        }
        journal = Journal(ROOT / "runs" / f"{self._path.stem}.journal.jsonl", settings)
        if journal.records:
            print(f"going on: {len(journal.records)} measurements are kept")
        return journal

    def measure(self, scenarios: list[Scenario]) -> int:
        """Measure scenarios one by one; the table grows while it runs."""
        quick, cores = self._budget.quick, machine.available_cores()
        journal = self._open_journal([scenario.id for scenario in scenarios])
        suite = Suite(scenarios, self._budget, self._seed, journal, self._hello, cores)
        content: dict[str, Any] = {}
        interrupted = False
        try:
            content["self_tests"] = [self._test_once()]
            if not content["self_tests"][0]["passed"] and not quick:
                return self._finish(**content)
            self._print(table.header())
            suite.run(
                self._expect,
                self._tick,
                lambda scenario, summary: self._print(
                    table.row(scenario, summary, quick)
                ),
            )
            with Worker() as worker:
                content["stability"] = worker.ask("stability")
        except KeyboardInterrupt:
            interrupted = True
        content["scenarios"] = suite.summaries()
        content["scaling"] = scaling(content["scenarios"])
        status = self._finish(interrupted, **content)
        if status == OK:
            raw = self._path.with_suffix(".pyperf.json")
            results.write_raw(raw, journal.records)
        if not interrupted:
            journal.remove()
        return status

    def test_itself(self, repetitions: int) -> int:
        """Compare the code with itself, and with itself slowed by 5 %, repeatedly."""
        journal = self._open_journal([f"self-test {repetitions}"])
        tests = {"self_tests": self_test, "injected_tests": injected_test}
        content: dict[str, list[Any]] = {kind: [] for kind in tests}
        interrupted = False
        self._expect(2 * repetitions * self._budget.pairs)
        try:
            for number in range(repetitions):
                for kind, test in tests.items():
                    item = Item(kind, "dispatch_warm", replica=number)
                    outcome = journal.find(item)
                    if outcome is None:
                        outcome = test(
                            self._seed, self._budget, self._tick, self._expect
                        )
                        journal.add(item, outcome)
                    content[kind].append(outcome)
                    self._print(table.comparison_row(outcome))
            journal.remove()
        except KeyboardInterrupt:
            interrupted = True
        return self._finish(interrupted, **content)

    def compare(self, plan: list[tuple[str, Side]]) -> int:
        """Compare ours with a baseline at every step of a plan, after a self-test."""
        names = [f"{scenario} {side.name}" for scenario, side in plan]
        journal = self._open_journal(names)
        comparisons: list[dict[str, Any]] = []
        content: dict[str, Any] = {"comparisons": comparisons}
        versions: dict[str, str] = {}
        interrupted = False
        try:
            content["self_tests"] = [self._test_once()]
            if not content["self_tests"][0]["passed"] and not self._budget.quick:
                return self._finish(**content)
            self._expect(len(plan) * self._budget.pairs)
            for name, (scenario, baseline) in zip(names, plan, strict=True):
                outcome = journal.find(Item("comparison", name))
                if outcome is None:
                    outcome = self._compare_one(scenario, baseline)
                    journal.add(Item("comparison", name), outcome)
                comparisons.append(outcome)
                for answer in outcome.get("agreement", {}).values():
                    versions[baseline.name] = answer["version"]
                self._print(table.comparison_row(outcome))
            journal.remove()
        except KeyboardInterrupt:
            interrupted = True
        return self._finish(interrupted, peer_versions=versions, **content)

    def _compare_one(self, scenario: str, baseline: Side) -> dict[str, Any]:
        named = {"scenario": scenario, "baseline": baseline.name, "candidate": "numpy"}
        try:
            return compare(
                scenario,
                baseline,
                OURS,
                self._seed,
                self._budget,
                self._tick,
                self._expect,
            )
        except MissingError as error:
            return named | {"status": "skipped", "reason": str(error)}
        except BenchmarkError as error:
            return named | {"status": "failed", "reason": str(error)}
