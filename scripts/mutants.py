"""Break the code on purpose and see that the tests of the broken entry notice.

    python scripts/mutants.py                 all mutants and harmless rewrites
    python scripts/mutants.py --entry E07     those of one entry
    python scripts/mutants.py --json          and write benchmarks/results/mutants.json

Exit code 1 where a mutant survives or a harmless rewrite is reported as wrong.
"""

import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import traceability
from tqdm import tqdm

from moe.registry import BY_ID

sys.path.insert(0, str(traceability.ROOT / "tests"))
from mutants.catalogue import HARMLESS, MUTANTS
from mutants.harness import Change, Verdict, judge


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
    verdicts = judge_all(chosen)
    wrong = report(verdicts)
    if options.json:
        text = json.dumps(as_record(verdicts), indent=1) + "\n"
        traceability.MUTANTS.write_text(text, encoding="utf-8")
    return 1 if wrong else 0


def judge_all(changes: list[Change]) -> dict[Change, Verdict]:
    """Judge every change, as many at a time as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        bar = tqdm(
            pool.map(judge, changes), total=len(changes), unit="mutant", disable=None
        )
        return dict(zip(changes, bar, strict=True))


def report(verdicts: dict[Change, Verdict]) -> int:
    """Print what went wrong and the score; return how many went wrong."""
    wrong = 0
    for change, verdict in verdicts.items():
        survived = change in MUTANTS and not verdict.failed
        convicted = change in HARMLESS and verdict.failed > 0
        if verdict.problem or not verdict.passed + verdict.failed:
            print(f"NO VERDICT  {change.entry} {change.story}: {verdict.problem}")
        elif survived:
            print(f"SURVIVED    {change.entry} {change.module}: {change.story}")
        elif convicted:
            print(f"NOT HARMLESS {change.entry} {change.module}: {change.story}")
        else:
            continue
        wrong += 1
    mutants = [verdicts[c] for c in verdicts if c in MUTANTS]
    killed = sum(bool(v.failed) for v in mutants)
    print(f"{killed} of {len(mutants)} mutants killed")
    for kind in traceability.KINDS:
        hits = [v for v in mutants if kind in v.killed_by]
        alone = sum(v.killed_by == (kind,) for v in hits)
        print(f"  {kind:12} {len(hits):4} killed, {alone:3} by it alone")
    spared = sum(not verdicts[c].failed for c in verdicts if c in HARMLESS)
    print(f"{spared} of {len(verdicts) - len(mutants)} harmless rewrites spared")
    return wrong


def as_record(verdicts: dict[Change, Verdict]) -> dict[str, object]:
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
