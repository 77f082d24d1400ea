"""What all rows of a relation say of one column: its profile, exactly.

The different values are counted, and the rest is reckoned from them, so that each row is read once; a histogram is a
second look. Types without an order are told apart by their text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import psycopg2.sql

from undertone import database, distributions, facets, histograms, profiles, queries, reading, relations, sampling

LENGTHS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000, 10_000_000)
SPANS = ("interval", "time without time zone")  # have quantiles, too
NULL: psycopg2.sql.Composable = psycopg2.sql.SQL("NULL")


def exact(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    column: str,
    *,
    where: psycopg2.sql.Composable | None = None,
    zone: str | None = None,
) -> profiles.ColumnProfile:
    """What all rows say of a column, or those under a condition about the relation, which is called r.

    It takes as long as it takes: limit it by the connection. Raises CatalogError for a column that is not there.
    """
    (field,) = relations.pick(relation, fields, [column])
    source = sampling.whole(relation, where)
    found = _counted(connection, relation, field, source)
    if histograms.is_ordered(field):
        found = dataclasses.replace(found, bins=_bins(connection, relation, field, found, source, zone))
    if found.lengths is not None and found.lengths.longest > found.lengths.shortest:
        value = _length(field, field.expression) or NULL
        counts, _ = histograms.count(connection, relation, value, "bigint", [str(n) for n in LENGTHS], source)
        filled = max(sum(counts), 1)
        named = [profiles.Bin(_span(number), rows / filled) for number, rows in enumerate(counts[1:])]
        last = max(number for number, one in enumerate(named) if one.share)
        first = min(number for number, one in enumerate(named) if one.share)
        lengths = dataclasses.replace(found.lengths, bins=tuple(named[first : last + 1]))
        found = dataclasses.replace(found, lengths=lengths)
    return found


def _counted(
    connection: database.Connection, relation: relations.Relation, field: relations.Field, source: sampling.Source
) -> profiles.ColumnProfile:
    category = field.column.category
    value = psycopg2.sql.SQL("c.value")
    shown = facets.shown(field, value)
    ordered = field.sortable and category not in ("boolean", "json") and not field.base.endswith("[]")
    length = _length(field, value)
    parts = dict.fromkeys(("low", "high", "mean", "empty", "shortest", "length", "longest", "quantiles"), NULL)
    if ordered:
        parts["low"] = _of("SELECT {} FROM c WHERE c.value IS NOT NULL ORDER BY c.value LIMIT 1", shown)
        parts["high"] = _of("SELECT {} FROM c WHERE c.value IS NOT NULL ORDER BY c.value DESC LIMIT 1", shown)
    if histograms.is_ordered(field) or field.base in SPANS:
        shares = psycopg2.sql.Literal(list(profiles.SHARES))
        parts["quantiles"] = queries.compose(profiles.SQL.quantiles, shown=shown, shares=shares)
    if category == "number":
        number = psycopg2.sql.SQL("(c.value)::{}").format(psycopg2.sql.SQL(histograms.edge_type(field)))
        mean = "SELECT (sum({}::numeric * c.rows) / sum(c.rows))::float8 FROM c WHERE {}"
        parts["mean"] = _of(mean, number, histograms.finite(field, number))
    if category == "text":
        parts["empty"] = _of("SELECT coalesce(sum(c.rows), 0)::bigint FROM c WHERE (c.value)::text = ''")
    if length is not None:
        parts["shortest"] = _of("SELECT min({}) FROM c", length)
        parts["longest"] = _of("SELECT max({}) FROM c", length)
        mean = "SELECT (sum({} * c.rows) / sum(c.rows))::float8 FROM c WHERE c.value IS NOT NULL"
        parts["length"] = _of(mean, length)
    most = psycopg2.sql.Literal(profiles.COMMON)
    statement = queries.compose(
        profiles.SQL.exact,
        value=facets.grouped(field),
        rows=source.rows,
        condition=source.condition,
        shown=shown,
        most=most,
        **parts,
    )
    (row,) = reading.read(connection, relation, statement, given=True)
    rows, filled, distinct, low, high, mean, empty, shortest, typical, longest, quantiles, common, counts = row
    return profiles.ColumnProfile(
        field,
        is_exact=True,
        rows=rows,
        nulls=(rows - filled) / max(rows, 1),
        distinct=float(distinct),
        low=profiles.cut(low),
        high=profiles.cut(high),
        mean=mean,
        quantiles=tuple(
            (share, str(profiles.cut(text))) for share, text in zip(profiles.SHARES, quantiles or (), strict=False)
        ),
        common=tuple(
            profiles.Common(facets.entry(field, text, count), count / rows)
            for text, count in zip(common, counts, strict=True)
        ),
        empty=None if empty is None else empty / max(rows, 1),
        lengths=None if shortest is None else profiles.Lengths(_unit(field), shortest, typical, longest),
    )


def _bins(
    connection: database.Connection,
    relation: relations.Relation,
    field: relations.Field,
    found: profiles.ColumnProfile,
    source: sampling.Source,
    zone: str | None,
) -> tuple[profiles.Bin, ...]:
    """The histogram of numbers or times."""
    near = tuple(text for share, text in found.quantiles if share in (profiles.SHARES[0], profiles.SHARES[-1]))
    ends = (found.low, found.high, *near)
    if len(ends) == 4 and all(end is not None and distributions.number(field, end) is not None for end in ends):
        bounds = histograms.Bounds(0, 0, found.low, found.high, (near[0], near[1]))
    else:
        bounds = histograms.bounds(connection, relation, field, source)
    scale = histograms.scale(field, bounds, zone)
    if scale is None:
        return ()
    value, kind = histograms.expression(field), histograms.edge_type(field)
    counts, _ = histograms.count(connection, relation, value, kind, scale.edges, source)
    return profiles.named(scale.bins, [count / max(sum(counts), 1) for count in counts])


def _length(field: relations.Field, value: psycopg2.sql.Composable) -> psycopg2.sql.Composed | None:
    """How long a value is; None for a type whose values have no length."""
    if field.column.category == "text":
        return psycopg2.sql.SQL("length(({})::text)::bigint").format(value)
    if field.base == "bytea":
        return psycopg2.sql.SQL("octet_length({})::bigint").format(value)
    if field.base.endswith("[]") and field.sortable:
        return psycopg2.sql.SQL("cardinality({})::bigint").format(value)
    return None


def _unit(field: relations.Field) -> str:
    return {"text": "character", "bytes": "byte"}.get(field.column.category, "element")


def _span(number: int) -> str:
    """What lengths the bins of LENGTHS hold."""
    if number + 1 == len(LENGTHS):
        return f"{LENGTHS[-1]:,} and more"
    low, high = LENGTHS[number], LENGTHS[number + 1] - 1
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _of(form: str, *parts: psycopg2.sql.Composable) -> psycopg2.sql.Composed:
    return psycopg2.sql.SQL(f"({form})").format(*parts)
