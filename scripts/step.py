"""Step through a derivation in the terminal: rule, reason, expression, check.

STEM is a page of the lesson (rmsnorm, rope, attention...) or an entry (E01 to E21).
Every step is checked when it is shown. With --code: through the lines of the shipped
functions, run on symbols, with the value that each line has just computed.

Keys, each followed by Enter:
  n, or nothing   next page
  b               back
  7               jump to page 7
  q               quit

Examples:
  python scripts/step.py rmsnorm
  python scripts/step.py E09 --all
  python scripts/step.py rmsnorm --code
"""

import sys
from typing import TYPE_CHECKING

from console import Parser, run_main

if TYPE_CHECKING:
    from derivation_pages import Page

RULE = "─" * 80
CLEAR = "\033[2J\033[H"  # ANSI: erase the screen, cursor to its corner


def main() -> int:
    """Run the command line; return the exit code."""
    parser = Parser(__doc__)
    parser.add_argument(
        "stem", metavar="STEM", help="stem of a page, or id of an entry"
    )
    parser.add_argument("--all", action="store_true", help="print all pages at once")
    parser.add_argument(
        "--code", action="store_true", help="the code line by line, on symbols"
    )
    options = parser.parse_args()
    try:
        from code_pages import code_pages
        from derivation_pages import derivation_pages
    except ModuleNotFoundError as error:
        parser.error(f"{error.name} is missing: pip install 'literate-moe[test]'")
    with parser.bad_input():
        pages = (code_pages if options.code else derivation_pages)(options.stem)
    if not options.all:
        return walk(pages)
    wrong = [number for number in range(len(pages)) if not show(pages, number)]
    return 1 if wrong else 0


def walk(pages: list["Page"]) -> int:
    """Show pages as the keys say, until `q`, the end of the input or the last page."""
    number, holds = 0, True
    while number < len(pages):
        print(CLEAR if sys.stdout.isatty() else "", end="")
        holds &= show(pages, number)
        number = ask(number, len(pages))
    return 0 if holds else 1


def ask(number: int, count: int) -> int:
    """Read a key; return the number of the page to show, `count` to leave."""
    prompt = f"[Enter] next  [b]ack  [1-{count}] jump  [q]uit > "
    while True:
        try:
            key = input(prompt).strip().lower()
        except EOFError:
            return count
        if key in ("", "n"):
            return number + 1
        if key == "b":
            return max(number - 1, 0)
        if key == "q":
            return count
        if key.isdecimal() and 1 <= int(key) <= count:
            return int(key) - 1
        print(f"{key!r} is none of: Enter, n, b, q, a number from 1 to {count}")


def show(pages: list["Page"], number: int) -> bool:
    """Print one page; return whether what it claims holds."""
    page = pages[number]
    text, holds = page.draw()
    place = f"{number + 1}/{len(pages)}"
    head = f"{page.title:<{len(RULE) - len(place)}}{place}"
    print(head, RULE, text, RULE, sep="\n", end="\n\n")
    return holds


if __name__ == "__main__":
    run_main(main)
