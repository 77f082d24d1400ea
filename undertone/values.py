"""Values as PostgreSQL means them: numbers, truth and text as Python's own, everything else as the server wrote it.

psycopg2 would raise for dates BC or after 9999 and for huge intervals, silently alter `infinity` and `24:00`, and parse
JSON and arrays that somebody wants to see as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import psycopg2.extensions

_INTEGERS, _FLOATS, _BOOLEAN = (20, 21, 23, 26), (700, 701), 16  # int8, int2, int4, oid; float4, float8; bool


def as_written(cursor: Any) -> Any:
    """Make `cursor`, and nothing else on its connection, give values as described above; returns it.

    None stays NULL. numeric is text, too: no Python number holds all of it and prints it as the server does.
    """
    extensions = psycopg2.extensions
    extensions.register_type(extensions.UNICODE, cursor)  # makes the cursor's own map of casters
    casters = cursor.string_types
    casters |= dict.fromkeys((*extensions.string_types, *(cursor.connection.string_types or ())), extensions.UNICODE)
    casters |= dict.fromkeys(_INTEGERS, extensions.INTEGER) | dict.fromkeys(_FLOATS, extensions.FLOAT)
    casters[_BOOLEAN] = extensions.BOOLEAN
    return cursor


def size(rows: Iterable[tuple[object, ...]]) -> int:
    """Bytes that rows take up here: a text of 'ü' takes one for each, one with a '👍' in it four for each character."""
    count = total = 0
    for row in rows:
        count += 1
        total += 8 * len(row) + sum(map(sys.getsizeof, row))
    return total + 64 * count


def cut(rows: list[tuple[object, ...]], most: int) -> int:
    """Take the last of `rows` away, as many as it needs for the others to take up at most so many bytes; their size."""
    total = 0
    for index, row in enumerate(rows):
        one = size([row])
        if total + one > most:
            del rows[index:]
            break
        total += one
    return total
