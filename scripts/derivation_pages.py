"""A derivation as pages for a terminal of 80 columns: the equation, then every step."""

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sympy import Eq

from moe.derivations import load
from moe.derivations.chain import (
    Chain,
    Checked,
    Derivation,
    ProofError,
    Symbol,
    check_step,
)
from moe.derivations.compare import DIGITS, POINTS
from moe.derivations.printing import pretty
from moe.registry import BY_ID, ENTRIES

COLUMNS = 80
INDENT = "    "


@dataclass(frozen=True)
class Page:
    """One screen.

    Attributes:
        title: In the head line.
        draw: Returns the text below it, and whether all that it claims holds. A step
            is checked when its page is drawn.
    """

    title: str
    draw: Callable[[], tuple[str, bool]]


def derivation_pages(name: str) -> list[Page]:
    """Pages of an entry (`E02`) or of all entries of a stem (`rope`).

    Raises:
        ValueError: If the registry has no such entry or stem.
    """
    stem = BY_ID[name].stem if name in BY_ID else name
    stems = list(dict.fromkeys(entry.stem for entry in ENTRIES))
    if stem not in stems:
        allowed = f"E01 to {ENTRIES[-1].id} or one of {', '.join(stems)}"
        raise ValueError(f"STEM must be {allowed}, got {name!r}")
    return [
        page
        for derivation in load(stem)
        if name in (stem, derivation.entry)
        for page in _pages(derivation)
    ]


def _pages(derivation: Derivation) -> Iterator[Page]:
    entry = BY_ID[derivation.entry]
    heading = f"{entry.id} {entry.title}"
    yield Page(heading, lambda: (_equation(derivation), True))
    for chain in derivation.chains:
        for number in range(1, len(chain.steps) + 1):
            yield Page(f"{heading}: {chain.title}", _Step(derivation, chain, number))


def _equation(derivation: Derivation) -> str:
    """The equation and the symbol table."""
    equations = [
        pretty(equation.relation, COLUMNS, prefix=f"{f'({equation.tag})':<8}")
        for equation in derivation.equation
    ]
    return "\n\n".join([*equations, _table(derivation.symbols)])


def _table(symbols: tuple[Symbol, ...]) -> str:
    """Columns: symbol, name in the code, shape, meaning."""
    rows = [
        (
            pretty(row.expression),
            row.code,
            "×".join(str(axis).replace("*", "") for axis in row.shape),
            row.meaning,
        )
        for row in symbols
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = []
    for row in rows:
        cells = (f"{c:<{w}}" for c, w in zip(row, widths, strict=False))
        start = INDENT + "  ".join(cells) + "  "
        later = " " * len(start)
        lines += textwrap.wrap(
            row[3], COLUMNS, initial_indent=start, subsequent_indent=later
        )
    return "\n".join(lines)


class _Step:
    """Draws one step; checks it the first time."""

    def __init__(self, derivation: Derivation, chain: Chain, number: int) -> None:
        self.derivation, self.chain, self.number = derivation, chain, number
        self.drawn: tuple[str, bool] | None = None

    def __call__(self) -> tuple[str, bool]:
        """The text, and whether the step holds."""
        if self.drawn is None:
            self.drawn = self._draw()
        return self.drawn

    def _draw(self) -> tuple[str, bool]:
        step = self.chain.steps[self.number - 1]
        before, after = self.chain.expressions[self.number - 1 : self.number + 1]
        text = [
            f"Step {self.number} of {len(self.chain.steps)}: {step.rule}",
            textwrap.fill(step.why, COLUMNS),
        ]
        same = "⇔   " if isinstance(before, Eq) else "=   "
        is_target = self.number == 1 and same != "⇔   " and before != self.chain.target
        if is_target:
            text.append(pretty(self.chain.target, COLUMNS, INDENT))
        text.append(pretty(before, COLUMNS, same if is_target else INDENT))
        text.append(pretty(after, COLUMNS, same))
        try:
            checked = check_step(self.derivation, self.chain, self.number)
        except ProofError as error:
            return "\n\n".join([*text, f"THIS STEP IS WRONG\n{error}"]), False
        return "\n\n".join([*text, textwrap.fill(_evidence(checked), COLUMNS)]), True


def _evidence(checked: Checked) -> str:
    """What was done to check a step, in words."""
    how = {
        "exact": "exact",
        "50 digits": f"to {DIGITS} digits at {POINTS} random points",
    }[checked.method]
    runs = [", ".join(f"{s} = {n}" for s, n in run.items()) for run in checked.sizes]
    sizes = f", for every index, with {'; '.join(runs)}" if any(runs) else ""
    return f"Checked: {how}{sizes} ({checked.seconds:.2f} s)"
