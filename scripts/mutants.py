"""Break the code on purpose and see that the tests of the broken entry notice.

    python scripts/mutants.py                 all mutants and harmless rewrites
    python scripts/mutants.py --entry E07     those of one entry
    python scripts/mutants.py --json          and write benchmarks/results/mutants.json

Exit code 1 where a mutant survives or a harmless rewrite is reported as wrong.
"""

import argparse
import json
import sys

import traceability
from tqdm import tqdm

from moe.registry import BY_ID

sys.path.insert(0, str(traceability.ROOT / "tests"))
from mutants.catalogue import HARMLESS, MUTANTS
from mutants.harness import Change, Verdict, judge_all

Verdicts = dict[Change, Verdict]


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entry", choices=sorted(BY_ID), help="only this entry")
    parser.add_argument("--json", action="store_true", help="write the record")
    options = parser.parse_args()
    if options.json and options.entry:
        parser.error("--json records all entries; leave --entry out")
    chosen = [
        change
        for change in (*MUTANTS, *HARMLESS)
        if options.entry in (None, change.entry)
    ]
    bar = tqdm(
        judge_all([change.trial for change in chosen]),
        total=len(chosen),
        unit="mutant",
        disable=None,
    )
    verdicts = dict(zip(chosen, bar, strict=True))
    wrong = report(verdicts)
    if options.json:
        text = json.dumps(as_record(verdicts), indent=1) + "\n"
        traceability.MUTANTS.write_text(text, encoding="utf-8")
    return 1 if wrong else 0


def complaint(change: Change, verdict: Verdict) -> str:
    """What is wrong with a verdict, or nothing."""
    if verdict.problem:
        return f"NO VERDICT ({verdict.problem})"
    noticed = verdict.failed + verdict.crashed
    if change in HARMLESS:
        return "NOT HARMLESS" if noticed or not verdict.passed else ""
    if not noticed:
        return "SURVIVED"
    return "" if verdict.failed else "CRASHED, no check failed"


def report(verdicts: Verdicts) -> int:
    """Print what went wrong and the score; return how many went wrong."""
    complaints = {c: text for c, v in verdicts.items() if (text := complaint(c, v))}
    for change, text in complaints.items():
        print(f"{text}: {change.entry} {change.module}: {change.story}")
    for side, changes in (("mutants killed", MUTANTS), ("rewrites spared", HARMLESS)):
        judged = [c for c in verdicts if c in changes]
        good = [c for c in judged if c not in complaints]
        print(f"{len(good)} of {len(judged)} {side}")
    killed_by = [v.killed_by for c, v in verdicts.items() if c in MUTANTS]
    for kind in traceability.KINDS:
        hits = sum(kind in kinds for kinds in killed_by)
        alone = sum(kinds == (kind,) for kinds in killed_by)
        print(f"  {kind:12} {hits:4} killed, {alone:3} by it alone")
    return len(complaints)


def as_record(verdicts: Verdicts) -> dict[str, object]:
    """The verdicts as `mutants.json` holds them."""
    entries = {}
    for entry_id, entry in BY_ID.items():
        rows = {
            side: [
                {"story": c.story, "module": c.module, "killed_by": list(v.killed_by)}
                for c, v in verdicts.items()
                if c.entry == entry_id and c in changes
            ]
            for side, changes in (("mutants", MUTANTS), ("harmless", HARMLESS))
        }
        entries[entry_id] = {"fingerprint": traceability.fingerprint(entry), **rows}
    return {"command": "python scripts/mutants.py --json", "entries": entries}


if __name__ == "__main__":
    sys.exit(main())
