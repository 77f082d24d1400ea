"""Saved queries: those that people keep in the store, with their versions, and those that ship in sql/saved.

A version is never changed: saving again adds one, and only to the version that was seen. Removing adds one, too.
"""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from collections.abc import Iterable
from typing import Any

import psycopg2.errors
import psycopg2.extras

from undertone import database, parameters, queries, saved_files

NAME, DESCRIPTION, TAG, MOST_TAGS, CHART = 200, 5_000, 50, 20, 20_000  # characters; tags
LENGTH = 48 * 1024  # bytes of a statement, where nobody says
TARGETS = ("data", "scores")

Saved = saved_files.Saved
LibraryError = saved_files.LibraryError

SQL = queries.load("library")
# What shows nothing and yet belongs into the words of some languages, and into emoji.
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d\ufe0f"))


def shipped() -> list[Saved]:
    """The queries that ship, by name."""
    return sorted(saved_files.read_all(), key=lambda one: fold(one.name))


def matching(those: Iterable[Saved], search: str, tag: str | None) -> list[Saved]:
    """Those with a text in any of their words, in any case, and with a tag."""
    words = fold(search)
    return [
        one
        for one in those
        if (tag is None or tag in one.tags)
        and words in fold(" ".join((one.name, one.description, one.statement, *one.tags)))
    ]


def saved(connection: database.Connection, search: str = "", tag: str | None = None) -> list[Saved]:
    """People's own, each in its newest version, by name; those with a text in any of their words, those with a tag."""
    pattern = f"%{_escaped(search.strip())}%" if search.strip() else None
    if not _storable(f"{search}{tag or ''}"):
        return []
    return [_read(row) for row in SQL.saved(connection, pattern=pattern, tag=tag)]


def find(connection: database.Connection, name: str) -> Saved:
    """The query of a name, in any case: somebody's own, else one that ships. Raises LibraryError."""
    folded = fold(name)
    if _storable(folded) and (row := SQL.named(connection, folded_name=folded)):
        return _read(row)
    for one in shipped():
        if fold(one.name) == folded:
            return one
    raise LibraryError(
        f"There is no saved query called {name[:NAME]!r}; see all of them with: python -m undertone saved"
    )


def versions(connection: database.Connection, id: int) -> list[Saved]:
    """All versions of a query, the newest first; none where there is no such query."""
    return [_read(row) for row in SQL.versions(connection, id=id)]


def removed(connection: database.Connection) -> list[Saved]:
    """Queries that were removed, those removed last first; `restore` brings one back."""
    return [_read(row) for row in SQL.removed(connection)]


def find_removed(connection: database.Connection, name: str) -> Saved:
    """Of the queries of a name, in any case, the one that was removed last. Raises LibraryError."""
    folded = fold(name)
    for one in removed(connection):
        if fold(one.name) == folded:
            return one
    raise LibraryError(
        f"No query called {name[:NAME]!r} was removed; see those that were with: python -m undertone saved --removed"
    )


def save(connection: database.Connection, one: Saved, *, replace: int | None = None, length: int = LENGTH) -> Saved:
    """Save a query, or a new version of the one with the id `replace`, and commit; it as it is saved.

    With `replace`, `one.version` is the newest version that its author has seen. `length`: bytes of a statement at
    most. Raises LibraryError where a name is taken, where somebody has saved a version meanwhile, and for what cannot
    be kept; nothing is changed then.
    """
    one = _checked(one, length)
    folded = fold(one.name)
    try:
        if replace is None:
            number, version = SQL.add(connection, folded_name=folded), 1
        else:
            number, version = replace, _next_version(connection, replace, one.version)
            SQL.move(connection, id=number, folded_name=folded, version=version, removed=False)
        at = SQL.add_version(
            connection,
            id=number,
            version=version,
            name=one.name,
            description=one.description,
            tags=list(one.tags),
            statement=one.statement,
            parameters=psycopg2.extras.Json({name: vars(value) for name, value in one.parameters.items()}),
            chart=None if one.chart is None else psycopg2.extras.Json(one.chart),
            target=one.target,
            who=one.who,
        )
    except psycopg2.errors.UniqueViolation:
        connection.rollback()
        raise LibraryError(
            f"There is a saved query called {one.name!r} already; choose another name, or save a new version of it."
        ) from None
    except psycopg2.errors.UntranslatableCharacter:
        connection.rollback()
        raise LibraryError("The query has characters that the encoding of the store lacks.") from None
    connection.commit()
    return dataclasses.replace(one, id=number, version=version, at=at, removed=False)


