"""The dependency graph of the entries, as SVG: columns by depth, real links."""

from html import escape

from moe.registry import BY_ID, ENTRIES, Entry
from sitebuild import evidence

_WIDTH, _HEIGHT = 282, 40
_GAP_X, _GAP_Y = 72, 14
_MARGIN = 8
_SWEEPS = 4

Places = dict[str, tuple[float, float]]


def svg() -> str:
    """The graph; every node links to its page and says its state in words."""
    places = _places()
    width = max(x for x, _ in places.values()) + _WIDTH + _MARGIN
    height = max(y for _, y in places.values()) + _HEIGHT + _MARGIN
    edges = "".join(
        _edge(places[used], places[entry.id])
        for entry in ENTRIES
        for used in entry.uses
    )
    nodes = "".join(_node(entry, *places[entry.id]) for entry in ENTRIES)
    return (
        '<div class="graph-scroll" role="group" tabindex="0" data-search-exclude '
        'aria-label="Dependency graph of the 21 entries">'
        f'<svg class="graph" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="group" aria-label="An arrow leads from an entry to '
        'what uses it">'
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path class="arrow" d="M0 0 8 4 0 8Z"/>'
        "</marker>"
        f"</defs>{edges}{nodes}</svg></div>"
    )


def _depth(entry: Entry) -> int:
    return max((_depth(BY_ID[used]) + 1 for used in entry.uses), default=0)


def _places() -> Places:
    """Columns by depth; in each, close to its neighbours, so that few arrows cross."""
    users = {e.id: [u.id for u in ENTRIES if e.id in u.uses] for e in ENTRIES}
    columns: list[list[str]] = []
    for entry in ENTRIES:
        while len(columns) <= _depth(entry):
            columns.append([])
        columns[_depth(entry)].append(entry.id)
    rows = {i: float(r) for column in columns for r, i in enumerate(column)}
    for _ in range(_SWEEPS):
        for column in columns:
            column.sort(key=lambda i: _pull(i, users, rows))
            rows.update((i, float(r)) for r, i in enumerate(column))
    return {
        i: (_MARGIN + x * (_WIDTH + _GAP_X), _MARGIN + y * (_HEIGHT + _GAP_Y))
        for x, column in enumerate(columns)
        for y, i in enumerate(column)
    }


def _pull(entry_id: str, users: dict[str, list[str]], rows: dict[str, float]) -> float:
    """Mean row of the neighbours; entries without any go to the bottom."""
    neighbours = [*BY_ID[entry_id].uses, *users[entry_id]]
    if not neighbours:
        return len(ENTRIES)
    return sum(rows[i] for i in neighbours) / len(neighbours)


def _edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    x0, y0 = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    x1, y1 = end[0], end[1] + _HEIGHT / 2
    middle = (x0 + x1) / 2
    curve = f"M{x0} {y0}C{middle} {y0} {middle} {y1} {x1} {y1}"
    return f'<path class="edge" d="{curve}" marker-end="url(#arrow)"/>'


def _node(entry: Entry, x: float, y: float) -> str:
    state = evidence.state(entry.id)
    return (
        f'<a class="node state-{state}" href="equations/{entry.stem}.html#{entry.id}" '
        f'aria-label="{entry.id} {escape(entry.title)}: {state}">'
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
        f'<text class="node-shape" x="{x + 12}" y="{y + 26}" aria-hidden="true">'
        f"{evidence.SHAPES[state]}</text>"
        f'<text x="{x + 34}" y="{y + 17}">{entry.id} {escape(entry.title)}</text>'
        f'<text class="node-state" x="{x + 34}" y="{y + 33}">{state}</text></a>'
    )
