"""Profiles of columns: how many have no value, how many differ, between which values they lie, which are common.

Of all columns at once it is what the last ANALYZE saw: estimates, for which no row is read. What all rows say of one
column: `profiling`.

Every type has a profile; what a type cannot do, such as a mean of texts, is left out of it.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from undertone import database, distributions, facets, histograms, queries, reading, relations

SQL = queries.load("profiles")
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
COMMON = 10  # values that are listed


@dataclass(frozen=True)
class Common:
    """A value that many rows have: their share of all rows, their number where they were counted, how to find them."""

    entry: facets.Entry
    share: float


@dataclass(frozen=True)
class Bin:
    """A part of the values, in words, and the share of them that lies in it."""

    text: str
    share: float
    ends: tuple[str, str] | None = None  # where it begins and ends, shortly


@dataclass(frozen=True)
class Lengths:
    """Characters of texts, bytes, or elements of arrays: of the shortest, on average, of the longest."""

    unit: str  # "character", "byte" or "element"
    shortest: int
    mean: float
    longest: int
    bins: tuple[Bin, ...] = ()


@dataclass(frozen=True)
class ColumnProfile:
    """What is known of a column; None and () where nothing is.

    `is_exact`: counted in `rows` rows; else as ANALYZE saw it, `at` some time. `nulls` and `empty` are shares of the
    rows. Values are PostgreSQL's texts, cut to `facets.CUT` characters. `quantiles` are pairs of a share and the value
    up to which it goes.
    """

    field: relations.Field
    is_exact: bool = False
    at: datetime.datetime | None = None
    rows: int | None = None
    nulls: float | None = None
    distinct: float | None = None
    low: str | None = None
    high: str | None = None
    mean: float | None = None
    quantiles: tuple[tuple[float, str], ...] = ()
    common: tuple[Common, ...] = ()
    width: int | None = None  # bytes of a value, on average
    correlation: float | None = None  # of the order of the values with that in which the rows lie, -1 to 1
    empty: float | None = None
    lengths: Lengths | None = None
    bins: tuple[Bin, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether anything is."""
        return self.nulls is not None


def profile(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    zone: str | None = None,
) -> list[ColumnProfile]:
    """What the last ANALYZE saw of every column, in their order; one of which nothing is known says just that.

    Times are cut into bins in `zone`, an IANA name.
    """
    ordered = [field.column.name for field in fields if histograms.is_ordered(field)]
    texts = [field.column.name for field in fields if field.column.category == "text"]
    with connection.cursor() as cursor:
        cursor.execute(reading.EXACT)
    rows = SQL.statistics(
        connection,
        schema=relation.schema,
        name=relation.name,
        ordered=ordered,
        texts=texts,
        most=COMMON,
        cut=facets.CUT,
    )
    at = SQL.analysed(connection, schema=relation.schema, name=relation.name)
    known = {name: row for name, *row in rows}
    return [
        _estimated(relation, field, known[field.column.name], at, zone)
        if field.column.name in known
        else ColumnProfile(field)
        for field in fields
    ]


def named(bins: Sequence[histograms.Bin], shares: Sequence[float]) -> tuple[Bin, ...]:
    """The shares of bins, with their words; those without an end only where something is in them."""
    pairs = zip(bins, shares, strict=True)
    return tuple(Bin(one.text, share, one.ends) for one, share in pairs if share > 1e-9 or one.ends)


def cut(text: str | None) -> str | None:
    """A value as much of it as is shown."""
    return text if text is None or len(text) <= facets.CUT else text[: facets.CUT] + reading.MARK


def _estimated(
    relation: relations.Relation,
    field: relations.Field,
    row: Sequence[Any],
    at: datetime.datetime | None,
    zone: str | None,
) -> ColumnProfile:
    nulls, number, width, correlation, low, high, bounds, common, shares = row
    pairs = list(zip(common or (), shares or (), strict=False))
    distinct = number if number >= 0 else -number * relation.rows if relation.rows is not None else None
    found = ColumnProfile(
        field,
        at=at,
        rows=relation.rows,
        nulls=nulls,
        distinct=None if distinct is None or (not number and nulls < 1) else float(round(distinct)),
        common=tuple(
            Common(facets.entry(field, text, round(share * (relation.rows or 0))), share)
            for text, share in pairs[:COMMON]
        ),
        width=width,
        correlation=correlation,
    )
    if not histograms.is_ordered(field):
        complete = field.column.category == "text" or not pairs
        ends = (cut(low), cut(high)) if complete else (None, None)
        return dataclasses.replace(found, low=ends[0], high=ends[1])
    spread = distributions.read(field, bounds or (), pairs, 1.0 - nulls)
    if spread is None:
        return found
    low, high = spread.texts[0], spread.texts[-1]
    near = spread.quantile(0.01), spread.quantile(0.99)
    scale = histograms.scale(field, histograms.Bounds(0, 0, low, high, near), zone)
    bins: tuple[Bin, ...] = ()
    if scale is not None:
        edges = [distributions.number(field, edge) for edge in scale.edges]
        below = [0.0, *(spread.below(edge) for edge in edges if edge is not None), 1.0]
        parts = [max(0.0, after - before) for before, after in itertools.pairwise(below)]
        if len(parts) == len(scale.bins):
            bins = named(scale.bins, parts)
    return dataclasses.replace(
        found,
        low=low,
        high=high,
        mean=spread.mean() if field.column.category == "number" else None,
        quantiles=tuple((share, spread.quantile(share)) for share in SHARES),
        bins=bins,
    )
