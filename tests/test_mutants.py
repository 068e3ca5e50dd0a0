"""The catalogue of mutants: it fits the code, covers every entry, and is judged."""

import dataclasses
import tomllib

import pytest
from mutants.catalogue import HARMLESS, MUTANTS
from mutants.harness import ROOT, Nursery, source_path

from moe.registry import ENTRIES


@pytest.mark.parametrize(
    "change", [*MUTANTS, *HARMLESS], ids=lambda c: f"{c.entry}: {c.story}"
)
def test_every_change_fits_its_module_and_compiles(change):
    source = source_path(change.module).read_text(encoding="utf-8")
    changed = change.apply(source)
    assert changed != source
    compile(changed, change.module, "exec")
    assert change.story[-1] != "."


def test_a_text_that_stands_twice_is_refused():
    change = dataclasses.replace(MUTANTS[0], old="weight", new="w")
    with pytest.raises(ValueError, match=r"stands \d+ times"):
        _ = change.trial


def test_no_two_changes_are_the_same():
    edits = [(c.module, c.old, c.new) for c in (*MUTANTS, *HARMLESS)]
    assert len(set(edits)) == len(edits)


def test_there_are_enough_of_them():
    for entry in ENTRIES:
        assert sum(c.entry == entry.id for c in MUTANTS) >= 5, entry.id
    assert len(MUTANTS) >= 100
    assert len(HARMLESS) >= 15


def test_what_is_listed_as_equivalent_stands_in_the_code_and_has_a_proof():
    with (ROOT / "tests" / "mutants" / "equivalent.toml").open("rb") as file:
        listed = tomllib.load(file)["equivalent"]
    for row in listed:
        source = source_path(row["module"]).read_text(encoding="utf-8")
        assert " ".join(row["before"].split()) in " ".join(source.split())
        assert row["after"] != row["before"]
        assert len(row["proof"]) > 40
    assert len({(r["module"], r["before"], r["after"]) for r in listed}) == len(listed)


def test_one_mutant_is_killed_and_one_rewrite_spared():
    nursery = Nursery()
    mutant = nursery.judge(MUTANTS[0].trial)
    rewrite = nursery.judge(HARMLESS[0].trial)
    nursery.close()
    assert not mutant.problem
    assert mutant.failed >= 3
    assert {"symbols", "differences", "oracle"} <= set(mutant.killed_by)
    assert not rewrite.problem
    assert rewrite.failed == rewrite.crashed == 0
    assert rewrite.passed == mutant.passed + mutant.failed + mutant.crashed
