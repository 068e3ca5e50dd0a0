"""Sources of the API reference: a page for every module, filled by mkdocstrings."""

import ast
from pathlib import Path

from moe.registry import ENTRIES
from sitebuild.code import ROOT

FOLDER = "reference"
# Who searches for SiLU wants the lesson first.
_AFTER_LESSONS = "---\nsearch:\n  boost: 0.5\n---\n\n"
_STEMS = {entry.stem for entry in ENTRIES}


def write(docs: Path) -> None:
    """Write a page for every module, and one that lists them."""
    folder = docs / FOLDER
    folder.mkdir()
    rows = []
    for module in modules():
        page = f"{_AFTER_LESSONS}# {module}\n\n::: {module}\n"
        (folder / f"{module}.md").write_text(page, encoding="utf-8")
        rows.append(f"| [`{module}`]({module}.md) | {_summary(module)} |")
    (folder / "index.md").write_text(
        "# API reference\n\nTaken from the docstrings and sources of the package. "
        "Every function of an equation lists the pages that show it.\n\n"
        "| Module | What it holds |\n| --- | --- |\n" + "\n".join(rows) + "\n",
        encoding="utf-8",
    )


def modules() -> list[str]:
    """Dotted paths of all modules of the package.

    Derivations of single entries are data; their pages show them.
    """
    found = []
    for path in sorted((ROOT / "moe").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_data = parts[1] == "derivations" and parts[-1] in _STEMS
        if path.name != "__init__.py" and not is_data:
            found.append(".".join(parts))
    return sorted(found, key=lambda module: (module.count("."), module))


def _summary(module: str) -> str:
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
