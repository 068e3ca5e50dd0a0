"""Numbers with a unit or a ratio that stand on a page without saying where from."""

import re
from collections.abc import Iterator

from benchmarks.reports.markers import ANY_MARKER, MARKED, Problem, blank

UNITS = (
    "ns|us|µs|ms|s|min|B|KiB|MiB|GiB|kB|KB|MB|GB|TB|[kMGT]?FLOPs?(?:/s)?|[KMG]i?B/s"
    "|k?tokens?/s|%|percent|x|×|times|fold|nanoseconds?|microseconds?|milliseconds?"
    "|seconds?|minutes?|hours?|million instructions?"
)
MEASURED = re.compile(
    r"(?<![\w.,^/-])\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"  # 1,234.5e-6
    rf"[ \u00a0-]?(?:{UNITS})"
    r"(?![\w*=])(?!\s*[\d(])"  # neither 2 x 3 nor a word that begins like a unit
)
# Not prose: mathematics, programs, addresses, comments.
MATHEMATICS = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)
PROGRAM = re.compile(
    r"^(?P<fence>`{3,}|~{3,})(?:python|py|json|yaml|toml|svg|html|css|js)\b.*?"
    r"^(?P=fence)",
    re.DOTALL | re.MULTILINE,
)
ADDRESS = re.compile(r"\]\([^)]*\)|https?://\S+")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def unkeyed(page: str) -> Iterator[Problem]:
    """Every number with a unit or a ratio outside figures and generated blocks."""
    for pattern in (MARKED, ANY_MARKER, COMMENT, PROGRAM, MATHEMATICS, ADDRESS):
        page = pattern.sub(blank, page)
    for match in MEASURED.finditer(page):
        yield Problem(match.start(), f"{match[0]!r} has no key and is not generated")
