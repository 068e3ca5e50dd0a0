"""The parts that pages are made of, one by one."""

import re

import numpy as np
import pytest
from markdown import Markdown
from sitebuild import code, derivation, mathml, numbers
from sitebuild.placeholders import Page, expand

from moe.derivations.traced import symbols as traced_symbols

MARKER = mathml.Marker(
    {
        "x": "x",
        "dx": r"\mathrm{d}x",
        "eta_base": r"\eta_{\mathrm{base}}",
        "T": "T",
        "T_w": "T_{w}",
        "beta_1": r"\beta_{1}",
        "m_hat": r"\hat{m}",
        "q'": "{q'}",
    }
)


def marked(html: str) -> list[str]:
    return re.findall(r'data-symbol="([\w\']+)"', html)


@pytest.mark.parametrize(
    ("latex", "keys"),
    [
        ("x", ["x"]),
        ("x_{nc}", ["x"]),
        ("x_{nc}^2", ["x"]),
        ("z", []),
        (r"\mathrm{d}x_{nc}", ["dx", "dx"]),
        (r"\mathrm{d}z\, x", ["x"]),
        (r"\frac{\partial y}{\partial x}", ["x"]),
        (r"\eta_{\mathrm{base}}", ["eta_base"]),
        (r"\eta_{\mathrm{min}}", []),
        (r"\eta_{\mathrm{base},\,t}", ["eta_base"]),
        (r"z_{x}", ["x"]),
        (r"x_{2}", ["x"]),
        (r"T - T_{w}", ["T", "T_w"]),
        (r"\beta_{1}^{t} \beta_{2}", ["beta_1"]),
        (r"\hat{m}_{i} m", ["m_hat"]),
        (r"{q'}_{tc} + q^{2} + q", ["q'"]),
    ],
)
def test_symbols_are_found(latex: str, keys: list[str]) -> None:
    assert marked(mathml.inline(latex, MARKER)) == keys


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("a + b", "a + b", []),
        ("a + b", "a + c", ["c"]),
        (r"\frac{a}{b}", r"\frac{a}{c}", ["c"]),
        (r"\mathrm{d}a_n", r"\mathrm{d}a_m", ["d", "am"]),
        ("a + b", "a", []),
    ],
)
def test_changes_are_found(before: str, after: str, changed: list[str]) -> None:
    html = mathml.step(after, before, MARKER)
    pieces = re.findall(r"<(\w+)[^>]* data-changed=\"\"[^>]*>(.*?)</\1>", html)
    assert [re.sub(r"<[^>]*>", "", inner) for _, inner in pieces] == changed


@pytest.mark.parametrize(
    ("latex", "rows"),
    [
        ("a + b", 0),
        (" + ".join(f"x_{{{i}}}" for i in range(40)), 4),
        (r"\sum_i \left(" + " - ".join("abcdefghij" * 3) + r"\right)", 2),
        (" ".join("abcdefghij" * 8), 0),
    ],
)
def test_wide_formulas_are_broken_between_terms(latex: str, rows: int) -> None:
    html = mathml.display(latex)
    assert html.count("<mtr>") == rows
    unbroken = re.sub(r"<[^>]*>", "", mathml.inline(latex))
    assert re.sub(r"<[^>]*>", "", html) == unbroken
    starts = re.findall(r"<mtr><mtd><mo([^>]*)>", html)
    assert len(starts) == max(rows - 1, 0)
    assert all('form="infix"' in attributes for attributes in starts)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.5, "0.5"),
        (-1.38564, "−1.3856"),
        (-0.0, "0"),
        (3, "3"),
        (1.25e-6, "1.250×10−6"),
        (-2e7, "−2.000×107"),
        (float("-inf"), "−∞"),
        (float("nan"), "NaN"),
        (True, "True"),
    ],
)
def test_numbers(number: float, text: str) -> None:
    assert re.sub(r"<[^>]*>", "", numbers.number(number)) == text


def test_array_of_three_axes_is_shown_slice_by_slice() -> None:
    html = numbers.value(np.arange(12).reshape(2, 2, 3))
    assert re.findall(r"\[\d\]", html) == ["[0]", "[1]"]
    assert html.count("<mtr>") == 4
    assert html.count("<mtd>") == 12


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (slice(0, 2), "rows 0\N{EN DASH}1"),
        (slice(3, 4), "row 3"),
        (slice(2, 2), "no rows"),
    ],
)
def test_slices_are_shown_as_the_rows_they_are(rows: slice, text: str) -> None:
    assert numbers.value(rows) == text


def test_list_is_shown_item_by_item() -> None:
    html = numbers.value([np.array([1.0, 2.0]), 3, slice(0, 2)])
    assert re.sub(r"<[^>]*>", "", html) == "[12], 3, rows 0\N{EN DASH}1"


def test_traced_numbers_are_shown_as_expressions() -> None:
    html = numbers.value(traced_symbols("x", np.ones(2)) ** 2)
    assert html.count("<msubsup>") == 2


def test_listing_leaves_out_the_docstring_and_links_the_tags() -> None:
    shown = code.function("moe.equations.rmsnorm", "rmsnorm")
    html = code.listing(shown, {"x": "x", "x.shape[1]": "C"}, {"2a", "2b", "2c"})
    assert "Returns" not in html
    assert html.count('href="#eq-2b"') == 1
    assert re.findall(r'data-symbol="C">(.*?)</span>\n?', html)
    text = re.sub(r"<[^>]*>", "", html)
    assert "x.shape[1]  # [2a] (N,)" in text


def test_fences_in_lists_stay_in_the_list() -> None:
    text = "- one\n\n    ```run\n    print(1 + 1)\n    ```\n\n- two\n"
    source = expand(Page("index.md"), text)
    html = Markdown(extensions=["pymdownx.superfences"]).convert(source)
    assert html.count("<ul>") == 1
    assert re.search(r"<code>.*2", html)


def test_tags_in_prose_become_links() -> None:
    source = expand(Page("equations/rmsnorm.md"), "By (2b) and `(2b)`, not (9z).\n")
    assert source.startswith("By [(2b)](#eq-2b) and `(2b)`, not (9z).")


@pytest.mark.parametrize(
    ("entry_id", "said"),
    [
        (
            "E02",
            "Checked exactly for (C,\N{NO-BREAK SPACE}N) = (2,\N{NO-BREAK SPACE}3) and",
        ),
        ("E06", "Checked exactly for n = 2 and 3."),
        ("E18", "Checked exactly."),
    ],
)
def test_step_says_for_which_sizes_it_was_checked(entry_id: str, said: str) -> None:
    steps = derivation.steps(entry_id)
    assert steps.count(said) == steps.count("Checked") > 0


def test_code_and_dollars_are_no_mathematics() -> None:
    markdown = Markdown(extensions=["sitebuild.markdown_math"])
    html = markdown.convert(r"`$x$` costs \$5 and $y$ costs 3$.")
    assert html.count("<math") == 1
    assert "<code>$x$</code>" in html


def test_adjacent_display_formulas() -> None:
    markdown = Markdown(extensions=["sitebuild.markdown_math"])
    html = markdown.convert("$$ a \\tag{1a} $$\n$$ b\n + c $$\n\ntext $d$")
    assert html.count('display="block"') == 2
    assert "(1a)" in html
