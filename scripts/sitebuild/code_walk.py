"""The lines of a function as a list, each with the expression that it computed.

The shipped function runs on letters while the page is built, as `step.py --code` does
in a terminal. The list is complete by itself; `stepper.js` lets a reader walk through.
"""

import re
from dataclasses import replace
from functools import cache
from html import escape

from code_inputs import STEPS
from code_trace import Change, Line
from sympy import Expr, Symbol

from moe.derivations.printing import latex
from sitebuild import mathml, symbols
from sitebuild.code import line_html

_SPACE = r"\,"
_PLACE = re.compile(r"_\{(\d+(?:,\\,\d+)+)\}")
_UNDERSCORE = "@"  # while SymPy prints, to which `_` means an index
QUIET = "No new expression: this line chooses, unpacks or passes on."


@cache
def walks(stem: str) -> dict[str, list[Line]]:
    """Lines of every function of a stem that can run on letters, by its name."""
    return {function.__name__: told(lines) for function, lines in STEPS[stem]()}


def told(lines: list[Line]) -> list[Line]:
    """Lines in the order of execution, without what a loop only repeats.

    The line that unpacks the cache computes nothing: what is in it, forward has told.
    """
    known: set[int] = set()
    kept = []
    for line in lines:
        if line.source.endswith("= cache"):
            kept.append(replace(line, changes=()))
        elif line.changes or line.number not in known:
            kept.append(line)
        known.add(line.number)
    return kept


def folded(stem: str, name: str) -> str:
    """A function line by line, folded; nothing where no line makes an expression."""
    lines = walks(stem).get(name, [])
    if not any(line.changes for line in lines):
        return ""
    rows = "".join(
        _row(line, stem, f"walk-{name}-{place}") for place, line in enumerate(lines, 1)
    )
    return (
        f'<details class="code-walk"><summary>Step through <code>{name}</code> on '
        "letters</summary><p>Every line, with what it has just computed: of an array "
        "one element, in the names that the line reads, and on the right its shape.</p>"
        f'<section class="walk trace" id="walk-{name}" data-search-exclude '
        f'data-title="{name} on letters" aria-label="Each line of {name} on letters">'
        f"<ol>{rows}</ol></section></details>"
    )


def _row(line: Line, stem: str, anchor: str) -> str:
    source = line.source.strip()
    label = escape(source.partition("#")[0].strip())
    made = "".join(_value(change, stem) for change in line.changes)
    return (
        f'<li class="step trace-row" id="{anchor}" data-label="{label}">'
        f'<div class="trace-line highlight"><code>'
        f"{line_html(source, symbols.code_names(stem))}</code></div>"
        f"{made or _note(QUIET)}</li>"
    )


def _value(change: Change, stem: str) -> str:
    """One element of what the line made; the shape stands where a tag would."""
    sides = (_latex(side, stem) for side in (change.element, change.value))
    comma = "," if len(change.shape) == 1 else ""
    shape = ", ".join(map(str, change.shape)) + comma
    tag = rf"\tag{{{shape}}}" if shape else ""
    return mathml.display(" = ".join(sides) + tag, symbols.page_marker(stem))


def _latex(expression: Expr, stem: str) -> str:
    """LaTeX in which a name that only the code has looks as it does there."""
    known = symbols.code_names(stem)
    symbol_of = {
        name: Symbol(rf"\mathtt{{{str(name).replace('_', _UNDERSCORE)}}}")
        for name in expression.atoms(Symbol)
        if "_" in str(name) and str(name) not in known
    }
    text = latex(expression.xreplace(symbol_of)).replace(_UNDERSCORE, r"\_")
    return _PLACE.sub(_short_place, text)


def _short_place(found: re.Match[str]) -> str:
    """Numbers of an element as one text, not as MathML for every digit and comma."""
    return rf"_{{\text{{{found[1].replace(_SPACE, '')}}}}}"


def _note(text: str) -> str:
    return f'<p class="walk-note">{text}</p>'
