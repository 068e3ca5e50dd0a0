"""A symbol lights up wherever it stands, by mouse and by keyboard."""

from typing import Any

from playwright.sync_api import Page

from moe.derivations import load


def lit(page: Page, within: str) -> int:
    return page.locator(f"{within} .lit").count()


def keys(stem: str) -> list[str]:
    rows = [row for derivation in load(stem) for row in derivation.symbols]
    return list(dict.fromkeys(str(row.base) for row in rows))


def require_buttons(page: Page, stem: str) -> None:
    for key in keys(stem):
        button = page.locator(f'button[data-symbol="{key}"]').first
        button.focus()
        assert lit(page, ".symbol-table") >= 1, key
        everywhere = page.locator(f'[data-symbol="{key}"]').count()
        assert page.locator(".lit").count() == everywhere, key
        assert page.locator(".symbol-note:visible").count() == 1
        button.blur()
        assert lit(page, "body") == 0, key


def test_table_equation_and_code_light_together(visit: Any, stem: str) -> None:
    """Every button by keyboard; pointing, for a symbol that stands in all three."""
    page = visit(f"equations/{stem}.html")
    require_buttons(page, stem)
    places = (".symbol-table", ".equation[id]", "pre.listing")
    found = [
        key
        for key in keys(stem)
        if all(page.locator(f'{p} [data-symbol="{key}"]').count() for p in places)
    ]
    assert found
    for start in places:
        page.locator(f'{start} [data-symbol="{found[0]}"]').first.hover()
        for place in places:
            assert lit(page, place) >= 1, (start, place)


def test_arrows_walk_through_an_equation_and_a_listing(visit: Any) -> None:
    page = visit("equations/rmsnorm.html")
    for container, first, second in (
        ("#eq-2b", "r", "s"),
        ("#code-rmsnorm pre", "x", "gamma"),
    ):
        page.locator(container).focus()
        page.keyboard.press("ArrowRight")
        at = "document.activeElement.dataset.symbol"
        assert page.evaluate(at) == first
        page.keyboard.press("ArrowRight")
        assert page.evaluate(at) == second
        assert page.locator(f'.symbol-table [data-symbol="{second}"].lit').count() >= 1
        page.keyboard.press("ArrowLeft")
        assert page.evaluate(at) == first


def test_note_says_shape_and_meaning(visit: Any) -> None:
    page = visit("equations/rmsnorm.html")
    page.locator('#code-rmsnorm [data-symbol="gamma"]').first.hover()
    text = page.locator(".symbol-note").inner_text()
    assert "(C,)" in text
    assert "gain of each channel" in text


def test_on_a_page_with_several_tables_the_one_above_holds(visit: Any) -> None:
    page = visit("equations/swiglu.html")
    meanings = {}
    for entry_id in ("E04", "E05"):
        button = page.locator(f'table[data-entry={entry_id}] button[data-symbol="y"]')
        button.focus()
        meanings[entry_id] = page.locator(".symbol-note span").last.inner_text()
    assert meanings["E04"] != meanings["E05"]


def test_touch(visit: Any) -> None:
    page = visit("equations/rmsnorm.html", width=390, has_touch=True)
    page.locator('button[data-symbol="gamma"]').tap()
    assert lit(page, ".equation") >= 1
