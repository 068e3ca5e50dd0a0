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
WEIGHT = 500_000  # bytes that a page may load
MARKUP = 200_000  # less would mean that not everything was counted

# Formulas and tables may scroll sideways in their own boxes, but never down.
SCROLL_DOWN = """[...document.querySelectorAll(
  ".equation, .trace-values, .table-scroll, .graph-scroll")]
  .filter((e) => e.scrollHeight > e.clientHeight && e.offsetParent)
  .map((e) => [e.textContent, e.scrollHeight - e.clientHeight])"""
# Most letters of a formula have the colour of its first one and no ground of their own:
# to look behind each of them takes longer than all the rest. A selector that axe does
# not know, such as `:first-child`, would silently turn the rule off: hence the marks.
AXE_SETUP = """() => {
  for (const math of document.querySelectorAll("math")) {
    math.querySelector("mi, mn, mo, mtext")?.setAttribute("data-first", "");
  }
  axe.configure({
    rules: [{id: "color-contrast", selector: `:not(math *),
      [data-first], math [data-changed], math [data-changed] *`}],
    // The options of axe itself, but that one letter is text as well.
    checks: [{id: "color-contrast", options: {
      ignoreUnicode: true, ignoreLength: true, ignorePseudo: false,
      boldValue: 700, boldTextPt: 14, largeTextPt: 18,
      contrastRatio: {normal: {expected: 4.5}, large: {expected: 3}},
      pseudoSizeThreshold: 0.25, shadowOutlineEmMax: 0.2, textStrokeEmMin: 0.03}}],
  });
}"""
# Only what is wrong comes back: lists of what is right take longer than the rules.
AXE = """(rules) => axe.run({resultTypes: ["violations"], ...rules})
  .then((found) => found.violations.map((rule) => [rule.id, rule.nodes[0].html]))"""
COLOUR_RULES = {"runOnly": ["color-contrast", "link-in-text-block"]}


def prepare_axe(page: Page) -> None:
    page.evaluate(Axe().axe_script)
    page.evaluate(AXE_SETUP)


def require_width(page: Page, *widths: int) -> None:
    """Nothing sticks out at the side, whatever is unfolded."""
    page.evaluate("window.steppers.forEach((s) => s.show(s.steps.length))")
    page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
    for width in widths:
        page.set_viewport_size({"width": width, "height": 720})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(SCROLL_DOWN) == [], f"at {width} px"


def test_every_page_is_tested(site: Any) -> None:
    assert [Path(path).with_suffix(".html").as_posix() for path in PAGES] == site.pages


@every_page
def test_page(visit: Any, site: Any, path: str) -> None:
    asked: set[str] = set()
    page = visit(path, asked=asked)
    prepare_axe(page)
    assert page.evaluate(AXE, {}) == [], "in the light scheme"
    page.evaluate("document.body.dataset.mdColorScheme = 'slate'")
    assert page.evaluate(AXE, COLOUR_RULES) == [], "in the dark scheme"
    require_width(page, 390, 1280, 1920)
    # All that a first visit loads, uncompressed.
    assert MARKUP < sum(map(site.size, asked)) < WEIGHT


@every_page
def test_page_from_a_file(visit: Any, path: str) -> None:
    require_width(visit(path, scheme="file", width=390), 390)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_accessibility_of_the_presentation(visit: Any, colours: str) -> None:
    page = visit("equations/rmsnorm.html?present#E02-step-5", color_scheme=colours)
    prepare_axe(page)
    # What a page keeps from scrolling, axe takes for hidden.
    page.evaluate("document.documentElement.classList.remove('presenting')")
    assert page.evaluate(AXE, {}) == []
