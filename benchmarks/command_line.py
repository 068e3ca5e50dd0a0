"""The command line of `scripts/bench.py`."""

import argparse
import contextlib
import os
import shlex
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from benchmarks import plans, sessions, tricks
from benchmarks.budget import BUSIEST_START, FULL, QUICK
from benchmarks.errors import (
    INTERRUPTED,
    OK,
    REFUSED,
    USAGE,
    BenchmarkError,
    UsageError,
)
from benchmarks.scenarios import AXES, select
from benchmarks.table import listing

DEFAULT_RESULT = Path("runs/bench.json")
WAIT_FOR_QUIET = 120  # seconds
LIBRARIES = ("jsonschema", "psutil", "pyperf", "threadpoolctl")

EXAMPLES = """\
examples:
  python scripts/bench.py --quick                     all 22 in under a minute
  python scripts/bench.py                             all 22, to be trusted
  python scripts/bench.py --only dispatch_warm kernel_softmax
  python scripts/bench.py --against HEAD~1            this tree against a commit
  python scripts/bench.py --peers torch,jax           against other libraries
  python scripts/bench.py --tricks all                what each trick is worth

exit status: 0 measured, 2 wrong command line, 3 refused (this machine is too noisy
now, or a check failed; the reasons are printed and kept in the JSON), 130 interrupted
(what is finished is kept; the same command within the hour goes on from there)
"""


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage of every option."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(USAGE, f"{self.prog}: {message}; see --help\n")


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = OneLineParser(
        prog="bench.py",
        description="Time the model: 22 scenarios on 5 axes, each in fresh processes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    modes = p.add_mutually_exclusive_group()
    modes.add_argument("--list", action="store_true", help="print the scenarios")
    modes.add_argument(
        "--compare",
        nargs=2,
        type=Path,
        metavar=("OLD", "NEW"),
        help="compare two result files",
    )
    modes.add_argument(
        "--against", metavar="COMMIT", help="compare with a commit, in lockstep"
    )
    modes.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="compare one thread of BLAS with N",
    )
    modes.add_argument(
        "--tricks",
        metavar="NAMES",
        help="compare with the code without each of these tricks, or all",
    )
    modes.add_argument(
        "--peers",
        metavar="NAMES",
        help=f"compare with libraries, in lockstep: {','.join(plans.PEERS)} or all",
    )
    modes.add_argument(
        "--self-test",
        type=int,
        metavar="N",
        help="compare the code with itself N times, and N times with 5 %% injected",
    )
    p.add_argument("--axis", choices=AXES, metavar="AXIS", help=", ".join(AXES))
    p.add_argument("--only", nargs="+", metavar="ID", help="these scenarios")
    p.add_argument("--quick", action="store_true", help="for orientation only")
    p.add_argument("--seed", type=int, default=0, help="of weights, inputs and order")
    p.add_argument(
        "--json",
        type=Path,
        default=DEFAULT_RESULT,
        metavar="PATH",
        help=f"where the result goes (default {DEFAULT_RESULT})",
    )
    return p


def wait_for_quiet() -> None:
    """Wait a little for the load to fall.

    Raises:
        BenchmarkError: If it does not.
    """
    allowed = BUSIEST_START * (os.cpu_count() or 1)
    end = time.monotonic() + WAIT_FOR_QUIET
    waiting = False
    while (load := os.getloadavg()[0]) > allowed:
        if time.monotonic() > end:
            raise BenchmarkError(
                f"refused: the load average is {load:.2f}, at most {allowed:.2f} is "
                "allowed; close what is running, or use --quick for orientation"
            )
        if not waiting:
            print(
                f"waiting for the load average ({load:.2f}) to fall to {allowed:.2f}, "
                f"at most {WAIT_FOR_QUIET} s",
                file=sys.stderr,
            )
            waiting = True
        time.sleep(1)


def require_libraries() -> None:
    """Raise before anything is measured if a library is missing that is needed later.

    Raises:
        ModuleNotFoundError: Naming it.
    """
    for name in LIBRARIES:
        import_module(name)


def recorded_command(argv: list[str]) -> str:
    """The command line for the result file, without the path of that file."""
    kept = list(argv)
    if "--json" in kept:
        place = kept.index("--json")
        del kept[place : place + 2]
    return shlex.join(["python", "scripts/bench.py", *kept])


def check_counts(arguments: argparse.Namespace) -> None:
    """Raise if a number is out of range.

    Raises:
        UsageError: Naming the option.
    """
    if arguments.seed < 0:
        raise UsageError(f"--seed must be at least 0, got {arguments.seed}")
    cores = os.cpu_count() or 1
    if arguments.threads is not None and not 2 <= arguments.threads <= cores:
        raise UsageError(
            f"--threads must be from 2 to {cores}, got {arguments.threads}"
        )
    if arguments.self_test is not None and arguments.self_test < 1:
        raise UsageError(f"--self-test must be at least 1, got {arguments.self_test}")


def run(arguments: argparse.Namespace, command: str) -> int:
    """Do what the command line says; return the exit status."""
    if arguments.list:
        print(listing())
        return OK
    if arguments.compare:
        return sessions.compare_files(*arguments.compare)
    check_counts(arguments)
    scenarios = select(arguments.axis, arguments.only)
    named = scenarios if arguments.axis or arguments.only else None
    with contextlib.ExitStack() as stack:
        plan: plans.Plan | None = None
        if arguments.peers:
            peers = plans.peer_names(arguments.peers)
            plan = plans.against_peers(plans.peer_steps(named), peers)
        elif arguments.against:
            commit = plans.resolve_commit(arguments.against)
            steps = plans.commit_steps(named)
            plan = stack.enter_context(plans.against_commit(steps, commit))
        elif arguments.threads is not None:
            plan = plans.with_threads(arguments.threads)
        elif arguments.tricks:
            if named is not None:
                raise UsageError(
                    "--tricks has its own scenarios, without --only, --axis"
                )
            chosen = tricks.named(arguments.tricks)
            plan = stack.enter_context(plans.against_tricks(chosen))
        require_libraries()
        if not arguments.quick:
            wait_for_quiet()
        budget = QUICK if arguments.quick else FULL
        session = sessions.Session(budget, arguments.seed, arguments.json, command)
        if arguments.self_test is not None:
            return session.test_itself(arguments.self_test)
        if plan is not None:
            return session.compare(plan)
        return session.measure(scenarios)


def main(argv: list[str] | None = None) -> int:
    """Entry point.

    Args:
        argv: Arguments; None for those of the process.

    Returns:
        Exit status, as `--help` says.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        return run(parser().parse_args(argv), recorded_command(argv))
    except UsageError as error:
        print(f"bench.py: {error}", file=sys.stderr)
        return USAGE
    except ModuleNotFoundError as error:
        install = 'pip install -e ".[bench]"'
        print(f"bench.py: {error.name} is missing: {install}", file=sys.stderr)
        return USAGE
    except BenchmarkError as error:
        print(f"bench.py: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("bench.py: interrupted", file=sys.stderr)
        return INTERRUPTED
