"""The widgets: what JavaScript shows is what NumPy computes, at any setting."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

from moe.equations.adamw import adamw
from moe.equations.attention import causal_mask
from moe.equations.balance import balance, balance_backward
from moe.equations.rope import ntk_base, rope, rope_frequencies, rope_tables
from moe.equations.router import router
from moe.equations.sampling import temperature, top_p
from moe.equations.schedule import learning_rate
from moe.equations.softmax import softmax

ROOT = Path(__file__).parents[2]
RECORD = json.loads((ROOT / "benchmarks/results/trained_example.json").read_text())
TEXT = RECORD["text"]
DIGITS_ON_THE_PAGE = 4
STEMS = ("sampling", "rope", "schedule", "balance", "attention", "router", "adamw")
every_widget = pytest.mark.parametrize("stem", STEMS)
Settings = dict[str, float]


def sampling_values(s: Settings) -> dict[str, Any]:
    logits = np.array(RECORD["next_byte"][int(s["prompt"])]["logits"])
    p = temperature(logits, s["temperature"])
    q = top_p(p, s["p"])
    order = np.argsort(-p, kind="stable")
    return {"probabilities": p, "q": q, "order": order, "kept": np.count_nonzero(q)}


def rope_values(s: Settings) -> dict[str, Any]:
    width = int(s["width"])
    base = ntk_base(s["base"], s["alpha"], width)
    frequencies = rope_frequencies(width, base)
    tables = rope_tables(np.array([s["position"]]), frequencies, float)
    # A hand that points to the right, turned as a channel pair is.
    right = np.tile([1.0, 0.0], width // 2).reshape(1, 1, 1, width)
    hands = rope(right, *tables)[0].ravel()
    return {
        "base": base,
        "unscaled": rope_frequencies(width, s["base"]),
        "frequencies": frequencies,
        "cos": hands[0::2],
        "sin": hands[1::2],
    }


def schedule_values(s: Settings) -> dict[str, Any]:
    shape = (s["base"], s["minimum"], s["warmup"], s["total"])
    last = math.floor(s["total"] * 1.15 + 0.5)
    rates = [learning_rate(step, *shape) for step in range(1, last + 1)]
    return {"rate": learning_rate(s["step"], *shape), "rates": rates}


def balance_values(s: Settings) -> dict[str, Any]:
    chosen = np.repeat(np.arange(4), [int(s[f"tokens{e}"]) for e in range(4)])
    p = np.where(np.arange(4) == chosen[:, None], s["sure"], (1 - s["sure"]) / 3)
    loss, cache = balance(p, chosen[:, None], s["alpha"])
    return {
        "load": np.bincount(chosen, minlength=4) / len(chosen),
        "mean": p.mean(axis=0),
        "loss": loss,
        "gradient": balance_backward(1.0, cache)[0],
    }


def attention_values(s: Settings) -> dict[str, Any]:
    rows = RECORD["attention_scores"][int(s["layer"])][int(s["head"])]
    scores = np.zeros((len(TEXT), len(TEXT)))
    for t, row in enumerate(rows):
        scores[t, : t + 1] = [float(f"{x:.{DIGITS_ON_THE_PAGE}g}") for x in row]
    weights, _ = softmax(scores + causal_mask(len(TEXT), len(TEXT)))
    return {"weights": weights, "row": weights[int(s["token"])]}


def router_values(s: Settings) -> dict[str, Any]:
    logits = np.array(RECORD["router_logits"][int(s["layer"])])
    weights, indices, probabilities, _ = router(logits, int(s["top_k"]))
    return {"weights": weights, "indices": indices, "probabilities": probabilities}


def adamw_values(s: Settings) -> dict[str, Any]:
    def slope(w: Any) -> Any:
        return np.array([1, s["steep"]]) * (w - np.array([2, 1]))

    paths = np.tile([-2.0, -1.5], (3, int(s["steps"]) + 1, 1))
    weights = paths[:, 0].copy()
    moments = np.zeros((2, 2, 2))
    rates = {"learning_rate": s["rate"], "betas": (s["beta1"], s["beta2"]), "eps": 1e-8}
    for t in range(1, paths.shape[1]):
        for n, (penalty, decay) in enumerate(((0, s["decay"]), (s["decay"], 0))):
            g = slope(weights[n]) + penalty * weights[n]
            adamw(weights[n], g, *moments[n], step=t, weight_decay=decay, **rates)
        weights[2] -= s["sgd_rate"] * (slope(weights[2]) + s["decay"] * weights[2])
        paths[:, t] = weights
    return {"paths": paths, "ends": paths[:, -1]}


VALUES = {stem: globals()[f"{stem}_values"] for stem in STEMS}
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


def widget(page: Page, stem: str) -> Locator:
    return page.locator(f"#widget-{stem}")


def choose(page: Page, stem: str, settings: Settings) -> None:
    """Move the controls, as a reader does."""
    for key, value in settings.items():
        control = page.locator(f"#widget-{stem}-{key}")
        if control.evaluate("e => e.tagName") == "SELECT":
            control.select_option(f"{value:g}")
        else:
            control.fill(f"{value:g}")
    assert asked_for(page, stem) == settings


def asked_for(page: Page, stem: str) -> Settings:
    return page.evaluate(f"window.widgets.{stem}.settings()")


def shown(page: Page, stem: str) -> dict[str, Any]:
    return page.evaluate(f"window.widgets.{stem}.values()")


def said(page: Page, stem: str) -> str:
    return widget(page, stem).locator(".widget-said").inner_text()


def compare(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Closer than the 1e-6 that is promised, since learning rates are small numbers."""
    for name, values in expected.items():
        # A large whole number arrives as an integer that no array of integers holds.
        seen = np.array(found[name], dtype=float)
        np.testing.assert_allclose(seen, values, rtol=1e-8, atol=1e-11, err_msg=name)


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


