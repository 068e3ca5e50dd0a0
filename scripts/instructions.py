"""Count the instructions of a forward pass and of a train step.

Callgrind, a tool of valgrind, runs the program on an emulated processor and counts what
it executes. The number is the same, to about a thousandth, on a busy machine and on an
idle one: noise cannot hide a slowdown of a few percent. It is no time: a wait for
memory does not show. Needs valgrind, Linux on x86_64 and the extra `bench`.

The same program runs a few steps and then some more; the difference, divided by the
steps, is the count. Start-up drops out.

--check counts this package and that of the record side by side, in one environment, and
fails where a step needs 5 % more. So like is compared with like under any Python, NumPy
and valgrind, and nothing is pinned; and small slowdowns add up, as the record stays
until it is taken anew. The recorded package comes out of git by the id of its tree,
which survives a squash. A shallow clone may lack it: then the recorded counts serve if
Python, NumPy, kernel and valgrind are those of the record, and if not, the check says
that it cannot compare.

Exit code 1 where a step needs 5 % more, 2 where nothing could be counted or compared.

Examples:
  python scripts/instructions.py           count and print
  python scripts/instructions.py --check   against benchmarks/results/instructions.json
  python scripts/instructions.py --json    write that file, for the last commit
"""

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from callgrind import STEPS, Count, CountError, count, output
from console import Parser, run_main

# The benchmarks are not part of the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.processes import ROOT
from benchmarks.results import write_json

RECORD = ROOT / "benchmarks/results/instructions.json"
LIMIT = 0.05
SCHEMA = {
    "type": "object",
    "required": ["commit", "package", "steps", "versions"],
    "properties": {
        "commit": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
        "package": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
        "steps": {
            "type": "object",
            "required": list(STEPS),
            "additionalProperties": {
                "type": "object",
                "required": ["instructions"],
                "properties": {"instructions": {"type": "integer", "minimum": 1}},
            },
        },
        "versions": {
            "type": "object",
            "required": ["python", "numpy", "kernel", "valgrind"],
            "additionalProperties": {"type": "string"},
        },
    },
}


def load(path: Path) -> dict[str, Any]:
    """The record.

    Raises:
        CountError: If there is none or it is damaged.
    """
    import jsonschema

    anew = "take it anew with --json"
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CountError(f"there is no {path.name}: {anew}") from None
    except ValueError as error:
        raise CountError(f"{path.name} is not JSON: {error}; {anew}") from None
    validator = jsonschema.Draft202012Validator(SCHEMA)
    error = jsonschema.exceptions.best_match(validator.iter_errors(record))
    if error is not None:
        raise CountError(f"{path.name}: {error.json_path}: {error.message}; {anew}")
    return record


def take_record(path: Path) -> Count:
    """Count the package of the last commit and write the record.

    Raises:
        CountError: If git does not hold it or nothing can be counted.
    """
    commit, tree = output("git", "rev-parse", "HEAD", "HEAD:moe", cwd=ROOT).split()
    with tempfile.TemporaryDirectory() as folder:
        export(tree, Path(folder))
        (counted,) = count([Path(folder)])
    record = {
        "command": "python scripts/instructions.py --json",
        "commit": commit,
        "package": tree,
        "steps": {
            step: {"scenario": scenario, "instructions": counted.instructions[step]}
            for step, scenario in STEPS.items()
        },
        "versions": counted.versions,
    }
    write_json(path, record)
    return counted


def export(tree: str, folder: Path) -> bool:
    """Write the package out of git into a folder; False where git does not hold it."""
    done = subprocess.run(
        ["git", "archive", "--prefix=moe/", tree], capture_output=True, cwd=ROOT
    )
    if done.returncode:
        return False
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return True


def side_by_side(record: dict[str, Any]) -> tuple[Count, Count]:
    """This package and that of the record, counted now where git holds the latter.

    Raises:
        CountError: If it does not and the record is of another environment, or if
            nothing can be counted.
    """
    with tempfile.TemporaryDirectory() as folder:
        if export(record["package"], Path(folder)):
            now, then = count([ROOT, Path(folder)])
            return now, then
    (now,) = count([ROOT])
    then = recorded(record)
    if release(now) != release(then):
        raise CountError(
            f"git lacks the package of commit {record['commit'][:12]} (in a shallow "
            f"clone, git fetch --unshallow brings it), and the record is of "
            f"{named(then)}, this is {named(now)}: cannot compare"
        )
    return now, then


def recorded(record: dict[str, Any]) -> Count:
    """The record as it was counted."""
    steps = record["steps"]
    instructions = {step: steps[step]["instructions"] for step in STEPS}
    return Count(instructions, record["versions"])


def release(counted: Count) -> dict[str, str]:
    """Versions without the last number: what decides whether counts compare."""
    return {
        name: ".".join(version.split(".")[:2])
        for name, version in counted.versions.items()
    }


def named(counted: Count) -> str:
    """Versions in words."""
    return ", ".join(" ".join(pair) for pair in counted.versions.items())


def table(now: Count, then: Count | None = None) -> str:
    """A line for every step."""
    lines = []
    for step, instructions in now.instructions.items():
        line = f"{step:8} {instructions:14,} instructions"
        if then is not None:
            before = then.instructions[step]
            line += f", recorded code {before:,}: ratio {instructions / before:.3f}"
        lines.append(line)
    return "\n".join(lines)


def verdict(now: Count, then: Count) -> tuple[list[str], list[str]]:
    """What to say of the steps that need at least `LIMIT` more, and of those less."""
    more, fewer = [], []
    for step in STEPS:
        change = now.instructions[step] / then.instructions[step] - 1
        said = f"{step} needs {abs(change):.1%} {'more' if change > 0 else 'fewer'}"
        if change >= LIMIT:
            more.append(said)
        elif change <= -LIMIT:
            fewer.append(said)
    return more, fewer


def check(record: dict[str, Any]) -> int:
    """Compare with a record; return the exit code."""
    now, then = side_by_side(record)
    print(table(now, then))
    more, fewer = verdict(now, then)
    if fewer:
        print(f"{', '.join(fewer)} instructions than recorded: take the record anew")
    if more:
        print(
            f"instructions.py: {', '.join(more)} instructions than the code of commit "
            f"{record['commit'][:12]}; less than {LIMIT:.0%} is allowed",
            file=sys.stderr,
        )
    return 1 if more else 0


def main() -> int:
    """Run the command line; return the exit code."""
    parser = Parser(__doc__)
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--check", action="store_true", help="compare with the record")
    modes.add_argument("--json", action="store_true", help="write the record of HEAD")
    options = parser.parse_args()
    try:
        with parser.bad_input():
            if options.check:
                return check(load(RECORD))
            if options.json:
                print(table(take_record(RECORD)))
                print(f"written to {RECORD}")
            else:
                print(table(*count([ROOT])))
    except ModuleNotFoundError as error:
        parser.error(f'{error.name} is missing: pip install -e ".[bench]"')
    return 0


if __name__ == "__main__":
    run_main(main)
