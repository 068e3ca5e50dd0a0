r"""Read the LaTeX of the docstrings as mathematics, not as text.

The part of LaTeX that the equations use: names with indices, sums, fractions, roots,
powers, functions, cases, matrices. `read` gives statements, `lhs` related to `rhs`,
as trees of `Node`; anything else is an error, so nothing is passed over in silence.
"""

import re
from typing import Any, NamedTuple

GREEK = "alpha beta gamma delta epsilon theta lambda sigma tau phi eta nu pi"
RELATIONS = {"=": "=", r"\le": "<=", r"\ge": ">=", "<": "<", ">": ">"}
FUNCTIONS = (r"\exp", r"\ln", r"\cos", r"\sin")
OPENING = ("(", "[", r"\{")
SIZES = (r"\bigl", r"\bigr", r"\Bigl", r"\Bigr", r"\left", r"\right")
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+|\S")
SPACES = (r"\,", r"\;", r"\!", r"\ ")


class LatexError(ValueError):
    """Not in the part of LaTeX that is understood."""


class Node(NamedTuple):
    """A part of an expression.

    Attributes:
        kind: `number name add mul div neg pow call over count cases matrix relation`.
        parts: Depends on the kind; see where each is made.
    """

    kind: str
    parts: tuple[Any, ...]


class Statement(NamedTuple):
    r"""`sides[0] relations[0] sides[1] ...`.

    An assignment has the relation `<-`, the end of a range (`i = 0, \dots, n`) `..`.
    """

    sides: tuple[Node, ...]
    relations: tuple[str, ...]


def read(text: str) -> list[Statement]:
    r"""Statements of a displayed formula, parted by commas or `\qquad`.

    Args:
        text: What stands between the dollars, without its tag.

    Raises:
        LatexError: If any of it is not understood.
    """
    tokens = [token for token in TOKEN.findall(text) if token not in SPACES + SIZES]
    reader = _Reader(tokens)
    statements = [reader.statement()]
    while reader.next is not None:
        reader.separator()
        statements.append(reader.statement())
    return statements


