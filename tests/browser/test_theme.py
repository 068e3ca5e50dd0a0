"""What the theme does: search and colours."""

from typing import Any

import pytest


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search(visit: Any, scheme: str) -> None:
    page = visit("equations/rmsnorm.html", scheme=scheme)
    page.keyboard.press("/")
    page.keyboard.type("SiLU")
    hits = page.locator(".md-search-result__link")
    hits.first.wait_for()
    found = [hit.get_attribute("href") or "" for hit in hits.all()]
    assert any("equations/swiglu.html" in href for href in found)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/*.html?h=*")


def test_search_index_waits_until_it_is_wanted(visit: Any) -> None:
    asked: set[str] = set()
    page = visit("equations/rmsnorm.html", asked=asked, color_scheme="light")
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "search_index" in url]
    with page.expect_request("**/search_index*"):
        page.keyboard.press("/")


def test_colours_are_those_of_the_system_and_can_be_switched(visit: Any) -> None:
    page = visit("equations/rmsnorm.html", color_scheme="dark")
    body = page.locator("body")
    assert body.get_attribute("data-md-color-scheme") == "slate"
    page.get_by_title("Switch to light mode").click()
    assert body.get_attribute("data-md-color-scheme") == "default"
