"""Slips of the pen in a formula: one sign, number, letter or function at a time."""

from collections.abc import Iterator

from documents.latex import TOKEN

SWAPS = {
    r"\cos": r"\sin",
    r"\sin": r"\cos",
    r"\exp": r"\ln",
    r"\ln": r"\exp",
    r"\min": r"\max",
    r"\max": r"\min",
    r"\le": "<",
    "<": r"\le",
    ">": "<",
    "+": "-",
    "-": "+",
}
KINDS = {"+": "sign", "-": "sign"}
WORDS = (r"\mathrm", r"\begin", r"\end", r"\text")


def edits(text: str) -> Iterator[tuple[str, str]]:
    """Kind and result of every edit of a formula.

    Args:
        text: LaTeX without dollars and tag.
    """
    tokens = TOKEN.findall(text)
    letters = list(_letters(tokens))
    for i, token in enumerate(tokens):
        if token in SWAPS and not _is_label(tokens, i):
            kind = KINDS.get(token, "function")
            yield kind, _with(tokens, i, [SWAPS[token]])
        elif token.isdigit():
            kind = (
                "exponent" if tokens[i - 1] in "^{" and "^" in tokens[:i] else "number"
            )
            yield kind, _with(tokens, i, [str(int(token) + 1)])
        elif token == r"\frac":
            middle, end = _end(tokens, i + 1), _end(tokens, _end(tokens, i + 1))
            above, below = tokens[i + 1 : middle], tokens[middle:end]
            yield "fraction", _joined([*tokens[: i + 1], *below, *above, *tokens[end:]])
    yield from _edits_of_letters(tokens, letters)


def _edits_of_letters(
    tokens: list[str], letters: list[tuple[int, bool]]
) -> Iterator[tuple[str, str]]:
    for i, is_index in letters:
        pool = sorted({tokens[j] for j, index in letters if index == is_index})
        if len(pool) > 1:
            other = pool[(pool.index(tokens[i]) + 1) % len(pool)]
            yield "index" if is_index else "name", _with(tokens, i, [other])
        if is_index or i == 0:
            continue
        end = i + 1
        while tokens[end : end + 1] == ["_"]:
            end = _end(tokens, end + 1)
        if tokens[end : end + 1] != ["^"]:
            squared = [*tokens[:end], "^", "2", *tokens[end:]]
            yield "exponent", _joined(squared)
        yield "missing", _joined([*tokens[:i], *tokens[end:]])


def _letters(tokens: list[str]) -> Iterator[tuple[int, bool]]:
    """Places of letters that are names, and whether they stand in a subscript."""
    depth, subscripts, i = 0, [], 0
    while i < len(tokens):
        token = tokens[i]
        if token in WORDS and tokens[i + 1] == "{":
            i = _end(tokens, i + 1)
            continue
        if token == "{":
            depth += 1
            if tokens[i - 1] == "_":
                subscripts.append(depth)
        elif token == "}":
            if subscripts[-1:] == [depth]:
                subscripts.pop()
            depth -= 1
        elif token.isalpha():
            yield i, bool(subscripts) or tokens[i - 1] == "_"
        i += 1


def _is_label(tokens: list[str], i: int) -> bool:
    r"""Whether it is the word of a subscript: `\eta_{\min}`."""
    return tokens[i - 1] == "{" and tokens[i + 1 : i + 2] == ["}"]


def _end(tokens: list[str], start: int) -> int:
    """Place behind the group, or the single token, that starts here."""
    depth = 0
    for i in range(start, len(tokens)):
        depth += (tokens[i] == "{") - (tokens[i] == "}")
        if depth == 0:
            return i + 1
    raise ValueError("a brace is not closed")


def _with(tokens: list[str], i: int, new: list[str]) -> str:
    return _joined([*tokens[:i], *new, *tokens[i + 1 :]])


def _joined(tokens: list[str]) -> str:
    return " ".join(tokens)
