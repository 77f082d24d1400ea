"""Times in conditions: a day alone as the whole day, and times without an offset as those of the reader's zone.

A link has to mean the same everywhere, so times get an offset before they go into one (`conditions.anchored`), and a
day is written as the times at which it begins and ends: the last one is a microsecond before the next day, since
PostgreSQL has no smaller part of a second.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Sequence

from undertone import names, operators, relations

WITH_ZONE, WITHOUT_ZONE = "timestamp with time zone", "timestamp without time zone"
DAY = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*")
TIME = re.compile(DAY.pattern + r"[ T]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\s*")

Choice = tuple[str, tuple[str, ...]]


def settle(field: relations.Field, operator: str, values: Sequence[str], zone: str | None) -> tuple[Choice, ...]:
    """The same condition with times that need no zone: operators and values of which one must hold, mostly just one.

    What is no time of this era, as `infinity`, and what has an offset already, stays as it is. Raises ConditionError
    for a zone that there is not, and for an operator or a number of values that no condition has.
    """
    values = tuple(values)
    operators.check(names.line(field.column.name), operator, values)
    if field.base not in (WITH_ZONE, WITHOUT_ZONE) or operators.OPERATORS[operator].values != "typed":
        return ((operator, values),)
    where = _zone(zone) if zone is not None and field.base == WITH_ZONE else None
    days = [_moment(DAY, value) for value in values]
    begins = [_written(day, where) if day else _settled(value, where) for day, value in zip(days, values, strict=True)]
    ends = [
        _written(datetime.datetime.combine(day, datetime.time.max), where) if day else begin
        for day, begin in zip(days, begins, strict=True)
    ]
    if operator in ("le", "gt"):
        return ((operator, (ends[0],)),)
    if operator == "between":
        return ((operator, (begins[0], ends[1])),)
    if operator == "eq" and days[0]:
        return (("between", (begins[0], ends[0])),)
    if operator == "ne" and days[0]:
        return (("lt", (begins[0],)), ("gt", (ends[0],)), ("null", ()))
    return ((operator, tuple(begins)),)


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise operators.ConditionError(
            f"There is no time zone “{' '.join(name.split())[:60]}”; write one as Europe/Berlin."
        ) from None


def _moment(pattern: re.Pattern[str], text: str) -> datetime.datetime | None:
    match = pattern.fullmatch(text)
    if match is None:
        return None
    numbers = [int(part or 0) for part in match.groups()[:6]]
    fraction = match.group(7) if pattern is TIME else None
    try:
        year, month, day, hour, minute, second = (*numbers, 0, 0, 0)[:6]
        found = datetime.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the zone is the caller's
    except ValueError:
        return None  # for the server to refuse
    return found.replace(microsecond=int((fraction or "0").ljust(6, "0")))


def _settled(text: str, zone: zoneinfo.ZoneInfo | None) -> str:
    moment = _moment(TIME, text) if zone else None
    return _written(moment, zone) if moment else text


def _written(moment: datetime.datetime, zone: zoneinfo.ZoneInfo | None) -> str:
    return moment.replace(tzinfo=zone).isoformat(" ")
