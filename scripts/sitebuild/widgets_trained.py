"""The numbers behind the widgets of a trained model: sampling, attention, router.

The model's scores come from the record of `scripts/trained_example.py`; what becomes of
them is computed here, by the shipped functions.
"""

import json
from functools import cache
from typing import Any

import numpy as np

from moe.arrays import Array
from moe.equations.attention import causal_mask
from moe.equations.router import router
from moe.equations.sampling import temperature, top_p
from moe.equations.softmax import softmax
from sitebuild.code import ROOT
from sitebuild.widgets_golden import Golden, Settings, points_at

RECORD = ROOT / "benchmarks/results/trained_example.json"
# Of a score on a page: a weight then has three sure digits, and two are shown.
DIGITS = 4


@cache
def record() -> dict[str, Any]:
    """What the script saw in the trained model."""
    found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


def sampling() -> Golden:
    contexts = record()["next_byte"]

    def values(settings: Settings) -> dict[str, Array]:
        logits = np.array(contexts[int(settings["prompt"])]["logits"])
        probabilities = temperature(logits, settings["temperature"])
        q = top_p(probabilities, settings["p"])
        return {"probabilities": probabilities, "q": q}

    points = points_at(
        values,
        {"prompt": 1, "temperature": 0.8, "p": 0.9},
        {"prompt": 0, "temperature": 0, "p": 0.5},
    )
    p, q = (np.array(points[0]["values"][name]) for name in ("probabilities", "q"))
    best = np.argsort(-p, kind="stable")[:12]
    return Golden(
        "The next byte, as the trained model expects it",
        points,
        f"After “{contexts[1]['prompt']}”, with temperature 0.8 and P = 0.9, by NumPy",
        ("Byte", "Probability p", "After top-p, q"),
        [(_sign(byte), f"{p[byte]:.4f}", f"{q[byte]:.4f}") for byte in best],
        {"next_byte": contexts},
    )


def attention() -> Golden:
    example = record()
    text = example["text"]
    scores = [
        [
            [[float(f"{score:.{DIGITS}g}") for score in row] for row in head]
            for head in layer
        ]
        for layer in example["attention_scores"]
    ]

    def values(settings: Settings) -> dict[str, Array]:
        rows = scores[int(settings["layer"])][int(settings["head"])]
        square = np.zeros((len(text), len(text)))
        for t, row in enumerate(rows):
            square[t, : t + 1] = row
        weights, _ = softmax(square + causal_mask(*square.shape))
        return {"row": weights[int(settings["token"])]}

    points = points_at(
        values,
        {"layer": 1, "head": 0, "token": 19},
        {"layer": 0, "head": 2, "token": 0},
        {"layer": 0, "head": 3, "token": 23},
    )
    row = points[0]["values"]["row"]
    return Golden(
        "What a head of the trained model reads",
        points,
        f"“{text}”: weights of byte 19 in layer 1, head 0, by NumPy",
        ("Key", "Byte", "Weight"),
        [(str(s), _sign(ord(text[s])), f"{row[s]:.4f}") for s in range(20)],
        {"text": text, "attention_scores": scores},
    )


def expert_choice() -> Golden:
    example = record()
    text, logits = example["text"], np.array(example["router_logits"])

    def values(settings: Settings) -> dict[str, Array]:
        of_layer = logits[int(settings["layer"])]
        weights, indices, probabilities, _ = router(of_layer, int(settings["top_k"]))
        return {
            "weights": weights,
            "indices": indices,
            "probabilities": probabilities,
        }

    points = points_at(
        values,
        {"layer": 0, "top_k": example["top_k"], "token": 13},
        {"layer": 1, "top_k": 3, "token": 23},
    )
    weights, indices, _, _ = router(logits[0], example["top_k"])
    return Golden(
        "Which experts of the trained model see which byte",
        points,
        f"“{text}”: experts and weights in layer 0, by NumPy",
        ("Byte", "First expert", "Weight", "Second expert", "Weight"),
        [
            (
                _sign(ord(text[t])),
                str(indices[t, 0]),
                f"{weights[t, 0]:.3f}",
                str(indices[t, 1]),
                f"{weights[t, 1]:.3f}",
            )
            for t in range(len(text))
        ],
        {"text": text, "router_logits": logits.tolist()},
    )


def _sign(byte: int) -> str:
    """A byte as one sign that can be seen."""
    seen = {32: "␣", 10: "↵"}
    return seen.get(byte) or (chr(byte) if 32 < byte < 127 else f"{byte:x}")
