"""scripts/instructions.py on made-up counts: arithmetic, verdicts, what is refused."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import callgrind
import instructions
import pytest
from callgrind import Count, CountError
from command_line import Terminal, run

FORWARD, TRAIN = 10_000_000, 20_000_000
VERSIONS = {
    "python": "3.11.7",
    "numpy": "2.4.6",
    "kernel": "Haswell",
    "valgrind": "3.19.0",
}
# No tree of this repository has this id.
ABSENT = "0123456789" * 4
Counter = Callable[..., None]


@pytest.fixture
def terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    return Terminal(capsys, monkeypatch)


def counted(forward: int, train: int, **versions: str) -> Count:
    return Count({"forward": forward, "train": train}, VERSIONS | versions)


def record(package: str = ABSENT) -> dict[str, Any]:
    return {
        "commit": "abcdef0123" * 4,
        "package": package,
        "steps": {
            "forward": {"instructions": FORWARD},
            "train": {"instructions": TRAIN},
        },
        "versions": VERSIONS,
    }


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the record is, in order."""
    path = tmp_path / "instructions.json"
    path.write_text(json.dumps(record()))
    monkeypatch.setattr(instructions, "RECORD", path)
    return path


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """Say what will be counted, package by package."""

    def prepare(*expected: Count) -> None:
        def count(roots: list[Path]) -> list[Count]:
            assert all((root / "moe/model.py").exists() for root in roots)
            assert len(roots) == len(expected)
            return list(expected)

        monkeypatch.setattr(instructions, "count", count)

    return prepare


def test_start_up_drops_out() -> None:
    def total(steps: int) -> int:
        return 676_000_123 + steps * 11_000_456

    assert callgrind.per_step(total(callgrind.FEW), total(callgrind.MANY)) == 11_000_456


def test_the_total_is_read_from_the_file() -> None:
    profile = "events: Ir\nfn=(1) totals\n3 71\n\ntotals: 675931882\n"
    assert callgrind.total(profile) == 675_931_882
    with pytest.raises(CountError, match="no line `totals:`"):
        callgrind.total("events: Ir\n")


VERDICTS = {
    "same": (FORWARD, TRAIN, [], []),
    "4.9 % more": (10_490_000, 20_980_000, [], []),
    "forward 5 % more": (10_500_000, TRAIN, ["forward needs 5.0% more"], []),
    "train 7 % more": (FORWARD, 21_400_000, ["train needs 7.0% more"], []),
    "4.9 % fewer": (9_510_000, 19_020_000, [], []),
    "forward 5 % fewer": (9_500_000, TRAIN, [], ["forward needs 5.0% fewer"]),
    "both ways": (
        9_000_000,
        30_000_000,
        ["train needs 50.0% more"],
        ["forward needs 10.0% fewer"],
    ),
}


@pytest.mark.parametrize(
    ("forward", "train", "more", "fewer"), VERDICTS.values(), ids=VERDICTS.keys()
)
def test_verdict(forward: int, train: int, more: list[str], fewer: list[str]) -> None:
    now, then = counted(forward, train), counted(FORWARD, TRAIN)
    assert instructions.verdict(now, then) == (more, fewer)


