"""The widgets before a browser sees them: record, golden numbers, HTML."""

import html
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trained_example
from sitebuild import compact, widgets, widgets_golden, widgets_trained
from sitebuild.errors import SiteError
from sitebuild.placeholders import Page, expand
from small_model import IDS, make

from moe import Trainer, TrainingConfig, save_checkpoint
from moe.arrays import Array
from moe.corpus import VOCAB_SIZE
from moe.equations.softmax import softmax
from moe.model import Model

ROOT = Path(__file__).parents[2]
STEMS = tuple(widgets.WIDGETS)
LINES = 150


def numbers(x: Any) -> list[float]:
    return [n for part in x for n in numbers(part)] if isinstance(x, list) else [x]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_is_seen_inside_is_what_the_model_does(dtype: type) -> None:
    model, ids = make(dtype), IDS[:1]
    scores, router_logits, logits = trained_example.look_inside(model, ids)
    expected, _, (_, _, saved, *_) = model.forward(ids)
    np.testing.assert_allclose(
        logits, expected[0], rtol=1e-5 if dtype == np.float32 else 1e-12
    )
    assert scores.shape == (2, 4, 5, 5)
    for layer, (attention_cache, experts_cache) in enumerate(saved):
        _, _, _, (_, _, _, p, _), _ = attention_cache
        later = np.triu(np.full((5, 5), -np.inf), k=1)
        weights, _ = softmax(scores[layer] + later)
        # Folded: two heads of a group are rows of one matrix, token by token.
        unfolded = p[0].reshape(2, 5, 2, 5).swapaxes(1, 2).reshape(4, 5, 5)
        np.testing.assert_allclose(weights, unfolded, rtol=1e-5)
        _, _, (_, _, _, (probabilities,)), _, _ = experts_cache
        np.testing.assert_allclose(
            softmax(router_logits[layer])[0], probabilities, rtol=1e-5
        )


def test_record_is_what_the_script_writes() -> None:
    """On an untrained model of bytes: same parts, rounded, only unmasked scores."""
    record = widgets_trained.record()
    assert widgets_trained.RECORD.stat().st_size < 60_000
    model = make(np.float32, vocab_size=VOCAB_SIZE, max_seq_len=64)
    run = json.loads((ROOT / "benchmarks/results/train.json").read_text())
    made = trained_example.example(model, run)
    assert made.keys() == record.keys()
    assert made["held_out_bits_per_byte"] == run["held_out_bits_per_byte"]
    assert made["command"].endswith(f"--steps {run['steps']} --seed {run['seed']}")
    for example in (made, record):
        length = len(example["text"])
        assert re.fullmatch("[0-9a-f]{40}", example["commit"])
        for layer in example["attention_scores"]:
            for head in layer:
                assert [len(row) for row in head] == [*range(1, length + 1)]
        assert {len(layer) for layer in example["router_logits"]} == {length}
        for context in example["next_byte"]:
            assert len(context["logits"]) == VOCAB_SIZE
        for part in ("attention_scores", "router_logits"):
            for number in numbers(example[part]):
                assert float(f"{number:.6g}") == number


