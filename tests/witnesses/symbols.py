"""The traced numbers of `moe.derivations.traced`, as the tests import them."""

from moe.derivations.traced import (
    Traced,
    expression,
    expressions,
    lift,
    symbol,
    symbols,
)

__all__ = ["Traced", "expression", "expressions", "lift", "symbol", "symbols"]