def test_a_step_that_needs_more_fails_in_one_line(
    path: Path, counts: Counter, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    counts(counted(FORWARD, 21_400_000))
    code = instructions.check(instructions.load(path))
    out, err = capsys.readouterr()
    assert code == 1
    assert "ratio 1.070" in out
    assert err == (
        "instructions.py: train needs 7.0% more instructions than the code of commit "
        "abcdef0123ab; less than 5% is allowed\n"
    )


def test_a_step_that_needs_fewer_passes_and_says_so(
    path: Path, counts: Counter, terminal: Terminal
) -> None:
    counts(counted(9_000_000, TRAIN))
    said = terminal.run(instructions, "--check")
    assert "forward needs 10.0% fewer" in said
    assert "take the record anew" in said


def test_the_recorded_package_is_counted_beside_this_one(
    path: Path, counts: Counter, terminal: Terminal
) -> None:
    """Not the recorded counts: those are of another environment here."""
    command = ["git", "rev-parse", "HEAD:moe"]
    tree = subprocess.run(
        command, cwd=instructions.ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    path.write_text(json.dumps(record(tree)))
    other = {"python": "3.14.1"}
    counts(counted(3 * FORWARD, TRAIN, **other), counted(3 * FORWARD, TRAIN, **other))
    assert "ratio 1.000" in terminal.run(instructions, "--check")


def test_recorded_counts_serve_where_git_lacks_the_package(
    path: Path, counts: Counter, terminal: Terminal
) -> None:
    counts(counted(FORWARD, TRAIN, python="3.11.9"))
    assert "ratio 1.000" in terminal.run(instructions, "--check")


@pytest.mark.parametrize(
    "other",
    [{"python": "3.12.7"}, {"numpy": "2.5.0"}, {"kernel": "Zen"}, {"valgrind": "3.25"}],
    ids=lambda other: next(iter(other)),
)
def test_counts_of_another_environment_are_not_compared(
    path: Path, counts: Counter, terminal: Terminal, other: dict[str, str]
) -> None:
    counts(counted(FORWARD, TRAIN, **other))
    line = terminal.refused(instructions, "--check")
    assert "git fetch --unshallow" in line
    assert " ".join(next(iter(other.items()))) in line
    assert "cannot compare" in line


def test_what_is_written_can_be_read(
    path: Path, counts: Counter, terminal: Terminal
) -> None:
    path.unlink()
    counts(counted(FORWARD, TRAIN))
    terminal.run(instructions, "--json")
    written = instructions.load(path)
    assert instructions.recorded(written) == counted(FORWARD, TRAIN)
    assert written["steps"]["train"]["scenario"] == "mem_train_step"


DAMAGE: dict[str, tuple[str, str]] = {
    "cut off": (json.dumps(record())[:-9], "is not JSON"),
    "no object": ("[]", "is not of type 'object'"),
    "no step": (
        json.dumps(record() | {"steps": {"forward": {"instructions": 1}}}),
        "$.steps: 'train' is a required property",
    ),
    "no count": (
        json.dumps(record()).replace(str(TRAIN), '"many"'),
        "$.steps.train.instructions: 'many' is not of type 'integer'",
    ),
    "zero": (
        json.dumps(record()).replace(str(TRAIN), "0"),
        "$.steps.train.instructions: 0 is less than the minimum of 1",
    ),
    "no id": (json.dumps(record("--output=x")), "$.package: '--output=x' does not"),
}


@pytest.mark.parametrize(("text", "said"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_record(path: Path, terminal: Terminal, text: str, said: str) -> None:
    path.write_text(text)
    line = terminal.refused(instructions, "--check")
    assert said in line
    assert "take it anew with --json" in line


def test_no_record(path: Path, terminal: Terminal) -> None:
    path.unlink()
    assert "there is no instructions.json" in terminal.refused(instructions, "--check")


def test_valgrind_is_missing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install valgrind" in terminal.refused(instructions)


@pytest.mark.parametrize("here", [("Darwin", "x86_64"), ("Linux", "aarch64")])
def test_another_system(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, here: tuple[str, str]
) -> None:
    monkeypatch.setattr("platform.system", lambda: here[0])
    monkeypatch.setattr("platform.machine", lambda: here[1])
    assert f"this is {' '.join(here)}" in terminal.refused(instructions)


def test_a_library_is_missing(
    path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    line = terminal.refused(instructions, "--check")
    assert 'jsonschema is missing: pip install -e ".[bench]"' in line


def test_last_words_of_a_program_that_fails() -> None:
    program = "import sys; print('first', file=sys.stderr); sys.exit('last words')"
    with pytest.raises(CountError, match=r": last words$"):
        callgrind.output(sys.executable, "-c", program)
    with pytest.raises(CountError, match=r": exit code 3$"):
        callgrind.output(sys.executable, "-c", "import sys; sys.exit(3)")


def test_the_package_that_was_asked_for_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted as callgrind would: start-up, and a million for each step."""
    ran = []

    def output(*command: str, **options: Any) -> str:
        steps = int(command[-1])
        if command[0] == "valgrind":
            file = Path(command[2].removeprefix("--callgrind-out-file="))
            file.write_text(f"totals: {50_000_000 + steps * 1_000_000}\n")
            ran.append(steps)
        paths = options["env"]["PYTHONPATH"].split(":")
        return json.dumps({**VERSIONS, "package": f"{paths[0]}/moe"})

    monkeypatch.setattr(callgrind, "output", output)
    number, versions = callgrind.count_step("dispatch_warm", tmp_path, tmp_path)
    assert (number, versions) == (1_000_000, VERSIONS)
    assert ran == [callgrind.FEW, callgrind.MANY]

    elsewhere = json.dumps({"package": "/elsewhere/moe"})
    monkeypatch.setattr(callgrind, "output", lambda *command, **options: elsewhere)
    with pytest.raises(CountError, match=r"/elsewhere/moe was imported in place of"):
        callgrind.count_step("dispatch_warm", tmp_path, tmp_path)


def test_the_counted_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Really, in its bare environment; only valgrind is left out."""
    real, seen = callgrind.output, []

    def output(*command: str, **options: Any) -> str:
        if command[0] == "valgrind":
            file = Path(command[2].removeprefix("--callgrind-out-file="))
            file.write_text("totals: 1\n")
            return ""
        seen.append(options["env"])
        return real(*command, **options)

    monkeypatch.setattr(callgrind, "output", output)
    _, versions = callgrind.count_step("mem_train_step", callgrind.ROOT, tmp_path)
    assert versions.keys() == VERSIONS.keys() - {"valgrind"}
    assert versions["python"] == sys.version.split()[0]
    assert seen[0].keys() & {"HOME", "PATH", "PYTHONWARNINGS"} == set()


def test_bad_option_and_help(terminal: Terminal, tmp_path: Path) -> None:
    assert "--checks" in terminal.refused(instructions, "--checks")
    assert "not allowed with" in terminal.refused(instructions, "--check", "--json")
    text = run("instructions.py", "--help", cwd=tmp_path).stdout
    assert "python scripts/instructions.py --check" in text
