"""What all rows of a relation say of one column: its profile, exactly.

Of a column of few different values these are counted, and the rest is reckoned from the counts: each row is read once.
Many different values are sorted, which is faster then; which of them are the most common is seen in a sample, and only
those are counted. A histogram is another look. Types without an order are told apart by their text.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import psycopg2.sql

from undertone import (
    conditions,
    database,
    distributions,
    facets,
    histograms,
    profiles,
    queries,
    reading,
    relations,
    sampling,
)

SQL = profiles.SQL
LENGTHS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000, 10_000_000)
SPANS = ("interval", "time without time zone")  # have quantiles, too
MANY = 50_000  # different values: so many fit into the memory that the server has for them, by its own settings
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
    value = facets.grouped(field)
    statement = queries.compose(SQL.groups, value=value, rows=source.rows, condition=source.condition)
    ((text,),) = reading.read(connection, relation, statement, given=True)
    plan = (json.loads(text) if isinstance(text, str) else text)[0]["Plan"]
    if plan["Plan Rows"] <= MANY:
        found = _grouped(connection, relation, field, source)
    else:
        found = _sorted(connection, relation, field, source)
        common = _common(connection, relation, fields, field, where, found)
        found = dataclasses.replace(found, common=common)
    if histograms.is_ordered(field):
        found = dataclasses.replace(found, bins=_bins(connection, relation, field, found, source, zone))
    if found.lengths is not None and found.lengths.longest > found.lengths.shortest:
        found = dataclasses.replace(found, lengths=_lengths(connection, relation, field, found.lengths, source))
    return found


def _grouped(
    connection: database.Connection, relation: relations.Relation, field: relations.Field, source: sampling.Source
) -> profiles.ColumnProfile:
    value = psycopg2.sql.SQL("c.value")
    shown = facets.shown(field, value)
    parts = dict.fromkeys(("mean", "empty", "shortest", "length", "longest", "quantiles"), NULL)
    if shares := _shares(field):
        listed = psycopg2.sql.Literal(list(shares))
        parts["quantiles"] = queries.compose(SQL.grouped_quantiles, shown=shown, shares=listed)
    if field.column.category == "number":
        number = psycopg2.sql.SQL("(c.value)::{}").format(psycopg2.sql.SQL(histograms.edge_type(field)))
        mean = "(SELECT (sum({}::numeric * c.rows) / sum(c.rows))::float8 FROM c WHERE {})"
        parts["mean"] = _of(mean, number, histograms.finite(field, number))
    if field.column.category == "text":
        parts["empty"] = _of("(SELECT coalesce(sum(c.rows), 0)::bigint FROM c WHERE (c.value)::text = '')")
    if (length := _length(field, value)) is not None:
        parts["shortest"] = _of("(SELECT min({}) FROM c)", length)
        parts["longest"] = _of("(SELECT max({}) FROM c)", length)
        mean = "(SELECT (sum({} * c.rows) / sum(c.rows))::float8 FROM c WHERE c.value IS NOT NULL)"
        parts["length"] = _of(mean, length)
    statement = queries.compose(
        SQL.grouped,
        value=facets.grouped(field),
        rows=source.rows,
        condition=source.condition,
        shown=shown,
        most=psycopg2.sql.Literal(profiles.COMMON),
        **parts,
    )
    ((rows, filled, distinct, *figures, quantiles, common),) = reading.read(connection, relation, statement, given=True)
    entries = tuple(profiles.Common(facets.entry(field, text, count), count / rows) for text, count in common or ())
    return _profile(field, (rows, filled, *figures), distinct, quantiles, entries)


def _sorted(
    connection: database.Connection, relation: relations.Relation, field: relations.Field, source: sampling.Source
) -> profiles.ColumnProfile:
    value = facets.grouped(field)
    parts = dict.fromkeys(("mean", "empty", "shortest", "length", "longest"), NULL)
    quantiles = NULL
    if shares := _shares(field):
        # The server sorts once for all of them.
        form = psycopg2.sql.SQL("(percentile_disc({}) WITHIN GROUP (ORDER BY {}))")
        reached = [facets.shown(field, form.format(psycopg2.sql.Literal(share), value)) for share in shares]
        quantiles = _of("ARRAY[{}]", reading.listed(reached))
    if field.column.category == "number":
        number = histograms.expression(field)
        form = "(avg({}::numeric) FILTER (WHERE {}))::float8"
        parts["mean"] = _of(form, number, histograms.finite(field, number))
    if field.column.category == "text":
        parts["empty"] = _of("count(*) FILTER (WHERE ({})::text = '')", value)
    if (length := _length(field, value)) is not None:
        parts["shortest"], parts["longest"] = _of("min({})", length), _of("max({})", length)
        parts["length"] = _of("avg({})::float8", length)
    where = {"value": value, "rows": source.rows, "condition": source.condition}
    (figures,) = reading.read(connection, relation, queries.compose(SQL.plain, **where, **parts), given=True)
    statement = queries.compose(SQL.sorted, **where, quantiles=quantiles)
    ((distinct, texts),) = reading.read(connection, relation, statement, given=True)
    return _profile(field, figures, distinct, texts, ())


def _profile(
    field: relations.Field,
    figures: Sequence[Any],
    distinct: int,
    quantiles: Sequence[str] | None,
    common: tuple[profiles.Common, ...],
) -> profiles.ColumnProfile:
    rows, filled, mean, empty, shortest, length, longest = figures
    # Where no row has a value there are none.
    reached = [profiles.cut(text) for text in quantiles or () if text is not None] or [None, None]
    return profiles.ColumnProfile(
        field,
        is_exact=True,
        rows=rows,
        nulls=(rows - filled) / max(rows, 1),
        distinct=float(distinct),
        low=reached[0],
        high=reached[-1],
        mean=mean,
        quantiles=tuple((share, str(text)) for share, text in zip(profiles.SHARES, reached[1:-1], strict=False)),
        common=common,
        empty=None if empty is None else empty / max(rows, 1),
        lengths=None if shortest is None else profiles.Lengths(_unit(field), shortest, length, longest),
    )


def _common(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    field: relations.Field,
    where: psycopg2.sql.Composable | None,
    found: profiles.ColumnProfile,
) -> tuple[profiles.Common, ...]:
    """The most common of very many values: those that are so in a sample, counted in all rows."""
    if found.rows is None or found.distinct == found.rows * (1 - (found.nulls or 0.0)):
        return ()
    sample = sampling.sources(connection, relation, fields, facets.grouped(field), where)[0]
    seen = facets.frequent(connection, relation, field, sample, profiles.COMMON)
    only = conditions.Group(
        tuple(
            condition
            for entry in seen.entries
            if entry.text is not None and entry.count > 1
            for condition in entry.conditions
        ),
        any=True,
    )
    if not only:
        return ()
    condition = conditions.compose(fields, only, relation=relation)
    both = psycopg2.sql.SQL(" AND ").join([part for part in (where, condition) if part is not None])
    counted = facets.frequent(connection, relation, field, sampling.whole(relation, both), profiles.COMMON)
    return tuple(profiles.Common(entry, entry.count / found.rows) for entry in counted.entries)


def _shares(field: relations.Field) -> tuple[float, ...]:
    """Which quantiles a column has: none, the lowest and the highest, or some between them, too."""
    if histograms.is_ordered(field) or field.base in SPANS:
        return (0.0, *profiles.SHARES, 1.0)
    is_plain = field.column.category not in ("boolean", "json") and not field.base.endswith("[]")
    return (0.0, 1.0) if field.sortable and is_plain else ()


def _lengths(
    connection: database.Connection,
    relation: relations.Relation,
    field: relations.Field,
    found: profiles.Lengths,
    source: sampling.Source,
) -> profiles.Lengths:
    value = _length(field, field.expression) or NULL
    counts, _ = histograms.count(connection, relation, value, "bigint", [str(edge) for edge in LENGTHS], source)
    total = max(sum(counts), 1)
    named = [profiles.Bin(span := _span(number), rows / total, (span, span)) for number, rows in enumerate(counts[1:])]
    used = [number for number, one in enumerate(named) if one.share]
    return dataclasses.replace(found, bins=tuple(named[used[0] : used[-1] + 1])) if used else found


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
    return psycopg2.sql.SQL(form).format(*parts)
