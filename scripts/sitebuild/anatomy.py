"""Does the site show everything that the registry promises?"""

from collections.abc import Iterable

from moe.registry import ENTRIES, Entry
from sitebuild import code
from sitebuild.errors import SiteError
from sitebuild.placeholders import Page

_PARTS = ("badge", "equation", "symbols", "derivation", "evidence")


def require_complete(pages: Iterable[Page]) -> None:
    """Raise unless every entry has all its parts and every function is shown.

    Raises:
        SiteError: Names everything that is missing.
    """
    cited = {page.path: page.cited for page in pages}
    missing = [line for entry in ENTRIES for line in _missing_parts(entry, cited)]
    missing += _unshown_functions(cited)
    if missing:
        raise SiteError("\n".join(missing))


def _missing_parts(
    entry: Entry, cited: dict[str, set[tuple[str, str]]]
) -> Iterable[str]:
    path = f"equations/{entry.stem}.md"
    for part in _PARTS:
        if (part, entry.id) not in cited.get(path, set()):
            yield f"docs/{path} lacks {{{{ {part} {entry.id} }}}}"


def _unshown_functions(cited: dict[str, set[tuple[str, str]]]) -> Iterable[str]:
    for stem in dict.fromkeys(entry.stem for entry in ENTRIES):
        path = f"equations/{stem}.md"
        shown = cited.get(path, set())
        for name in code.functions(f"moe.equations.{stem}"):
            if not name.startswith("_") and ("code", name) not in shown:
                yield f"docs/{path} lacks {{{{ code {name} }}}}"
