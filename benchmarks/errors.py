"""What can go wrong, and the exit status that says so."""

OK, REFUSED, USAGE, INTERRUPTED = 0, 3, 2, 130


class BenchmarkError(Exception):
    """A benchmark could not be run; one line says why."""


class UsageError(BenchmarkError):
    """The command line names something that does not exist."""


class MissingError(BenchmarkError):
    """A library is not installed; the line says which."""


class CheckError(BenchmarkError):
    """What was timed did not compute what it should."""
