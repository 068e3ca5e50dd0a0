"""All mutants and harmless rewrites, gathered from the stems."""

import importlib

from mutants.harness import Change

STEMS = ("rmsnorm",)

_modules = [importlib.import_module(f"mutants.{stem}") for stem in STEMS]
MUTANTS: tuple[Change, ...] = tuple(c for m in _modules for c in m.MUTANTS)
HARMLESS: tuple[Change, ...] = tuple(c for m in _modules for c in m.HARMLESS)