class _Reader:
    """Recursive descent; one method for each kind of phrase."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.place = 0

    @property
    def next(self) -> str | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def take(self, *allowed: str) -> str:
        token = self.next
        if token is None or (allowed and token not in allowed):
            raise LatexError(f"expected {allowed or 'more'}, got {self.rest()!r}")
        self.place += 1
        return token

    def skip(self, token: str) -> bool:
        found = self.next == token
        self.place += found
        return found

    def rest(self) -> str:
        return " ".join(self.tokens[self.place :])

    def separator(self) -> None:
        comma = self.skip(",")
        quad = self.skip(r"\qquad") or self.skip(r"\quad")
        if not comma and not quad:
            raise LatexError(f"cannot read {self.rest()!r}")

    # Statements and sums.

    def statement(self) -> Statement:
        sides, relations = [self.sum()], []
        while self.next in (*RELATIONS, r"\leftarrow"):
            token = self.take()
            relations.append(RELATIONS.get(token, "<-"))
            sides.append(self.sum())
        if self.tokens[self.place : self.place + 3] == [",", r"\dots", ","]:
            self.place += 3
            relations.append("..")
            sides.append(self.sum())
        if not relations:
            raise LatexError(f"no relation before {self.rest()!r}")
        return Statement(tuple(sides), tuple(relations))

    def sum(self) -> Node:
        terms = [self.signed()]
        while self.next in ("+", "-"):
            sign = self.take()
            term = self.product()
            terms.append(Node("neg", (term,)) if sign == "-" else term)
        return terms[0] if len(terms) == 1 else Node("add", tuple(terms))

    def signed(self) -> Node:
        if self.skip("-"):
            return Node("neg", (self.product(),))
        return self.product()

    def product(self) -> Node:
        result = self.factor()
        while True:
            if self.skip("/"):
                result = Node("div", (result, self.factor()))
            elif self.skip(r"\odot") or self.starts_factor():
                result = Node("mul", (result, self.factor()))
            else:
                return result

    def starts_factor(self) -> bool:
        token = self.next
        if token is None or token in (*RELATIONS, r"\leftarrow"):
            return False
        if token == "|":  # opens a count, or closes one
            return self.tokens[self.place + 1 : self.place + 2] == [r"\{"]
        stops = r", \qquad \quad + - / ) ] \} } & \\ \end \rfloor \rVert : ^ _ \dots"
        return token not in stops.split()

    # Factors.

    def factor(self) -> Node:
        token = self.take()
        if token.isdigit():
            return self.powers(Node("number", (int(token),)))
        if token in OPENING[:1]:
            inner = self.sum()
            self.take(")")
            return self.powers(inner)
        if token in (r"\frac", r"\tfrac"):
            return Node("div", (self.group(), self.group()))
        if token == r"\sqrt":
            return Node("call", ("sqrt", (self.group(),)))
        if token == r"\sum":
            return Node("over", ("sum", self.limits(), self.product()))
        if token in (r"\min", r"\max"):
            return self.extreme(token[1:])
        if token in FUNCTIONS:
            return Node("call", (token[1:], (self.argument(),)))
        if token == r"\lfloor":
            inner = self.sum()
            self.take(r"\rfloor")
            return Node("call", ("floor", (inner,)))
        if token == r"\lVert":
            inner = self.factor()
            self.take(r"\rVert")
            return Node("name", (f"norm {inner.parts[0]}", ()))
        if token == "|":
            return self.count()
        if token == r"\begin":
            return self.environment()
        return self.word(token)

    def group(self) -> Node:
        """`{...}`, or the single token that LaTeX allows in its place."""
        if not self.skip("{"):
            return self.factor()
        inner = self.sum()
        self.take("}")
        return inner

    def argument(self) -> Node:
        """What a function is applied to: parentheses, or the rest of the product."""
        if self.skip("("):
            inner = self.sum()
            self.take(")")
            return inner
        return self.product()

    def extreme(self, which: str) -> Node:
        if self.next == "_":
            return Node("over", (which, self.limits(), self.product()))
        self.take("(")
        arguments = [self.sum()]
        while self.skip(","):
            arguments.append(self.sum())
        self.take(")")
        return Node("call", (which, tuple(arguments)))

    def limits(self) -> tuple[Any, ...]:
        r"""Letters of `_{tr}`, or letter, relation and bound of `_{u \le r}`."""
        self.take("_")
        if not self.skip("{"):
            return (self.take(),)
        letters = [self.take()]
        while self.next not in ("}", *RELATIONS):
            self.skip(",")
            letters.append(self.take())
        if self.skip("}"):
            return tuple(letters)
        bound = (RELATIONS[self.take()], self.sum())
        self.take("}")
        return (*letters, bound)

    def count(self) -> Node:
        r"""`| \{ (n, k) : a = b \} |`: for how many n and k it is so."""
        self.take(r"\{")
        letters = [self.take()] if not self.skip("(") else self.tuple_of_letters()
        self.take(":")
        condition = self.statement()
        self.take(r"\}")
        self.take("|")
        return Node("count", (tuple(letters), condition))

    def tuple_of_letters(self) -> list[str]:
        letters = [self.take()]
        while self.skip(","):
            letters.append(self.take())
        self.take(")")
        return letters

    def environment(self) -> Node:
        name = self.braced()
        rows: list[list[Any]] = [[]]
        while True:
            rows[-1].append(self.cell(name))
            token = self.take("&", r"\\", r"\end")
            if token == r"\\":
                rows.append([])
            elif token == r"\end":
                break
        if self.braced() != name:
            raise LatexError(f"{name} has another end")
        return Node(name, tuple(map(tuple, rows)))

    def cell(self, name: str) -> Any:
        if self.skip(r"\text"):
            return self.braced()
        start, value = self.place, self.sum()
        if name == "cases" and self.next in RELATIONS:
            self.place = start
            return self.statement()
        return value

    def braced(self) -> str:
        """The word in braces."""
        self.take("{")
        letters = []
        while not self.skip("}"):
            letters.append(self.take())
        return "".join(letters)

    # Names.

    def word(self, token: str) -> Node:
        name = self.bare_name(token)
        if name in ("softmax", "silu", "silu'"):
            return self.named_function(name)
        indices: tuple[Node, ...] = ()
        while self.next in ("_", "^", "'"):
            sign = self.take()
            if sign == "'":
                name += "'"
            elif sign == "_":
                if indices:
                    raise LatexError(f"{name} has two subscripts")
                indices = self.subscript()
            elif (label := self.label()) is not None:
                name = f"{name}_{label}"
            else:
                return self.powers(Node("name", (name, indices)), begun=True)
        return Node("name", (name, indices))

    def bare_name(self, token: str) -> str:
        if token == r"\mathrm":
            word = self.braced()
            if word == "d":
                return "d" + self.bare_name(self.take())
            return word + "'" * self.skip("'")
        if token == r"\hat":
            return self.bare_name(self.take()) + "hat"
        if token == r"\infty":
            return "infinity"
        if token[1:] in GREEK.split():
            return token[1:]
        if len(token) == 1 and token.isalpha():
            return token
        raise LatexError(f"cannot read {token!r} before {self.rest()!r}")

    def label(self) -> str | None:
        r"""The word of `^{\mathrm{gate}}`, or None where a power stands."""
        if self.tokens[self.place : self.place + 2] != ["{", r"\mathrm"]:
            return None
        self.place += 2
        word = self.braced()
        self.take("}")
        return word

    def named_function(self, name: str) -> Node:
        if name != "softmax":
            return Node("call", (name, (self.argument(),)))
        over = self.limits()
        return Node("over", (name, over, self.argument()))

    def powers(self, base: Node, begun: bool = False) -> Node:
        if begun or self.skip("^"):
            return Node("pow", (base, self.group()))
        return base

    def subscript(self) -> tuple[Node, ...]:
        r"""Indices: `nc`, `2i+1`, `t,2i`, `n\,t_n`, `\mathrm{base}`, `\min`."""
        if not self.skip("{"):
            if (self.next or "").isdigit():
                return (Node("number", (int(self.take()),)),)
            return (self.index(),)
        start = self.place
        first = self.index() if self.next == r"\min" else self.sum()
        if self.next == "," or (self.next == "}" and first.kind in ("add", "div")):
            indices = [first]
            while self.skip(","):
                indices.append(self.sum())
        else:
            self.place = start
            indices = []
            while self.next != "}":
                indices.append(self.index())
        self.take("}")
        return tuple(indices)

    def index(self) -> Node:
        """One index among others that stand side by side."""
        token = self.take()
        if token.isdigit():
            number = Node("number", (int(token),))
            following = self.next or "}"
            if following.isalpha():
                return Node("mul", (number, self.index()))
            return number
        if token == r"\min":
            return Node("name", ("min", ()))
        name = self.bare_name(token)
        return Node("name", (name, self.subscript() if self.skip("_") else ()))
