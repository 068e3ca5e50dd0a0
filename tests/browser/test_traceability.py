"""The matrix and the graph of the traceability page."""

from typing import Any


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
