"""Values as PostgreSQL means them: numbers, truth and text as Python's own, everything else as the server wrote it.

psycopg2 would raise for dates BC or after 9999 and for huge intervals, silently alter `infinity` and `24:00`, and parse
JSON and arrays that somebody wants to see as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import psycopg2.extensions

# Bytes of a row, of a value's place in it, of an empty text and of the largest number; null and truth are shared.
_ROW, _PLACE, _ASCII, _NUMBER = 64, 8, sys.getsizeof(""), sys.getsizeof(2**62)
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


def size(rows: Sequence[tuple[object, ...]]) -> int:
    """Bytes that rows take up here: a text of 'ü' takes one for each, one with a '👍' in it four for each character.

    A column at a time: asking each value was a quarter of the time that a million rows took.
    """
    if not rows:
        return 0
    columns = zip(*rows, strict=True)
    return sum(map(_column_size, columns)) + (_ROW + _PLACE * len(rows[0])) * len(rows)


def _column_size(values: Sequence[Any]) -> int:
    texts = values
    if type(None) in (kinds := set(map(type, values))):
        texts = [value for value in values if value is not None]
        kinds.discard(type(None))
    if kinds == {str} and all(map(str.isascii, texts)):
        return sum(map(len, texts)) + _ASCII * len(texts)
    if str in kinds:
        return sum(map(sys.getsizeof, texts))
    return _NUMBER * len(texts)


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
