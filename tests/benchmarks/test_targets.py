"""A target is met only where the measurement says so."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import synthetic

from benchmarks.reports.sources import Results
from benchmarks.reports.targets import TARGETS, table_of

Files = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def synthetic_files() -> Files:
    return synthetic.all_results()


@pytest.fixture
def files(synthetic_files: Files) -> Files:
    return copy.deepcopy(synthetic_files)


def judged(files: Files, folder: Path) -> dict[tuple[str, str], str]:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    lines = table_of(Results(folder)).splitlines()[2:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert len(cells) == len(TARGETS)
    return {(row[0], row[1]): row[5] for row in cells}


def change(files: Files, scenario: str, peer: str, ratio: float) -> None:
    rows = files["peers"]["comparisons"]
    place = [(row["scenario"], row["baseline"]) for row in rows].index((scenario, peer))
    rows[place] = synthetic.comparison(scenario, peer, ratio)


@pytest.mark.parametrize(
    ("scenario", "peer", "ours_over_its", "met"),
    [
        ("dispatch_warm", "jax", 0.9, "met"),
        ("dispatch_warm", "jax", 1.0, "missed"),
        ("dispatch_warm", "jax", 1.1, "missed"),
        ("scale_train_256", "jax", 1.0, "met"),
        ("scale_train_256", "jax", 0.9, "met"),
        ("scale_train_256", "jax", 1.1, "missed"),
        ("decode_128", "torch", 1 / 3.1, "met"),
        ("decode_128", "torch", 1 / 2.9, "missed"),
    ],
)
def test_against_a_library(
    files: Files,
    tmp_path: Path,
    scenario: str,
    peer: str,
    ours_over_its: float,
    met: str,
) -> None:
    change(files, scenario, peer, ours_over_its)
    assert judged(files, tmp_path)[scenario, f"{peer}: its time over ours"] == met


@pytest.mark.parametrize(
    ("scenario", "most"),
    [
        ("dispatch_warm", 1.70),
        ("mem_train_step", 2.00),
        ("scale_forward_256", 1.15),
        ("scale_train_256", 1.25),
    ],
)
@pytest.mark.parametrize(
    ("low", "high", "met"),
    [(-0.1, 0.0, "met"), (-0.1, 0.01, "unresolved"), (0.01, 0.1, "missed")],
)
def test_against_a_floor(
    files: Files,
    tmp_path: Path,
    scenario: str,
    most: float,
    low: float,
    high: float,
    met: str,
) -> None:
    limits = files["main"]["scenarios"][scenario]["limits"]
    limits["ratio_interval"] = [most + low, most + high]
    assert judged(files, tmp_path)[scenario, "products and optimiser alone"] == met


@pytest.mark.parametrize(("activations", "met"), [(1100000, "met"), (1e6, "missed")])
def test_memory(files: Files, tmp_path: Path, activations: float, met: str) -> None:
    limits = files["main"]["scenarios"]["mem_train_step"]["limits"]
    limits["activation_bytes"] = activations
    named = "mem_train_step", "peak memory over the activations"
    assert judged(files, tmp_path)[named] == met


@pytest.mark.parametrize(
    ("low", "high", "met"),
    [(1.2, 1.3, "met"), (1.2, 1.31, "unresolved"), (1.31, 1.4, "missed")],
)
def test_cold_start(
    files: Files, tmp_path: Path, low: float, high: float, met: str
) -> None:
    found = files["main"]["scenarios"]["dispatch_cold"]["over_numpy"]
    found["interval"] = [low, high]
    assert (
        judged(files, tmp_path)["dispatch_cold", "interpreter with NumPy alone"] == met
    )


@pytest.mark.parametrize(
    ("file", "series", "work", "most"),
    [
        ("main", "batch", "forward against batch", 1),
        ("main", "seq", "forward against length", 2),
        ("hidden", "hidden_forward", "forward against hidden size", 2),
        ("hidden", "hidden_train", "train against hidden size", 2),
    ],
)
def test_growth(
    files: Files, tmp_path: Path, file: str, series: str, work: str, most: float
) -> None:
    for exponent, met in ((most, "met"), (most + 0.01, "missed")):
        files[file]["scaling"][series]["exponent"] = exponent
        assert judged(files, tmp_path)[work, "exponent"] == met


def test_a_peer_that_is_missing_meets_nothing(files: Files, tmp_path: Path) -> None:
    rows = files["peers"]["comparisons"]
    place = [(r["scenario"], r["baseline"]) for r in rows].index(
        ("mem_train_step", "jax")
    )
    rows[place] = synthetic.skipped("mem_train_step", "jax")
    named = "mem_train_step", "jax: its time over ours"
    assert judged(files, tmp_path)[named] == "not measured"


@pytest.mark.parametrize("scenario", ["dispatch_warm", "scale_train_256"])
def test_a_wide_interval_settles_nothing(
    files: Files, tmp_path: Path, scenario: str
) -> None:
    change(files, scenario, "jax", 0.97)
    rows = files["peers"]["comparisons"]
    (row,) = (r for r in rows if (r["scenario"], r["baseline"]) == (scenario, "jax"))
    row |= {"interval": [0.9, 1.05], "verdict": "unresolved"}
    named = scenario, "jax: its time over ours"
    assert judged(files, tmp_path)[named] == "unresolved"
