"""Of which kind a parameter is, as told by the column that it is compared with: `rating >= :least` wants a number."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from undertone import lexer, names_for_editor, parameters

COMPARES = ("=", "<", ">", "!")
BETWEEN = 6  # pieces of a statement that may stand between BETWEEN and its second parameter


def refined(
    statement: str, found: Sequence[parameters.Parameter], names: names_for_editor.CatalogNames
) -> tuple[parameters.Parameter, ...]:
    """The parameters `found` in a statement, those that nothing else is known of as their columns are.

    Only relations that the statement names count; where their columns of that name differ, it stays a text.
    """
    if all(parameter.kind != "text" for parameter in found):
        return tuple(found)
    tokens = lexer.tokenise(statement)
    words = {token.text for token in tokens if token.names}
    types: dict[str, set[str]] = {}
    for relations in names.schemas.values():
        for relation, columns in relations.items():
            if relation in words:
                for column, type_ in columns:
                    types.setdefault(column, set()).add(_kind(type_))
    kinds: dict[str, set[str]] = {}
    for place in parameters.places(statement, tokens):
        word = tokens[place + 1]
        other = _compared(tokens, place)
        kinds.setdefault(statement[word.start : word.end], set()).update(types.get(other or "", {"text"}))
    return tuple(
        dataclasses.replace(parameter, kind=min(kinds[parameter.name]))
        if parameter.kind == "text" and len(kinds.get(parameter.name, ())) == 1
        else parameter
        for parameter in found
    )


def _compared(tokens: Sequence[lexer.Token], place: int) -> str | None:
    """The name that the parameter whose colon is at `place` is compared with."""
    before = place - 1
    while before >= 0 and tokens[before].mark in COMPARES:
        before -= 1
    if before >= 0 and (before < place - 1 or tokens[before].text == "between"):
        column = tokens[before - (tokens[before].text == "between")]
        return column.text if column.names else None
    if before >= 0 and tokens[before].text == "and":
        for earlier in range(before - 1, max(0, before - BETWEEN), -1):
            if tokens[earlier].text == "between" and tokens[earlier - 1].names:
                return tokens[earlier - 1].text
    after = place + 2
    while after < len(tokens) and tokens[after].mark in COMPARES:
        after += 1
    if place + 2 < after < len(tokens) and tokens[after].names:
        # Of r.rating the last part; a call, rating(…), is no column.
        while after + 2 < len(tokens) and tokens[after + 1].mark == "." and tokens[after + 2].names:
            after += 2
        if after + 1 == len(tokens) or tokens[after + 1].mark != "(":
            return tokens[after].text
    return None


def _kind(type_: str) -> str:
    if type_.endswith("[]"):
        return "text"
    return parameters.CASTS.get(type_.partition("(")[0].split(" ")[0], "text")
