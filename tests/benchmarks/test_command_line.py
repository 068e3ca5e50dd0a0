"""What the user types, sees and gets back; measuring itself is faked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import synthetic
from synthetic import saved

from benchmarks.command_line import main
from benchmarks.errors import OK, USAGE
from benchmarks.processes import ROOT
from benchmarks.scenarios import ALL, SCENARIOS


def test_all_22_scenarios_table_and_json(
    lab: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == OK
    out, err = capsys.readouterr()
    assert all(f"\n{name} " in out for name in SCENARIOS)
    assert err == ""  # the progress bar is silent where there is no terminal
    result = saved()
    assert result["publishable"]
    assert list(result["scenarios"]) == list(SCENARIOS)
    assert len(SCENARIOS) == 22
    assert {s["status"] for s in result["scenarios"].values()} == {"stable"}
    assert lab.count("time mem_train_step") == 12
    assert not list(Path("runs").glob("*.journal.jsonl"))


def test_the_original_ids_are_kept() -> None:
    sizes = {"batch": (1, 2, 4, 8), "seq": (8, 16, 32, 64)}
    ids = ["mem_train_step"]
    ids += [f"mem_scale_{kind}_{n}" for kind, of in sizes.items() for n in of]
    ids += ["kernel_matmul", "kernel_softmax", "kernel_rmsnorm"]
    ids += ["dispatch_warm", "dispatch_cold"]
    ids += [f"parallel_T{n}" for n in (1, 2, 4)]
    ids += [f"parallel_train_T{n}" for n in (1, 2, 4)]
    ids += ["scale_forward_256", "scale_train_256"]
    assert list(SCENARIOS) == ids


def test_order_is_shuffled_in_every_round_and_by_seed(lab: list[str]) -> None:
    main([])
    times = [line for line in lab if line.startswith("time")]
    rounds = [times[i : i + 22] for i in range(0, len(times), 22)]
    assert len({tuple(r) for r in rounds}) == 12
    assert all(sorted(r) == sorted(rounds[0]) for r in rounds)
    first = list(lab)
    lab.clear()
    main(["--seed", "1"])
    assert lab != first


def test_raw_values_are_written_as_pyperf_does(lab: list[str]) -> None:
    import pyperf

    main(["--only", "dispatch_warm"])
    suite = pyperf.BenchmarkSuite.load("runs/bench.pyperf.json")
    (benchmark,) = suite.get_benchmarks()
    assert benchmark.get_name() == "dispatch_warm"
    assert len(benchmark.get_runs()) == 12
    best = saved()["scenarios"]["dispatch_warm"]["time"]["per_process"]
    assert [min(r.values) for r in benchmark.get_runs()] == pytest.approx(best)


def test_quick_is_marked(lab: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--only", "dispatch_warm"]) == OK
    assert "quick: for orientation only" in capsys.readouterr().out
    result = saved()
    assert result["quick"]
    assert not result["publishable"]


def test_results_name_neither_host_nor_user(
    lab: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import getpass
    import platform

    main(["--only", "dispatch_warm", "kernel_softmax"])
    written = [path.read_text() for path in Path("runs").glob("*.json")]
    assert len(written) == 2
    for text in written:
        assert f'"{platform.node()}"' not in text
        assert f'"{getpass.getuser()}"' not in text
        assert str(Path.home()) not in text
        assert "hostname" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "nothing"], "unknown scenario 'nothing'"),
        (["--axis", "nowhere"], "invalid choice: 'nowhere'"),
        (["--axis", "memory", "--only", "dispatch_warm"], "none of dispatch_warm"),
        (["--peers", "tensorflow"], "unknown peer 'tensorflow'"),
        (["--peers", "jax", "--only", "kernel_matmul"], "kernel_matmul has no peers"),
        (["--peers", "jax", "--only", "parallel_T1"], "they run in one process"),
        (["--against", "no-such-commit"], "git knows no commit 'no-such-commit'"),
        (["--compare", "a.json", "b.json"], "there is no file a.json"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
        (["--self-test", "0"], "--self-test must be at least 1, got 0"),
        (["--threads", "1"], "--threads must be from 2 to"),
        (["--tricks", "magic"], "unknown trick 'magic'; there are kept-memory"),
        (["--tricks", "all", "--axis", "scale"], "--tricks has its own scenarios"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["--list", "--quick", "surplus"], "unrecognized arguments: surplus"),
    ],
)
def test_a_wrong_command_line_is_one_clear_line(
    lab: list[str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    assert status == USAGE
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert lab == []


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "python scripts/bench.py --quick" in capsys.readouterr().out


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == OK
    out = capsys.readouterr().out
    assert all(name in out for name in ALL)


def test_comparing_files_says_what_may_be_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = synthetic.measured([SCENARIOS["dispatch_warm"], SCENARIOS["kernel_softmax"]])
    new = json.loads(json.dumps(old))
    time = new["scenarios"]["dispatch_warm"]["time"]
    time["best"] *= 0.7
    time["interval"] = [0.7 * bound for bound in time["interval"]]
    for name, result in (("old", old), ("new", new)):
        (tmp_path / f"{name}.json").write_text(json.dumps(result))
    paths = [str(tmp_path / "old.json"), str(tmp_path / "new.json")]
    assert main(["--compare", *paths]) == OK
    out = capsys.readouterr().out
    assert "ratio 0.700  faster" in out
    assert "ratio 1.000  unresolved" in out
    new["environment"]["cpu"]["model"] = "Napier's bones"
    (tmp_path / "new.json").write_text(json.dumps(new))
    main(["--compare", *paths])
    out = capsys.readouterr().out
    assert "cpu model: Abacus and Napier's bones" in out
    assert "faster" not in out


def test_the_parent_stays_thin() -> None:
    code = (
        "import sys, benchmarks.command_line, benchmarks.suite; "
        "sys.exit('numpy' in sys.modules or 'moe' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
