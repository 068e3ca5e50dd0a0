"""What the widgets must show, by NumPy, and how a test reads and moves them."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
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
