"""The columns that an index could serve, read from a filter as the server prints it, where that is plain to see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from undertone import lexer

COMPARISONS = ("=", "<", ">", "<=", ">=")
MOST_CHARACTERS = 1_500  # of a filter; a longer one may have been cut as it was read


def columns(condition: str) -> tuple[str, ...]:
    """Those compared with =, <, > and the like to a constant or to another table's column, where all must hold.

    Nothing where there is more to the filter than that: an index on a part of it may not help.
    """
    if len(condition) > MOST_CHARACTERS:
        return ()
    found: list[str] = []
    for part in _conjuncts(lexer.tokenise(condition)):
        name = _compared(part)
        if name is None:
            return ()
        if name not in found:
            found.append(name)
    return tuple(found)


def _conjuncts(tokens: Sequence[lexer.Token]) -> Iterator[list[lexer.Token]]:
    """The parts between the ANDs of the outermost level, without the brackets around them."""
    tokens = _bare(tokens)
    depth = 0
    part: list[lexer.Token] = []
    for token in tokens:
        depth += (token.mark == "(") - (token.mark == ")")
        if depth == 0 and token.kind == "word" and token.text == "and":
            yield _bare(part)
            part = []
        else:
            part.append(token)
    yield _bare(part)


def _bare(tokens: Sequence[lexer.Token]) -> list[lexer.Token]:
    """Without brackets around the whole."""
    tokens = list(tokens)
    while len(tokens) > 1 and tokens[0].mark == "(" and _closes(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _closes(tokens: Sequence[lexer.Token], opening: int) -> int:
    """Where the bracket at `opening` closes; -1 if it does not."""
    depth = 0
    for index in range(opening, len(tokens)):
        depth += (tokens[index].mark == "(") - (tokens[index].mark == ")")
        if depth == 0:
            return index
    return -1


def _compared(tokens: Sequence[lexer.Token]) -> str | None:
    """The column of `column = constant`, also where it is cast: (status)::text."""
    split = next((index for index, token in enumerate(tokens) if token.mark and token.mark in "=<>!~*+-/%|&#"), None)
    if split is None:
        return None
    after = split + 1
    while after < len(tokens) and tokens[after].mark and tokens[after].mark in "=<>!~*|&#":
        after += 1
    operator = "".join(token.text for token in tokens[split:after])
    constant = _bare(_uncast(tokens[after:]))
    if operator == "=" and constant and constant[0].kind == "word" and constant[0].text == "any":
        constant = _bare(_uncast(_bare(constant[1:])))
    if constant and constant[0].mark == "-":
        constant = constant[1:]
    column = _bare(_uncast(tokens[:split]))
    if _named(column):  # its own columns a scan names alone, those of the rows that it is run for with their table
        column, constant = constant, column
    plain = _named(constant) or (
        len(constant) == 1 and (constant[0].kind in ("string", "number") or (constant[0].text in ("true", "false")))
    )
    return column[0].text if operator in COMPARISONS and plain and len(column) == 1 and column[0].names else None


def _named(tokens: Sequence[lexer.Token]) -> bool:
    """Whether this is a column with its table's name."""
    return len(tokens) == 3 and tokens[0].names and tokens[1].mark == "." and tokens[2].names


def _uncast(tokens: Sequence[lexer.Token]) -> list[lexer.Token]:
    """Without the ::type at its end, whose name may have several words."""
    depth = 0
    for index, token in enumerate(tokens[:-1]):
        depth += (token.mark == "(") - (token.mark == ")")
        if depth == 0 and token.mark == ":" and tokens[index + 1].mark == ":":
            return list(tokens[:index])
    return list(tokens)
