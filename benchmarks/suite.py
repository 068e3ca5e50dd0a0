"""The whole measurement: what is still to do, in shuffled order, resumable.

Every record goes to a journal as soon as it exists. A run that was interrupted goes
on from there; what may be published is computed from the records alone.
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import measuring
from benchmarks.budget import Budget
from benchmarks.errors import BenchmarkError
from benchmarks.journal import Item, Journal
from benchmarks.scenarios import Scenario
from benchmarks.summary import add_efficiency, summarise_scenario

FINISH_WITHIN = 570  # seconds; unstable scenarios are tried again while that fits
IDLE = "idle"  # stands for a scenario in the record of a worker that does nothing


class Suite:
    """Measures scenarios within a budget.

    Attributes:
        scenarios: What is measured.
        journal: What has been measured.
    """

    def __init__(
        self,
        scenarios: list[Scenario],
        budget: Budget,
        seed: int,
        journal: Journal,
        hello: dict[str, Any],
        cores: int,
    ) -> None:
        """Plan the measurement.

        Args:
            scenarios: What to measure.
            budget: How much.
            seed: Of weights, inputs and order.
            journal: Where records go; what it has is not measured again.
            hello: What a worker says of itself.
            cores: That are available.
        """
        self.scenarios = scenarios
        self.journal = journal
        self._budget = budget
        self._seed = seed
        self._rng = random.Random(seed)
        self._cores = cores
        self._timer_cost = hello["timer"]["cost"]
        self._threads_scale = not hello["python"]["gil"]
        self._started = time.monotonic()

    def _shuffled(self, scenarios: list[Scenario]) -> list[Scenario]:
        return self._rng.sample(scenarios, len(scenarios))

    def first_items(self) -> Iterator[Item]:
        """What every scenario needs once: memory, collections, limits."""
        yield Item("idle", IDLE)
        for scenario in self._shuffled(self.scenarios):
            for what in self._resources(scenario):
                yield Item(what, scenario.id)
        for replica in range(self._budget.limit_processes):
            for scenario in self._shuffled(self.scenarios):
                if scenario.has_limits:
                    yield Item("limits", scenario.id, replica=replica)

    def _resources(self, scenario: Scenario) -> list[str]:
        if scenario.work == "cold":
            return ["memory"]
        whats = list(measuring.RESOURCES)
        if not self._budget.collection_seconds:
            whats.remove("collections")
        return whats

    def rounds(self, scenarios: list[Scenario], attempt: int) -> Iterator[Item]:
        """One fresh process of every scenario a round, in a new order each time."""
        for replica in range(self._budget.processes):
            for scenario in self._shuffled(scenarios):
                yield Item("time", scenario.id, attempt, replica)
                if scenario.workers and self._threads_scale:
                    yield Item("threads", scenario.id, attempt, replica)

    def run(
        self,
        expect: Callable[[int], object],
        tick: Callable[[], object],
        finished: Callable[[Scenario, dict[str, Any]], object],
    ) -> None:
        """Measure what the journal does not have yet.

        Args:
            expect: Told how many measurements are planned more.
            tick: Called after each of them.
            finished: Called with each scenario and its summary once it is settled.
        """
        first = list(self.first_items())
        expect(len(first))
        for item in first:
            self._ensure(item)
            tick()
        pending = self.scenarios
        for attempt in range(self._budget.attempts):
            again = attempt + 1 < self._budget.attempts
            begin, share = time.monotonic(), 1 / max(1, len(pending))
            items = list(self.rounds(pending, attempt))
            expect(len(items))
            pending = []
            for item in items:
                self._ensure(item)
                tick()
                if item.kind == "time" and item.replica + 1 == self._budget.processes:
                    scenario = self._scenario(item)
                    summary = self.summaries()[item.scenario]
                    now = time.monotonic()
                    retries = (now - begin) * share * (len(pending) + 1)
                    late = now - self._started + retries > FINISH_WITHIN
                    if summary["status"] == "stable" or late or not again:
                        finished(scenario, summary)
                    else:
                        pending.append(scenario)

    def _ensure(self, item: Item) -> None:
        if self.journal.find(item) is None:
            try:
                self.journal.add(item, self._measure(item))
            except BenchmarkError as error:
                raise type(error)(f"{item.scenario}: {error}") from error

    def _scenario(self, item: Item) -> Scenario:
        return next(s for s in self.scenarios if s.id == item.scenario)

    def _measure(self, item: Item) -> dict[str, Any]:
        if item.kind == "idle":
            return measuring.measure_idle()
        scenario = self._scenario(item)
        if item.kind == "time":
            return measuring.time_once(scenario, self._seed, self._budget)
        if item.kind == "threads":
            return measuring.time_once(scenario, self._seed, self._budget, "threads")
        if item.kind == "limits":
            return measuring.measure_limits(scenario, self._seed, self._budget)
        return measuring.measure_resource(scenario, self._seed, self._budget, item.kind)

    def summaries(self) -> dict[str, dict[str, Any]]:
        """What the records so far say of every scenario."""
        records = self.journal.records
        idle = next((r["data"] for r in records if r["kind"] == "idle"), None)
        summaries = {
            scenario.id: summarise_scenario(
                scenario,
                [record for record in records if record["scenario"] == scenario.id],
                idle and idle["peak_resident_bytes"],
                self._budget,
                self._timer_cost,
                self._cores,
            )
            for scenario in self.scenarios
        }
        add_efficiency(summaries)
        return summaries
