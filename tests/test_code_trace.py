"""The code stepper: what it shows of each line is what the line computes."""

import numpy as np
import pytest
from code_inputs import STEPS
from code_pages import code_pages
from code_trace import named_array, run
from sympy import Integer, Symbol, sqrt

from moe.derivations.notation import array
from moe.derivations.traced import Traced
from moe.equations.rmsnorm import rmsnorm
from moe.registry import ENTRIES


def rmsnorm_lines():
    x = named_array("x", np.array([[3.0, 4.0]]))
    gamma = named_array("gamma", np.array([2.0, 5.0]))
    epsilon = Traced(Symbol("epsilon"), 0.5)
    return run(rmsnorm, x, gamma, epsilon)


def test_each_line_in_terms_of_the_names_before_it():
    _, lines = rmsnorm_lines()
    x, s, r, y, gamma = map(array, ("x", "s", "r", "y", "gamma"))
    half = Integer(1) / 2
    shown = {
        line.source.strip().split("  #")[0]: {c.element: c.value for c in line.changes}
        for line in lines
    }
    assert shown == {
        's = np.einsum("nc,nc->n", x, x) / x.shape[1]': {
            s[0]: x[0, 0] ** 2 * half + x[0, 1] ** 2 * half
        },
        "r = 1 / np.sqrt(s + eps)": {r[0]: 1 / sqrt(s[0] + Symbol("epsilon"))},
        "y = x * r[:, None]": {y[0, 0]: x[0, 0] * r[0]},
        "y *= gamma": {y[0, 0]: y[0, 0] * gamma[0]},
        "return y, (x, gamma, r)": {},
    }


def test_names_stand_for_the_right_numbers():
    (y, _), _ = rmsnorm_lines()
    plain, _ = rmsnorm(np.array([[3.0, 4.0]]), np.array([2.0, 5.0]), 0.5)
    np.testing.assert_allclose([t.value for t in y[0]], plain[0], rtol=1e-15)


def test_every_forward_and_backward_can_be_stepped():
    stepped = {f.__name__ for steps in STEPS.values() for f, _ in steps()}
    wanted = {f for e in ENTRIES for f in (e.forward, e.backward) if f}
    assert wanted <= stepped


@pytest.mark.parametrize("stem", STEPS)
def test_pages_fit_a_projector(stem):
    pages = code_pages(stem)
    assert len(pages) > 1
    for page in pages:
        text, holds = page.draw()
        assert holds
        assert "▶ " in text, "the current line is not marked"
        assert max(map(len, text.splitlines())) <= 80, text


def test_an_entry_shows_its_own_functions_only():
    titles = {page.title.split(",")[0] for page in code_pages("E04")}
    assert titles == {"silu", "silu_backward"}


def test_unknown_stem():
    with pytest.raises(ValueError, match="STEM must be E01 to E21 or one of embedding"):
        code_pages("E22")
