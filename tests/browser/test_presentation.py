"""Presentation mode, on every equation page."""

from typing import Any

import pytest
from playwright.sync_api import Page

from moe.registry import ENTRIES

SIZES = [(1280, 720), (1920, 1080)]
LEAST = 28  # px, on a projector

MEASURE = """() => {
  const box = (element) => element.getBoundingClientRect();
  const stage = document.querySelector(".presentation .stage");
  const bar = document.querySelector(".presentation-bar");
  const equations = [...stage.querySelectorAll(".equation")];
  return {
    sizes: equations.map((e) => parseFloat(getComputedStyle(e.children[0]).fontSize)),
    scrolls: [stage, ...equations].some(
      (e) => e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight),
    overlaps: [...stage.children].some((e) => box(e).bottom > box(bar).top + 1),
    covers: box(document.querySelector(".presentation")).width === innerWidth
      && box(document.querySelector(".presentation")).height === innerHeight,
    title: stage.querySelector(".chain-title") !== null,
    where: bar.querySelector("span").textContent,
  };
}"""


def address(page: Page) -> str:
    """What the page itself says; `page.url` may still be that of a moment before."""
    return page.evaluate("location.href")


def presenting(page: Page) -> bool:
    return page.locator("dialog.presentation[open]").count() == 1


def slides(page: Page) -> int:
    steps = page.locator(".derivation .step").count()
    return steps + page.locator(".derivation").count()


def require_fitting_slides(page: Page) -> None:
    total = slides(page)
    seen = set()
    page.keyboard.press("Home")
    for number in range(1, total + 1):
        slide = page.evaluate(MEASURE)
        assert min(slide["sizes"]) >= LEAST, slide
        assert not slide["scrolls"], slide
        assert not slide["overlaps"], slide
        assert slide["covers"]
        seen.add(slide["where"])
        if number < total:
            page.keyboard.press("ArrowRight")
    assert len(seen) == total


def require_mouse(page: Page) -> None:
    page.locator("button.present").first.click()
    assert presenting(page)
    where = page.locator(".presentation-bar span")
    assert "step 1 of" in where.inner_text()
    page.get_by_role("button", name="Next step").click()
    assert "step 2 of" in where.inner_text()
    page.get_by_role("button", name="Previous step").click()
    assert "step 1 of" in where.inner_text()
    page.get_by_role("button", name="Leave").click()
    assert not presenting(page)


def test_presentation(visit: Any, stem: str) -> None:
    """By mouse; then by keyboard, where every slide fits on two projectors."""
    page = visit(f"equations/{stem}.html")
    require_mouse(page)
    page.keyboard.press("d")
    assert presenting(page)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        require_fitting_slides(page)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_presentation_goes_from_page_to_page(visit: Any, scheme: str) -> None:
    page = visit("equations/embedding.html?present", scheme=scheme)
    stems = {entry.stem for entry in ENTRIES}
    seen = []
    while True:
        seen.append(page.url.rpartition("/")[2].partition(".")[0])
        assert presenting(page)
        page.keyboard.press("End")
        if len(seen) == len(stems):
            break
        page.keyboard.press("ArrowRight")
        page.wait_for_url(lambda url: f"{seen[-1]}.html" not in url)
    assert sorted(seen) == sorted(stems)
    page.keyboard.press("ArrowRight")
    assert presenting(page)
    assert seen[-1] in page.url


@pytest.mark.parametrize(
    ("scheme", "key"), [("http", "Escape"), ("file", "Escape"), ("http", "d")]
)
def test_leaving_returns_to_the_step(visit: Any, scheme: str, key: str) -> None:
    page = visit("equations/rmsnorm.html", scheme=scheme)
    page.keyboard.press("d")
    for _ in range(5):
        page.keyboard.press("PageDown")
    assert address(page).endswith("?present#E02-step-5")
    page.keyboard.press(key)
    assert not presenting(page)
    assert address(page).endswith("rmsnorm.html#E02-step-5")
    assert page.locator("#E02-step-5").get_attribute("aria-current") == "step"
    page.reload()
    assert not presenting(page)


def test_reload_stays_in_the_presentation(visit: Any) -> None:
    page = visit("equations/rmsnorm.html?present#E02-step-4")
    assert presenting(page)
    assert "step 4 of" in page.locator(".presentation-bar span").inner_text()


def test_theme_keys_do_nothing(visit: Any) -> None:
    page = visit("equations/rmsnorm.html?present")
    for key in ("s", "f", "/", "n", "p", ",", "."):
        page.keyboard.press(key)
    assert presenting(page)
    assert "equations/rmsnorm.html" in address(page)
    assert not page.evaluate("document.getElementById('__search').checked")


def test_letter_d_in_the_search_is_a_letter(visit: Any) -> None:
    page = visit("equations/rmsnorm.html")
    page.keyboard.press("/")
    page.keyboard.type("d")
    assert not presenting(page)
    assert page.locator("input[name=query]").input_value() == "d"


def test_what_the_step_before_changed_is_not_marked(visit: Any) -> None:
    page = visit("equations/rmsnorm.html?present#E02-step-3")
    lines = page.locator(".presentation .line")
    assert lines.count() == 2
    assert lines.first.locator("[data-changed]").count() == 0
    assert lines.last.locator("[data-changed]").count() > 0
