"""From `docs/` to a folder of pages: expand, let MkDocs build, check, cut the font."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from sitebuild import anatomy, compact, font, links, reference, unused_style
from sitebuild.code import ROOT
from sitebuild.errors import SiteError
from sitebuild.placeholders import Page, expand

DOCS = ROOT / "docs"
# Every date in the output: the oldest that a zip archive can hold.
EPOCH = 315532800


def build(site: Path, docs: Path = DOCS) -> None:
    """Build the site.

    Args:
        site: Folder that receives it; a site that was there is replaced.
        docs: Sources with placeholders.

    Raises:
        SiteError: If the sources have a mistake, or `site` holds something else.
    """
    _require_replaceable(site)
    os.environ["SOURCE_DATE_EPOCH"] = str(EPOCH)
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "docs"
        write_sources(docs, source)
        _run_mkdocs(source, site)
    # It refers to the top of a server, and the site has no fixed place on one.
    (site / "404.html").unlink()
    links.require_sound(site)
    compact.compact(site)
    unused_style.drop(site)
    pages = [p.read_text(encoding="utf-8") for p in sorted(site.rglob("*.html"))]
    font.write(site, pages)


def _require_replaceable(site: Path) -> None:
    """MkDocs empties the folder it writes to: nothing but a site may be in it."""
    if not site.exists() or (site / "index.html").is_file():
        return
    if not site.is_dir() or any(site.iterdir()):
        raise SiteError(
            f"--out {site}: it holds something that is not a site; "
            "name a new folder, an empty one or a site to replace"
        )


def write_sources(docs: Path, source: Path) -> None:
    """Write what MkDocs reads: pages without placeholders, and the API reference.

    Raises:
        SiteError: If a page has a mistake or lacks a part.
    """
    shutil.copytree(docs, source)
    pages = []
    for path in sorted(source.rglob("*.md")):
        page = Page(path.relative_to(source).as_posix())
        text = expand(page, path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")
        pages.append(page)
    anatomy.require_complete(pages)
    reference.write(source)


def _run_mkdocs(source: Path, site: Path) -> None:
    config = load_config(
        str(ROOT / "mkdocs.yml"),
        docs_dir=str(source),
        site_dir=str(site),
        nav=navigation(source),
        strict=True,
    )
    config.plugins.on_startup(command="build", dirty=False)
    try:
        mkdocs_build(config)
    except Abort as error:
        raise SiteError(str(error)) from error
    finally:
        config.plugins.on_shutdown()


def navigation(source: Path) -> list[Any]:
    """The navigation of `mkdocs.yml`, folders replaced by the pages in them."""

    class Loader(yaml.SafeLoader):
        """Reads past the tags that only MkDocs knows."""

    Loader.add_multi_constructor("", lambda *_: None)
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    items = (_opened(item, source) for item in yaml.load(text, Loader)["nav"])
    return [item for item in items if item]


def _opened(item: Any, source: Path) -> Any:
    """A folder as the list of its pages, nothing where it has none."""
    if not isinstance(item, dict):
        return item
    ((title, target),) = item.items()
    if not isinstance(target, str) or not target.endswith("/"):
        return item
    names = sorted(path.name for path in (source / target).glob("*.md"))
    names.sort(key=lambda name: name != "index.md")
    return {title: [f"{target}{name}" for name in names]} if names else None
