"""Symbol tables, from the derivations: what a letter means, everywhere on a page."""

from functools import cache
from html import escape

import sympy

from moe.derivations import load, load_entry
from moe.derivations.chain import Derivation, Symbol
from moe.derivations.printing import latex
from moe.registry import BY_ID
from sitebuild import mathml
from sitebuild.errors import SiteError


def key(symbol: Symbol) -> str:
    """What ties the places of a symbol together: `dgamma`."""
    return str(symbol.base)


@cache
def marker(entry_id: str) -> mathml.Marker:
    """Finds the symbols of an entry in formulas."""
    return _marker(load_entry(entry_id).symbols)


@cache
def page_marker(stem: str) -> mathml.Marker:
    """Finds the symbols of all entries of a stem."""
    return _marker(tuple(row for entry in load(stem) for row in entry.symbols))


def code_names(stem: str) -> dict[str, str]:
    """Symbol key for every expression by which code of the stem writes a symbol."""
    rows = [row for derivation in load(stem) for row in derivation.symbols]
    return {row.code: key(row) for row in reversed(rows) if row.code}


def table(entry_id: str) -> str:
    """The symbol table of an entry, as HTML.

    Raises:
        SiteError: If an equation or a derivation uses a symbol without a row.
    """
    derivation = load_entry(entry_id)
    missing = _used(derivation) - {row.base for row in derivation.symbols}
    if missing:
        names = ", ".join(sorted(map(str, missing)))
        raise SiteError(f"{entry_id}: no row in the symbol table for {names}")
    rows = "".join(_row(row, marker(entry_id)) for row in derivation.symbols)
    return (
        f'<div class="table-scroll" role="group" tabindex="0" '
        f'aria-label="Symbols of {entry_id}">'
        f'<table class="symbol-table" data-entry="{entry_id}">'
        "<thead><tr><th>Symbol</th><th>In the code</th><th>Shape</th>"
        f"<th>Meaning</th></tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p class="index-ranges">{_index_ranges(derivation)}</p>'
    )


def shape_text(symbol: Symbol) -> str:
    """Shape as code writes it: `(N, C)`."""
    if not symbol.shape:
        return "number"
    inner = ", ".join(map(str, symbol.shape))
    return f"({inner},)" if len(symbol.shape) == 1 else f"({inner})"


def _row(row: Symbol, finder: mathml.Marker) -> str:
    formula = mathml.inline(latex(row.expression), finder)
    name, shape, meaning = key(row), shape_text(row), escape(row.meaning)
    # A symbol that only the derivation needs has no name in the code.
    code = f'<code data-symbol="{name}">{escape(row.code)}</code>' if row.code else ""
    return (
        f'<tr data-symbol-row="{name}" data-shape="{shape}" data-meaning="{meaning}">'
        f'<td><button type="button" class="symbol" data-symbol="{name}" '
        f'aria-label="Light up {escape(name)}">{formula}</button></td>'
        f"<td>{code}</td>"
        f"<td>{shape}</td><td>{meaning}</td></tr>"
    )


def _index_ranges(derivation: Derivation) -> str:
    """From where to where every index runs."""
    found: dict[str, sympy.Idx] = {}
    for expression in _expressions(derivation):
        for index in expression.atoms(sympy.Idx):
            found[str(index.label)] = index
    finder = marker(derivation.entry)
    ranges = [
        mathml.inline(
            rf"{latex(index)} = {latex(index.lower)}, \dots, {latex(index.upper)}",
            finder,
        )
        for _, index in sorted(found.items())
    ]
    return f"Indices: {', '.join(ranges)}." if ranges else ""


def _used(derivation: Derivation) -> set[object]:
    """Arrays, numbers and sizes in all formulas; indices are no symbols."""
    used: set[object] = set()
    for expression in _expressions(derivation):
        labels = {index.label for index in expression.atoms(sympy.Idx)}
        arrays = expression.atoms(sympy.IndexedBase)
        labels |= {array.label for array in arrays}
        used |= arrays | (expression.atoms(sympy.Symbol) - labels - arrays)
        # SymPy keeps the side from which a limit is taken as a symbol.
        used -= {limit.args[3] for limit in expression.atoms(sympy.Limit)}
    return used


def _expressions(derivation: Derivation) -> list[sympy.Basic]:
    chains = [
        e for chain in derivation.chains for e in (chain.target, *chain.expressions)
    ]
    return [e.relation for e in derivation.equation] + chains


def _marker(rows: tuple[Symbol, ...]) -> mathml.Marker:
    return mathml.Marker({key(row): latex(row.base) for row in reversed(rows)})


def require_entry(entry_id: str) -> str:
    """Return the id, or raise unless the registry has it."""
    if entry_id not in BY_ID:
        raise SiteError(f"no entry {entry_id!r}; there are {', '.join(BY_ID)}")
    return entry_id
