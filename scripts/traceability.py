"""From test reports to the state of every entry: the traceability matrix.

States are computed, never typed. In rising order:

    stated       its tagged equations stand in the module and on its page
    derived      every step of its derivation holds
    implemented  its functions exist (registry tests)
    verified     all four witnesses have tests, and all of them pass
    hardened     every mutant of it was killed by its own tests
    fully        it and all that it uses are hardened

and beside them: `failing` (a test failed), `stale` (its mutants were killed on other
code or tests than today's), `untested` (none of its tests ran).
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from moe.registry import BY_ID, ENTRIES, Entry

ROOT = Path(__file__).parent.parent
TRACE = ROOT / "benchmarks" / "results" / "trace.json"
MUTANTS = ROOT / "benchmarks" / "results" / "mutants.json"

WITNESSES = {
    "symbols": "the shipped function, run on expressions, is the equation",
    "differences": "finite differences agree with the backward",
    "oracle": "an independent implementation agrees",
    "properties": "what must be true whatever the numbers",
}
OTHER_EVIDENCE = {
    "derivation": "every step of the derivation holds",
    "wiring": "the model, trainer or generator uses the entry rightly",
}
KINDS = {**WITNESSES, **OTHER_EVIDENCE}


@dataclass
class Tally:
    """What the tests of one kind showed for one entry."""

    passed: int = 0
    failed: int = 0
    error: float = 0.0
    points: int = 0
    exact: int = 0
    digits: int = 0
    seconds: float = 0.0

    def add(self, report: Any) -> None:
        """Count one test report and the evidence attached to it."""
        notes = dict(report.user_properties)
        self.passed += report.passed
        self.failed += report.failed
        self.error = max(self.error, notes.get("error", 0.0))
        for name in ("points", "exact", "digits"):
            setattr(self, name, getattr(self, name) + notes.get(name, 0))
        self.seconds += report.duration


Tallies = dict[str, dict[str, Tally]]


def tally(reports: Iterable[Any]) -> Tallies:
    """Sort test reports by entry and kind of evidence, as their markers say."""
    tallies: Tallies = {entry.id: {} for entry in ENTRIES}
    for report in reports:
        if report.when != "call" and not report.failed:
            continue
        kinds = [kind for kind in KINDS if kind in report.keywords]
        for entry_id in BY_ID.keys() & report.keywords.keys():
            for kind in kinds:
                tallies[entry_id].setdefault(kind, Tally()).add(report)
    return tallies


def fingerprint(entry: Entry) -> dict[str, str]:
    """Hashes of everything that the state of an entry rests on."""
    paths = {
        "code": f"moe/equations/{entry.stem}.py",
        "derivation": f"moe/derivations/{entry.stem}.py",
        "page": f"docs/equations/{entry.stem}.md",
        "tests": entry.tests,
    }
    texts = {
        name: (ROOT / path).read_text(encoding="utf-8")
        if (ROOT / path).exists()
        else ""
        for name, path in paths.items()
    }
    texts["equation"] = "".join(re.findall(r"\$\$.*?\$\$", texts["code"], re.DOTALL))
    return {
        name: hashlib.sha256(text.encode()).hexdigest()[:16]
        for name, text in sorted(texts.items())
    }


def is_stated(entry: Entry) -> bool:
    """Whether its module has tagged equations of it and its page its anchor."""
    source = (ROOT / "moe" / "equations" / f"{entry.stem}.py").read_text(
        encoding="utf-8"
    )
    page = ROOT / "docs" / "equations" / f"{entry.stem}.md"
    tagged = re.search(rf"\\tag\{{{int(entry.id[1:])}[a-z]\}}", source)
    return (
        bool(tagged) and page.exists() and entry.id in page.read_text(encoding="utf-8")
    )


def mutants_of(entry: Entry, record: Mapping[str, Any]) -> tuple[int, int, bool]:
    """Killed and all mutants of an entry, and whether today's code was mutated."""
    row = record.get("entries", {}).get(entry.id)
    if row is None:
        return 0, 0, True
    now = fingerprint(entry)
    fresh = all(row["fingerprint"][name] == now[name] for name in ("code", "tests"))
    killed = sum(bool(mutant["killed_by"]) for mutant in row["mutants"])
    return killed, len(row["mutants"]), fresh


@dataclass
class Row:
    """One line of the matrix."""

    entry: Entry
    tallies: dict[str, Tally]
    killed: int
    mutants: int
    fresh: bool
    state: str = ""
    gaps: list[str] = field(default_factory=list)


