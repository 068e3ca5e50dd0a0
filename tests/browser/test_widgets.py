"""The widgets: what JavaScript shows is what NumPy computes, at any setting."""

import json
import math
from typing import Any

import pytest
from browser.widget_values import (
    STEMS,
    VALUES,
    Settings,
    asked_for,
    choose,
    compare,
    said,
    schedule_values,
    shown,
    widget,
)

every_widget = pytest.mark.parametrize("stem", STEMS)
VALLEY = ("steps", "decay", "rate", "sgd_rate", "steep", "beta1", "beta2")
# Away from what the page has computed: ends of the sliders, ties, special cases.
SETTINGS: dict[str, list[Settings]] = {
    "sampling": [
        {"prompt": 0, "temperature": 1, "p": 0.95},
        {"prompt": 1, "temperature": 0.05, "p": 1},
        {"prompt": 1, "temperature": 0, "p": 0.05},
        {"prompt": 2, "temperature": 2, "p": 0.37},
        {"prompt": 2, "temperature": 1.35, "p": 0.99},
    ],
    "rope": [
        {"width": 4, "base": 100, "alpha": 1, "position": 0},
        {"width": 8, "base": 10000, "alpha": 2.5, "position": 13},
        {"width": 16, "base": 500000, "alpha": 16, "position": 256},
        {"width": 32, "base": 10000, "alpha": 7.5, "position": 101},
        {"width": 32, "base": 100, "alpha": 1.5, "position": 200},
    ],
    "schedule": [
        {"total": 500, "warmup": 0, "base": 0.01, "minimum": 0, "step": 1},
        {"total": 1200, "warmup": 300, "base": 0.0021, "minimum": 0.0007, "step": 299},
        {"total": 1200, "warmup": 300, "base": 0.0021, "minimum": 0.0007, "step": 300},
        {"total": 2000, "warmup": 1000, "base": 0.004, "minimum": 0.004, "step": 1700},
        {"total": 110, "warmup": 100, "base": 0.0001, "minimum": 0, "step": 120},
    ],
    "balance": [
        {f"tokens{e}": n for e, n in enumerate(counts)} | {"sure": sure, "alpha": alpha}
        for counts, sure, alpha in (
            ((1, 2, 3, 4), 0.55, 0.1),
            ((0, 0, 32, 0), 1, 0.01),
            ((31, 7, 0, 5), 0.25, 0.001),
            ((8, 8, 8, 8), 0.9, 0.1),
            ((0, 1, 0, 1), 0.35, 0.01),
        )
    ],
    "attention": [
        {"layer": layer, "head": head, "token": token}
        for layer, head, token in (
            (0, 0, 23),
            (0, 1, 0),
            (0, 3, 7),
            (1, 2, 18),
            (1, 3, 5),
        )
    ],
    "router": [
        {"layer": layer, "top_k": top_k, "token": token}
        for layer, top_k, token in (
            (0, 1, 0),
            (0, 4, 23),
            (1, 2, 11),
            (1, 3, 4),
            (1, 4, 9),
        )
    ],
    "adamw": [
        dict(zip(VALLEY, row, strict=True))
        for row in (
            (300, 1, 0.5, 0.03, 7, 0.9, 0.99),
            (1, 0.45, 0.01, 0.15, 50, 0.37, 0.5),
            (80, 0, 0.2, 0.1, 1, 0, 0.9),
            (200, 0.6, 0.07, 0.11, 25, 0.8, 0.999),
            (0, 0.2, 0.1, 0.02, 20, 0.9, 0.999),
        )
    ],
}


@every_widget
def test_agrees_with_numpy_wherever_the_controls_stand(visit: Any, stem: str) -> None:
    page = visit(f"equations/{stem}.html")
    compare(shown(page, stem), VALUES[stem](asked_for(page, stem)))
    for settings in SETTINGS[stem]:
        choose(page, stem, settings)
        found = shown(page, stem)
        assert found.keys() == VALUES[stem](settings).keys()
        compare(found, VALUES[stem](settings))


@every_widget
def test_agrees_with_the_golden_values_of_its_page(visit: Any, stem: str) -> None:
    page = visit(f"equations/{stem}.html", scheme="file")
    data = widget(page, stem).locator("script[type='application/json']")
    points = json.loads(data.text_content())["golden"]
    assert asked_for(page, stem) == points[0]["settings"]
    for point in points:
        choose(page, stem, point["settings"])
        compare(shown(page, stem), point["values"])
        compare(VALUES[stem](point["settings"]), point["values"])


