"""A derivation as a numbered list, checked while it is written.

The list is complete by itself; `stepper.js` and `presentation.js` let a reader walk
through it.
"""

import re
from functools import cache
from html import escape

import sympy

from moe.derivations import load, load_entry
from moe.derivations.chain import Chain, Checked, Derivation, check
from moe.derivations.printing import latex
from moe.registry import BY_ID
from sitebuild import mathml, symbols

_TAG = re.compile(r"\((\d+[a-z])\)")
_ELEMENT = re.compile(r"\b([A-Za-z_]+\[[^\]]+\])")


@cache
def checks(entry_id: str) -> dict[str, tuple[Checked, ...]]:
    """Check every step of an entry; by title of the chain.

    Raises:
        moe.derivations.chain.ProofError: If a step does not hold.
    """
    derivation = load_entry(entry_id)
    return {chain.title: check(derivation, chain) for chain in derivation.chains}


def equations(entry_id: str) -> str:
    """The equations of an entry, each with its tag.

    Those that it takes from another entry lead to where they belong.
    """
    lines: dict[str, list[str]] = {}
    for equation in load_entry(entry_id).equation:
        lines.setdefault(equation.tag, []).append(latex(equation.relation))
    finder = symbols.marker(entry_id)
    return "".join(
        mathml.equation(_stack(parts), tag, _home(tag, entry_id), finder)
        for tag, parts in lines.items()
    )


def tags(stem: str) -> set[str]:
    """Tags of the equations that have their anchor on the page of a stem."""
    return {
        equation.tag
        for derivation in load(stem)
        for equation in derivation.equation
        if _owner(equation.tag) == derivation.entry
    }


def _owner(tag: str) -> str:
    """Entry that an equation belongs to: `E02` for `2a`."""
    return f"E{int(tag[:-1]):02}"


def _home(tag: str, shown_by: str) -> str | None:
    """Link to an equation of another entry; None for an equation of this one."""
    owner = BY_ID[_owner(tag)]
    if owner.id == shown_by:
        return None
    page = "" if owner.stem == BY_ID[shown_by].stem else f"{owner.stem}.html"
    return f"{page}#eq-{tag}"


def steps(entry_id: str) -> str:
    """All steps of the derivation of an entry, as an HTML list."""
    derivation = load_entry(entry_id)
    items: list[str] = []
    for chain in derivation.chains:
        items += _items(derivation, chain, len(items) + 1)
    title = escape(BY_ID[entry_id].title)
    return (
        f'<section class="walk derivation" id="{entry_id}-derivation" '
        f'data-entry="{entry_id}" data-title="{title}" '
        f'aria-label="Derivation of {title}">'
        f'<ol class="steps">{"".join(items)}</ol></section>'
    )


def _stack(lines: list[str]) -> str:
    """Equations that share a tag, below each other."""
    if len(lines) == 1:
        return lines[0]
    body = r" \\ ".join(lines)
    return rf"\begin{{gathered}} {body} \end{{gathered}}"


def _items(derivation: Derivation, chain: Chain, first: int) -> list[str]:
    finder = symbols.marker(derivation.entry)
    # A chain of equations to be solved says itself what stands left and right.
    solved = isinstance(chain.start, sympy.Eq)
    equals = "" if solved else "= "
    target = "" if solved else f"{latex(chain.target)} = "
    results = checks(derivation.entry)[chain.title]
    lines = [latex(expression) for expression in chain.expressions]
    items = []
    for offset, (step, checked) in enumerate(zip(chain.steps, results, strict=True)):
        number = first + offset
        head = ""
        if offset == 0:
            start = mathml.step(target + lines[0], None, finder)
            head = (
                f'<p class="chain-title">{escape(chain.title)}</p>'
                f'<div class="line line-before">{start}</div>'
            )
        before, after = (equals + line for line in lines[offset : offset + 2])
        line = mathml.step(after, before, finder)
        items.append(
            f'<li class="step" id="{derivation.entry}-step-{number}" '
            f'value="{number}" data-label="{escape(step.rule)}">{head}'
            f'<p class="rule"><strong>{escape(step.rule)}.</strong> '
            f"{_prose(step.why, derivation.entry)}</p>"
            f'<div class="line">{line}</div>'
            f'<p class="check" data-search-exclude>{_check(checked)}</p></li>'
        )
    return items


def _prose(text: str, entry_id: str) -> str:
    """Links for tags, code for elements of arrays."""
    html = _ELEMENT.sub(r"<code>\1</code>", escape(text, quote=False))
    return _TAG.sub(lambda m: _tag_link(m[1], entry_id), html)


def _tag_link(tag: str, entry_id: str) -> str:
    return f'<a href="{_home(tag, entry_id) or f"#eq-{tag}"}">({tag})</a>'


def _check(checked: Checked) -> str:
    how = {"exact": "exactly", "50 digits": "to 50 digits"}[checked.method]
    names = sorted(checked.sizes[0], key=str)
    if not names:
        return f"Checked {how}."
    runs = " and ".join(_tuple([run[name] for name in names]) for run in checked.sizes)
    return f"Checked {how} for {_tuple(names)} = {runs}."


def _tuple(parts: list[object]) -> str:
    """`(N, C)`, which no line breaks; one part stands alone."""
    text = ",\N{NO-BREAK SPACE}".join(map(str, parts))
    return text if len(parts) == 1 else f"({text})"
