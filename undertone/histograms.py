"""Bins for numbers and times: edges that people like, and what a bin is as a condition.

A bin holds what is at least its lower edge and less than its upper one. Edges are texts of the column's type, so that
the server counts with exactly the values that a click filters by.
"""

from __future__ import annotations

import datetime
import decimal
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2.sql

from undertone import condition_times, conditions, database, queries, reading, relations, sampling, time_units

SQL = sampling.SQL
BINS = 20  # about so many for numbers
FAR = 10.0  # times the width of the middle 98 in a hundred: what lies so far out gets no bins of its own
# Types of whole numbers, and from where to where they go.
_SPANS = {"smallint": (-(2**15), 2**15), "integer": (-(2**31), 2**31), "bigint": (-(2**63), 2**63), "oid": (0, 2**32)}
WHOLE = {name: (decimal.Decimal(low), decimal.Decimal(end - 1)) for name, (low, end) in _SPANS.items()}
LIMITS = ("0001-01-03", "9998-12-30")  # of what Python can reckon with
LARGE = {"real": ("-1e30", "1e30")}
DIGITS = 400  # to reckon with, of numbers up to 1e300


@dataclass(frozen=True)
class Bin:
    """A part of the values, in words, and the conditions that let it pass, all together.

    `ends`: how one says shortly where it begins and ends; None for what is below or above all bins.
    """

    text: str
    conditions: tuple[conditions.Condition, ...]
    ends: tuple[str, str] | None = None


@dataclass(frozen=True)
class Scale:
    """Edges in ascending order and the bins that they make: one more, for what is below, in front and one behind."""

    edges: tuple[str, ...]
    bins: tuple[Bin, ...]
    unit: str | None = None  # of times


@dataclass(frozen=True)
class Bounds:
    """Between which values a column lies: lowest and highest, and of the middle 98 in a hundred; None where none is."""

    rows: int
    filled: int
    low: str | None
    high: str | None
    near: tuple[str, str] | None


def is_ordered(field: relations.Field) -> bool:
    """Whether there can be bins of a column."""
    return field.column.category in ("number", "time")


def expression(field: relations.Field) -> psycopg2.sql.Composable:
    """A column as the type that its edges are of."""
    return psycopg2.sql.SQL("({})::{}").format(field.expression, psycopg2.sql.SQL(edge_type(field)))


def edge_type(field: relations.Field) -> str:
    """The type of a column's edges: a wider one for whole numbers, since the last edge is beyond the largest."""
    wider = {"bigint": "numeric"} | dict.fromkeys(("smallint", "integer", "oid"), "bigint")
    return wider.get(field.base, field.base)


def bounds(
    connection: database.Connection, relation: relations.Relation, field: relations.Field, source: sampling.Source
) -> Bounds:
    """Between which values a column lies, but for infinity, NaN and times that no calendar here has."""
    value = expression(field)
    only = psycopg2.sql.SQL("FILTER (WHERE {})").format(finite(field, value))
    statement = queries.compose(SQL.bounds, value=value, finite=only, rows=source.rows, condition=source.condition)
    ((rows, filled, low, high, near),) = reading.read(connection, relation, statement, given=True)
    return Bounds(rows, filled, low, high, tuple(near) if near else None)


def scale(field: relations.Field, found: Bounds, zone: str | None = None) -> Scale | None:
    """Edges for what lies between these bounds; None where nothing does. `zone`: an IANA name, UTC by default."""
    if found.low is None or found.high is None:
        return None
    if field.column.category == "time":
        return _times(field, found.low, found.high, found.near or (), zone)
    low, high = _middle(*(decimal.Decimal(text) for text in (found.low, found.high, *(found.near or ()))))
    name, ends = field.column.name, WHOLE.get(field.base)
    edges = nice(low, high, whole=ends is not None)
    texts = tuple(_digits(edge) for edge in edges)
    bins = [Bin(f"below {texts[0]}", (conditions.Condition(name, "lt", (texts[0],)),))]
    for (start, lower), (end, upper) in itertools.pairwise(zip(edges, texts, strict=True)):
        if ends is not None:
            least, last = (_digits(min(max(edge, ends[0]), ends[1])) for edge in (start, end - 1))
            text = least if last == least else f"{least} to {last}"
            click = ("eq", (least,)) if last == least else ("between", (least, last))
            bins.append(Bin(text, (conditions.Condition(name, *click),), (least, last)))
        else:
            pair = (conditions.Condition(name, "ge", (lower,)), conditions.Condition(name, "lt", (upper,)))
            bins.append(Bin(f"{lower} to below {upper}", pair, (lower, upper)))
    bins.append(Bin(f"{texts[-1]} and more", (conditions.Condition(name, "ge", (texts[-1],)),)))
    return Scale(texts, tuple(bins))