def facts(stem: str, s: Settings, v: dict[str, Any]) -> list[str]:
    """Numbers that the sentence must hold."""
    match stem:
        case "sampling":
            best = f"{v['probabilities'].max():.3f}", f"{v['q'].max():.3f}"
            return [*best, "alone" if v["kept"] == 1 else f"keeps {v['kept']} of 256"]
        case "rope":
            turns = s["position"] * v["frequencies"] / (2 * math.pi)
            return [f"position {s['position']:g}", f"{turns[0]:#.2g}".rstrip(".")]
        case "schedule":
            return [f"Step {s['step']:g} ", f"{v['rate'] / s['base']:.0%}"[:-1] + " %"]
        case "balance":
            return [f"{v['loss'] / s['alpha']:.2f} times α"]
        case "attention":
            place = f"byte {s['token']:g},"
            return [place, f"{v['row'].max():.2f}", f"{s['token'] + 1:g} of 24"]
        case "router":
            weights = v["weights"][int(s["token"])]
            return [f"Layer {s['layer']:g}", *(f"weight {w:.2f}" for w in weights)]
        case _:
            near = abs(v["ends"]).max(axis=1) < 100
            ends = (f"({x:.2f}, {y:.2f})" for x, y in v["ends"][near])
            return [f"After {s['steps']:g} steps", *ends]


@every_widget
def test_sentence_says_what_is_seen(visit: Any, stem: str) -> None:
    page = visit(f"equations/{stem}.html")
    sentence = widget(page, stem).locator(".widget-said")
    assert sentence.get_attribute("aria-live") == "polite"
    for settings in SETTINGS[stem]:
        choose(page, stem, settings)
        for fact in facts(stem, settings, VALUES[stem](settings)):
            assert fact.replace("-0.00", "0.00") in said(page, stem).replace(
                "-0.00", "0.00"
            )


@every_widget
def test_every_control_by_keyboard(visit: Any, stem: str) -> None:
    page = visit(f"equations/{stem}.html")
    controls = widget(page, stem).locator(".widget-control :is(input, select)")
    keys = [c.get_attribute("id").split("-")[-1] for c in controls.all()]
    assert sorted(keys) == sorted(SETTINGS[stem][0])
    controls.first.focus()
    for key in keys:
        focused = page.evaluate("document.activeElement.id")
        assert focused == f"widget-{stem}-{key}"
        before = asked_for(page, stem)
        # The choice of a select may stand at its end.
        page.keyboard.press("ArrowDown")
        if asked_for(page, stem) == before:
            page.keyboard.press("ArrowUp")
        after = asked_for(page, stem)
        assert {k for k in after if after[k] != before[k]} == {key}
        compare(shown(page, stem), VALUES[stem](after))
        page.keyboard.press("Tab")


@every_widget
def test_every_slider_by_touch(visit: Any, stem: str) -> None:
    page = visit(f"equations/{stem}.html", width=390, has_touch=True)
    for slider in widget(page, stem).locator("input[type=range]").all():
        key = slider.get_attribute("id").split("-")[-1]
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box["height"] >= 24, "the least size of a target (WCAG 2.5.8)"
        seen = set()
        for share in (0.25, 0.75):
            slider.tap(position={"x": share * box["width"], "y": box["height"] / 2})
            seen.add(asked_for(page, stem)[key])
        assert len(seen) == 2, key
    compare(shown(page, stem), VALUES[stem](asked_for(page, stem)))


def test_buttons_set_the_loads(visit: Any) -> None:
    page = visit("equations/balance.html")
    choose(page, "balance", SETTINGS["balance"][0])
    page.get_by_role("button", name="Even loads").click()
    assert shown(page, "balance")["loss"] == pytest.approx(0.1)
    assert "All loads are equal" in said(page, "balance")
    page.get_by_role("button", name="Collapse onto expert 0").press("Enter")
    assert shown(page, "balance")["load"] == [1, 0, 0, 0]


@pytest.mark.parametrize("stem", ["attention", "router"])
def test_a_token_can_be_tapped(visit: Any, stem: str) -> None:
    page = visit(f"equations/{stem}.html", width=390, has_touch=True)
    page.locator(f"#widget-{stem} .hit").nth(5).tap(position={"x": 3, "y": 3})
    assert asked_for(page, stem)["token"] == 5
    assert page.locator(f"#widget-{stem}-token").input_value() == "5"


def test_settings_that_do_not_go_together(visit: Any) -> None:
    page = visit("equations/schedule.html")
    page.locator("#widget-schedule-warmup").fill("1000")
    page.locator("#widget-schedule-total").fill("600")
    assert asked_for(page, "schedule")["warmup"] == 590
    page.locator("#widget-schedule-warmup").fill("800")
    page.locator("#widget-schedule-base").fill("0.0002")
    mended = asked_for(page, "schedule")
    assert mended["total"] == 810
    assert mended["minimum"] == 0.0002
    compare(shown(page, "schedule"), schedule_values(mended))
    page = visit("equations/balance.html")
    for expert in range(4):
        page.locator(f"#widget-balance-tokens{expert}").fill("0")
    assert shown(page, "balance")["load"] == [0, 0, 0, 1]
