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


def test_commits_are_measured_from_the_oldest_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(history, "ROOT", tmp_path)
    for name in ("author", "committer"):
        monkeypatch.setenv(f"GIT_{name.upper()}_NAME", name)
        monkeypatch.setenv(f"GIT_{name.upper()}_EMAIL", f"{name}@example.org")
    history.git("init", "-q")
    for year in (2024, 2025, 2026):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{year}-01-01T00:00:00Z")
        history.git("commit", "-q", "--allow-empty", "-m", str(year))
        history.git("tag", f"y{year}")
    measured: list[str] = []
    monkeypatch.setattr(history, "measure", lambda c: (measured.append(c), {}))
    monkeypatch.setattr(history, "keep", lambda row: None)
    monkeypatch.setattr("sys.argv", ["history.py", "y2025", "y2024", "y2026"])
    assert history.main() == 0
    assert measured == [
        history.git("rev-parse", f"y{year}") for year in (2024, 2025, 2026)
    ]
