"""Facets of a relation: which values a column has and how many rows have each, to see what is there and to narrow it.

A facet of a column has its most frequent values, or a histogram of its times or numbers, and a time to be ready in.
What cannot be counted of all rows in it is counted in a sample (`sampling`), and says so. Counts are of the rows that
the filters let pass. Which columns are worth it: `facet_proposals`. What a click does to the filters: `facet_clicks`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2.sql

from undertone import conditions, database, histograms, queries, reading, relations, sampling

SQL = sampling.SQL
VALUES, TIMES, NUMBERS = "values", "times", "numbers"
MOST = 12  # values that are counted one by one
CUT = 200  # characters of a value that is shown; a longer one cannot be clicked
SECONDS = 2.0


@dataclass(frozen=True)
class Entry:
    """A value, or a bin if it `is_bin`, and how many rows have it. `text` None: no value.

    `conditions`, all together, let pass exactly these rows; () where the value is too long to filter by.
    """

    text: str | None
    count: int
    conditions: tuple[conditions.Condition, ...]
    is_bin: bool = False
    ends: tuple[str, str] | None = None  # of a bin: where it begins and ends, shortly; None: it has no end on a side


@dataclass(frozen=True)
class Facet:
    """What was found: of `rows` rows, `others` have values that are not among the entries. `sample` None: of all.

    Values come most frequent first, bins in their order, empty ones too, and what has no value at its place or last.
    `distinct` are the different values, NULL not counted; None for bins. `unit`: of bins of times.
    """

    column: str
    kind: str
    entries: tuple[Entry, ...]
    rows: int
    others: int = 0
    distinct: int | None = None
    unit: str | None = None
    sample: sampling.Sample | None = None


def kinds(field: relations.Field) -> tuple[str, ...]:
    """The kinds of facets that a column can have, the likelier one first."""
    if field.column.category == "time":
        return TIMES, VALUES
    if field.column.category == "number":
        return NUMBERS, VALUES
    return (VALUES,)


def facet(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    column: str,
    *,
    kind: str | None = None,
    where: psycopg2.sql.Composable | None = None,
    zone: str | None = None,
    seconds: float = SECONDS,
    most: int = MOST,
) -> Facet:
    """The facet of a column, of the kind that it is likeliest to be of if none is said.

    `where` is a condition about the relation, which is called r; times are cut in `zone`, an IANA name. Raises
    CatalogError for a column that is not there, and TooSlow where not even a few rows are read in `seconds`.
    """
    (field,) = relations.pick(relation, fields, [column])
    kind = kind if kind in kinds(field) else kinds(field)[0]
    value = histograms.expression(field) if kind != VALUES else grouped(field)
    found = sampling.sources(connection, relation, fields, value, where)

    def ask(source: sampling.Source) -> Facet:
        if kind == VALUES:
            return frequent(connection, relation, field, source, most)
        return _histogram(connection, relation, field, source, zone)

    answer = sampling.ask(connection, relation, found, seconds, ask)
    if not answer.rows and answer.sample and not answer.sample.first and where is None:
        # There are fewer rows than were expected, and none in these blocks.
        few = sampling.first(relation, fields, sampling.FEW)
        answer = sampling.ask(connection, relation, [few], seconds, ask)
    return answer


def grouped(field: relations.Field) -> psycopg2.sql.Composable:
    """A column as its values are told apart: those of types without an order by their text."""
    return reading.ordering(field)[0]


def shown(field: relations.Field, value: psycopg2.sql.Composable) -> psycopg2.sql.Composable:
    """A value that `grouped` told apart, as text, cut to one character more than is shown."""
    cut = psycopg2.sql.Literal(CUT + 1)
    if field.base == "bytea":
        return psycopg2.sql.SQL("left('\\x' || encode(substring({} FROM 1 FOR {}), 'hex'), {})").format(value, cut, cut)
    return psycopg2.sql.SQL("left(({})::text, {})").format(value, cut)


def entry(field: relations.Field, text: str | None, count: int) -> Entry:
    """A value as `shown` gave it, with the condition that finds it."""
    name = field.column.name
    if text is None:
        return Entry(None, count, (conditions.Condition(name, "null"),))
    if len(text) > CUT:
        return Entry(text[:CUT] + reading.MARK, count, ())
    return Entry(text, count, (conditions.Condition(name, "eq", (text,)),))


def frequent(
    connection: database.Connection,
    relation: relations.Relation,
    field: relations.Field,
    source: sampling.Source,
    most: int,
) -> Facet:
    """The most frequent values of a column in some rows."""
    statement = queries.compose(
        SQL.values,
        value=grouped(field),
        shown=shown(field, psycopg2.sql.SQL("c.value")),
        rows=source.rows,
        condition=source.condition,
        limit=psycopg2.sql.Literal(most + 1),
    )
    found = reading.read(connection, relation, statement, given=True)
    rows, distinct = (int(found[0][2]), found[0][3]) if found else (0, 0)
    # One more than are shown is shown, too, where it is the last.
    listed = found if distinct <= most + 1 else found[:most]
    entries = tuple(entry(field, text, count) for text, count, *_ in listed)
    others = rows - sum(one.count for one in entries)
    # Whether NULL is among values that are not listed is not known; it is one in many then.
    distinct -= any(one.text is None for one in entries)
    return Facet(field.column.name, VALUES, entries, rows, others, distinct, sample=source.sample)


def _histogram(
    connection: database.Connection,
    relation: relations.Relation,
    field: relations.Field,
    source: sampling.Source,
    zone: str | None,
) -> Facet:
    kind = TIMES if field.column.category == "time" else NUMBERS
    found = histograms.bounds(connection, relation, field, source)
    scale = histograms.scale(field, found, zone)
    nulls = found.rows - found.filled
    empty = Facet(field.column.name, kind, (), found.rows, found.filled, sample=source.sample)
    entries: list[Entry] = []
    if scale is not None:
        value, base = histograms.expression(field), histograms.edge_type(field)
        counts, nulls = histograms.count(connection, relation, value, base, scale.edges, source)
        entries = [
            Entry(one.text, rows, one.conditions, is_bin=True, ends=one.ends)
            for one, rows in zip(scale.bins, counts, strict=True)
            if rows or one.ends
        ]
        empty = dataclasses.replace(empty, rows=sum(counts) + nulls, others=0, unit=scale.unit)
    if nulls:
        entries.append(entry(field, None, nulls))
    return dataclasses.replace(empty, entries=tuple(entries))
