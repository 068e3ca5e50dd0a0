"""All pages: width, weight, search, colours, accessibility."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

# Formulas and tables may scroll sideways in their own boxes, but never down.
SCROLL_DOWN = """[...document.querySelectorAll(
  ".equation, .trace-values, .table-scroll, .graph-scroll")]
  .filter((e) => e.scrollHeight > e.clientHeight && e.offsetParent)
  .map((e) => [e.textContent, e.scrollHeight - e.clientHeight])"""
WEIGHT = 500_000  # bytes that a page may load
MARKUP = 200_000  # less would mean that not everything was counted


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("scheme", ["http", "file"])
def test_no_page_scrolls_sideways(
    visit: Any, site: Any, width: int, scheme: str
) -> None:
    page = visit("index.html", scheme=scheme, width=width)
    for path in site.pages:
        page.goto(site.url(path, scheme))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.evaluate("window.steppers.forEach((s) => s.show(s.steps.length))")
        assert page.evaluate(SCROLL_DOWN) == [], path


def test_weight(visit: Any, site: Any) -> None:
    """All that a first visit loads, uncompressed."""
    heavy = {}
    for path in site.pages:
        asked: set[str] = set()
        page = visit(path, asked=asked)
        page.wait_for_load_state("networkidle")
        page.close()
        weight = sum(map(site.size, asked))
        assert weight > MARKUP
        if weight >= WEIGHT:
            heavy[path] = weight
    assert heavy == {}


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search(visit: Any, scheme: str) -> None:
    page = visit("equations/rmsnorm.html", scheme=scheme)
    page.keyboard.press("/")
    page.keyboard.type("SiLU")
    hits = page.locator(".md-search-result__link")
    hits.first.wait_for()
    assert any("swiglu.html" in (hit.get_attribute("href") or "") for hit in hits.all())
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/*.html?h=*")


def test_search_index_waits_until_it_is_wanted(visit: Any) -> None:
    page = visit("equations/rmsnorm.html")
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.reload()
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "search_index" in url]
    page.keyboard.press("/")
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if "search_index" in url]


def test_colours_can_be_switched(visit: Any) -> None:
    page = visit("equations/rmsnorm.html", color_scheme="light")
    body = page.locator("body")
    assert body.get_attribute("data-md-color-scheme") == "default"
    page.get_by_title("Switch to dark mode").click()
    assert body.get_attribute("data-md-color-scheme") == "slate"


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_accessibility(visit: Any, site: Any, colours: str) -> None:
    page = visit("index.html", color_scheme=colours, reduced_motion="reduce")
    violations = {}
    for path in site.pages:
        page.goto(site.url(path, "http"))
        page.wait_for_load_state("networkidle")
        found = Axe().run(page).response["violations"]
        if found:
            violations[path] = [(v["id"], v["nodes"][0]["html"]) for v in found]
    assert violations == {}


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_accessibility_of_the_presentation(visit: Any, colours: str) -> None:
    page = visit("equations/rmsnorm.html?present#E02-step-5", color_scheme=colours)
    assert Axe().run(page).response["violations"] == []


def test_state_can_be_read_in_forced_colours(visit: Any) -> None:
    page = visit("traceability.html", forced_colors="active")
    nodes = page.locator("svg.graph a")
    assert nodes.count() == 21
    for node in nodes.all():
        state = node.locator(".node-state")
        assert state.is_visible()
        assert node.get_attribute("aria-label").endswith(f": {state.text_content()}")


def test_graph_by_keyboard(visit: Any) -> None:
    page = visit("traceability.html")
    page.locator(".graph-scroll").focus()
    reached = []
    for _ in range(21):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('href')"))
    assert len(set(reached)) == 21
    page.keyboard.press("Enter")
    page.wait_for_url("**/equations/*.html#E*")


def test_matrix_sorts_and_filters(visit: Any) -> None:
    page = visit("traceability.html")
    rows = page.locator("#traceability-matrix tbody tr:visible")
    ids = "rows => rows.map(row => row.cells[0].textContent)"
    assert rows.count() == 21
    page.get_by_role("button", name="Steps").click()
    steps = rows.evaluate_all("rows => rows.map(row => +row.cells[5].textContent)")
    assert steps == sorted(steps)
    page.get_by_role("button", name="Steps").click()
    steps = rows.evaluate_all("rows => rows.map(row => +row.cells[5].textContent)")
    assert steps == sorted(steps, reverse=True)
    page.get_by_label("Filter the matrix by any word").fill("rope")
    assert sorted(rows.evaluate_all(ids)) == ["E07", "E08"]
    assert "2 of 21" in page.locator(".matrix-controls").inner_text()
    page.get_by_label("Filter the matrix by any word").fill("")
    state = page.get_by_label("Filter the matrix by state")
    name = state.locator("option").nth(1).inner_text()
    state.select_option(name)
    assert rows.count() == page.locator(f'tr[data-state="{name}"]').count() > 0
