"""Try every slip of the pen in the docstrings' formulas; the checks must notice each.

    python scripts/mutate_docs.py           all entries
    python scripts/mutate_docs.py E02 E10   some

A slip is one sign, number, exponent, index, name, function or fraction changed, or one
factor left out (`tests/documents/edits.py`). Exit code 1 where one is not noticed.
"""

import argparse
import sys
from collections import Counter

import traceability
from tqdm import tqdm

from moe.derivations.chain import ProofError
from moe.registry import BY_ID

sys.path.insert(0, str(traceability.ROOT / "tests"))
from documents.edits import edits
from documents.equations import Formula, check, formulas
from documents.latex import LatexError


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("entries", nargs="*", choices=[[], *BY_ID], metavar="ENTRY")
    chosen = parser.parse_args().entries or list(BY_ID)
    everything = formulas()
    slips = [
        (formula, kind, text)
        for formula in everything
        if formula.entry in chosen
        for kind, text in edits(formula.text)
    ]
    tried: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    for formula, kind, text in tqdm(slips, unit="slip", disable=None):
        tried[kind] += 1
        others = [f for f in everything if f.entry == formula.entry and f != formula]
        if is_noticed(formula._replace(text=text), others):
            noticed[kind] += 1
        else:
            tqdm.write(f"NOT NOTICED  {formula.label} ({kind}): {text}")
    for kind, count in sorted(tried.items()):
        print(f"  {kind:10} {noticed[kind]:4} of {count:4} noticed")
    print(f"{noticed.total()} of {tried.total()} slips noticed")
    return 1 if noticed != tried else 0


def is_noticed(formula: Formula, others: list[Formula]) -> bool:
    """Whether the check refuses a formula."""
    try:
        check(formula, others)
    except (LatexError, ProofError):
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
