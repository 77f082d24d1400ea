"""Saved queries, and the files of sql/saved with those that ship.

A file is a header of comments and a statement:

    -- name: Newest reviews
    -- description: What customers wrote in the last days. A field may go on in
    --   lines that are indented so.
    -- tags: texts, demo
    -- target: data
    -- parameter: days integer = 30
    -- chart: {"kind": "bar", "x": "day", "y": ["reviews"], "color": null}

    SELECT …

Only the name is needed. The target is data unless it is scores. There is a line for each parameter: its name, its kind,
and what its input begins with; without a value it begins with NULL.
"""

from __future__ import annotations

import datetime
import functools
import json
import pathlib
import re
from dataclasses import dataclass
from typing import Any

from undertone import errors, parameters

FOLDER = pathlib.Path(__file__).parent.parent / "sql" / "saved"

_FIELD = re.compile(r"-- ([a-z]+): *(.*)")
_PARAMETER = re.compile(r"(\w+) ([a-z]+)(?: = (.*))?")
_FIELDS = ("name", "description", "tags", "target", "parameter", "chart")


class LibraryError(errors.UndertoneError):
    """A query cannot be saved, found or removed."""


@dataclass(frozen=True)
class Saved:
    """A saved query, in one of its versions.

    `id` None: it ships with Undertone. `parameters`: what their inputs begin with. `chart`: as charts.Chart.to_dict.
    `who` and `at`: who made this version and when. `removed`: whether this version removed the query.
    """

    id: int | None
    name: str
    description: str
    tags: tuple[str, ...]
    statement: str
    parameters: dict[str, parameters.Value]
    chart: dict[str, Any] | None
    target: str
    version: int
    who: str
    at: datetime.datetime | None
    removed: bool = False


@functools.cache
def read_all() -> tuple[Saved, ...]:
    """The queries that ship. Raises LibraryError for a file that is none."""
    return tuple(read(path.name, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.sql")))


def read(file: str, text: str) -> Saved:
    """The query in a file of sql/saved. Raises LibraryError, which names the file and what is wrong with it."""
    lines = text.splitlines()
    count = next((n for n, line in enumerate(lines) if not line.startswith("--")), len(lines))
    fields: list[tuple[str, str]] = []
    for line in lines[:count]:
        if named := _FIELD.fullmatch(line):
            fields.append((named[1], named[2].strip()))
        elif fields and line.startswith("--   "):
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line[5:].strip()}")
        else:
            raise LibraryError(f"{file}: this line of the header is no field: {line}")
    for name, _ in fields:
        if name not in _FIELDS:
            raise LibraryError(f"{file}: there is no field {name!r}; there are: {', '.join(_FIELDS)}")
    single = {name: value for name, value in fields if name != "parameter"}
    if len(single) < len([name for name, _ in fields if name != "parameter"]):
        raise LibraryError(f"{file}: a field is there twice")
    given: dict[str, parameters.Value] = {}
    for name, value in fields:
        if name == "parameter":
            parts = _PARAMETER.fullmatch(value)
            if parts is None or parts[2] not in parameters.KINDS:
                raise LibraryError(f"{file}: a parameter is written NAME KIND = VALUE, not {value!r}")
            given[parts[1]] = parameters.Value(parts[2], parts[3])
    try:
        chart = json.loads(single["chart"]) if "chart" in single else None
    except ValueError:
        raise LibraryError(f"{file}: the chart is not JSON: {single['chart']}") from None
    statement = "\n".join(lines[count:]).strip()
    if not single.get("name") or not statement:
        raise LibraryError(f"{file}: it has no {'statement' if single.get('name') else 'name'}")
    tags = tuple(tag.strip() for tag in single.get("tags", "").split(",") if tag.strip())
    return Saved(
        id=None,
        name=single["name"],
        description=single.get("description", ""),
        tags=tags,
        statement=statement,
        parameters=given,
        chart=chart,
        target=single.get("target", "data"),
        version=1,
        who="",
        at=None,
    )
