"""The site in headless Chromium, from a server and from files.

Needs the extra `browser`, and Debian's `chromium-headless-shell` or `chromium`.
Whatever a test does, its pages may ask for nothing outside the site and log no error.
"""

import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    sync_playwright,
)

from moe.registry import ENTRIES

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
# Buttons that scroll smoothly away from the mouse would cost every click a second.
_CONTEXT = {"reduced_motion": "reduce", "color_scheme": "light"}
_PATIENCE = 10_000  # ms, for what a page does by itself; it fails a test, times none
Visit = Callable[..., Page]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Site:
    """A built site and the two ways to it."""

    folder: Path
    server: str

    @property
    def pages(self) -> list[str]:
        """All pages, relative to the top."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*.html"))
        return sorted(path.as_posix() for path in found)

    def url(self, page: str, scheme: str) -> str:
        """Address of a page by `http` or `file`."""
        return f"{self.server if scheme == 'http' else self.folder.as_uri()}/{page}"

    def size(self, url: str) -> int:
        """Bytes of the file behind an address of the server."""
        return (self.folder / urlsplit(url).path.lstrip("/")).stat().st_size


@pytest.fixture(params=dict.fromkeys(entry.stem for entry in ENTRIES))
def stem(request: pytest.FixtureRequest) -> str:
    """Who takes this is run on every equation page."""
    return request.param


@pytest.fixture(scope="session")
def site(built_site: Path) -> Iterator[Site]:
    """The site, served."""
    handler = functools.partial(_Quiet, directory=str(built_site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(built_site, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def _executable() -> str:
    """Chromium without windows starts and draws faster; else the whole of it."""
    names = ("chromium-headless-shell", "chromium")
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, f"none of {' and '.join(names)} is installed"
    return found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_executable(), args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def reader(chromium: Browser) -> BrowserContext:
    """The visitor of all tests that ask for no other: what it has loaded stays."""
    return chromium.new_context(**_CONTEXT)


@pytest.fixture
def visit(site: Site, chromium: Browser, reader: BrowserContext) -> Iterator[Visit]:
    """Opens pages: `visit("equations/rmsnorm.html", scheme="file", width=390)`.

    Whoever names a property of the context, such as `has_touch`, visits as a reader
    of its own, who has loaded nothing before.
    """
    wrong: list[str] = []
    opened: list[Page | BrowserContext] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            wrong.append(f"console: {message.text}")

    def open_page(
        page: str,
        *,
        scheme: str = "http",
        width: int = 1280,
        height: int = 720,
        asked: set[str] | None = None,
        **own: object,
    ) -> Page:
        context = chromium.new_context(**(_CONTEXT | own)) if own else reader
        tab = context.new_page()
        opened.append(context if own else tab)
        tab.set_default_timeout(_PATIENCE)
        tab.set_viewport_size({"width": width, "height": height})
        tab.on("console", note)
        tab.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        inside = (site.server, site.folder.as_uri(), "data:", "about:")
        tab.on(
            "request",
            lambda r: None if r.url.startswith(inside) else wrong.append(r.url),
        )
        if asked is not None:
            tab.on("request", lambda r: asked.add(r.url))
        tab.goto(site.url(page, scheme))
        return tab

    yield open_page
    for one in opened:
        one.close()
    assert wrong == []
