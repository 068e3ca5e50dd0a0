"""What a test measured, handed to the traceability matrix.

A check calls `note`; `conftest.py` attaches the notes to the test's report, and from
there they reach `benchmarks/results/trace.json`.
"""

_notes: dict[str, float | int | str] = {}


def note(
    *, error: float = 0.0, points: int = 0, exact: int = 0, digits: int = 0
) -> None:
    """Add to the evidence of the running test.

    Args:
        error: Relative error; the largest of a test is kept.
        points: Numbers compared.
        exact: Expressions proved equal by exact simplification.
        digits: Expressions decided by evaluation to 50 digits.
    """
    _notes["error"] = max(_notes.get("error", 0.0), error)
    for name, value in (("points", points), ("exact", exact), ("digits", digits)):
        _notes[name] = _notes.get(name, 0) + value


def collect() -> dict[str, float | int | str]:
    """Return the notes of the test that just ran, and start anew."""
    notes = dict(_notes)
    _notes.clear()
    return notes
