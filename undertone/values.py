"""Values as PostgreSQL means them: numbers, truth and text as Python's own, everything else as the server wrote it.

psycopg2 would raise for dates BC or after 9999 and for huge intervals, silently alter `infinity` and `24:00`, and parse
JSON and arrays that somebody wants to see as they are.
"""

from __future__ import annotations

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


def size(row: Iterable[object]) -> int:
    """Bytes of a row's values as UTF-8 text; 8 for a number."""
    total = 0
    for value in row:
        if isinstance(value, str):
            total += len(value) if value.isascii() else len(value.encode(errors="replace"))
        else:
            total += 8
    return total
