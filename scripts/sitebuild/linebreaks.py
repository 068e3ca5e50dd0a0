"""Break formulas that are wider than a page; browsers do not break MathML."""

from xml.etree import ElementTree

# In ems of the formula: the width of a page, and what fits at 28 px on a projector.
WIDEST = 30.0

_CHARACTER, _OPERATOR, _SPACE = 0.55, 1.0, 0.17  # of an em
_SMALL = 0.71  # size of an index
_SPACED = {"=", "+", "−", "≤", "≥", "<", ">", "←", "→", "∑"}
_SIGNS = {"+", "−"}


def break_lines(formula: ElementTree.Element, widest: float = WIDEST) -> None:
    """Break at the signs between terms, else within the widest bracket, in place."""
    parts = list(formula)
    if _sum(parts) <= widest:
        return
    rows = _rows(parts, widest)
    if len(rows) > 1:
        for part in parts:
            formula.remove(part)
        formula.append(_table(rows))
        return
    brackets = [part for part in parts if _is_bracket(part)]
    if brackets:
        _break_bracket(max(brackets, key=_width), parts, widest)


def _break_bracket(
    bracket: ElementTree.Element, parts: list[ElementTree.Element], widest: float
) -> None:
    """Break what stands between the two delimiters of a bracket."""
    inner = list(bracket)[1:-1]
    content = ElementTree.Element("mrow")
    content.extend(inner)
    left = widest - (_sum(parts) - _sum(inner))
    break_lines(content, max(left, widest / 2))
    for part in inner:
        bracket.remove(part)
    bracket.insert(1, content)


def _rows(
    parts: list[ElementTree.Element], widest: float
) -> list[list[ElementTree.Element]]:
    """Terms, as many in a row as fit; a row opens with its sign."""
    terms: list[list[ElementTree.Element]] = [[]]
    for part in parts:
        if part.tag == "mo" and part.text in _SIGNS and terms[-1]:
            terms.append([])
        terms[-1].append(part)
    rows: list[list[ElementTree.Element]] = [terms[0]]
    for term in terms[1:]:
        if _sum(rows[-1]) + _sum(term) <= widest:
            rows[-1] += term
        else:
            rows.append(term)
    return rows


def _table(rows: list[list[ElementTree.Element]]) -> ElementTree.Element:
    table = ElementTree.Element("mtable", {"displaystyle": "true", "class": "broken"})
    for row in rows:
        cell = ElementTree.SubElement(ElementTree.SubElement(table, "mtr"), "mtd")
        cell.extend(row)
        if row[0].tag == "mo":
            row[0].set("form", "infix")  # at the start of a row it is no prefix
    return table


def _is_bracket(part: ElementTree.Element) -> bool:
    ends = (part[0].tag, part[-1].tag) if part.tag == "mrow" and len(part) > 2 else ()
    return ends == ("mo", "mo")


def _sum(parts: list[ElementTree.Element]) -> float:
    return sum(map(_width, parts))


def _width(part: ElementTree.Element) -> float:
    """A rough width; what matters is whether a formula is far too wide."""
    children = list(part)
    if part.tag == "mspace":
        return _SPACE
    if not children:
        text = part.text or ""
        return _OPERATOR if text in _SPACED else _CHARACTER * len(text)
    if part.tag in {"msub", "msup", "msubsup"}:
        return _width(children[0]) + _SMALL * max(map(_width, children[1:]))
    if part.tag in {"munder", "munderover"}:
        return max(_width(children[0]), _SMALL * max(map(_width, children[1:])))
    if part.tag in {"mfrac", "mover", "mtable"}:
        return max(map(_width, children))
    return _sum(children)
