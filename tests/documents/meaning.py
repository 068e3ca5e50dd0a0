"""From the tree of a formula to the SymPy objects of a derivation."""

from collections.abc import Iterator, Mapping
from typing import Any

import sympy

from documents.latex import LatexError, Node, Statement
from moe.derivations.chain import Derivation
from moe.derivations.elements import free_indices
from moe.derivations.notation import Largest, index

FUNCTIONS = {
    "sqrt": sympy.sqrt,
    "exp": sympy.exp,
    "ln": sympy.log,
    "cos": sympy.cos,
    "sin": sympy.sin,
    "floor": sympy.floor,
    "min": sympy.Min,
    "max": sympy.Max,
}
RELATIONS = {
    "=": sympy.Eq,
    "<": sympy.Lt,
    "<=": sympy.Le,
    ">": sympy.Gt,
    ">=": sympy.Ge,
}
CONSTANTS = {"pi": sympy.pi, "infinity": sympy.oo}


def silu(x: sympy.Expr) -> sympy.Expr:
    """As E04 has it."""
    return x / (1 + sympy.exp(-x))


def silu_slope(x: sympy.Expr) -> sympy.Expr:
    """Its derivative."""
    u = sympy.Dummy()
    return sympy.diff(silu(u), u).subs(u, x)


