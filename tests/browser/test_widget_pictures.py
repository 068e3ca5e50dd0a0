"""The pictures of the widgets show their values; without scripts a table does."""

from typing import Any

import numpy as np
import pytest
from browser.widget_values import (
    STEMS,
    adamw_values,
    asked_for,
    attention_values,
    balance_values,
    rope_values,
    router_values,
    sampling_values,
    widget,
)
from playwright.sync_api import Locator

every_widget = pytest.mark.parametrize("stem", STEMS)


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
