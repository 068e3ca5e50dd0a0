"""Measure earlier commits against this one, in lockstep, and keep a row for each.

The rows go to benchmarks/results/history.jsonl, the newest last; a commit that is
measured again against the same reference replaces its row. Needs the extra `bench`
and a quiet machine: exit code 3 where the measurement is refused.

Example:
  python scripts/history.py v0.1.0 HEAD~20 HEAD~5
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from console import Parser, run_main
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
HISTORY = ROOT / "benchmarks/results/history.jsonl"
STEPS = ("dispatch_warm", "mem_train_step")


def git(*arguments: str) -> str:
    """What git answers."""
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def measure(commit: str) -> tuple[int, dict[str, Any]]:
    """One commit against this checkout: exit code of the benchmark, and the row."""
    result = ROOT / "runs" / f"history-{commit[:12]}.json"
    command = [sys.executable, "scripts/bench.py", "--against", commit]
    command += ["--only", *STEPS, "--json", str(result)]
    done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr)
    if done.returncode:
        return done.returncode, {}
    measured = json.loads(result.read_text(encoding="utf-8"))
    row: dict[str, Any] = {
        "commit": commit,
        "date": git(
            "show", "-s", "--format=%cd", "--date=format:%Y-%m-%d %H:%M", commit
        ),
        "reference": measured["environment"]["git"]["commit"],
        "cpu": measured["environment"]["cpu"]["model"],
    }
    for found in measured["comparisons"]:
        low, high = found["interval"]
        row[found["scenario"]] = {
            "ratio": 1 / found["ratio"],
            "interval": [1 / high, 1 / low],
        }
    return 0, row


def keep(row: dict[str, Any], path: Path = HISTORY) -> None:
    """Add a row, in place of an older one of the same commit and reference."""
    rows = []
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
    same = ("commit", "reference")
    rows = [old for old in rows if any(old[key] != row[key] for key in same)]
    text = "".join(json.dumps(one) + "\n" for one in [*rows, row])
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def main() -> int:
    """Run the command line; return the exit code."""
    parser = Parser(__doc__)
    parser.add_argument("commits", nargs="+", metavar="COMMIT", help="in any order")
    commits = []
    for name in parser.parse_args().commits:
        try:
            commits.append(git("rev-parse", "--verify", f"{name}^{{commit}}"))
        except subprocess.CalledProcessError:
            parser.error(f"git knows no commit {name!r}")
    by_date = git("rev-list", "--no-walk=sorted", "--reverse", *commits).split()
    for commit in tqdm(by_date, disable=None, unit="commit"):
        status, row = measure(commit)
        if status:
            return status
        keep(row)
    return 0


if __name__ == "__main__":
    run_main(main)
