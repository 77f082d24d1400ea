"""What a click on a facet does to the filters: values of one column are one of several, a bin narrows, twice undoes it.

A facet of values is counted without the filter that it made itself, so that its other values can still be seen and
added; one of bins is counted with it, so that it shows what is inside.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable
from typing import Any

from undertone import conditions, facets

Part = conditions.Condition | conditions.Group
MADE = ("eq", "in", "null")  # the operators of filters that a facet of values makes
RANGES = ("ge", "lt", "between")  # and one of bins


def chosen(where: conditions.Group, column: str) -> tuple[str | None, ...]:
    """The values of a column that a facet of it has narrowed the rows to; None stands for no value."""
    if where.any and where.parts:
        return ()
    return tuple(dict.fromkeys(value for part in where.parts for value in _values(part, column) or ()))


def is_chosen(where: conditions.Group, column: str, entry: facets.Entry) -> bool:
    """Whether a click on an entry has made a part of these filters."""
    if not entry.conditions or (where.any and where.parts):
        return False
    if (value := _value(entry)) is not None:
        return value[0] in chosen(where, column)
    return all(condition in where.parts for condition in entry.conditions)


def apart(where: conditions.Group, column: str) -> conditions.Group:
    """The filters without those that a facet of values of a column has made."""
    if where.any:
        return where
    return conditions.Group(tuple(part for part in where.parts if _values(part, column) is None))


def toggled(where: conditions.Group, column: str, entry: facets.Entry) -> conditions.Group:
    """The filters after a click on an entry."""
    if not entry.conditions:
        return where
    if where.any and where.parts:
        where = conditions.Group((where,))
    if (value := _value(entry)) is not None:
        values = list(chosen(where, column))
        values = [one for one in values if one != value[0]] if value[0] in values else [*values, value[0]]
        made = _made(column, values)
        return _flat((*apart(where, column).parts, *made))
    if is_chosen(where, column, entry):
        return _flat(part for part in where.parts if part not in entry.conditions)
    return narrowed(where, entry.conditions)


def narrowed(where: conditions.Group, made: tuple[conditions.Condition, ...]) -> conditions.Group:
    """The filters and a range; ranges of its column that hold all of it say nothing any more, and go."""
    if where.any and where.parts:
        where = conditions.Group((where,))
    inner = _range(made)
    kept = [
        part
        for part in where.parts
        if not (isinstance(part, conditions.Condition) and _holds(part, made[0].column, inner))
    ]
    return _flat((*(part for part in kept if part not in made), *made))


def cleared(where: conditions.Group, column: str) -> conditions.Group:
    """The filters without any that a facet of a column can have made."""
    kept = [
        part
        for part in apart(where, column).parts
        if where.any
        or isinstance(part, conditions.Group)
        or part.column != column
        or part.operator not in (*MADE, *RANGES)
    ]
    return _flat(kept) if not where.any else where


def spanned(first: facets.Entry, last: facets.Entry) -> tuple[conditions.Condition, ...]:
    """From one bin to another: from the beginning of the first to the end of the last; () for what is none."""
    if first == last or not first.conditions or not last.conditions:
        return first.conditions
    starts, ends = first.conditions, last.conditions
    column = starts[0].column
    low = _end(starts, ("ge", "between", "eq"), 0)
    high = _end(ends, ("lt", "between", "eq"), -1)
    if low is None or high is None or any("null" in (one.operator for one in made) for made in (starts, ends)):
        return () if low is None and high is None else (starts if high is None else ends)
    if any(condition.operator == "lt" for condition in ends):
        return conditions.Condition(column, "ge", (low,)), conditions.Condition(column, "lt", (high,))
    return (conditions.Condition(column, "between", (low, high)),)


def _value(entry: facets.Entry) -> tuple[str | None, ...] | None:
    """The value that an entry stands for, in a tuple, since it may be None; None for a bin."""
    if entry.text is None:
        return (None,)
    return None if entry.is_bin else entry.conditions[0].values


def _values(part: Part, column: str) -> tuple[str | None, ...] | None:
    """The values that a part narrows a column to, if it is one that a facet makes; else None."""
    if isinstance(part, conditions.Group):
        if not part.any or not part.parts:
            return None
        inner = [_values(one, column) for one in part.parts]
        return None if None in inner else tuple(value for values in inner for value in values or ())
    if part.column != column or part.operator not in MADE:
        return None
    return (None,) if part.operator == "null" else part.values


def _made(column: str, values: list[str | None]) -> tuple[Part, ...]:
    texts = tuple(value for value in values if value is not None)
    parts: list[Part] = []
    if texts:
        parts.append(conditions.Condition(column, "eq" if len(texts) == 1 else "in", texts))
    if None in values:
        parts.append(conditions.Condition(column, "null"))
    return (conditions.Group(tuple(parts), any=True),) if len(parts) > 1 else tuple(parts)


def _flat(parts: Iterable[Part]) -> conditions.Group:
    """All of these; where it is one group alone, it."""
    listed = tuple(parts)
    if len(listed) == 1 and isinstance(listed[0], conditions.Group):
        return listed[0]
    return conditions.Group(listed)


def _end(made: tuple[conditions.Condition, ...], operators: tuple[str, ...], place: int) -> str | None:
    return next((one.values[place] for one in made if one.operator in operators), None)


Range = tuple[Any, Any]  # numbers or times, of which only those of a kind are compared; None for no end


def _range(made: Iterable[conditions.Condition]) -> Range:
    """From where to where conditions let values pass; None where there is no end, or it cannot be told here."""
    low = high = None
    for one in made:
        if one.operator in ("ge", "between", "eq"):
            low = _parsed(one.values[0])
        if one.operator in ("lt", "between", "eq"):
            high = _parsed(one.values[-1])
    return low, high


def _holds(part: conditions.Condition, column: str, inner: Range) -> bool:
    """Whether a range of a column holds all of another one."""
    if part.column != column or part.operator not in RANGES:
        return False
    low, high = _range([part])
    try:
        return (low is None or (inner[0] is not None and low <= inner[0])) and (
            high is None or (inner[1] is not None and high >= inner[1])
        )
    except TypeError:
        return False  # a number and a time, or times with an offset and without


def _parsed(text: str) -> decimal.Decimal | datetime.datetime | None:
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        pass
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