def matrix(tallies: Tallies, mutant_record: Mapping[str, Any]) -> dict[str, Row]:
    """State and gaps of every entry.

    Args:
        tallies: From `tally`.
        mutant_record: Contents of `mutants.json`, or an empty mapping.

    Returns:
        Entry id to row.
    """
    rows = {}
    for entry in ENTRIES:
        row = Row(entry, tallies[entry.id], *mutants_of(entry, mutant_record))
        row.state, row.gaps = _own_state(row)
        rows[entry.id] = row
    hardened = {i for i, row in rows.items() if row.state == "hardened"}
    for row in rows.values():
        if row.state == "hardened" and _ancestors(row.entry) <= hardened:
            row.state = "fully"
    return rows


def _own_state(row: Row) -> tuple[str, list[str]]:
    """State of an entry by itself, and what it lacks."""
    if not row.tallies:
        return "untested", ["none of its tests ran"]
    failed = [kind for kind, t in row.tallies.items() if t.failed]
    if failed:
        return "failing", [
            f"{kind}: {row.tallies[kind].failed} failed" for kind in failed
        ]
    if not row.fresh:
        return "stale", ["code or tests changed since its mutants were killed"]
    missing = [kind for kind in WITNESSES if kind not in row.tallies]
    ladder = (
        ("stated", is_stated(row.entry), "no tagged equation, or no page"),
        ("derived", "derivation" in row.tallies, "no derivation was checked"),
        ("implemented", True, ""),
        ("verified", not missing, f"no test of kind {', '.join(missing)}"),
        (
            "hardened",
            0 < row.killed == row.mutants,
            "a mutant survived, or none exists",
        ),
    )
    state, gaps = "unstated", [lack for _, holds, lack in ladder if not holds]
    for name, holds, _ in ladder:
        if not holds:
            break
        state = name
    return state, gaps


def _ancestors(entry: Entry) -> set[str]:
    """Ids of all entries that an entry uses, directly or not."""
    direct = set(entry.uses)
    return direct.union(*(_ancestors(BY_ID[used]) for used in direct))


def load_mutants() -> dict[str, Any]:
    """The committed record of killed mutants, empty where there is none."""
    if not MUTANTS.exists():
        return {}
    record: dict[str, Any] = json.loads(MUTANTS.read_text(encoding="utf-8"))
    return record


def as_text(rows: Mapping[str, Row]) -> list[str]:
    """The matrix for a terminal, 80 columns wide."""
    head = f"{'id':4}{'entry':30}{'steps':>6}"
    head += "".join(f"{kind[:4]:>5}" for kind in WITNESSES)
    lines = [head + f"{'wire':>5}{'mutants':>8}  state"]
    for row in rows.values():
        steps = row.tallies.get("derivation", Tally())
        cells = [steps.exact + steps.digits]
        kinds = (*WITNESSES, "wiring")
        cells += [row.tallies.get(kind, Tally()).passed for kind in kinds]
        text = "".join(f"{cell or '-':>5}" for cell in cells)
        killed = f"{row.killed}/{row.mutants}" if row.mutants else "-"
        lines.append(
            f"{row.entry.id:4}{row.entry.title:30} {text}{killed:>8}  {row.state}"
        )
    fully = sum(row.state == "fully" for row in rows.values())
    return [*lines, f"{fully} of {len(ENTRIES)} entries fully hardened"]


def as_record(rows: Mapping[str, Row]) -> dict[str, Any]:
    """The matrix as `trace.json` holds it."""
    entries = {}
    for entry_id, row in rows.items():
        tallies = {kind: _rounded(t) for kind, t in sorted(row.tallies.items())}
        entries[entry_id] = {
            "state": row.state,
            "gaps": row.gaps,
            "derivation": tallies.pop("derivation", None),
            "wiring": tallies.pop("wiring", None),
            "witnesses": tallies,
            "mutants": {"killed": row.killed, "total": row.mutants},
            "fingerprint": fingerprint(row.entry),
        }
    return {"command": "python scripts/trace.py --json", "entries": entries}


def _rounded(t: Tally) -> dict[str, float]:
    return {
        **asdict(t),
        "error": float(f"{t.error:.2g}"),
        "seconds": round(t.seconds, 2),
    }


def stale_parts(record: Mapping[str, Any]) -> list[str]:
    """What changed since the record was written, a line for each part.

    Args:
        record: Contents of `trace.json`.

    Returns:
        Lines such as `E02: tests (tests/equations/test_rmsnorm.py) changed`.
    """
    lines = []
    for entry in ENTRIES:
        old = record["entries"].get(entry.id, {}).get("fingerprint", {})
        for name, now in fingerprint(entry).items():
            if old.get(name) != now:
                lines.append(f"{entry.id} {entry.title}: its {name} changed")
    return lines
