"""The convergence run on a page: its pictures in words, and how it meets PyTorch."""

from html import escape
from typing import Any

from benchmarks.reports.markdown import table
from benchmarks.reports.sources import Results

DIGITS_SHOWN = range(2, 16, 2)


def description(run: dict[str, Any], torch: dict[str, Any] | None) -> str:
    """What the pictures of the run say to those who see none of them.

    Args:
        run: Content of convergence.json.
        torch: Content of convergence_torch.json, if PyTorch was run beside it.
    """
    first, last = run["initial"], run["final"]
    loads = [load for layer in last["expert_load"] for load in layer]
    beside = (
        " The losses of PyTorch, trained from the same weights on the same batch, lie "
        "on the curve until float32 can resolve it no further."
        if torch
        else ""
    )
    return (
        f"Cross-entropy falls from {first['cross_entropy']:.2f} to "
        f"{last['cross_entropy']:.0e} nats in {last['step']} steps; the balance loss "
        f"goes from {first['balance_loss']:.4f} to {last['balance_loss']:.4f}. "
        f"Of the assignments an expert has a share between {min(loads):.2f} and "
        f"{max(loads):.2f} at the end.{beside}"
    )


def picture(results: Results, folder: str) -> str:
    """The animation; for who wants no motion, the picture that stands still.

    Args:
        results: With both records.
        folder: Of the pictures, from the page.
    """
    run, torch = results.file("convergence"), results.file("convergence_torch")
    return (
        "<picture>\n"
        '<source media="(prefers-reduced-motion: reduce)" '
        f'srcset="{folder}/convergence.svg">\n'
        f'<img src="{folder}/convergence.gif" width="800" height="420" '
        f'alt="{escape(description(run, torch))}">\n'
        "</picture>"
    )


def agreement(results: Results) -> str:
    """Up to which step the cross-entropies of both sides agree to so many digits."""
    steps = {
        dtype: {
            row["digits"]: row["steps"]
            for row in results.value(f"convergence_torch:{dtype}.digits")
        }
        for dtype in ("float32", "float64")
    }
    rows = [
        [str(digits), *(str(steps[dtype].get(digits, "never")) for dtype in steps)]
        for digits in DIGITS_SHOWN
    ]
    return table("digits | float32, up to step | float64, up to step", rows)