class Meaning:
    """What names and letters stand for.

    Args:
        derivation: Its symbol table gives arrays, numbers and sizes, its indices the
            lengths of the letters.
        names: What other names mean; where an array keeps its name, it is that of the
            derivation.
    """

    def __init__(self, derivation: Derivation, names: Mapping[str, Any]) -> None:
        self.names: dict[str, Any] = {}
        self.shapes: dict[str, tuple[Any, ...]] = {}
        for row in derivation.symbols:
            self.names[str(row.base)] = row.base
            self.shapes[str(row.base)] = row.shape
        for name, value in names.items():
            self.names[name] = value
            self.shapes[name] = self.shapes.get(str(value), ())
        self.lengths = _lengths_of_letters(derivation)
        self.defined: dict[str, tuple[tuple[str, ...], Node]] = {}

    def learn(self, statements: list[Statement]) -> None:
        """Take the lengths of letters from the axes that they stand at."""
        for statement in statements:
            for name in _names(statement):
                text, indices = name.parts
                axes = self.shapes.get(text, ())
                for axis, place in zip(axes, indices, strict=False):
                    if place.kind == "name" and not place.parts[1]:
                        self.lengths.setdefault(place.parts[0], axis)

    def define(self, name: Node, value: Node) -> None:
        """Let a name of the formula's own, `g_h`, stand for its value."""
        text, indices = name.parts
        letters = tuple(place.parts[0] for place in indices)
        if not free_indices(self.of(value)) <= set(map(self.letter, letters)):
            raise LatexError(f"{text} depends on more than {letters}")
        self.defined[text] = (letters, value)

    def knows(self, name: Node) -> bool:
        """Whether a name is one of the derivation's."""
        return name.kind != "name" or self._full_name(*name.parts) in self.names

    def letter(self, name: str) -> sympy.Idx:
        """An index by its letter."""
        if name not in self.lengths:
            raise LatexError(f"nothing says what {name} runs over")
        return index(name, self.lengths[name])

    def of(self, node: Node) -> Any:
        """The SymPy object."""
        match node:
            case ("number", (value,)):
                return sympy.Integer(value)
            case ("name", (text, indices)):
                return self._name(text, indices)
            case ("add", terms):
                return sympy.Add(*map(self.of, terms))
            case ("neg", (term,)):
                return -self.of(term)
            case ("mul", (left, right)):
                return self.of(left) * self.of(right)
            case ("div", (above, below)):
                return self.of(above) / self.of(below)
            case ("pow", (("name", ("e", ())), exponent)):
                return sympy.exp(self.of(exponent))
            case ("pow", (base, exponent)):
                return self.of(base) ** self.of(exponent)
            case ("call", ("silu", (argument,))):
                return silu(self.of(argument))
            case ("call", ("silu'", (argument,))):
                return silu_slope(self.of(argument))
            case ("call", (function, arguments)):
                return FUNCTIONS[function](*map(self.of, arguments))
            case ("over", (function, limits, body)):
                return self._over(function, limits, self.of(body))
            case ("count", (letters, condition)):
                return self._count(letters, condition)
            case ("cases", rows):
                return sympy.Piecewise(*map(self._case, rows))
            case ("pmatrix", rows):
                return sympy.Matrix([[self.of(cell) for cell in row] for row in rows])
        raise LatexError(f"{node.kind} has no meaning here")

    def condition(self, statement: Statement) -> Any:
        """A relation as SymPy has it."""
        left, right = map(self.of, statement.sides)
        return RELATIONS[statement.relations[0]](left, right)

    def _full_name(self, text: str, indices: tuple[Node, ...]) -> str:
        """`beta_1` and `eta_base`, whose subscript is part of the name."""
        if len(indices) == 1:
            (label,) = (str(part) for part in indices[0].parts[:1])
            if f"{text}_{label}" in self.names:
                return f"{text}_{label}"
        return text

    def _name(self, text: str, indices: tuple[Node, ...]) -> Any:
        full = self._full_name(text, indices)
        if text == "delta" and len(indices) == 2:
            return sympy.KroneckerDelta(*map(self.of, indices))
        if text in self.defined and indices:
            return self._defined(text, indices)
        if full not in self.names and not indices:
            return CONSTANTS.get(text) or self.letter(text)
        if full not in self.names:
            raise LatexError(f"{text} is not in the symbol table")
        meaning = self.names[full]
        if not isinstance(meaning, sympy.IndexedBase):
            if indices and full == text:
                raise LatexError(f"{text} has no indices")
            return meaning
        if len(indices) != len(self.shapes[text]):
            raise LatexError(f"{text} has {len(self.shapes[text])} indices")
        return meaning[tuple(map(self.of, indices))]

    def _defined(self, text: str, indices: tuple[Node, ...]) -> Any:
        letters, value = self.defined[text]
        if len(letters) != len(indices):
            raise LatexError(f"{text} has {len(letters)} indices")
        pairs = zip(map(self.letter, letters), map(self.of, indices), strict=True)
        return self.of(value).subs(dict(pairs))

    def _over(self, function: str, limits: tuple[Any, ...], body: Any) -> Any:
        if isinstance(limits[-1], tuple):
            letter, (relation, bound) = limits
            last = self.of(bound) - int(relation == "<")
            if function != "sum" or relation not in ("<", "<="):
                raise LatexError(f"{function} over {letter} {relation} ...")
            return sympy.Sum(body, (self.letter(letter), 0, last))
        letters = [self.letter(name) for name in limits]
        if function == "sum":
            return sympy.Sum(body, *letters)
        (over,) = letters
        if function == "max":
            return Largest(body, over)
        if function == "softmax":
            other = sympy.Idx(f"{over.label}'", (over.lower, over.upper))
            return sympy.exp(body) / sympy.Sum(sympy.exp(body.subs(over, other)), other)
        raise LatexError(f"{function} over {limits}")

    def _count(self, letters: tuple[str, ...], condition: Statement) -> Any:
        if condition.relations == ("=",):
            one = sympy.KroneckerDelta(*map(self.of, condition.sides))
        else:
            one = sympy.Piecewise((1, self.condition(condition)), (0, True))
        return sympy.Sum(one, *map(self.letter, letters))

    def _case(self, row: tuple[Any, ...]) -> tuple[Any, Any]:
        value, condition = row
        if condition == "else":
            return self.of(value), True
        if not isinstance(condition, Statement):
            raise LatexError(f"{condition} is no condition")
        return self.of(value), self.condition(condition)


def _lengths_of_letters(derivation: Derivation) -> dict[str, Any]:
    """Lengths of the derivation's indices, by letter."""
    expressions = [side for e in derivation.equation for side in (e.name, e.value)]
    expressions += [e for chain in derivation.chains for e in chain.expressions]
    letters = set().union(*(e.atoms(sympy.Idx) for e in expressions))
    return {str(letter.label): letter.upper - letter.lower + 1 for letter in letters}


def _names(part: Any) -> Iterator[Node]:
    """All names in a statement or tree."""
    if isinstance(part, Node) and part.kind == "name":
        yield part
    if isinstance(part, tuple):
        for inner in part:
            yield from _names(inner)