def test_script_refuses_a_model_of_other_tokens(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trainer = Trainer(make(np.float32), TrainingConfig())
    save_checkpoint(
        tmp_path / "checkpoint.safetensors", trainer, np.random.default_rng(0), {}
    )
    monkeypatch.setattr(sys, "argv", ["trained_example.py", "--run", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        trained_example.main()
    assert "256: bytes" in capsys.readouterr().err


@pytest.mark.parametrize("stem", STEMS)
def test_page_has_the_widget(site: Path, stem: str) -> None:
    page = (site / f"equations/{stem}.html").read_text(encoding="utf-8")
    section = page[page.index(f'id="widget-{stem}"') :].partition("</section>")[0]
    golden = widgets.WIDGETS[stem]()
    [data] = re.findall(r'<script type="application/json">(.*?)</script>', section)
    assert json.loads(data)["golden"] == golden.points
    cells = [html.unescape(cell) for cell in re.findall("<td>(.*?)</td>", section)]
    assert cells == [cell for row in golden.rows for cell in row]
    for script in re.findall(r'src="\.\./(.*?)"', section):
        assert (site / script).is_file()


def test_only_pages_with_a_widget_load_its_scripts(site: Path) -> None:
    with_widget = {
        path.stem
        for path in site.rglob("*.html")
        if re.search(r'src="[^"]*js/widgets/', path.read_text(encoding="utf-8"))
    }
    assert with_widget == set(STEMS)


def test_text_cannot_end_the_json(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = {"next_byte": [{"prompt": "</script><b>", "logits": [0.0, 1.0]}] * 3}
    monkeypatch.setattr(widgets_trained, "record", lambda: hostile)
    shown = widgets.html("sampling", "")
    assert "<b>" not in shown
    [data] = re.findall(r'<script type="application/json">(.*?)</script>', shown)
    assert json.loads(data)["next_byte"] == hostile["next_byte"]


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (
            "equations/rope.md",
            "{{ widget router }}",
            "belongs on docs/equations/router",
        ),
        ("equations/linear.md", "{{ widget linear }}", "no widget for 'linear'"),
        ("index.md", "{{ widget rope }}", "only a page in docs/equations/"),
        ("equations/rope.md", "{{ widget }}", "widget takes 1 argument"),
    ],
)
def test_mistake_in_the_placeholder(path: str, text: str, said: str) -> None:
    with pytest.raises(SiteError, match=said):
        expand(Page(path), text)


def test_tokens_choose_their_likeliest_expert() -> None:
    probabilities, indices = widgets_golden.routing([3, 0, 2], 0.6)
    assert indices.ravel().tolist() == [0, 0, 0, 2, 2]
    np.testing.assert_array_equal(probabilities.argmax(axis=1), indices.ravel())
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_penalty_and_decay_differ_and_agree_without() -> None:
    settings = widgets_golden.optimisers().points[0]["settings"]

    def end(**kind: float) -> Array:
        return widgets_golden.adam_path(settings, **kind)[-1]

    assert not np.allclose(
        end(decay=0.3, penalty=0), end(decay=0, penalty=0.3), atol=0.05
    )
    still = {**settings, "steep": 1, "steps": 3000, "sgd_rate": 0.1}
    # SGD with a penalty ends where gradient and penalty cancel.
    penalised = widgets_golden.MINIMUM / (1 + settings["decay"])
    np.testing.assert_allclose(widgets_golden.sgd_path(still)[-1], penalised)


def test_scripts_are_short() -> None:
    for path in (ROOT / "docs/assets/js/widgets").glob("*.js"):
        assert path.read_text(encoding="utf-8").count("\n") < LINES, path


def test_scripts_and_styles_lose_only_comments(tmp_path: Path) -> None:
    files = {
        "assets/js/a.js": ("// Why.\n\n  f(1); // [8a]\n", "f(1); // [8a]"),
        "assets/js/widgets/b.js": ("  g(\n    2);\n", "g(\n2);"),
        "assets/css/c.css": (
            "/* One\n  rule. */\n.a {\n  top: 0;\n}\n",
            ".a {\ntop: 0;\n}",
        ),
        "assets/stylesheets/palette.1.min.css": (
            "a{top:0}[data-md-color-primary=red]{--x:1}"
            "[data-md-color-scheme=slate]{--x:2}",
            "a{top:0}[data-md-color-scheme=slate]{--x:2}",
        ),
        "assets/stylesheets/main.1.min.css": (
            "a{top:0}.b .tabbed-set,.tabbed-x{top:1}@media print{.tabbed-y{top:2}"
            ".grid>.tabbed-set,.c{top:3}}",
            "a{top:0}@media print{.grid>.tabbed-set,.c{top:3}}",
        ),
        "assets/javascripts/theirs.js": ("// Kept.\n", "// Kept.\n"),
    }
    for name, (before, _) in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(before, encoding="utf-8")
    compact.compact(tmp_path)
    for name, (_, after) in files.items():
        assert (tmp_path / name).read_text(encoding="utf-8") == after, name


def test_model_is_not_changed_by_looking() -> None:
    model: Model = make()
    before = model.parameters.flat.copy()
    trained_example.look_inside(model, IDS[:1])
    np.testing.assert_array_equal(model.parameters.flat, before)
