"""All mutants and harmless rewrites, gathered from the changed modules."""

import importlib

from moe.equations import STEMS
from mutants.harness import Change

WIRING = (
    "block_attention",
    "block_experts",
    "model",
    "parameters",
    "training",
    "generation",
)

_modules = [importlib.import_module(f"mutants.{name}") for name in (*STEMS, *WIRING)]
MUTANTS: tuple[Change, ...] = tuple(c for m in _modules for c in m.MUTANTS)
HARMLESS: tuple[Change, ...] = tuple(c for m in _modules for c in m.HARMLESS)
