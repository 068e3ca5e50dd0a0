"""Take from the theme's style what nothing in the site can show.

A selector goes when it names a class that stands in no page and in no script, a rule
when no selector is left, and a custom property when nothing reads it.
"""

import re
from pathlib import Path

_RULE = re.compile(r"(?<=[{}])([^{}@]+)\{[^{}]*\}")
_NEGATED = re.compile(r":not\([^()]*\)")
_ALTERNATIVES = re.compile(r":(?:is|where)\([^()]*(?:\([^()]*\)[^()]*)*\)")
_CLASS = re.compile(r"\.(-?[A-Za-z_](?:\\.|[\w-])*)")
_WORD = re.compile(r"[\w-]+")
_PROPERTY = re.compile(
    r"(?<=[{;])(--[\w-]+):(?:url\((?:\"[^\"]*\"|[^)]*)\)|[^;{}\"])*(?:;|(?=\}))"
)
_READ = re.compile(r"var\((--[\w-]+)")


def drop(site: Path) -> None:
    """Rewrite the theme's style in place."""
    sources = [
        path.read_text(encoding="utf-8")
        for pattern in ("**/*.html", "assets/**/*.js")
        for path in sorted(site.glob(pattern))
    ]
    styles = {
        path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.css"))
    }
    words = set(_WORD.findall(" ".join(sources)))
    theme = [path for path in styles if re.fullmatch(r"main\..*\.css", path.name)]
    for path in theme:
        styles[path] = _without_dead_rules(styles[path], words)
    read = set(_READ.findall(" ".join([*sources, *styles.values()])))
    for path in theme:
        path.write_text(_without_unread(styles[path], read), encoding="utf-8")


def _without_dead_rules(css: str, words: set[str]) -> str:
    """A style without the rules that need a class that no word names."""

    def can_match(selector: str) -> bool:
        plain = _ALTERNATIVES.sub("", _NEGATED.sub("", selector))
        return all(name.replace("\\", "") in words for name in _CLASS.findall(plain))

    def keep(rule: re.Match[str]) -> str:
        whole = rule[1]
        if "(" not in whole:
            kept = [one for one in whole.split(",") if can_match(one)]
            return rule[0].replace(whole, ",".join(kept), 1) if kept else ""
        return rule[0] if can_match(whole) or "," in whole else ""

    return _RULE.sub(keep, css)


def _without_unread(css: str, read: set[str]) -> str:
    return _PROPERTY.sub(lambda found: found[0] if found[1] in read else "", css)
