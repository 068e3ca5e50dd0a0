"""What one run of the command line does, from the first process to the result file."""

import io
import subprocess
import tarfile
import tempfile
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
    UsageError,
)
from benchmarks.filecompare import compare_results
from benchmarks.lockstep import OURS, Side, compare, injected_test, self_test
from benchmarks.processes import ROOT, Worker
from benchmarks.scenarios import ALL, Scenario
from benchmarks.suite import Journal, Suite
from benchmarks.summary import scaling

# What a commit is compared by, and peers: forward and train at both sizes.
STEPS = ("dispatch_warm", "mem_train_step", "scale_forward_256", "scale_train_256")
PEER_STEPS = (*STEPS, "decode_128")


def resolve_commit(name: str) -> str:
    """Full id of a commit.

    Raises:
        UsageError: If git does not know it.
    """
    commit = machine.command_output(
        "git", "rev-parse", "--verify", f"{name}^{{commit}}"
    )
    if commit is None:
        raise UsageError(f"--against: git knows no commit {name!r}")
    return commit


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
        test = self_test(self._seed, self._budget, self._tick)
        low, high = test["interval"]
        self._print(
            f"self-test: the code against itself: ratio {test['ratio']:.3f} "
            f"[{low:.3f}, {high:.3f}], {test['verdict']}"
        )
        return test

    def measure(self, scenarios: list[Scenario]) -> int:
        """Measure scenarios one by one; the table grows while it runs."""
        budget = self._budget
        settings = {
            "scenarios": [scenario.id for scenario in scenarios],
            "budget": budget.as_dict(),
            "seed": self._seed,
            "git": self._git,
            "hello": self._hello | {"timer": None},
        }
        journal_path = ROOT / "runs" / f"{self._path.stem}.journal.jsonl"
        cores = machine.available_cores()
        content: dict[str, Any] = {}
        interrupted = False
        journal = Journal(journal_path, settings)
        suite = Suite(scenarios, budget, self._seed, journal, self._hello, cores)
        if journal.records:
            print(f"going on: {len(journal.records)} measurements are kept")
        try:
            content["self_tests"] = [self._test_once()]
            if not content["self_tests"][0]["passed"] and not budget.quick:
                return self._finish(**content)
            self._print(table.header())
            suite.run(
                self._expect,
                self._tick,
                lambda scenario, summary: self._print(
                    table.row(scenario, summary, budget.quick)
                ),
            )
            with Worker() as worker:
                content["stability"] = worker.ask("stability")
        except KeyboardInterrupt:
            interrupted = True
        content["scenarios"] = suite.summaries()
        content["scaling"] = scaling(content["scenarios"])
        status = self._finish(interrupted, **content)
        raw = self._path.with_suffix(".pyperf.json")
        if status == OK:
            results.write_raw(raw, journal.records)
        if not interrupted:
            journal.remove()
        return status

    def test_itself(self, repetitions: int) -> int:
        """Compare the code with itself, and with itself slowed by 5 %, repeatedly."""
        tests: dict[str, list[Any]] = {"self_tests": [], "injected_tests": []}
        interrupted = False
        self._expect(2 * repetitions * self._budget.pairs)
        try:
            for _ in range(repetitions):
                for kind, test in (
                    ("self_tests", self_test),
                    ("injected_tests", injected_test),
                ):
                    outcome = test(self._seed, self._budget, self._tick)
                    tests[kind].append(outcome)
                    self._print(table.comparison_row(outcome))
        except KeyboardInterrupt:
            interrupted = True
        return self._finish(interrupted, **tests)

    def _compare_all(self, plan: list[tuple[str, Side]]) -> int:
        """Compare ours with a baseline at every step of the plan, after a self-test."""
        comparisons: list[dict[str, Any]] = []
        content: dict[str, Any] = {"comparisons": comparisons}
        versions: dict[str, str] = {}
        interrupted = False
        try:
            content["self_tests"] = [self._test_once()]
            if not content["self_tests"][0]["passed"] and not self._budget.quick:
                return self._finish(**content)
            self._expect(len(plan) * self._budget.pairs)
            for scenario, baseline in plan:
                outcome = self._compare_one(scenario, baseline)
                comparisons.append(outcome)
                for answer in outcome.get("agreement", {}).values():
                    versions[baseline.name] = answer["version"]
                self._print(table.comparison_row(outcome))
        except KeyboardInterrupt:
            interrupted = True
        return self._finish(interrupted, peer_versions=versions, **content)

    def _compare_one(self, scenario: str, baseline: Side) -> dict[str, Any]:
        named = {"scenario": scenario, "baseline": baseline.name, "candidate": "numpy"}
        try:
            return compare(
                scenario, baseline, OURS, self._seed, self._budget, self._tick
            )
        except MissingError as error:
            return named | {"status": "skipped", "reason": str(error)}
        except BenchmarkError as error:
            return named | {"status": "failed", "reason": str(error)}

    def compare_with_commit(self, commit: str, scenarios: list[Scenario] | None) -> int:
        """Compare this tree with a commit, in lockstep."""
        names = STEPS if scenarios is None else [s.id for s in scenarios]
        for name in names:
            if ALL[name].work == "cold":
                raise UsageError(f"{name} cannot take turns; it has no lockstep")
        with tempfile.TemporaryDirectory() as folder:
            export(commit, Path(folder))
            baseline = Side(commit[:12], moe_root=Path(folder))
            return self._compare_all([(name, baseline) for name in names])

    def compare_with_peers(
        self, peers: list[str], scenarios: list[Scenario] | None
    ) -> int:
        """Compare with other libraries, in lockstep, same weights and inputs."""
        names = PEER_STEPS if scenarios is None else [s.id for s in scenarios]
        for name in names:
            if ALL[name].work not in ("forward", "train", "decode"):
                raise UsageError(f"{name} has no peers; they run steps of the model")
            if ALL[name].workers:
                raise UsageError(f"{name} has no peers; they run in one process")
        sides = [Side(peer, {"implementation": peer}) for peer in peers]
        return self._compare_all([(name, side) for name in names for side in sides])


def export(commit: str, folder: Path) -> None:
    """Write the package of a commit into a folder.

    Raises:
        UsageError: If that commit has no package `moe`.
    """
    done = subprocess.run(
        ["git", "archive", commit, "moe"], capture_output=True, cwd=ROOT
    )
    if done.returncode:
        raise UsageError(f"--against: commit {commit[:12]} has no package moe")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
