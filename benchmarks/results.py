"""Result files: one schema for all of them, checked on writing and on reading."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError, UsageError
from benchmarks.processes import ROOT

SCHEMA_VERSION = 1
SCHEMA = Path(__file__).with_name("result.schema.json")
RESULTS = ROOT / "benchmarks" / "results"


def validate(result: dict[str, Any], name: str) -> None:
    """Raise unless `result` is as `result.schema.json` says.

    Raises:
        BenchmarkError: Naming the first place that is wrong.
    """
    import jsonschema

    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    error = jsonschema.exceptions.best_match(validator.iter_errors(result))
    if error is not None:
        raise BenchmarkError(f"{name}: {error.json_path}: {error.message}")


def write_json(path: Path, value: object) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=1) + "\n")
    partial.replace(path)


def save(path: Path, result: dict[str, Any]) -> None:
    """Validate and write a result."""
    validate(result, str(path))
    write_json(path, result)


def load(path: Path) -> dict[str, Any]:
    """Read and validate a result.

    Raises:
        UsageError: If the file does not exist or is not JSON.
        BenchmarkError: If it is not a result.
    """
    try:
        result: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{path} is not JSON: {error}") from None
    validate(result, str(path))
    return result


def why_not_publishable(result: dict[str, Any]) -> list[str]:
    """Reasons against publishing a result; empty where there are none.

    Args:
        result: Content of a result file, `publishable` aside.

    Returns:
        One clause for each reason.
    """
    reasons = []
    if result["quick"]:
        reasons.append("measured with --quick")
    git = result["environment"]["git"]
    if git is None:
        reasons.append("the commit is unknown")
    elif git["dirty"]:
        reasons.append("the measured code differs from its commit")
    if result["interrupted"]:
        reasons.append("interrupted")
    for kind in ("self_test", "injected_test"):
        tests = result.get(f"{kind}s", [])
        failed = sum(not test["passed"] for test in tests)
        if failed:
            reasons.append(f"{failed} of {len(tests)} {kind.replace('_', '-')}s failed")
    for name, scenario in result.get("scenarios", {}).items():
        if scenario["status"] != "stable":
            why = "; ".join(scenario["reasons"])
            reasons.append(f"{name} is {scenario['status']}: {why}")
    for comparison in result.get("comparisons", []):
        if comparison.get("status") == "failed":
            reasons.append(f"{comparison['scenario']}: {comparison['reason']}")
    return reasons


def write_raw(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write every timed block as pyperf does, for `python -m pyperf stats` and others.

    Args:
        path: File to write.
        records: Of `suite.Journal`.
    """
    import pyperf

    runs: dict[str, list[Any]] = {}
    for record in records:
        if record["kind"] != "time":
            continue
        name, data = record["scenario"], record["data"]
        loops = data["loops"]
        metadata = {"name": name, "loops": loops, "attempt": record["attempt"]}
        values = [round(ns * 1e-9 / loops, 12) for ns in data["block_ns"]]
        run = pyperf.Run(values, metadata=metadata, collect_metadata=False)
        runs.setdefault(name, []).append(run)
    if runs:
        benchmarks = [pyperf.Benchmark(of_one) for of_one in runs.values()]
        pyperf.BenchmarkSuite(benchmarks).dump(str(path), replace=True)
