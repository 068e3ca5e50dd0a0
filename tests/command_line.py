"""Run a script: in a process of its own as its user does, or quickly in this one."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
# Importable from any folder, installed or not.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def command(script: str, *arguments: object) -> list[str]:
    """The command line of `scripts/<script>`, with warnings as errors."""
    path = str(ROOT / "scripts" / script)
    return [sys.executable, "-W", "error", path, *map(str, arguments)]


def run(
    script: str, *arguments: object, cwd: Path, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run to the end in a new process and check the exit code."""
    result = subprocess.run(
        command(script, *arguments),
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    assert result.returncode == code, result.stderr
    return result


def interrupt(
    script: str, *arguments: object, cwd: Path, when: str, signal: int
) -> tuple[int, str]:
    """Send a signal once stderr matches a pattern; return exit code and stderr."""
    with subprocess.Popen(
        command(script, *arguments), cwd=cwd, env=ENVIRONMENT, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        said = b""
        while not re.search(when.encode(), said):
            said += (piece := os.read(process.stderr.fileno(), 4096))
            assert piece, f"ended before {when}: {said.decode()}"
        process.send_signal(signal)
        said += process.stderr.read()
    return process.returncode, said.decode()


class Terminal:
    """Call the `main` of a script in this process, from a folder."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def run(self, script: ModuleType, *arguments: object, code: int = 0) -> str:
        """Check the exit code and return what it prints."""
        words = [f"{script.__name__}.py", *map(str, arguments)]
        self._monkeypatch.setattr(sys, "argv", words)
        assert script.main() == code
        return self._capsys.readouterr().out

    def refused(self, script: ModuleType, *arguments: object) -> str:
        """Return the one line with which it refuses bad input."""
        words = [f"{script.__name__}.py", *map(str, arguments)]
        self._monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as left:
            script.main()
        assert left.value.code == 2
        out, err = self._capsys.readouterr()
        assert out == ""
        assert err.startswith(f"{words[0]}: error: ")
        assert err.count("\n") == 1
        return err