@every_widget
def test_without_javascript(visit: Any, stem: str) -> None:
    """The table has the numbers of NumPy, and no control pretends to work."""
    page = visit(f"equations/{stem}.html", java_script_enabled=False)
    table = widget(page, stem).locator("table")
    assert table.is_visible()
    assert widget(page, stem).locator("input, select, button").count() == 0
    assert table.locator("tbody tr").count() >= 4


@every_widget
def test_picture_follows_the_width_of_the_page(visit: Any, stem: str) -> None:
    page = visit(f"equations/{stem}.html")
    picture = widget(page, stem).locator(".widget-picture > svg").first
    assert picture.get_attribute("role") == "img"
    assert picture.get_attribute("aria-label")
    wide = float(picture.get_attribute("width"))
    page.set_viewport_size({"width": 390, "height": 720})
    page.wait_for_function(
        f"+document.querySelector('#widget-{stem} svg').getAttribute('width') < 390"
    )
    narrow = float(picture.get_attribute("width"))
    assert narrow < 390 < wide
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def numbers(places: Locator, *attributes: str) -> np.ndarray:
    """Attributes of shapes, in the order in which they were drawn."""
    script = "(all, names) => all.map((e) => names.map((n) => +e.getAttribute(n)))"
    return np.array(places.evaluate_all(script, list(attributes)))


def test_heat_maps_show_their_values(visit: Any) -> None:
    page = visit("equations/attention.html")
    heat = numbers(widget(page, "attention").locator(".heat"), "fill-opacity")[:, 0]
    weights = attention_values(asked_for(page, "attention"))["weights"]
    np.testing.assert_allclose(heat, weights[np.tri(24, dtype=bool)], atol=5.1e-4)
    page = visit("equations/router.html")
    heat = numbers(widget(page, "router").locator(".heat"), "fill-opacity")[:, 0]
    probabilities = router_values(asked_for(page, "router"))["probabilities"]
    np.testing.assert_allclose(heat, probabilities.ravel(), atol=5.1e-4)


def test_bars_have_the_heights_of_their_values(visit: Any) -> None:
    page = visit("equations/sampling.html")
    v = sampling_values(asked_for(page, "sampling"))
    chart = widget(page, "sampling").locator(".widget-picture > svg")
    for kind, name in (("bar-1", "q"), ("bar-outline", "probabilities")):
        heights = numbers(chart.locator(f".{kind}"), "height")[:, 0]
        expected = v[name][v["order"]][: len(heights)]
        np.testing.assert_allclose(
            heights / heights[0], expected / expected[0], atol=1e-9
        )
    page = visit("equations/balance.html")
    v = balance_values(asked_for(page, "balance"))
    chart = widget(page, "balance").locator(".widget-picture > svg")
    for kind, name in (("bar-1", "load"), ("bar-2", "mean")):
        heights = numbers(chart.locator(f".{kind}"), "height")[:, 0]
        np.testing.assert_allclose(heights / heights.sum(), v[name], atol=1e-9)


def ends(paths: Locator) -> np.ndarray:
    """From the first to the last point of each path."""
    script = (
        "all => all.map((e) => e.getAttribute('d').match(/-?[\\d.e-]+/g).map(Number))"
    )
    return np.array([[p[-2] - p[0], p[-1] - p[1]] for p in paths.evaluate_all(script)])


def test_hands_point_where_the_pairs_point(visit: Any) -> None:
    page = visit("equations/rope.html")
    v = rope_values(asked_for(page, "rope"))
    dials = widget(page, "rope").locator(".widget-picture > svg").first
    hands = ends(dials.locator(".series-1"))
    # The y axis of the screen points down.
    expected = np.stack([v["cos"], -v["sin"]], axis=1)
    lengths = np.linalg.norm(hands, axis=1, keepdims=True)
    np.testing.assert_allclose(hands / lengths, expected, atol=1e-9)


def test_optimisers_end_where_their_marks_are(visit: Any) -> None:
    page = visit("equations/adamw.html")
    v = adamw_values(asked_for(page, "adamw"))
    chart = widget(page, "adamw").locator(".widget-picture > svg")
    marks = [numbers(chart.locator(f".mark-{n}"), "cx", "cy")[0] for n in (1, 2, 3)]
    across = np.diff([m[0] for m in marks]) / np.diff(v["ends"][:, 0])
    assert across[0] == pytest.approx(across[1])
    assert (
        across[0] > 0 > (marks[1][1] - marks[0][1]) / (v["ends"][1] - v["ends"][0])[1]
    )
    assert ends(chart.locator("path.series-1"))[0][0] == pytest.approx(
        across[0] * (v["ends"][0][0] + 2), abs=0.02
    )


def test_other_pages_load_no_widget(visit: Any) -> None:
    asked: set[str] = set()
    visit("equations/embedding.html", asked=asked, locale="en")
    assert asked
    assert not [url for url in asked if "widget" in url]
