"""Facets of a relation: which values a column has and how many rows have each, to see what is there and to narrow it.

    propose          columns that are worth it, from what the last ANALYZE saw, else from a few rows
    facet            one column: the most frequent values, or a histogram of its times or numbers

Everything has a time to be ready in. What cannot be counted of all rows in it is counted in a sample (`sampling`), and
says so. Counts are of the rows that the filters let pass. What a click does to the filters: `facet_clicks`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2
import psycopg2.sql

from undertone import conditions, database, histograms, prose, queries, reading, relations, sampling

SQL = sampling.SQL
VALUES, TIMES, NUMBERS = "values", "times", "numbers"
MOST = 12  # values that are counted one by one
CUT = 200  # characters of a value that is shown; a longer one cannot be clicked
SECONDS = 2.0
MOST_PROPOSED = 8
FEW_VALUES, SOME_VALUES = 30, 200  # that a category has; with more than the first only where each has many rows
FEW_NUMBERS = 12  # with more distinct values numbers get a histogram
LONG_WIDTH = 48.0  # bytes of a value: longer ones are no categories
SAMPLED, SAMPLED_COLUMNS, SAMPLED_SECONDS = 2_000, 80, 0.5  # where nothing has been analysed
UNLIKE = 0.95  # of the values: with more that differ, whole numbers tell rows apart
NEVER = ("json", "bytes")


@dataclass(frozen=True)
class Proposal:
    """A column that is worth a facet, and the kind of it. `distinct`: values that it has, about, if known."""

    column: str
    kind: str
    distinct: float | None = None


@dataclass(frozen=True)
class Entry:
    """A value, or a bin if it `is_bin`, and how many rows have it. `text` None: no value.

    `conditions`, all together, let pass exactly these rows; () where the value is too long to filter by.
    """

    text: str | None
    count: int
    conditions: tuple[conditions.Condition, ...]
    is_bin: bool = False
    is_closed: bool = False  # a bin with an end on both sides


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


def propose(
    connection: database.Connection, relation: relations.Relation, fields: Sequence[relations.Field]
) -> list[Proposal]:
    """Up to MOST_PROPOSED columns that are worth a facet: categories, times, numbers; never keys or long texts.

    From statistics, else from a few rows; where reading those takes too long, by types alone. Raises CatalogError when
    the relation is gone.
    """
    key = relations.key(connection, relation)
    known = _analysed(connection, relation) or _sampled(connection, relation, fields)
    references = {row[0] for row in relations.SQL.references(connection, schema=relation.schema, name=relation.name)}
    found: dict[str, list[Proposal]] = {VALUES: [], TIMES: [], NUMBERS: []}
    for field in fields:
        name = field.column.name
        # One column of a key of several may be a category, as the place in a table of places and days.
        if (name,) != key and (proposal := _worth(field, known, name in references or name in key)):
            found[proposal.kind].append(proposal)
    found[VALUES].sort(key=lambda proposal: (proposal.distinct or 2) > FEW_VALUES)
    first = [*found[VALUES][:4], *found[TIMES][:1], *found[NUMBERS][:2]]
    others = [*found[VALUES][4:], *found[TIMES][1:], *found[NUMBERS][2:]]
    chosen = [*first, *others][:MOST_PROPOSED]
    return sorted(chosen, key=lambda proposal: (VALUES, TIMES, NUMBERS).index(proposal.kind))


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
            return _values(connection, relation, field, source, most)
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


def _values(
    connection: database.Connection,
    relation: relations.Relation,
    field: relations.Field,
    source: sampling.Source,
    most: int,
) -> Facet:
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
            Entry(one.text, rows, one.conditions, is_bin=True, is_closed=bool(one.low and one.high))
            for one, rows in zip(scale.bins, counts, strict=True)
            if rows or (one.low and one.high)
        ]
        empty = dataclasses.replace(empty, rows=sum(counts) + nulls, others=0, unit=scale.unit)
    if nulls:
        entries.append(entry(field, None, nulls))
    return dataclasses.replace(empty, entries=tuple(entries))


@dataclass(frozen=True)
class _Known:
    """What is known of a column: shares of the rows that have a value and of those that differ, values, their bytes."""

    filled: float
    unlike: float
    distinct: float
    width: float


def _worth(field: relations.Field, known: dict[str, _Known], linked: bool) -> Proposal | None:
    """What a column is worth, if anything. `linked`: it is part of a key, or refers to another table."""
    name, category = field.column.name, field.column.category
    guessed = _Known(1.0, 0.0, 2.0, 0.0) if category in ("boolean", "time") or field.enum else None
    about = known.get(name, guessed)
    if about is None or not about.distinct or (about.distinct < 2 and about.filled == 1.0):
        return None  # nothing is known, or all are alike
    if category == "time":
        return Proposal(name, TIMES, about.distinct)
    if category == "boolean" or field.enum:
        return Proposal(name, VALUES, about.distinct)
    if category == "number" and about.distinct > FEW_NUMBERS:
        identifies = (
            linked or prose.IDENTIFIER.search(name) or (about.unlike > UNLIKE and field.base in histograms.WHOLE)
        )
        return None if identifies else Proposal(name, NUMBERS, about.distinct)
    if category in NEVER or not field.sortable or field.base.endswith("[]") or about.width > LONG_WIDTH:
        return None
    most = FEW_VALUES if about.unlike > 0.01 else SOME_VALUES
    return Proposal(name, VALUES, about.distinct) if about.distinct <= most and about.unlike <= 0.5 else None


def _analysed(connection: database.Connection, relation: relations.Relation) -> dict[str, _Known]:
    """What the last ANALYZE saw of each column."""
    rows = float(max(relation.rows or 0, 1))
    found = {}
    for name, nulls, number, width in SQL.statistics(connection, schema=relation.schema, name=relation.name):
        filled = 1.0 - nulls
        distinct = number if number >= 0 else -number * rows
        found[name] = _Known(filled, min(1.0, distinct / max(filled * rows, 1.0)), distinct, width)
    return found


def _sampled(
    connection: database.Connection, relation: relations.Relation, fields: Sequence[relations.Field]
) -> dict[str, _Known]:
    """What a few rows say of each column; nothing where they take too long."""
    judged = [field for field in fields if field.sortable and field.column.category not in NEVER][:SAMPLED_COLUMNS]
    if not judged:
        return {}
    form = "count({0}), count(DISTINCT left(({0})::text, 100)), coalesce(avg(octet_length(({0})::text)), 0)::float8"
    source = sampling.first(relation, judged, SAMPLED)
    statement = queries.compose(
        SQL.few,
        counts=reading.listed(psycopg2.sql.SQL(form).format(field.expression) for field in judged),
        rows=source.rows,
    )
    try:
        with relations.within(connection, int(SAMPLED_SECONDS * 1000), lock=sampling.LOCK_MILLISECONDS):
            ((rows, *counts),) = reading.read(connection, relation, statement)
    except (psycopg2.errors.QueryCanceled, psycopg2.errors.LockNotAvailable):
        return {}
    found = {}
    for field, filled, distinct, width in zip(judged, counts[::3], counts[1::3], counts[2::3], strict=True):
        found[field.column.name] = _Known(filled / max(rows, 1), distinct / max(filled, 1), float(distinct), width)
    return found
