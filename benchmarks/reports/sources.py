"""Values out of the JSON files in `benchmarks/results`, by key.

A key is `file:path`. The path walks objects by name and lists by position or by what
an element holds: `peers:comparisons[scenario=dispatch_warm,baseline=jax].ratio`.
"""

import json
import re
from pathlib import Path
from typing import Any

STEP = re.compile(r"([\w-]+)|\[([^\]]*)\]|\.")


# Results that a quiet machine has yet to give, and the command that takes them. Until
# then a page says so in place of the number.
MEASURED_BY = {
    "main": "python scripts/bench.py --json benchmarks/results/main.json",
    "hidden": "python scripts/bench.py --axis hidden "
    "--json benchmarks/results/hidden.json",
    "decode": "python scripts/bench.py --axis decode "
    "--json benchmarks/results/decode.json",
    "self_test": "python scripts/bench.py --self-test 10 "
    "--json benchmarks/results/self_test.json",
    "peers": "python scripts/bench.py --peers all --json benchmarks/results/peers.json",
    "tricks": "python scripts/bench.py --tricks all "
    "--json benchmarks/results/tricks.json",
    "instructions": "python scripts/instructions.py --json",
    "history": "python scripts/history.py COMMIT...",
    "threads": "python scripts/bench.py --threads 2 "
    "--json benchmarks/results/threads.json",
}


class ReportError(Exception):
    """A page asks for something that the results do not have."""


class NotMeasuredError(ReportError):
    """A result that is to be measured is not there yet; holds its command."""


class Results:
    """Result files of a folder, read once each."""

    def __init__(self, folder: Path) -> None:
        """Name the folder."""
        self._folder = folder
        self._files: dict[str, Any] = {}

    def file(self, name: str) -> Any:
        """Content of a file; a measurement must be publishable.

        Args:
            name: Without `.json`.

        Raises:
            NotMeasuredError: If it is one of `MEASURED_BY` and missing.
            ReportError: If it is broken or must not be published, or another is
                missing.
        """
        if name not in self._files:
            path = self._folder / f"{name}.json"
            if name == "history":
                path = path.with_suffix(".jsonl")
            try:
                text = path.read_text()
                rows = path.suffix == ".jsonl"
                content = json.loads(
                    f"[{','.join(text.splitlines())}]" if rows else text
                )
            except FileNotFoundError:
                if name in MEASURED_BY:
                    raise NotMeasuredError(MEASURED_BY[name]) from None
                raise ReportError(f"there is no result {name}.json") from None
            except json.JSONDecodeError as error:
                raise ReportError(f"{name}.json is not JSON: {error}") from None
            if isinstance(content, dict) and content.get("publishable") is False:
                why = "; ".join(content["reasons"])
                raise ReportError(f"{name}.json must not be published: {why}")
            self._files[name] = content
        return self._files[name]

    def value(self, key: str) -> Any:
        """What stands at a key.

        Args:
            key: `file:path`.

        Raises:
            ReportError: If nothing does.
        """
        name, _, path = key.partition(":")
        value = self.file(name)
        position = 0
        while position < len(path):
            match = STEP.match(path, position)
            if match is None:
                raise ReportError(f"the key {key} is malformed at {path[position:]!r}")
            position = match.end()
            if match[0] != ".":
                value = step(value, match[1], match[2], key)
        return value


def step(value: Any, name: str | None, selector: str | None, key: str) -> Any:
    """One step of a path.

    Raises:
        ReportError: If there is nothing, or more than one element is selected.
    """
    if name is not None:
        if not isinstance(value, dict) or name not in value:
            raise ReportError(f"the key {key} no longer exists: there is no {name!r}")
        return value[name]
    assert selector is not None
    if not isinstance(value, list):
        raise ReportError(f"the key {key} no longer exists: [{selector}] of no list")
    if selector.isdigit():
        if int(selector) >= len(value):
            raise ReportError(f"the key {key} no longer exists: no [{selector}]")
        return value[int(selector)]
    wanted = dict(part.split("=", 1) for part in selector.split(","))
    found = [
        item for item in value if all(str(item.get(k)) == v for k, v in wanted.items())
    ]
    if len(found) != 1:
        raise ReportError(f"the key {key} no longer exists: {len(found)} [{selector}]")
    return found[0]
