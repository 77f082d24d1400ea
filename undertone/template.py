"""A template joins several columns into one text: `{title}: {body}`. Braces that are meant are written twice."""

from __future__ import annotations

import re
from collections.abc import Sequence

from psycopg2 import sql

from undertone import errors

# Python's own format strings give !, :, . and [ a meaning, which columns' names may have in them.
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class TemplateError(errors.UndertoneError):
    """A template that names no column, or is not written right."""


def parse(template: str) -> list[tuple[str, str | None]]:
    """Its pieces: literal text and the column behind it, None after the last. Raises TemplateError."""
    pieces: list[tuple[str, str | None]] = []
    literal, at = "", 0
    for found in _BRACES.finditer(template):
        literal += template[at : found.start()]
        at = found.end()
        if found.group() in ("{{", "}}"):
            literal += found.group()[0]
        elif found[1] is None:
            raise TemplateError(
                f"The template cannot be read: the {found.group()} at character {found.start() + 1} stands alone; write"
                " columns as {title}: {body}, and a brace as {{ or }}"
            )
        else:
            pieces.append((literal, found[1]))
            literal = ""
    literal += template[at:]
    if not pieces:
        raise TemplateError("The template names no column; write one as {title}: {body}")
    if any(not name for _, name in pieces):
        raise TemplateError("The template has {} without a column's name in it")
    return [*pieces, (literal, None)] if literal else pieces


def columns(template: str) -> list[str]:
    """The columns that a template names, each once. Raises TemplateError."""
    return list(dict.fromkeys(name for _, name in parse(template) if name is not None))


def expression(template: str) -> sql.Composed:
    """The text of a row, called r, as SQL: a null is nothing, and where all columns are null, so is the text."""
    parts: list[sql.Composable] = []
    for literal, name in parse(template):
        if literal:
            parts.append(sql.Literal(literal))
        if name is not None:
            parts.append(sql.SQL("{}::text").format(sql.Identifier("r", name)))
    nothing = sql.SQL(" AND ").join(
        sql.SQL("{} IS NULL").format(sql.Identifier("r", name)) for name in columns(template)
    )
    return sql.SQL("CASE WHEN {} THEN NULL ELSE concat({}) END").format(nothing, _listed(parts))


def _listed(parts: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
