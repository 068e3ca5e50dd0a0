"""What the command lines share."""

import signal
from collections.abc import Callable

import pytest
from console import Parser, deferred_interrupt, run_main


def test_the_first_ctrl_c_waits_and_the_second_does_not() -> None:
    before = signal.getsignal(signal.SIGINT)
    with deferred_interrupt() as pressed:
        assert not pressed()
        signal.raise_signal(signal.SIGINT)
        assert pressed()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_handler_is_restored_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), deferred_interrupt():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def fail_with(error: BaseException) -> Callable[[], int]:
    def main() -> int:
        raise error

    return main


@pytest.mark.parametrize(
    ("main", "code", "said"),
    [
        (lambda: 0, 0, ""),
        (lambda: 3, 3, ""),
        (fail_with(KeyboardInterrupt()), 130, "\ninterrupted\n"),
        (fail_with(MemoryError("5 GiB")), 1, "out of memory: 5 GiB\n"),
    ],
    ids=["success", "failure", "Ctrl-C", "memory"],
)
def test_the_exit_code_says_how_it_ended(
    main: Callable[[], int], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        run_main(main)
    assert left.value.code == code
    assert capsys.readouterr().err == said


def test_an_error_of_the_program_itself_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        run_main(fail_with(KeyError("bug")))
    with pytest.raises(KeyError), Parser("").bad_input():
        raise KeyError("bug")


def test_bad_input_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser("")
    with pytest.raises(SystemExit) as left, parser.bad_input():
        raise ValueError("two\nlines")
    assert left.value.code == 2
    expected = f"{parser.prog}: error: two lines (--help shows all options)\n"
    assert capsys.readouterr().err == expected
