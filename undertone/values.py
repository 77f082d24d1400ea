"""Values as PostgreSQL means them: numbers, truth and text as Python's own, everything else as the server wrote it.

psycopg2 would raise for dates BC or after 9999 and for huge intervals, silently alter `infinity` and `24:00`, and parse
JSON and arrays that somebody wants to see as they are.
"""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Collection, Sequence
from typing import Any

import psycopg2.extensions

# Bytes of a row, of a value's place in it, and of the largest number; null is shared.
_ROW, _PLACE, _NUMBER = 64, 8, sys.getsizeof(2**62)
_INTEGERS, _FLOATS, BOOLEAN = (20, 21, 23, 26), (700, 701), 16  # int8, int2, int4, oid; float4, float8; bool
NUMBERS = frozenset((*_INTEGERS, *_FLOATS, BOOLEAN))  # types whose values are no texts


class Batch(list[tuple[object, ...]]):
    """Rows, and the same a column at a time: found out once for all who look at them so."""

    @functools.cached_property
    def columns(self) -> list[tuple[Any, ...]]:
        """The values of each column; nothing where there are no rows.

        Not by zip(*self): its iterator for each row has the garbage collector walk through the batch several times.
        """
        return [tuple(map(operator.itemgetter(place), self)) for place in range(len(self[0]) if self else 0)]

    def shorten(self, rows: int) -> None:
        """Take away all rows but the first ones."""
        del self[rows:]
        self.__dict__.pop("columns", None)


def as_written(cursor: Any, *, numbers: bool = True) -> Any:
    """Make `cursor`, and nothing else on its connection, give values as described above; returns it.

    None stays NULL. numeric is text, too: no Python number holds all of it and prints it as the server does. Without
    `numbers` the others are texts, too: for who writes them down again, reading them is a waste.
    """
    extensions = psycopg2.extensions
    extensions.register_type(extensions.UNICODE, cursor)  # makes the cursor's own map of casters
    casters = cursor.string_types
    casters |= dict.fromkeys((*extensions.string_types, *(cursor.connection.string_types or ())), extensions.UNICODE)
    if numbers:
        casters |= dict.fromkeys(_INTEGERS, extensions.INTEGER) | dict.fromkeys(_FLOATS, extensions.FLOAT)
    casters[BOOLEAN] = extensions.BOOLEAN
    return cursor


def size(rows: Batch, numbers: Collection[int]) -> int:
    """Bytes that rows take up here: a text of 'ü' takes one for each, one with a '👍' in it four for each character.

    `numbers`: the places of the columns of `NUMBERS`, which count as such although they may have been left as texts.
    A column at a time: asking each value was a quarter of the time that a million rows took.
    """
    columns = enumerate(rows.columns)
    values = sum(_numbers(column) if place in numbers else _texts(column) for place, column in columns)
    return values + (_ROW + _PLACE * len(rows.columns)) * len(rows)


def _numbers(values: Sequence[Any]) -> int:
    return _NUMBER * (len(values) - values.count(None))


def _texts(values: Sequence[Any]) -> int:
    if None in values:
        values = [value for value in values if value is not None]
    return sum(map(str.__sizeof__, values))  # sys.getsizeof says the same, and takes seven times as long


def cut(rows: Batch, most: int, numbers: Collection[int]) -> int:
    """Take the last of `rows` away, as many as it needs for the others to take up at most so many bytes; their size."""
    total = 0
    for index, row in enumerate(rows):
        one = size(Batch([row]), numbers)
        if total + one > most:
            rows.shorten(index)
            break
        total += one
    return total
