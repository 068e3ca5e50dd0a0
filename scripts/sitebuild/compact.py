"""Take from the built pages what no reader sees: a third of an equation page."""

import re
from pathlib import Path

# Where every space counts, or is no markup.
_AS_IT_IS = re.compile(r"(<(pre|script|textarea)\b.*?</\2>)", re.DOTALL)
# Names, punctuation and spaces of code have the colour of code anyway.
_PLAIN_TOKEN = re.compile(r'<span class="(?:n|p|w)">([^<]*)</span>')
# Has done its work when the search index is written.
_FOR_THE_INDEX = re.compile(r' data-search-exclude(?:="")?')
# The style of the reference, on pages that show nothing of it.
_STYLE_OF_THE_REFERENCE = re.compile(r'<link [^>]*_mkdocstrings\.css"[^>]*>')
_COMMENT_OF_CSS = re.compile(r"/\*.*?\*/", re.DOTALL)
# The colours from which a theme can be chosen; the site has its own.
_COLOUR_OF_THE_THEME = re.compile(
    r"(?<=})\[data-md-color-(?:primary|accent)=[\w-]+\][^{}]*\{[^{}]*\}"
)
# What shows tabs; `mkdocs.yml` has no extension that could write any.
_ONLY_TABS = re.compile(r"(?<=[{}])(?:[^{},]*\.tabbed-[^{},]*,?)+\{[^{}]*\}")


def compact(site: Path) -> None:
    """Rewrite all pages, and the project's scripts and styles, in place."""
    for path in site.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        html = _FOR_THE_INDEX.sub("", _PLAIN_TOKEN.sub(r"\1", html))
        if 'class="doc ' not in html:
            html = _STYLE_OF_THE_REFERENCE.sub("", html)
        path.write_text(_collapsed(html), encoding="utf-8")
    for path in site.glob("assets/js/**/*.js"):
        path.write_text(_bare(path.read_text(encoding="utf-8")), encoding="utf-8")
    for path in site.glob("assets/css/*.css"):
        css = _COMMENT_OF_CSS.sub("", path.read_text(encoding="utf-8"))
        path.write_text(_bare(css), encoding="utf-8")
    for path in site.glob("assets/stylesheets/palette.*.css"):
        css = _COLOUR_OF_THE_THEME.sub("", path.read_text(encoding="utf-8"))
        path.write_text(css, encoding="utf-8")
    for path in site.glob("assets/stylesheets/main.*.css"):
        css = _ONLY_TABS.sub("", path.read_text(encoding="utf-8"))
        path.write_text(css, encoding="utf-8")


def _bare(source: str) -> str:
    """Lines without indentation; those that are empty or a comment left out."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _collapsed(html: str) -> str:
    """One space for every run of them."""
    parts = _AS_IT_IS.split(html)
    # From the split: markup, a part to be kept and its tag, in turn.
    parts[0::3] = [re.sub(r"\s+", " ", part) for part in parts[0::3]]
    del parts[2::3]
    return "".join(parts)
