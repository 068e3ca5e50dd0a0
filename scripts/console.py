"""What the command lines share: arguments, one-line errors, a gentle Ctrl-C."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from moe import CheckpointError
from moe.validation import integer, real

# Exit code after Ctrl-C, as shells have it: 128 + SIGINT.
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """Arguments of a script; its help ends with examples.

    Errors are one line on stderr and exit code 2.
    """

    def __init__(self, description: str | None) -> None:
        """Show a module's docstring as it is written: summary, then examples."""
        super().__init__(
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Report bad input and leave."""
        line = " ".join(message.split())
        self.exit(2, f"{self.prog}: error: {line} (--help shows all options)\n")

    @contextmanager
    def bad_input(self) -> Iterator[None]:
        """Report what the body finds wrong with files and values as bad input."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            self.error(f"{error.filename}: {reason}" if error.filename else reason)
        except (CheckpointError, ValueError) as error:
            self.error(str(error))


def whole_number(least: int) -> Callable[[str], int]:
    """Type of an argument: an integer of at least `least`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
            integer("value", value, least)
        except ValueError:
            message = f"must be an integer of at least {least}, got {text!r}"
            raise argparse.ArgumentTypeError(message) from None
        return value

    return parse


def number(interval: str) -> Callable[[str], float]:
    """Type of an argument: a number in an interval such as `"(0, 1]"`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
            real("value", value, interval)
        except ValueError:
            message = f"must be a number in {interval}, got {text!r}"
            raise argparse.ArgumentTypeError(message) from None
        return value

    return parse


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Let the body finish a step before Ctrl-C takes effect.

    Yields:
        A function that says whether Ctrl-C was pressed. Pressed a second time, it
        interrupts at once.
    """
    pressed = False

    def remember(signum: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def run_main(main: Callable[[], int]) -> NoReturn:
    """Exit with the code that `main` returns; say in one line why it did not."""
    # Sample text may hold letters that this console cannot show.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = main()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        code = INTERRUPTED
    except BrokenPipeError:  # who reads the output, such as `head`, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except MemoryError as error:
        print(f"out of memory: {error}", file=sys.stderr)
        code = 1
    sys.exit(code)
