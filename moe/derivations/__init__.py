"""The mathematics of every entry, derived in SymPy and checked by it.

Same stems as `moe.equations`. `moe.derivations.chain` says how a derivation is
written and what is checked.
"""

import importlib

from moe.derivations.chain import Derivation
from moe.registry import BY_ID, ENTRIES


def load(stem: str) -> tuple[Derivation, ...]:
    """Derivations of a stem, one for each of its entries.

    Raises:
        KeyError: If no entry of the registry has this stem.
    """
    if stem not in {entry.stem for entry in ENTRIES}:
        raise KeyError(stem)
    derivations: tuple[Derivation, ...]
    derivations = importlib.import_module(f"moe.derivations.{stem}").DERIVATIONS
    return derivations


def load_entry(entry_id: str) -> Derivation:
    """Derivation of an entry, such as `E02`.

    Raises:
        KeyError: If the registry has no such entry, or its stem no derivation of it.
    """
    stem = BY_ID[entry_id].stem
    return {derivation.entry: derivation for derivation in load(stem)}[entry_id]
