"""Worked examples: every line of a function shows what it made."""

import ast
import re
import sys
import unicodedata
from collections import defaultdict
from types import FrameType
from typing import Any

import numpy as np
import pytest
from sitebuild import code, example, recording, symbols
from sitebuild.pipeline import DOCS

from moe.registry import ENTRIES

FENCE = re.compile(r"^```example\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(
    r'<li class="step trace-row" id="[\w-]+-line-(\d+)"(.*?)</li>', re.DOTALL
)
# For functions that the example of no page calls.
MORE = {
    "attention": """
import numpy as np
from moe.equations.attention import fold_heads, unfold_heads
unfold_heads(fold_heads(np.arange(8.0).reshape(1, 2, 2, 2), 1), 2)
""",
    "rope": """
import numpy as np
from moe.equations.rope import ntk_base, quarter_turn, rope_frequencies
rope_frequencies(4, ntk_base(10000.0, alpha=4.0, width=4))
quarter_turn(np.array([[3.0, 4.0]]))
""",
    "sampling": """
import numpy as np
from moe.equations.sampling import greedy, renormalise, temperature, top_k
temperature(np.array([1.0, 2.0, 4.0]), 0.0)
probabilities = greedy(np.array([1.0, 2.0, 4.0]))
renormalise(top_k(probabilities, 2), np.array([2, 1]))
""",
    "schedule": """
from moe.equations.schedule import cosine_decay, learning_rate, linear_warmup
linear_warmup(1, base=0.1, warmup=4)
cosine_decay(6, base=0.1, minimum=0.02, warmup=4, total=8)
learning_rate(1, base=0.1, minimum=0.02, warmup=4, total=8)
learning_rate(6, base=0.1, minimum=0.02, warmup=4, total=8)
""",
    "swiglu": """
import numpy as np
from moe.equations.swiglu import gated_silu, gated_silu_backward
h, cache = gated_silu(np.array([[1.0, 2.0]]))
gated_silu_backward(h, cache)
""",
}


def sources(stem: str) -> list[str]:
    """Examples of the page, and what they leave out."""
    page = (DOCS / "equations" / f"{stem}.md").read_text(encoding="utf-8")
    return FENCE.findall(page) + ([MORE[stem]] if stem in MORE else [])


def executed(source: str, stem: str) -> list[tuple[str, set[int]]]:
    """Name and executed lines of every function of the stem that the source calls."""
    calls: list[tuple[str, set[int]]] = []

    def on_call(frame: FrameType, event: str, _: Any) -> Any:
        inside = frame.f_globals.get("__name__") == f"moe.equations.{stem}"
        if not inside or frame.f_back.f_code.co_filename != "<source>":
            return None
        lines: set[int] = set()
        calls.append((frame.f_code.co_name, lines))

        def on_line(frame: FrameType, event: str, _: Any) -> Any:
            lines.add(frame.f_lineno)
            return on_line

        return on_line

    compiled = compile(source, "<source>", "exec")
    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        exec(compiled, {})
    finally:
        sys.settrace(before)
    return calls


def makes_something(line: str) -> bool:
    """Whether a line computes: no head of a block, and more than names to return.

    Exceptions: the slice that says how far the loop of AdamW is, and unpacked caches.
    """
    if line.endswith(":") or "= slice(" in line:
        return False
    (statement,) = ast.parse(line).body
    if line.endswith("= cache"):
        names = [n.id for n in ast.walk(statement.targets[0]) if hasattr(n, "id")]
        return not all(name.endswith("_cache") for name in names)
    if not isinstance(statement, ast.Return):
        return True
    returned = statement.value
    parts = returned.elts if isinstance(returned, ast.Tuple) else [returned]
    return not all(isinstance(part, ast.Name | ast.Tuple) for part in parts)


@pytest.mark.parametrize("stem", dict.fromkeys(entry.stem for entry in ENTRIES))
def test_every_executed_line_shows_what_it_made(stem: str) -> None:
    names = symbols.code_names(stem)
    seen: dict[str, set[int]] = defaultdict(set)
    for source in sources(stem):
        sections = example.worked(source, stem, names, "example").split("</section>")
        for (name, lines), html in zip(
            executed(source, stem), sections[:-1], strict=True
        ):
            rows = dict(ROW.findall(html))
            text = dict(code.function(f"moe.equations.{stem}", name).lines)
            for number in lines:
                line = text[number].partition("#")[0].strip()
                shown = '<div class="trace-value">' in rows.get(str(number), "")
                assert shown == makes_something(line), f"{name}: {line}"
            seen[name] |= lines
    wanted = {n for entry in ENTRIES if entry.stem == stem for n in entry.functions}
    assert wanted <= seen.keys()


@pytest.mark.parametrize(
    ("stem", "calls", "last"),
    [
        ("rope", "rope_frequencies(4, 100.0)", ["pairs = [01]", "θ = [10.1]"]),
        ("rope", "ntk_base(10.0, 4.0, 4)", ["b′ = 160"]),
        ("schedule", "linear_warmup(1, 0.1, 4)", ["ηt = 0.025"]),
        ("schedule", "learning_rate(1, 0.1, 0, 4, 8)", ["returns 0.025"]),
        (
            "rope",
            "rope_tables(np.array([0]), np.array([1.0]), float)",
            ["angles = [00]", "cos = [11]", "sin = [00]"],
        ),
        (
            "embedding",
            "_, cache = embedding(np.array([0]), np.ones((2, 1)))\n"
            "embedding_backward(np.ones((1, 1)), cache)",
            ["dweight = 2 × 1, not yet written", "dweight = [00]", "dweight = [10]"],
        ),
        ("clipping", "clip_factor([np.array([3.0, 4])], 1)", ["factor = 0.2"]),
        (
            "balance",
            "_, cache = balance(np.ones((1, 2)), np.array([[1]]), 1)\n"
            "balance_backward(1, cache)",
            ["row = [02]", "dprobabilities = [02]"],
        ),
    ],
)
def test_last_values(stem: str, calls: str, last: list[str]) -> None:
    source = f"import numpy as np\nfrom moe.equations.{stem} import *\n{calls}\n"
    html = example.worked(source, stem, {}, "example")
    values = re.findall(r'<div class="trace-value">(.*?)</div>', html)
    upright = unicodedata.normalize("NFKC", re.sub(r"<[^>]*>", "", "\n".join(values)))
    assert upright.split("\n")[-len(last) :] == last


def test_example_records_what_each_line_made() -> None:
    source = (
        "import numpy as np\n"
        "from moe.equations.rmsnorm import rmsnorm\n"
        "rmsnorm(np.array([[3.0, 4.0]]), np.array([1.0, 2.0]), eps=0.0)\n"
    )
    (call,) = recording.follow(source, "rmsnorm")
    text = dict(call.function.lines)
    made = {text[n].split("=")[0].strip(): v for n, v in call.values.items()}
    assert made["s"]["s"] == 12.5
    assert made["y"]["y"] == pytest.approx(np.array([[3, 4]]) / 12.5**0.5)
    # In place: the line changed what it did not create.
    assert made["y *"]["y"] == pytest.approx(np.array([[3, 8]]) / 12.5**0.5)


def test_example_follows_no_function_of_a_function() -> None:
    source = (
        "import numpy as np\n"
        "from moe.equations.swiglu import swiglu\n"
        "swiglu(np.ones((1, 2)), np.ones((2, 2)), np.ones((2, 1)))\n"
    )
    assert [c.function.name for c in recording.follow(source, "swiglu")] == ["swiglu"]