def remove(connection: database.Connection, id: int, *, version: int | None = None, who: str = "") -> None:
    """Remove a query, and commit; its versions stay.

    `version`: the newest one that was seen, where that matters. Raises LibraryError where there is no such query, or a
    newer version of it.
    """
    found = SQL.lock(connection, id=id)
    if found is None or found[1]:
        connection.rollback()
        raise LibraryError("This query was removed already.")
    seen = found[0] if version is None else version
    following = _next_version(connection, id, seen)
    SQL.remove_version(connection, id=id, version=following, who=_plain("Your name", who, NAME))
    folded = fold(versions(connection, id)[0].name)
    SQL.move(connection, id=id, folded_name=folded, version=following, removed=True)
    connection.commit()


def restore(connection: database.Connection, one: Saved, *, who: str, length: int = LENGTH) -> Saved:
    """Bring a removed query back as it was, as a new version by `who`, and commit; it as it is saved.

    `one` is as `removed` gives it. Raises LibraryError where its name is taken meanwhile, where somebody was faster,
    and for what cannot be kept any more.
    """
    return save(connection, dataclasses.replace(one, who=who), replace=one.id, length=length)


def fold(name: str) -> str:
    """A name as names are compared: what looks alike is the same."""
    whole = unicodedata.normalize("NFKC", name).casefold().translate(_JOINERS)
    return " ".join(unicodedata.normalize("NFKC", whole).split())


def _next_version(connection: database.Connection, id: int, seen: int) -> int:
    """The version to come, under the query's lock."""
    found = SQL.lock(connection, id=id)
    if found is None:
        connection.rollback()
        raise LibraryError("This query is not there any more; save it as a new one.")
    if (newest := found[0]) != seen:
        last = versions(connection, id)[0]
        connection.rollback()
        what = "removed it" if last.removed else f"saved version {newest} of it"
        raise LibraryError(
            f"{last.who or 'Somebody'} has {what} meanwhile, and you have changed version {seen}; open it again, or"
            " save yours under another name."
        )
    return int(newest) + 1


def _checked(one: Saved, length: int) -> Saved:
    """The query as it can be kept. Raises LibraryError."""
    name = " ".join(_plain("The name", one.name, NAME).split())
    if not name or not fold(name):
        raise LibraryError("The query needs a name.")
    if any(not letter.isprintable() for letter in name.translate(_JOINERS)):
        raise LibraryError("The name has characters that cannot be seen; type it again.")
    if any(fold(other.name) == fold(name) for other in shipped()):
        raise LibraryError(f"{name!r} is the name of a query that ships with Undertone; choose another name.")
    if not one.statement.strip():
        raise LibraryError("There is no statement to save.")
    statement = _plain("The statement", one.statement, length)
    if len(statement.encode()) > length:
        raise LibraryError(f"The statement is longer than {length:,} bytes, and could not be asked.")
    tags = dict.fromkeys(" ".join(_plain("A tag", tag, TAG).split()) for tag in one.tags)
    tags.pop("", None)
    if len(tags) > MOST_TAGS:
        raise LibraryError(f"The query has {len(tags)} tags; at most {MOST_TAGS} can be kept.")
    if one.target not in TARGETS:
        raise LibraryError(f"A query is for one of {', '.join(TARGETS)}.")
    if len(one.parameters) > parameters.MOST:
        raise LibraryError(f"The query has {len(one.parameters)} parameters; at most {parameters.MOST} can be kept.")
    for key, value in one.parameters.items():
        _plain("The name of a parameter", key, NAME)
        _plain(f"The value of :{key}", value.value or "", length)
        if value.kind not in parameters.KINDS:
            raise LibraryError(f"The parameter :{key} is of no kind that there is: {', '.join(parameters.KINDS)}.")
    try:
        # No NaN: JSON has none, and the server would refuse it.
        chart = json.dumps(one.chart, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError):
        raise LibraryError("The chart cannot be kept: it is not plain data.") from None
    _plain("The chart", chart.replace("\\u0000", "\0"), CHART)
    return dataclasses.replace(
        one,
        name=name,
        description=_plain("The description", one.description, DESCRIPTION).strip(),
        tags=tuple(tags),
        statement=statement,
        who=_plain("Your name", one.who, NAME),
    )


def _plain(what: str, text: str, most: int) -> str:
    """`text`, if it can be kept. Raises LibraryError."""
    if len(text) > most:
        raise LibraryError(f"{what} is {len(text):,} characters long; at most {most:,} can be kept.")
    if not _storable(text):
        raise LibraryError(f"{what} has characters that cannot be kept; type it again.")
    return text


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _escaped(text: str) -> str:
    """A text in which nothing means anything to LIKE."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _read(row: Any) -> Saved:
    id, name, description, tags, statement, given, chart, target, version, who, at, gone = row
    values = {key: parameters.Value(value["kind"], value["value"]) for key, value in given.items()}
    return Saved(id, name, description, tuple(tags), statement, values, chart, target, version, who, at, gone)
