"""Take from the built pages what no reader sees: a third of an equation page."""

import re
from pathlib import Path

# Where every space counts, or is no markup.
_AS_IT_IS = re.compile(r"(<(pre|script|textarea)\b.*?</\2>)", re.DOTALL)
# Names, punctuation and spaces of code have the colour of code anyway.
_PLAIN_TOKEN = re.compile(r'<span class="(?:n|p|w)">([^<]*)</span>')
# Has done its work when the search index is written.
_FOR_THE_INDEX = re.compile(r' data-search-exclude(?:="")?')


def compact(site: Path) -> None:
    """Rewrite all pages in place."""
    for path in site.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        html = _FOR_THE_INDEX.sub("", _PLAIN_TOKEN.sub(r"\1", html))
        path.write_text(_collapsed(html), encoding="utf-8")


def _collapsed(html: str) -> str:
    """One space for every run of them."""
    parts = _AS_IT_IS.split(html)
    # From the split: markup, a part to be kept and its tag, in turn.
    parts[0::3] = [re.sub(r"\s+", " ", part) for part in parts[0::3]]
    del parts[2::3]
    return "".join(parts)
