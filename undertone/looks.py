"""What somebody looks at on Tables, as it stands in the address: the relation, filters, order, columns and place.

    ?table=support_tickets&where=[["status","eq","open"]]&sort=["-opened_at"]&after=["2026-03-01 09:00:00+00","17"]

The address is the only place that holds it: a page reads it from there and goes elsewhere by writing another one. All
of it may come from anybody, so all of it is checked here, and against the relation where it is used.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from undertone import conditions, errors

PARTS = ("rows", "profile", "structure")
MOST_CHARACTERS = 6_000  # proxies refuse addresses beyond 8 KB
MOST_COLUMNS = 1_600  # that a table can have
BROKEN = "This link is broken or was cut short; what it says of {} is left out."


class LookError(errors.UndertoneError):
    """A link that cannot be read, or a look that is too long for one."""


@dataclass(frozen=True)
class Sort:
    """A column that rows are ordered by; rows without a value in it come last, in either direction."""

    column: str
    descending: bool = False


@dataclass(frozen=True)
class Place:
    """Where in the rows: `kind` is "first", "last", "after" or "before"; the two latter have a cursor of paging."""

    kind: str = "first"
    cursor: tuple[str | None, ...] = ()


FIRST, LAST = Place(), Place("last")


@dataclass(frozen=True)
class Look:
    """What somebody looks at. `columns` None are all of the relation, in its order."""

    table: str | None = None
    part: str = "rows"
    search: str = ""
    where: conditions.Group = conditions.EVERY
    sorts: tuple[Sort, ...] = ()
    columns: tuple[str, ...] | None = None
    pinned: tuple[str, ...] = ()
    place: Place = FIRST

    def at(self, place: Place) -> Look:
        """The same rows, elsewhere in them."""
        return dataclasses.replace(self, place=place)

    def among(self, **changes: Any) -> Look:
        """Other rows, or another order of them: from the beginning."""
        return dataclasses.replace(self, **changes, place=FIRST)

    def narrowed(self, condition: conditions.Condition) -> Look:
        """Only rows of these for which another condition holds, too."""
        if condition in self.where.parts and not self.where.any:
            return self
        if self.where.any and self.where:
            return self.among(where=conditions.Group((self.where, condition)))
        return self.among(where=conditions.Group((*self.where.parts, condition)))


def parameters(look: Look) -> dict[str, str]:
    """The parameters of an address; what is as it is at first is left out. Raises LookError for more than is safe."""
    found: dict[str, str] = {}
    if look.table is not None:
        found["table"] = look.table
    if look.part != PARTS[0]:
        found["part"] = look.part
    if look.search:
        found["q"] = look.search
    if look.where:
        found["where"] = conditions.pack(look.where)
    if look.sorts:
        found["sort"] = _written([("-" if sort.descending else "+") + sort.column for sort in look.sorts])
    if look.columns is not None:
        found["columns"] = _written(list(look.columns))
    if look.pinned:
        found["pin"] = _written(list(look.pinned))
    if look.place.kind == "last":
        found["at"] = "end"
    elif look.place.kind != "first":
        found[look.place.kind] = _written(list(look.place.cursor))
    if (length := sum(len(name) + len(value) for name, value in found.items())) > MOST_CHARACTERS:
        raise LookError(
            f"This is too long for a link: {length:,} characters, and {MOST_CHARACTERS:,} are safe. Use fewer or"
            " shorter filters, or open it as SQL."
        )
    return found


def read(given: Mapping[str, str]) -> tuple[Look, list[str]]:
    """The look that an address holds, and a sentence for each part of it that could not be read and is left out."""
    troubles: list[str] = []

    def texts(name: str, *, nulls: bool = False) -> tuple[Any, ...] | None:
        if name not in given:
            return None
        try:
            value = json.loads(given[name])
        except (ValueError, RecursionError):
            value = None
        if (
            isinstance(value, list)
            and len(value) <= MOST_COLUMNS
            and all(isinstance(text, str) or (nulls and text is None) for text in value)
        ):
            return tuple(value)
        troubles.append(BROKEN.format(f"“{name}”"))
        return None

    part = given.get("part", PARTS[0])
    if part not in PARTS:
        troubles.append(BROKEN.format("“part”"))
        part = PARTS[0]
    where = conditions.EVERY
    if "where" in given:
        try:
            where = conditions.unpack(given["where"])
        except conditions.ConditionError:
            troubles.append(BROKEN.format("“where”"))
    sorts = tuple(
        dict.fromkeys(Sort(text[1:], text.startswith("-")) for text in texts("sort") or () if text[:1] in ("+", "-"))
    )
    place = FIRST
    if given.get("at") == "end":
        place = LAST
    else:
        for kind in ("after", "before"):
            if cursor := texts(kind, nulls=True):
                place = Place(kind, cursor)
    columns, pinned = texts("columns"), texts("pin") or ()
    return Look(given.get("table"), part, given.get("q", ""), where, sorts, columns, pinned, place), troubles


def row_parameters(table: str, key: tuple[str, ...]) -> dict[str, str]:
    """The parameters of the address of a row's own page: its relation, and the texts of its key's values."""
    return {"table": table, "key": _written(list(key))}


def read_key(given: Mapping[str, str]) -> tuple[str, ...]:
    """The key in the address of a row's page. Raises LookError where there is none."""
    try:
        value = json.loads(given.get("key", ""))
    except (ValueError, RecursionError):
        value = None
    if not (isinstance(value, list) and value and all(isinstance(text, str) for text in value)):
        raise LookError("This link names no row, or was cut short; open the table and choose a row there.")
    return tuple(value)


def _written(value: list[Any]) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
