"""Mutation operators: those of Cosmic Ray, and three that numerical code needs.

Cosmic Ray leaves augmented assignments, statements and keyword arguments alone, and
code that computes in place consists of them.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import cosmic_ray.plugins
import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

# Replacers of variables need to be told which; a bar stands in annotations alone.
LEFT_OUT = ("Variable", "ReplaceBinaryOperator_BitOr")

AUGMENTED = ("+=", "-=", "*=", "/=")

Span = tuple[tuple[int, int], tuple[int, int]]


def is_augmented(node: Any) -> bool:
    """Whether a node is the sign of an augmented assignment."""
    return node.type == "operator" and node.value in AUGMENTED


class ReplaceAugmented:
    """`+=` becomes `-=`, `*=`, `/=` or `=`, and each of these the others."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Every place once for each sign that it can become."""
        if is_augmented(node):
            yield from [(node.start_pos, node.end_pos)] * len(AUGMENTED)

    def mutate(self, node: Any, index: int) -> Any:
        """Put the sign with this index among the others."""
        others = [sign for sign in (*AUGMENTED, "=") if sign != node.value]
        node.value = others[index]
        return node


class DeleteStatement:
    """A call for its effect, or a change of an array in place, becomes `pass`."""

    def has_an_effect(self, statement: Any) -> bool:
        """Whether it can be deleted without leaving a name unbound."""
        if statement.type == "expr_stmt":
            target, sign, *_ = statement.children
            return is_augmented(sign) or target.type in ("atom_expr", "power")
        call = statement.type in ("atom_expr", "power")
        return call and statement.children[-1].type == "trailer"

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Every such statement."""
        if node.parent is None or node.parent.type != "simple_stmt":
            return
        if self.has_an_effect(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Replace it."""
        indent = node.get_first_leaf().prefix
        return parso.python.tree.Keyword("pass", node.start_pos, indent)


class DropArgument:
    """A keyword argument is left out: `**{}` in its place."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Every keyword argument of a call."""
        if node.type == "argument" and getattr(node.children[1], "value", "") == "=":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Replace it."""
        prefix = node.get_first_leaf().prefix
        return parso.python.tree.Name("**{}", node.start_pos, prefix)


def operators() -> dict[str, Any]:
    """All operators by name."""
    kept = {
        name: cosmic_ray.plugins.get_operator(f"core/{name}")()
        for _, _, name in (
            n.partition("/") for n in cosmic_ray.plugins.operator_names()
        )
        if not name.startswith(LEFT_OUT)
    }
    own = (ReplaceAugmented(), DeleteStatement(), DropArgument())
    return kept | {type(operator).__name__: operator for operator in own}


def mutations(source: str) -> Iterator[tuple[str, str]]:
    """Name of the operator and changed source, for every place of every operator.

    What is no Python any more is passed over.

    Args:
        source: Source of a module.
    """
    nodes = list(ast_nodes(get_ast(source)))
    for name, operator in operators().items():
        places = sum(len(list(operator.mutation_positions(node))) for node in nodes)
        for occurrence in range(places):
            changed = mutate_code(source, operator, occurrence)
            with contextlib.suppress(SyntaxError):
                compile(changed, name, "exec")
                yield name, changed
