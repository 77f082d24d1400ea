"""The rows after a cursor, or before it, in any order: as ranges that an index can serve, asked one after the other.

"After" in an order of several columns, of which some go down and some have no value, is no single comparison. It is cut
into segments that do not overlap: equal in the first columns, beyond in the next one. Columns that are never NULL and
go the same way are compared as a row. Each segment is a range of an index in the order, if there is one.

The method is that of https://use-the-index-luke.com/no-offset, with segments in place of OR.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg2
import psycopg2.sql

from undertone import database, queries, reading, relations

SQL = queries.load("paging")
LOCK_MILLISECONDS = 10_000  # for whoever holds the table
LEAST_WINDOW, FIRST_WINDOW, LAST_WINDOW = 10, 1_000, 200_000  # rows that are looked through at once
WINDOW_SECONDS = 0.2  # that a window should take: then one can stop in time
LAST_SECONDS = 1.0  # that the window may take in which the time is up

ANY_ORDER = psycopg2.sql.SQL("(SELECT NULL)")

Cursor = tuple[str | None, ...]
Found = list[tuple[reading.Row, Cursor]]


class PageTooSlow(relations.CatalogError):
    """A page that took longer than it may, or waited too long for somebody who holds the relation."""


@dataclass(frozen=True)
class Term:
    """Something that rows are ordered by, and the type of a text that it is compared with. NULL comes last."""

    expression: psycopg2.sql.Composable
    type: psycopg2.sql.Composable
    nullable: bool = False
    descending: bool = False


@dataclass
class Walk:
    """How far somebody got who looks for rows: at which cursor the time was up, and how many rows were examined."""

    until: float | None = None  # of time.monotonic()
    stopped: Cursor | None = None
    examined: int = 0

    @property
    def left(self) -> float | None:
        """Seconds that are left; None where nobody minds."""
        return None if self.until is None else max(0.0, self.until - time.monotonic())


@dataclass(frozen=True)
class Rows:
    """What is read of a relation, under which condition, in which order.

    `fields` are all there are, `shown` those of a row's values, `ordering` those that the terms are made of.
    """

    connection: database.Connection
    relation: relations.Relation
    fields: Sequence[relations.Field]
    shown: Sequence[relations.Field]
    ordering: Sequence[relations.Field]
    terms: Sequence[Term]
    where: psycopg2.sql.Composable | None
    cut: int | None

    def expressions(self) -> list[psycopg2.sql.Composable]:
        """What to select for a row: its values, then the texts of its cursor."""
        texts = (psycopg2.sql.SQL("({})::text").format(term.expression) for term in self.terms)
        return [*(reading.shown(field, self.cut) for field in self.shown), *texts]

    def columns(self, fields: Sequence[relations.Field] = ()) -> list[psycopg2.sql.Composable]:
        """What has to be read for that, and for other fields."""
        found = {field.column.name: field.expression for field in (*self.shown, *self.ordering, *fields)}
        own = any(term is CTID or term.expression is CTID.expression for term in self.terms)
        return [*found.values(), CTID.expression] if own else list(found.values())

    def rows(self, found: Sequence[Sequence[object]]) -> Found:
        """What a statement of `expressions` gave, as rows with their cursors."""
        width = len(self.shown)
        return [(reading.trimmed(row[:width], self.cut), _texts(row[width:])) for row in found]


CTID = Term(psycopg2.sql.SQL("r.ctid"), psycopg2.sql.SQL("tid"))


def fits(terms: Sequence[Term], cursor: Cursor) -> bool:
    """Whether a cursor can be one of this order."""
    return len(cursor) == len(terms) and not any(
        text is None and not term.nullable for text, term in zip(cursor, terms, strict=True)
    )


@contextlib.contextmanager
def limited(connection: database.Connection, relation: relations.Relation, seconds: float | None) -> Iterator[None]:
    """Stop what takes too long, and say so: as PageTooSlow. Without `seconds` only what waits too long for a lock."""
    try:
        if seconds is None:
            yield
            return
        # So that it is known whether it was a lock that the time went by with.
        milliseconds = max(1, int(seconds * 1000))
        with relations.within(connection, milliseconds, lock=min(LOCK_MILLISECONDS, max(1, milliseconds * 4 // 5))):
            yield
    except psycopg2.errors.QueryCanceled as error:
        raise PageTooSlow(
            f"This page of {relation.label} took longer than {seconds:g} s and was stopped. Sort by the key or by a"
            " column that has an index, or narrow it down by a filter on one."
        ) from error
    except psycopg2.errors.LockNotAvailable as error:
        raise PageTooSlow(
            f"Somebody holds {relation.label} exclusively, as while it is altered; try again when that has ended."
        ) from error


def walk(rows: Rows, cursor: Cursor | None, back: bool, limit: int, limits: Sequence[psycopg2.sql.Composable]) -> Found:
    """Up to `limit` rows beyond the cursor, in the order of walking, each with its own cursor.

    `limits` are conditions beside that of the rows.
    """
    found: Found = []
    for segment in segments(rows.terms, cursor, back):
        if len(found) == limit:
            break
        conditions = [*limits, *segment.conditions, *([rows.where] if rows.where is not None else [])]
        statement = queries.compose(
            SQL.keyset,
            shown=reading.listed(rows.expressions()),
            read=reading.listed(rows.columns()),
            relation=rows.relation.identifier,
            condition=where(conditions),
            order=segment.order,
            limit=psycopg2.sql.Literal(limit - len(found)),
        )
        given = cursor is not None or rows.where is not None
        found += rows.rows(reading.read(rows.connection, rows.relation, statement, given=given))
    return found


def search(rows: Rows, cursor: Cursor | None, back: bool, limit: int, progress: Walk) -> Found:
    """As `walk`, where the condition has no index: window by window of rows in the order, until the time is up.

    The order must have an index. `progress` says how many rows were examined, and where it stopped for want of time.
    """
    found: Found = []
    window = FIRST_WINDOW
    pending = list(segments(rows.terms, cursor, back))
    while pending and len(found) < limit:
        if progress.left == 0.0 and progress.examined:
            progress.stopped = cursor
            break
        began = time.monotonic()
        try:
            some, edge, examined = _window(rows, pending[0], limit - len(found), window, progress.left)
        except psycopg2.errors.QueryCanceled:
            if window == LEAST_WINDOW:
                raise
            window = max(window // 10, LEAST_WINDOW)
            continue
        found += some
        progress.examined += examined
        cursor = edge or cursor
        if examined < window:
            pending.pop(0)
        else:
            pending = list(segments(rows.terms, cursor, back))
        took = time.monotonic() - began
        if took < WINDOW_SECONDS / 2:
            window = min(window * 4, LAST_WINDOW)
        elif took > WINDOW_SECONDS:
            window = max(window // 2, LEAST_WINDOW)
    return found[:limit]


def _window(
    rows: Rows, segment: Segment, limit: int, window: int, seconds: float | None
) -> tuple[Found, Cursor | None, int]:
    """Of the next rows those that are sought; the cursor of the last one looked at, and how many were."""
    statement = queries.compose(
        SQL.window,
        shown=reading.listed(rows.expressions()),
        read=reading.listed(rows.columns(rows.fields)),
        mark=psycopg2.sql.Identifier(_mark(rows)),
        where=rows.where or psycopg2.sql.SQL("true"),
        relation=rows.relation.identifier,
        condition=where(segment.conditions),
        order=segment.order,
        back=segment.reversed,
        limit=psycopg2.sql.Literal(limit),
        window=psycopg2.sql.Literal(window),
    )
    with contextlib.ExitStack() as stack:
        if seconds is not None:
            milliseconds = int(1000 * max(seconds, LAST_SECONDS))
            stack.enter_context(relations.within(rows.connection, milliseconds, lock=LOCK_MILLISECONDS))
        answer = reading.read(rows.connection, rows.relation, statement, given=True)
    found = rows.rows([row[:-2] for row in answer if row[-1]])
    edge = [row for row in answer if not row[-1]]
    if not edge:
        return found, None, 0
    ((_, cursor),) = rows.rows([edge[0][:-2]])
    return found, cursor, int(edge[0][-2])


@dataclass(frozen=True)
class Segment:
    """Rows that follow each other: the conditions for them, and their order and its reverse."""

    conditions: list[psycopg2.sql.Composable]
    order: psycopg2.sql.Composable
    reversed: psycopg2.sql.Composable


def segments(terms: Sequence[Term], cursor: Cursor | None, back: bool) -> Iterator[Segment]:
    """All that lies beyond a cursor, or all there is, the nearest first. They do not overlap."""
    if cursor is None:
        yield from _halves(terms, 0, [], back)
        return
    for start, end in reversed(_runs(terms)):
        equal = [_equal(term, text) for term, text in zip(terms[:start], cursor[:start], strict=True)]
        head, text = terms[start], cursor[start]
        if text is not None:
            known = [_not_null(head)] if head.nullable else []
            yield _segment(terms, start, [*equal, *known, _beyond(terms, cursor, start, end, back)], back, known=True)
            if head.nullable and not back:
                yield _segment(terms, start + 1, [*equal, _null(head)], back)
        else:
            if end > start + 1:
                condition = _beyond(terms, cursor, start + 1, end, back)
                yield _segment(terms, start + 1, [*equal, _null(head), condition], back, known=True)
            if back:
                yield _segment(terms, start, [*equal, _not_null(head)], back, known=True)


def _halves(
    terms: Sequence[Term], start: int, conditions: list[psycopg2.sql.Composable], back: bool
) -> Iterator[Segment]:
    """Rows with a value in a term, then those without, each a question that an index answers in either direction.

    An index has them all in an order that goes up, as here; in one that goes down it has those without a value first.
    """
    head = terms[start]
    if not (head.nullable and head.descending):
        yield _segment(terms, start, conditions, back)
        return
    halves = [
        _segment(terms, start, [*conditions, _not_null(head)], back, known=True),
        _segment(terms, start + 1, [*conditions, _null(head)], back),
    ]
    yield from reversed(halves) if back else halves


def _runs(terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Terms that can be compared as one row, from and to: only the first of them may be NULL, and all go one way."""
    starts = [0]
    for number, (term, following) in enumerate(itertools.pairwise(terms), 1):
        if following.nullable or following.descending != term.descending:
            starts.append(number)
    return list(itertools.pairwise([*starts, len(terms)]))


