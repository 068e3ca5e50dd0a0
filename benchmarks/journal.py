"""Records of a run, on disk as they come: an interrupted run goes on from there."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.summary import Record

RESUME_WITHIN = 3600  # seconds; an older journal is of another moment


@dataclass(frozen=True)
class Item:
    """One measurement to make."""

    kind: str
    scenario: str
    attempt: int = 0
    replica: int = 0


class Journal:
    """Records of one run, on disk as they come."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        """Open it; keep what it holds if it is recent and of the same settings.

        Args:
            path: File, one JSON value a line, settings first.
            settings: What the records depend on.
        """
        self._path = path
        self.records: list[Record] = []
        if path.exists() and time.time() - path.stat().st_mtime < RESUME_WITHIN:
            header, *lines = path.read_text().splitlines() or ["null"]
            if json.loads(header) == json.loads(json.dumps(settings)):
                self.records = [json.loads(line) for line in lines]
        if not self.records:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(settings) + "\n")

    def add(self, item: Item, data: dict[str, Any]) -> None:
        """Write one record down."""
        record = asdict(item) | {"data": data}
        self.records.append(record)
        with self._path.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def find(self, item: Item) -> dict[str, Any] | None:
        """What this measurement gave; None where it has not been made."""
        wanted = asdict(item)
        for record in self.records:
            if wanted.items() <= record.items():
                data: dict[str, Any] = record["data"]
                return data
        return None

    def remove(self) -> None:
        """Delete the file: the run is complete."""
        self._path.unlink()
