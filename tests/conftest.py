"""Markers, evidence and a seed for every test."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from witnesses import evidence

from moe.registry import ENTRIES

# The same examples in every run, and no absolute time.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

WITNESSES = {
    "symbols": "the shipped function, run on expressions, is the equation",
    "differences": "finite differences agree with the backward",
    "oracle": "an independent implementation agrees",
    "properties": "what must be true whatever the numbers",
}


def pytest_configure(config: pytest.Config) -> None:
    for entry in ENTRIES:
        config.addinivalue_line("markers", f"{entry.id}: {entry.title}")
    for name, meaning in WITNESSES.items():
        config.addinivalue_line("markers", f"{name}: witness: {meaning}")


@pytest.fixture(autouse=True)
def _evidence(request: pytest.FixtureRequest) -> Iterator[None]:
    """Attach to each test's report what its checks measured."""
    evidence.collect()
    yield
    request.node.user_properties.extend(evidence.collect().items())