def _segment(
    terms: Sequence[Term], start: int, conditions: list[psycopg2.sql.Composable], back: bool, *, known: bool = False
) -> Segment:
    """`known`: the first term that it is ordered by has a value in all of its rows."""
    ordered = terms[start:]
    return Segment(conditions, _order(ordered, back, known), _order(ordered, not back, known))


def _order(terms: Sequence[Term], back: bool, known: bool) -> psycopg2.sql.Composable:
    parts = []
    for number, term in enumerate(terms):
        down = term.descending != back
        form = "{} DESC" if down else "{}"
        if term.nullable and term.descending and not (known and number == 0):
            # The server's own habit is that NULL is larger than everything; here it comes last in either direction.
            form += " NULLS FIRST" if back else " NULLS LAST"
        parts.append(psycopg2.sql.SQL(form).format(term.expression))
    return reading.listed(parts) if parts else ANY_ORDER


def _equal(term: Term, text: str | None) -> psycopg2.sql.Composable:
    if text is None:
        return _null(term)
    return psycopg2.sql.SQL("{} = {}").format(term.expression, reading.typed(text, term.type))


def _null(term: Term) -> psycopg2.sql.Composable:
    return psycopg2.sql.SQL("{} IS NULL").format(term.expression)


def _not_null(term: Term) -> psycopg2.sql.Composable:
    return psycopg2.sql.SQL("{} IS NOT NULL").format(term.expression)


def _beyond(terms: Sequence[Term], cursor: Cursor, start: int, end: int, back: bool) -> psycopg2.sql.Composable:
    """That a row lies beyond a cursor in these terms, which go one way and are compared as one row."""
    down = terms[start].descending != back
    return psycopg2.sql.SQL("({}) {} ({})").format(
        reading.listed(term.expression for term in terms[start:end]),
        psycopg2.sql.SQL("<" if down else ">"),
        reading.listed(
            reading.typed(text, term.type) for term, text in zip(terms[start:end], cursor[start:end], strict=True)
        ),
    )


def where(conditions: Sequence[psycopg2.sql.Composable]) -> psycopg2.sql.Composable:
    """Conditions of which all must hold, for a statement."""
    return psycopg2.sql.SQL("WHERE " if conditions else "") + psycopg2.sql.SQL(" AND ").join(conditions)


def _mark(rows: Rows) -> str:
    """A name for a column that no column has."""
    taken = {field.column.name for field in rows.fields}
    return next(name for number in itertools.count() if (name := f"undertone_{number}") not in taken)


def _texts(values: Sequence[object]) -> Cursor:
    return tuple(None if value is None else str(value) for value in values)