def count(
    connection: database.Connection,
    relation: relations.Relation,
    value: psycopg2.sql.Composable,
    base: str,
    edges: Sequence[str],
    source: sampling.Source,
) -> tuple[list[int], int]:
    """How many rows each bin of a scale has, and how many have no value."""
    listed = psycopg2.sql.SQL("{}::{}[]").format(psycopg2.sql.Literal(list(edges)), psycopg2.sql.SQL(base))
    statement = queries.compose(SQL.bins, value=value, edges=listed, rows=source.rows, condition=source.condition)
    counts, nulls = [0] * (len(edges) + 1), 0
    for place, rows in reading.read(connection, relation, statement, given=True):
        if place is None:
            nulls += rows
        else:
            counts[place] += rows
    return counts, nulls


def nice(low: decimal.Decimal, high: decimal.Decimal, *, whole: bool, most: int = BINS) -> list[decimal.Decimal]:
    """Edges of about so many bins of one width, 1, 2, 2.5 or 5 times a power of ten; the last one is above `high`."""
    with decimal.localcontext(prec=DIGITS):
        width = (high - low) / most
        if not width:
            width = decimal.Decimal(1) if whole or not low else abs(low) / most
        power = decimal.Decimal(10) ** width.adjusted()
        step = next(
            power * decimal.Decimal(times)
            for times in ("1", "2", "2.5", "5", "10")
            if power * decimal.Decimal(times) >= width
        )
        if whole:
            step = max(decimal.Decimal(1), step.to_integral_value(decimal.ROUND_CEILING))
        start = (low / step).to_integral_value(decimal.ROUND_FLOOR)
        stop = (high / step).to_integral_value(decimal.ROUND_FLOOR) + 1
        return [(start + number) * step for number in range(int(stop - start) + 1)]


def _middle(
    low: decimal.Decimal, high: decimal.Decimal, *near: decimal.Decimal
) -> tuple[decimal.Decimal, decimal.Decimal]:
    if near and near[1] > near[0] and float(high - low) > FAR * float(near[1] - near[0]):
        return near[0], near[1]
    return low, high


def _times(field: relations.Field, low_text: str, high_text: str, near_texts: Sequence[str], zone: str | None) -> Scale:
    place = time_units.zone(zone) if field.base == condition_times.WITH_ZONE else None
    low, high, *near = (time_units.read(text, place) for text in (low_text, high_text, *near_texts))
    if near and near[1] > near[0] and (high - low) > FAR * (near[1] - near[0]):
        low, high = near
    unit = time_units.choose((high - low).total_seconds(), "day" if field.base == "date" else "second")
    edges = [start := time_units.floor(low, unit)]
    while start <= high:
        edges.append(start := time_units.following(start, unit))
    texts = tuple(_written(edge, field) for edge in edges)
    name = field.column.name
    first = conditions.Condition(name, "lt", (texts[0],))
    bins = [Bin(f"before {time_units.called(edges[0], unit)}", (first,))]
    for start, end in itertools.pairwise(edges):
        called = time_units.called(start, unit)
        short = called.removeprefix("week of ")
        bins.append(Bin(called, (_between(field, start, end),), (short, short)))
    last = conditions.Condition(name, "ge", (texts[-1],))
    bins.append(Bin(f"{time_units.called(edges[-1], unit)} and later", (last,)))
    return Scale(texts, tuple(bins), unit)


def _between(field: relations.Field, start: datetime.datetime, end: datetime.datetime) -> conditions.Condition:
    """All times from one on to before another."""
    name = field.column.name
    if field.base == "date":
        values = (start.date().isoformat(), (end - datetime.timedelta(days=1)).date().isoformat())
        if values[0] == values[1]:
            return conditions.Condition(name, "eq", values[:1])
        return conditions.Condition(name, "between", values)
    # The last moment before: PostgreSQL has no smaller part of a second.
    last = end - datetime.timedelta(microseconds=1) if end.tzinfo is None else time_units.back(end)
    return conditions.Condition(name, "between", (_written(start, field), _written(last, field)))


def _written(moment: datetime.datetime, field: relations.Field) -> str:
    return moment.date().isoformat() if field.base == "date" else moment.isoformat(" ")


def _digits(number: decimal.Decimal) -> str:
    """A number without an exponent, unless it would be very long."""
    with decimal.localcontext(prec=DIGITS):
        number = number.normalize() if number else decimal.Decimal(0)
    return format(number, "f") if -20 < number.adjusted() < 20 else str(number)


def finite(field: relations.Field, value: psycopg2.sql.Composable) -> psycopg2.sql.Composable:
    """That a value of a column's type can be reckoned with: not NULL, infinity, NaN, or a time that Python has not."""
    if field.base in WHOLE:
        return psycopg2.sql.SQL("{} IS NOT NULL").format(value)
    ends = LIMITS if field.column.category == "time" else LARGE.get(field.base, ("-1e300", "1e300"))
    kind = psycopg2.sql.SQL(field.base)
    return psycopg2.sql.SQL("{} BETWEEN {} AND {}").format(value, *(reading.typed(end, kind) for end in ends))
