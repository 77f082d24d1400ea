"""What `query` is told of a statement's parameters: --parameter NAME=VALUE and --null NAME."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import typer

from undertone import names_for_editor, parameter_kinds, parameters


@dataclass(frozen=True)
class Given:
    """A parameter as it was given: `kind` is None where nobody said it, `value` is None for NULL."""

    name: str
    kind: str | None
    value: str | None


def read(valued: Sequence[str], nulls: Sequence[str]) -> list[Given]:
    """What the options say. Raises BadParameter for one that is not written so, and for a name that is given twice."""
    given = [_valued(one) for one in valued] + [_null(one) for one in nulls]
    names = [one.name for one in given]
    for name in names:
        if names.count(name) > 1:
            raise typer.BadParameter(f"the parameter :{name} is given twice; give it one value, or --null {name}")
    return given


def values(
    statement: str,
    given: Sequence[Given],
    first: Mapping[str, parameters.Value],
    columns: names_for_editor.CatalogNames,
) -> dict[str, parameters.Value]:
    """A value for each parameter that has one: those given, else those that a saved query begins with, `first`.

    Raises BadParameter for one that the statement does not have.
    """
    there_are = parameter_kinds.refined(statement, parameters.find(statement), columns) if given or first else ()
    kinds = {one.name: one.kind for one in there_are}
    found = {name: value for name, value in first.items() if name in kinds}
    for one in given:
        if one.name not in kinds:
            there = ", ".join(f":{known}" for known in kinds) or "none"
            raise typer.BadParameter(f"the statement has no parameter :{one.name}; it has {there}")
        kind = one.kind or (first[one.name].kind if one.name in first else kinds[one.name])
        found[one.name] = parameters.Value(kind, one.value)
    return found


def _valued(text: str) -> Given:
    what, equals, value = text.partition("=")
    name, kind = _named(what)
    if not equals or not name:
        raise typer.BadParameter(f"--parameter is NAME=VALUE or NAME:KIND=VALUE, not {text!r}; for NULL: --null NAME")
    return Given(name, kind, value)


def _null(text: str) -> Given:
    name, kind = _named(text)
    if not name or "=" in text:
        raise typer.BadParameter(f"--null is NAME or NAME:KIND, not {text!r}")
    return Given(name, kind, None)


def _named(text: str) -> tuple[str, str | None]:
    """The name and, if it is said, the kind. Raises BadParameter for a kind that there is not."""
    name, colon, kind = text.removeprefix(":").partition(":")
    if colon and kind not in parameters.KINDS:
        raise typer.BadParameter(f"a parameter is of no kind {kind!r}; there are: {', '.join(parameters.KINDS)}")
    return name, kind or None
