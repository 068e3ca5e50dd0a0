"""Markers, evidence, the traceability matrix at the end of a run, a built site."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import traceability
from hypothesis import settings
from witnesses import evidence

from moe.registry import ENTRIES

# The same examples in every run, and no absolute time.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--site",
        type=Path,
        metavar="DIR",
        help="test the site that `scripts/site.py build --out DIR` has built",
    )


def pytest_configure(config: pytest.Config) -> None:
    for entry in ENTRIES:
        config.addinivalue_line("markers", f"{entry.id}: {entry.title}")
    for kind, meaning in traceability.KINDS.items():
        config.addinivalue_line("markers", f"{kind}: evidence: {meaning}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Attach to each test's report what its checks measured."""
    report = yield
    notes = evidence.collect()
    if report.when == "call":
        report.user_properties.extend(notes.items())
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the matrix of the entries that this run has tested."""
    reports = [
        r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)
    ]
    rows = traceability.matrix(traceability.tally(reports), traceability.load_mutants())
    witnesses = traceability.WITNESSES.keys()
    tested = {i: row for i, row in rows.items() if witnesses & row.tallies.keys()}
    if tested:
        terminalreporter.section("traceability")
        for line in traceability.as_text(tested):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def built_site(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder of the site: that of `--site`, or built for this run."""
    given: Path | None = pytestconfig.getoption("site")
    if given is not None:
        return given.resolve()
    folder = tmp_path_factory.mktemp("site")
    build_site(folder)
    return folder


def build_site(folder: Path) -> None:
    """Build the site by its command. Needs the extra `docs`."""
    script = Path(__file__).parents[1] / "scripts/site.py"
    subprocess.run([sys.executable, script, "build", "--out", folder], check=True)
