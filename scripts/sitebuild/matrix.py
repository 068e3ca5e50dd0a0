"""The traceability matrix as an HTML table that `traceability.js` sorts and filters."""

from html import escape

import traceability

from moe.registry import ENTRIES, Entry
from sitebuild import derivation, evidence

_KINDS = (*traceability.WITNESSES, "wiring")


def table() -> str:
    """A row for every entry: what stands where, what was checked, its state."""
    kinds = "".join(f"<th>{kind.capitalize()}</th>" for kind in _KINDS)
    rows = "".join(_row(entry) for entry in ENTRIES)
    return (
        '<div class="table-scroll" role="group" tabindex="0" data-search-exclude '
        'aria-label="Traceability matrix">'
        '<table class="matrix" id="traceability-matrix">'
        "<thead><tr><th>Id</th><th>Entry</th><th>State</th><th>Functions</th>"
        f"<th>Uses</th><th>Steps</th>{kinds}<th>Mutants</th></tr>"
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def legend() -> str:
    """What every state means."""
    return "\n".join(
        f'- <span class="badge state-{name}"><span aria-hidden="true">{shape}</span> '
        f"{name}</span> {evidence.MEANINGS[name]}"
        for name, shape in evidence.SHAPES.items()
    )


def _row(entry: Entry) -> str:
    record = evidence.record().get(entry.id, {})
    page = f"equations/{entry.stem}.html"
    functions = "<br>".join(
        f'<a href="reference/{entry.module}.html#{entry.module}.{name}">'
        f"<code>{name}</code></a>"
        for name in entry.functions
    )
    checked = sum(len(chain) for chain in derivation.checks(entry.id).values())
    tests = "".join(_tests(record, kind) for kind in _KINDS)
    mutants = record.get("mutants")
    killed = f"{mutants['killed']} of {mutants['total']}" if mutants else ""
    state = evidence.state(entry.id)
    return (
        f'<tr data-state="{state}"><td>{entry.id}</td>'
        f'<td><a href="{page}#{entry.id}">{escape(entry.title)}</a></td>'
        f"<td>{evidence.badge(entry.id, f'{page}#{entry.id}')}</td>"
        f"<td>{functions}</td><td>{' '.join(entry.uses)}</td>"
        f'<td class="number">{checked}</td>{tests}'
        f'<td class="number">{killed}</td></tr>'
    )


def _tests(record: dict[str, dict[str, dict[str, int]]], kind: str) -> str:
    """How many tests of a kind passed, and failed where any did."""
    if not record:
        return "<td></td>"
    tally = record["witnesses"].get(kind) or record.get(kind)
    if not tally:
        return '<td class="number">0</td>'
    failed = f", {tally['failed']} failed" if tally["failed"] else ""
    return f'<td class="number">{tally["passed"]}{failed}</td>'
