"""Every page: width, weight, accessibility, in both schemes of colours."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from sitebuild import pipeline, reference

PAGES = sorted(
    [p.relative_to(pipeline.DOCS).as_posix() for p in pipeline.DOCS.rglob("*.md")]
    + [f"{reference.FOLDER}/{name}.md" for name in ("index", *reference.modules())]
)
every_page = pytest.mark.parametrize(
    "path", [path.removesuffix(".md") + ".html" for path in PAGES]
)
WIDTHS = (390, 1280, 1920)
WEIGHT = 500_000  # bytes that a page may load
MARKUP = 200_000  # less would mean that not everything was counted

# Formulas and tables may scroll sideways in their own boxes, but never down.
SCROLL_DOWN = """[...document.querySelectorAll(
  ".equation, .trace-values, .table-scroll, .graph-scroll")]
  .filter((e) => e.scrollHeight > e.clientHeight && e.offsetParent)
  .map((e) => [e.textContent, e.scrollHeight - e.clientHeight])"""
# Only what is wrong comes back: the lists of what is right take longer than the rules.
AXE = """axe.run({resultTypes: ["violations"]}).then(
  (found) => found.violations.map((rule) => [rule.id, rule.nodes[0].html]))"""


def require_width(page: Page) -> None:
    """Nothing sticks out at the side, whatever is unfolded."""
    page.evaluate("window.steppers.forEach((s) => s.show(s.steps.length))")
    page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 720})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(SCROLL_DOWN) == [], f"at {width} px"


def violations(page: Page) -> list[list[str]]:
    """What axe finds: rule and first place."""
    page.evaluate(Axe().axe_script)
    return page.evaluate(AXE)


def test_every_page_is_tested(site: Any) -> None:
    assert [Path(path).with_suffix(".html").as_posix() for path in PAGES] == site.pages


@every_page
def test_page(visit: Any, site: Any, path: str) -> None:
    asked: set[str] = set()
    page = visit(path, asked=asked, color_scheme="light")
    assert violations(page) == [], "light"
    page.get_by_title("Switch to dark mode").click()
    page.wait_for_selector("body[data-md-color-scheme=slate]")
    assert violations(page) == [], "dark"
    require_width(page)
    # All that a first visit loads, uncompressed.
    assert MARKUP < sum(map(site.size, asked)) < WEIGHT


@every_page
def test_page_from_a_file(visit: Any, path: str) -> None:
    require_width(visit(path, scheme="file"))


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_accessibility_of_the_presentation(visit: Any, colours: str) -> None:
    page = visit("equations/rmsnorm.html?present#E02-step-5", color_scheme=colours)
    assert violations(page) == []
