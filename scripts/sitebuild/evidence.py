"""State and evidence of every entry, as the traceability record has them."""

import json
from functools import cache
from html import escape
from typing import Any

import traceability

from moe.registry import BY_ID

# The shape says the state without colour; the word says it without sight.
SHAPES = {
    "untested": "○",
    "unstated": "○",
    "stated": "◔",
    "derived": "◑",
    "implemented": "◑",
    "verified": "◕",
    "hardened": "●",
    "fully": "✔",
    "stale": "↻",
    "failing": "✘",
}
MEANINGS = {
    "untested": "no test of it has been recorded",
    "unstated": "its equations or its page are missing",
    "stated": "its equations stand in the code and on this page",
    "derived": "every step of its derivation holds",
    "implemented": "its functions exist",
    "verified": "all four witnesses have tests, and all of them pass",
    "hardened": "every mutant of it was killed by its own tests",
    "fully": "it, and everything that it uses, is verified, and every mutant is killed",
    "stale": "code, derivation or tests have changed since the record was written",
    "failing": "a test of it fails",
}
# Parts of a fingerprint on which the evidence rests. Prose is none.
_GROUNDS = ("code", "derivation", "equation", "tests")


@cache
def record() -> dict[str, Any]:
    """Entries of the committed record; empty where none has been written."""
    if not traceability.TRACE.exists():
        return {}
    entries: dict[str, Any]
    entries = json.loads(traceability.TRACE.read_text(encoding="utf-8"))["entries"]
    return entries


def state(entry_id: str) -> str:
    """State of an entry, `stale` where the record is about other code than today's."""
    row = record().get(entry_id)
    if row is None:
        return "untested"
    now = traceability.fingerprint(BY_ID[entry_id])
    if any(row["fingerprint"][part] != now[part] for part in _GROUNDS):
        return "stale"
    return str(row["state"])


def badge(entry_id: str, link: str) -> str:
    """State as shape, word and colour, with a link to the matrix."""
    name = state(entry_id)
    return (
        f'<a class="badge state-{name}" href="{link}" title="{MEANINGS[name]}">'
        f'<span aria-hidden="true">{SHAPES[name]}</span> {entry_id} {name}</a>'
    )


def table(entry_id: str) -> str:
    """What was run for an entry, and what it showed."""
    row = record().get(entry_id)
    if row is None:
        return (
            '<p class="no-evidence">No run of the tests has been recorded. '
            "<code>python scripts/trace.py --json</code> writes the record.</p>"
        )
    kinds = {
        **row["witnesses"],
        "derivation": row["derivation"],
        "wiring": row["wiring"],
    }
    body = "".join(
        _row(kind, meaning, kinds[kind])
        for kind, meaning in traceability.KINDS.items()
        if kinds.get(kind)
    )
    killed, total = row["mutants"]["killed"], row["mutants"]["total"]
    body += (
        f"<tr><td>mutants</td><td>wrong versions of the code are rejected</td>"
        f'<td class="number">{killed} of {total} killed</td>'
        "<td></td><td></td></tr>"
    )
    return (
        '<div class="table-scroll" role="group" tabindex="0" '
        f'aria-label="Evidence for {entry_id}"><table class="evidence">'
        "<thead><tr><th>Witness</th><th>What it shows</th><th>Tests</th>"
        "<th>Compared</th><th>Largest relative error</th></tr></thead>"
        f"<tbody>{body}</tbody></table></div>{_gaps(row['gaps'])}"
    )


def _row(kind: str, meaning: str, tally: dict[str, Any]) -> str:
    tests = f"{tally['passed']} passed"
    if tally["failed"]:
        tests += f", {tally['failed']} failed"
    counts = (
        ("points", "numbers"),
        ("exact", "expressions, exactly"),
        ("digits", "expressions, to 50 digits"),
    )
    compared = "; ".join(f"{tally[n]} {label}" for n, label in counts if tally[n])
    error = f"{tally['error']:.1e}" if tally["points"] else ""
    return (
        f"<tr><td>{kind}</td><td>{escape(meaning)}</td>"
        f'<td class="number">{tests}</td><td class="number">{compared}</td>'
        f'<td class="number">{error}</td></tr>'
    )


def _gaps(gaps: list[str]) -> str:
    if not gaps:
        return ""
    items = "".join(f"<li>{escape(gap)}</li>" for gap in gaps)
    return f"<p>Still missing:</p><ul>{items}</ul>"
