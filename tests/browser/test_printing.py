"""On paper nothing is folded but the answers."""

from typing import Any

from playwright.sync_api import Page

# What a browser leaves out of a folded part has boxes, but is not drawn.
DRAWN = """(selector) => [...document.querySelectorAll(selector)]
  .map((e) => e.checkVisibility() && e.getBoundingClientRect().height > 0)"""


def drawn(page: Page, selector: str) -> list[bool]:
    return page.evaluate(DRAWN, selector)


def test_print_unfolds_the_code(visit: Any, stem: str) -> None:
    page = visit(f"equations/{stem}.html")
    lines = ".code-walk .trace-row"
    total = len(drawn(page, lines))
    assert drawn(page, lines) == [False] * total
    assert page.locator(".code-walk .stepper-controls").count() > 0
    page.emulate_media(media="print")
    assert drawn(page, lines) == [True] * total
    assert all(drawn(page, ".code-walk .trace-line, .code-walk .equation"))
    assert not any(drawn(page, ".stepper-controls"))
    page.emulate_media(media="screen")
    assert drawn(page, lines) == [False] * total


def test_print_keeps_answers_folded(visit: Any, stem: str) -> None:
    page = visit(f"equations/{stem}.html")
    page.emulate_media(media="print")
    answers = drawn(page, "details:is(.hint, .success) > :not(summary)")
    assert answers
    assert not any(answers)
