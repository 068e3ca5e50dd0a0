"""The history of speed: a row for each commit and reference."""

import json
from pathlib import Path

import history
import pytest


def row(commit: str, reference: str, ratio: float) -> dict[str, object]:
    return {"commit": commit, "reference": reference, "ratio": ratio}


def test_a_row_is_kept_until_it_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    rows = [row("a", "x", 3.0), row("b", "x", 2.0), row("a", "y", 4.0)]
    for one in rows:
        history.keep(one, path)
    history.keep(row("a", "x", 3.5), path)
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    assert kept == [*rows[1:], row("a", "x", 3.5)]
    assert [p.name for p in tmp_path.iterdir()] == ["history.jsonl"]


def test_unknown_commit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["history.py", "no-such-commit"])
    with pytest.raises(SystemExit) as stopped:
        history.main()
    assert stopped.value.code == 2
    assert "git knows no commit 'no-such-commit'" in capsys.readouterr().err
