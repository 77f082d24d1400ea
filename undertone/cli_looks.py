"""What `rows` is told of the rows to show: conditions, order, columns and a place, each as a text of an option."""

from __future__ import annotations

import csv
import json
import shlex

import typer

from undertone import conditions, looks

SIGNS = {known.sign: token for token, known in conditions.OPERATORS.items() if known.sign} | {"!=": "ne", "==": "eq"}
OPERATORS = ", ".join((*conditions.OPERATORS, *SIGNS))


def condition(text: str) -> conditions.Condition | conditions.Group:
    """A condition as it was given, or the conditions of a link. Raises BadParameter for what is neither."""
    if text.startswith("["):
        try:
            return conditions.unpack(text)
        except conditions.ConditionError as error:
            raise typer.BadParameter(f"--where {text!r}: {error}") from None
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise typer.BadParameter(f"--where {text!r} cannot be read: {str(error).lower()}") from None
    if len(words) < 2:
        raise typer.BadParameter(f"--where is COLUMN OPERATOR [VALUE …], as 'rating ge 4', not {text!r}")
    column, operator, *values = words
    made = conditions.Condition(column, SIGNS.get(operator, operator), tuple(values))
    try:
        conditions.pack(conditions.Group((made,)))
    except conditions.ConditionError as error:
        raise typer.BadParameter(f"--where {text!r}: {error}") from None
    return made


def sort(text: str) -> looks.Sort:
    """A column to order by, as a link has it but for the + in front."""
    return looks.Sort(text[1:] if text[:1] in ("+", "-") else text, text.startswith("-"))


def columns(text: str | None) -> tuple[str, ...] | None:
    """The names of columns in a line of CSV."""
    if text is None:
        return None
    (names,) = csv.reader([" ".join(text.splitlines())], skipinitialspace=True)
    return tuple(dict.fromkeys(names))


def place(kind: str, text: str | None) -> looks.Place | None:
    """A place as a page has told it. Raises BadParameter for anything else."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not (isinstance(value, list) and value and all(part is None or isinstance(part, str) for part in value)):
        raise typer.BadParameter(f"--{kind} takes a place as a page tells it, such as '[\"17\"]', not {text[:80]!r}")
    return looks.Place(kind, tuple(value))
