"""The built pages, read again: does every link lead somewhere, is every id unique?

MkDocs checks the links of Markdown; this checks those of all HTML.
"""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from sitebuild.errors import SiteError


@dataclass
class _Document(HTMLParser):
    ids: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ids and links."""
        found = dict(attrs)
        if name := found.get("id"):
            self.ids[name] += 1
        for attribute in ("href", "src"):
            if link := found.get(attribute):
                self.links.append(link)


def require_sound(site: Path) -> None:
    """Raise unless all links of all pages lead somewhere.

    Raises:
        SiteError: Names every broken link and every id that stands twice on a page.
    """
    documents = {path: _parse(path) for path in sorted(site.rglob("*.html"))}
    wrong = []
    for path, document in documents.items():
        page = path.relative_to(site)
        twice = [name for name, count in document.ids.items() if count > 1]
        wrong += [f"{page}: id {name!r} stands twice" for name in twice]
        for link in sorted(set(document.links)):
            if not _leads_somewhere(link, path, documents):
                wrong.append(f"{page}: {link!r} leads nowhere")
    if wrong:
        raise SiteError("\n".join(wrong))


def _parse(path: Path) -> _Document:
    document = _Document()
    document.feed(path.read_text(encoding="utf-8"))
    return document


def _leads_somewhere(link: str, page: Path, documents: dict[Path, _Document]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = page
    if parts.path:
        target = Path(_normal(page.parent / unquote(parts.path)))
    if not parts.fragment or target not in documents:
        return target.is_file()
    # Material's `__tabbed`, `__palette` and the like are ids too.
    return unquote(parts.fragment) in documents[target].ids


def _normal(path: Path) -> str:
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return str(PurePosixPath(*parts))
