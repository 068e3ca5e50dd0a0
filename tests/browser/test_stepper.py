"""The derivation stepper, on every equation page."""

from typing import Any

import pytest
from playwright.sync_api import Page

from moe.registry import ENTRIES

HTTP_AND_FILE = pytest.mark.parametrize("scheme", ["http", "file"])


def shown(page: Page, entry_id: str) -> int:
    """How many steps of an entry can be seen."""
    return page.locator(f"#{entry_id}-derivation .step:visible").count()


def steps(page: Page, entry_id: str) -> int:
    return page.locator(f"#{entry_id}-derivation .step").count()


def current(page: Page, entry_id: str) -> str | None:
    marked = page.locator(f"#{entry_id}-derivation .step[aria-current=step]")
    assert marked.count() == 1
    return marked.get_attribute("id")


def require_keys(page: Page, entry_id: str) -> None:
    total = steps(page, entry_id)
    page.locator(f"#{entry_id}-derivation").focus()
    page.keyboard.press("Home")
    assert shown(page, entry_id) == 1
    for number in range(2, total + 1):
        page.keyboard.press("ArrowRight" if number % 2 else "Space")
        assert shown(page, entry_id) == number
        assert current(page, entry_id) == f"{entry_id}-step-{number}"
        assert page.evaluate("location.hash") == f"#{entry_id}-step-{number}"
    page.keyboard.press("ArrowRight")
    assert shown(page, entry_id) == total
    page.keyboard.press("ArrowLeft")
    assert shown(page, entry_id) == total - 1
    page.keyboard.press("Home")
    assert shown(page, entry_id) == 1
    page.keyboard.press("End")
    assert shown(page, entry_id) == total


def require_mouse(page: Page, entry_id: str) -> None:
    total = steps(page, entry_id)
    bar = page.locator(f"#{entry_id}-derivation .stepper-controls")
    previous, following = (
        bar.get_by_role("button", name=n) for n in ("← Previous", "Next →")
    )
    bar.get_by_role("combobox").select_option("1")
    assert previous.is_disabled()
    following.click()
    assert shown(page, entry_id) == 2
    previous.click()
    assert shown(page, entry_id) == 1
    bar.get_by_role("combobox").select_option(str(total))
    assert shown(page, entry_id) == total
    assert following.is_disabled()
    bar.get_by_role("combobox").select_option("1")
    bar.get_by_role("button", name="Show all").click()
    assert shown(page, entry_id) == total


def require_print(page: Page, entry_id: str) -> None:
    # "Show all" is disabled once it has done its work, and then has no focus.
    page.locator(f"#{entry_id}-derivation").focus()
    page.keyboard.press("Home")
    assert shown(page, entry_id) == 1
    page.emulate_media(media="print")
    assert page.locator(".step:not(:visible)").count() == 0
    assert page.locator(".stepper-controls:visible").count() == 0


@HTTP_AND_FILE
def test_stepper(visit: Any, stem: str, scheme: str) -> None:
    """Keys, mouse, and printing, which shows everything."""
    page = visit(f"equations/{stem}.html", scheme=scheme)
    entry_ids = [entry.id for entry in ENTRIES if entry.stem == stem]
    for entry_id in entry_ids:
        assert shown(page, entry_id) == 1
        require_keys(page, entry_id)
        require_mouse(page, entry_id)
    require_print(page, entry_ids[0])


@HTTP_AND_FILE
def test_step_in_the_url(visit: Any, stem: str, scheme: str) -> None:
    entry_id = next(entry.id for entry in ENTRIES if entry.stem == stem)
    page = visit(f"equations/{stem}.html#{entry_id}-step-2", scheme=scheme)
    assert shown(page, entry_id) == 2
    page.locator(f"#{entry_id}-derivation").focus()
    page.keyboard.press("ArrowLeft")
    page.reload()
    assert current(page, entry_id) == f"{entry_id}-step-1"
    page.evaluate(f"location.hash = '#{entry_id}-step-2'")
    page.wait_for_function(
        f"document.querySelectorAll('#{entry_id}-derivation .step:not([hidden])')"
        ".length === 2"
    )


def test_without_script_all_steps_are_a_numbered_list(visit: Any, stem: str) -> None:
    page = visit(f"equations/{stem}.html", java_script_enabled=False)
    for entry in ENTRIES:
        if entry.stem == stem:
            total = steps(page, entry.id)
            assert shown(page, entry.id) == total > 0
            assert (
                page.locator(f"#{entry.id}-derivation > ol > li.step").count() == total
            )
    assert page.locator("button:visible", has_text="Next").count() == 0
    for walk in page.locator("details.code-walk").all():
        walk.locator("summary").click()
        total = walk.locator("ol > li.step").count()
        assert walk.locator("li.step:visible").count() == total > 0


def test_code_on_letters(visit: Any, stem: str) -> None:
    """Unfolded by mouse or by the URL; walked by keys and by mouse."""
    page = visit(f"equations/{stem}.html")
    walks = page.locator("details.code-walk")
    assert walks.count() > 0
    for walk in walks.all():
        lines, seen = walk.locator(".step"), walk.locator(".step:visible")
        total = lines.count()
        assert seen.count() == 0
        walk.locator("summary").click()
        assert seen.count() == 1
        walk.locator(".walk").focus()
        for number in range(2, total + 1):
            page.keyboard.press("ArrowRight" if number % 2 else "Space")
            assert seen.count() == number
        if total > 1:
            last = f"#{lines.last.get_attribute('id')}"
            assert page.evaluate("location.hash") == last
            page.keyboard.press("Home")
            assert seen.count() == 1
            walk.get_by_role("button", name="Next →").click()
            assert seen.count() == 2
            walk.get_by_role("button", name="← Previous").click()
            assert seen.count() == 1


def test_line_of_code_in_the_url_is_unfolded(visit: Any) -> None:
    page = visit("equations/rmsnorm.html#walk-rmsnorm_backward-3")
    seen = page.locator("#walk-rmsnorm_backward .step:visible")
    assert seen.count() == 3
    assert seen.last.get_attribute("aria-current") == "step"


def test_arrows_in_a_formula_of_the_code_walk_on(visit: Any) -> None:
    page = visit("equations/rmsnorm.html#walk-rmsnorm-2")
    page.locator("#walk-rmsnorm-2 .equation").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#walk-rmsnorm .step:visible").count() == 3
    assert page.locator(".lit").count() == 0


@pytest.mark.parametrize(
    ("motion", "behavior"), [("reduce", "auto"), ("no-preference", "smooth")]
)
def test_reduced_motion(visit: Any, motion: str, behavior: str) -> None:
    page = visit("equations/rmsnorm.html", reduced_motion=motion)
    page.evaluate(
        "Element.prototype.scrollIntoView = function (how) { window.how = how }"
    )
    page.locator("#E02-derivation").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.how.behavior") == behavior


def test_lines_of_a_worked_example(visit: Any) -> None:
    page = visit("equations/rmsnorm.html")
    lines = page.locator("#example-1-2 .step")
    total = lines.count()
    assert page.locator("#example-1-2 .step:visible").count() == total
    page.locator("#example-1-2").focus()
    page.keyboard.press("Home")
    assert page.locator("#example-1-2 .step:visible").count() == 1
    page.keyboard.press("ArrowRight")
    assert page.locator("#example-1-2 .step:visible").count() == 2
    page.keyboard.press("End")
    assert page.locator("#example-1-2 .step:visible").count() == total


def test_keys_outside_a_derivation_are_left_alone(visit: Any) -> None:
    page = visit("equations/rmsnorm.html")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    assert shown(page, "E02") == 1
