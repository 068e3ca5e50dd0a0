"""The registry: every claim names something that exists, and nothing is left out."""

import importlib
import inspect
import re

import pytest

from moe.equations import STEMS
from moe.registry import BY_ID, ENTRIES

IDS = [entry.id for entry in ENTRIES]


def public_functions(stem):
    module = importlib.import_module(f"moe.equations.{stem}")
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


def test_the_ids_are_e01_to_e21():
    assert [f"E{n:02}" for n in range(1, 22)] == IDS


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_every_name_imports(entry):
    functions = public_functions(entry.stem)
    for name in entry.functions:
        assert name in functions, f"{entry.id}: {entry.module}.{name} does not exist"
    if entry.backward is not None:
        assert entry.backward == f"{entry.forward}_backward"


@pytest.mark.parametrize("stem", STEMS)
def test_every_public_function_is_in_exactly_one_row(stem):
    named = [n for e in ENTRIES if e.stem == stem for n in e.functions]
    assert sorted(named) == sorted(public_functions(stem))


@pytest.mark.parametrize("stem", STEMS)
def test_every_docstring_names_its_entry_and_its_arguments(stem):
    rows = [e for e in ENTRIES if e.stem == stem]
    for name, function in public_functions(stem).items():
        doc = inspect.getdoc(function)
        owners = [e.id for e in rows if name in e.functions]
        assert owners[0] in doc, f"{name} does not name {owners[0]}"
        for argument in inspect.signature(function).parameters:
            assert f"    {argument}: " in doc, f"{name} does not document {argument}"


def test_uses_is_acyclic_and_names_entries():
    finished = set()

    def visit(entry_id, path):
        assert entry_id not in path, f"cycle: {' -> '.join([*path, entry_id])}"
        for used in BY_ID[entry_id].uses:
            visit(used, [*path, entry_id])
        finished.add(entry_id)

    for entry_id in IDS:
        visit(entry_id, [])
    assert finished == set(IDS)


def line_tags(function):
    """Tags at the ends of the code lines of a function, such as `[2a]`."""
    comments = re.findall(r"#(.*)", inspect.getsource(function))
    return {t for c in comments for t in re.findall(r"\[(\d+[a-z])\]", c)}


def equation_tags(stem):
    source = inspect.getsource(importlib.import_module(f"moe.equations.{stem}"))
    return set(re.findall(r"\\tag\{(\d+[a-z])\}", source))


@pytest.mark.parametrize("stem", STEMS)
def test_tags_of_equations_and_lines_are_the_same_set(stem):
    on_lines = set().union(*(line_tags(f) for f in public_functions(stem).values()))
    assert on_lines == equation_tags(stem)


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if e.backward], ids=lambda entry: entry.id
)
def test_the_backward_undoes_every_tagged_line_of_the_forward(entry):
    functions = public_functions(entry.stem)
    number = str(int(entry.id[1:]))
    forward, backward = (
        {t for t in line_tags(functions[name]) if t.startswith(number)}
        for name in (entry.forward, entry.backward)
    )
    assert forward, f"{entry.id}: no tagged line"
    assert forward - backward == set(), f"{entry.backward} does not undo these"


@pytest.mark.parametrize("stem", STEMS)
def test_equation_modules_stay_short_and_know_only_what_nests(stem):
    module = importlib.import_module(f"moe.equations.{stem}")
    source = inspect.getsource(module)
    assert len(source.splitlines()) <= 150
    imports = set(re.findall(r"^from (moe\.\S+)", source, re.MULTILINE))
    nested = {f"moe.equations.{s}" for s in ("softmax", "linear", "swiglu")}
    assert imports <= nested | {"moe.arrays"}
    for name, function in public_functions(stem).items():
        body = inspect.getsource(function).split('"""')[-1]
        code = [line for line in body.splitlines() if line.strip()]
        assert len(code) <= 25, f"{name} has {len(code)} lines of code"
