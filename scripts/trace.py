"""Print the traceability matrix of the 21 entries, from a run of their tests.

    python scripts/trace.py                 run the tests, print the matrix
    python scripts/trace.py --json          and write benchmarks/results/trace.json
    python scripts/trace.py --check         run nothing: is that record still true?

Exit code 1 where an entry has a gap, a test fails or the record is stale.
"""

import argparse
import json
import os
import sys

import pytest
import traceability

EVIDENCE = [
    "tests/equations",
    "tests/test_derivations.py",
    "tests/test_derived_code.py",
    "tests/test_model.py",
    "tests/test_training.py",
    "tests/test_generation.py",
]


class Reports:
    """A pytest plugin that keeps all reports."""

    def __init__(self) -> None:
        self.all: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.all.append(report)


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--json", action="store_true", help="write the record")
    choice.add_argument("--check", action="store_true", help="check the record")
    options = parser.parse_args()
    return check() if options.check else run(write=options.json)


def check() -> int:
    """Say what changed since the record was written."""
    if not traceability.TRACE.exists():
        print("no record: run python scripts/trace.py --json", file=sys.stderr)
        return 1
    record = json.loads(traceability.TRACE.read_text(encoding="utf-8"))
    lines = traceability.stale_parts(record)
    gaps = [i for i, e in record["entries"].items() if e["state"] != "fully"]
    lines += [f"{i} is recorded as {record['entries'][i]['state']}" for i in gaps]
    print("\n".join(lines) or "the record is true: nothing changed, nothing is missing")
    return 1 if lines else 0


def run(*, write: bool) -> int:
    """Run all evidence, print the matrix, and write the record where asked."""
    os.chdir(traceability.ROOT)
    reports = Reports()
    code = pytest.main(["-q", "--no-header", *EVIDENCE], [reports])
    rows = traceability.matrix(
        traceability.tally(reports.all), traceability.load_mutants()
    )
    gaps = {i: row.gaps for i, row in rows.items() if row.gaps}
    for entry_id, lacks in gaps.items():
        print(f"{entry_id} {rows[entry_id].entry.title}: {'; '.join(lacks)}")
    if write:
        text = json.dumps(traceability.as_record(rows), indent=1) + "\n"
        traceability.TRACE.write_text(text, encoding="utf-8")
    return 1 if gaps or code else 0


if __name__ == "__main__":
    sys.exit(main())
