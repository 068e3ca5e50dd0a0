"""Change every operator, number, argument and statement; see what the tests notice.

    python scripts/mutate_all.py                     all equations, block and model
    python scripts/mutate_all.py moe.equations.rope  some modules

The changes are those of Cosmic Ray (extra `mutation`) and three more, described in
`tests/mutants/operators.py`. The tests of the changed module must kill each of them,
or `tests/mutants/equivalent.toml` must say why it changes nothing. A module whose code
and tests are as they were in the record, benchmarks/results/mutate_all.json, is not
run again.

Exit code 1 where a survivor is not explained, or an explanation is wrong.
"""

import argparse
import hashlib
import itertools
import json
import sys
import tomllib
from collections import Counter
from typing import Any

import traceability
from tqdm import tqdm

from moe.equations import STEMS

sys.path.insert(0, str(traceability.ROOT / "tests"))
from mutants.harness import Verdict, judge_all, source_path, tests_of
from mutants.operators import mutations

RECORD = traceability.ROOT / "benchmarks" / "results" / "mutate_all.json"
EQUIVALENT = traceability.ROOT / "tests" / "mutants" / "equivalent.toml"
MODULES = (*(f"moe.equations.{stem}" for stem in STEMS), "moe.block", "moe.model")


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="default: all")
    parser.add_argument("--processes", type=int, help="default: all cores")
    options = parser.parse_args()
    unknown = set(options.modules) - set(MODULES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {MODULES}")
    record = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    wrong = 0
    for module in options.modules or MODULES:
        now = fingerprint(module)
        if record.get(module, {}).get("fingerprint") != now:
            outcome = judge_module(module, options.processes)
            record[module] = {"fingerprint": now, **outcome}
            RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        wrong += report(module, record[module])
    return 1 if wrong else 0


def fingerprint(module: str) -> dict[str, str]:
    """Hashes of the module and of its tests."""
    tests = [traceability.ROOT / path for path in tests_of(module)]
    return {
        name: hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest()[:16]
        for name, paths in (("code", [source_path(module)]), ("tests", tests))
    }


def judge_module(module: str, processes: int | None) -> dict[str, Any]:
    """Outcomes counted, and the changes that no test noticed."""
    source = source_path(module).read_text(encoding="utf-8")
    changes = list(mutations(source))
    trials = [
        {"module": module, "source": changed, "tests": [*tests_of(module), "-x"]}
        for _, changed in changes
    ]
    bar = tqdm(
        judge_all(trials, processes), desc=module, total=len(trials), disable=None
    )
    outcomes: Counter[str] = Counter()
    survivors = []
    for (operator, changed), verdict in zip(changes, bar, strict=True):
        how = outcome(verdict)
        outcomes[how] += 1
        if how == "survived":
            survivors.append({"operator": operator, **difference(source, changed)})
    return {"outcomes": dict(sorted(outcomes.items())), "survivors": survivors}


def outcome(verdict: Verdict) -> str:
    """One word for a verdict."""
    if verdict.problem:
        return "timeout" if "processor time" in verdict.problem else "broken"
    if verdict.failed:
        return "killed"
    return "crashed" if verdict.crashed else "survived"


def difference(source: str, changed: str) -> dict[str, str]:
    """The lines that differ, before and after."""
    sides = source.splitlines(), changed.splitlines()
    start = sum(1 for _ in itertools.takewhile(equal, zip(*sides, strict=False)))
    backward = zip(*(reversed(side[start:]) for side in sides), strict=False)
    end = sum(1 for _ in itertools.takewhile(equal, backward))
    before, after = (
        " ".join(line.strip() for line in side[start : len(side) - end])
        for side in sides
    )
    return {"before": before, "after": after}


def equal(pair: tuple[str, str]) -> bool:
    """Whether both are the same."""
    return pair[0] == pair[1]


def explained(module: str) -> list[dict[str, str]]:
    """The changes of a module that are listed as equivalent."""
    with EQUIVALENT.open("rb") as file:
        listed = tomllib.load(file)
    return [row for row in listed.get("equivalent", []) if row["module"] == module]


def report(module: str, outcome: dict[str, Any]) -> int:
    """Print the score of a module; return how much of it is unexplained."""
    listed = {(row["before"], row["after"]) for row in explained(module)}
    survived = {(row["before"], row["after"]) for row in outcome["survivors"]}
    counts = ", ".join(f"{n} {how}" for how, n in outcome["outcomes"].items())
    print(f"{module}: {counts}; {len(survived & listed)} explained")
    for before, after in sorted(survived - listed):
        print(f"  SURVIVED  {before}\n        as  {after}")
    for before, after in sorted(listed - survived):
        print(f"  WRONGLY LISTED  {before}\n              as  {after}")
    return len(survived ^ listed)


if __name__ == "__main__":
    sys.exit(main())
