"""Pages of rows by keyset: from the place where the last page ended, not by counting the rows before it.

A page costs the same at any depth when an index has its order. The rows are ordered by one column, then by the key, so
that no row is shown twice or left out; rows without a value in that column come last, in whichever direction it is
sorted. How rows without a key are paged through:

- a plain table or a materialised view, by ctid, the place where the row lies: fast at any depth, but a row that is
  changed while somebody reads moves to another place;
- everything else (views, foreign tables, partitioned and inherited tables without a key, or a table of which only some
  columns may be read), by sorting on all columns and skipping rows: what is deep costs more, and rows that are written
  meanwhile shift the pages.

The method is that of https://use-the-index-luke.com/no-offset, with row comparisons.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import psycopg2.sql

from undertone import database, queries, reading, relations

SQL = queries.load("paging")
# A long text that no index has in order is sorted by its beginning: a cursor has to fit into an address.
PREFIX = 200
# How many columns of a relation without a key are compared as what they are; the rest of them as one text.
COMPARED = 32
# The first look at a table by ctid is at so many blocks.
BLOCKS = 16
PLACE = re.compile(r"\((\d{1,10}),\d{1,5}\)")
NUMBER = re.compile(r"\d{1,18}")

Cursor = tuple[str | None, ...]
Found = list[tuple[reading.Row, Cursor]]


@dataclasses.dataclass(frozen=True)
class Page:
    """Rows that follow each other, in order; values as in `reading`.

    `first` and `last` say that nothing lies before, or after. `start` and `end` are for `before=` and `after=`: the
    values that the first and the last row are found by, as text; None where there are no rows.
    """

    columns: tuple[relations.Column, ...]
    rows: list[reading.Row]
    first: bool
    last: bool
    start: Cursor | None
    end: Cursor | None


@dataclasses.dataclass(frozen=True)
class _Term:
    """Something that rows are ordered by, and the type of a text that it is compared with."""

    expression: psycopg2.sql.Composable
    type: psycopg2.sql.Composable
    nullable: bool = False


CTID = _Term(psycopg2.sql.SQL("r.ctid"), psycopg2.sql.SQL("tid"))


def page(
    connection: database.Connection,
    relation: relations.Relation,
    *,
    size: int,
    sort: str | None = None,
    descending: bool = False,
    after: Sequence[str | None] | None = None,
    before: Sequence[str | None] | None = None,
    at_end: bool = False,
    cut: int | None = reading.CUT,
) -> Page:
    """`size` rows: the first ones, those after or before a cursor of another page in the same order, or the last ones.

    `sort` None is the order of the key, or where there is none, that of the module's docstring. Where the rows after a
    cursor are gone it is the last page, and where less than a page lies before one, the first. Texts longer than `cut`
    characters come cut, with a mark; None lifts that. A relation of no columns has an empty page. Raises CatalogError
    when the relation or the column is not there, and for a cursor that does not fit.
    """
    if size < 1 or (after is not None) + (before is not None) + at_end > 1:
        raise ValueError("a page has at least one row, and one of after=, before= and at_end=")
    key, physical = relations.identity(connection, relation)
    fields = relations.fields(connection, relation)
    if not fields:
        return Page((), [], first=True, last=True, start=None, end=None)
    names = list(dict.fromkeys([sort, *key] if sort is not None else key))
    terms = [_term(field, whole=field.column.name in key) for field in relations.pick(relation, fields, names)]
    if key or physical:
        walker: _Walker = _Keyset(connection, relation, fields, terms if key else [*terms, CTID], descending, cut)
    else:
        walker = _Skipping(connection, relation, fields, [*terms, *_everything(fields)], descending, cut)
    if before is not None or at_end:
        found, first, last = _backward(walker, before, size)
    else:
        found, first, last = _forward(walker, after, size)
    start, end = (found[0][1], found[-1][1]) if found else (None, None)
    return Page(tuple(field.column for field in fields), [row for row, _ in found], first, last, start, end)


def _forward(walker: _Walker, after: Sequence[str | None] | None, size: int) -> tuple[Found, bool, bool]:
    found = walker.walk(after, False, size + 1)
    if not found and after is not None:
        return _backward(walker, None, size)
    return found[:size], after is None, len(found) <= size


def _backward(walker: _Walker, before: Sequence[str | None] | None, size: int) -> tuple[Found, bool, bool]:
    found = walker.walk(before, True, size + 1)
    if len(found) < size and before is not None:
        return _forward(walker, None, size)
    return found[-size:], len(found) <= size, before is None


def _term(field: relations.Field, *, whole: bool) -> _Term:
    expression, kind = reading.ordering(field)
    if not (whole or field.indexed):
        head = psycopg2.sql.SQL("left(({})::text, {})").format(field.expression, psycopg2.sql.Literal(PREFIX))
        if field.column.category == "text":
            # Back to its own type, which may have an order of its own, as citext does.
            expression = psycopg2.sql.SQL("{}::{}").format(head, kind)
        elif field.column.category == "json" or not field.sortable:
            expression, kind = head, psycopg2.sql.SQL("text")
        elif field.column.category == "bytes":
            part = psycopg2.sql.SQL("substring({} FROM 1 FOR {})")
            expression = part.format(field.expression, psycopg2.sql.Literal(PREFIX))
    return _Term(expression, kind, field.column.nullable)


def _everything(fields: Sequence[relations.Field]) -> list[_Term]:
    terms = [_Term(*reading.ordering(field)) for field in fields[:COMPARED]]
    if rest := fields[COMPARED:]:
        text = psycopg2.sql.SQL("ROW({})::text").format(reading.listed(field.expression for field in rest))
        terms.append(_Term(text, psycopg2.sql.SQL("text")))
    return terms


@dataclasses.dataclass(frozen=True)
class _Walker:
    """One way through a relation."""

    connection: database.Connection
    relation: relations.Relation
    fields: list[relations.Field]
    terms: list[_Term]
    descending: bool
    cut: int | None

    def walk(self, cursor: Sequence[str | None] | None, back: bool, limit: int) -> Found:
        """Up to `limit` rows from a cursor on, forward or back, each with its own cursor, in the order of the page."""
        raise NotImplementedError

    def misfit(self) -> relations.CatalogError:
        return relations.CatalogError(
            f"There is no such place in {self.relation.label} in this order; start at its first page."
        )

    def shown(self) -> list[psycopg2.sql.Composable]:
        return [reading.shown(field, self.cut) for field in self.fields]


class _Keyset(_Walker):
    """From one row to the next by what they are ordered by: a column, if any, then the key or ctid."""

    def walk(self, cursor: Sequence[str | None] | None, back: bool, limit: int) -> Found:
        if cursor is not None and (
            len(cursor) != len(self.terms)
            or any(text is None and not term.nullable for text, term in zip(cursor, self.terms, strict=True))
            or (self.terms[-1] is CTID and not PLACE.fullmatch(cursor[-1] or ""))
        ):
            raise self.misfit()
        if self.terms == [CTID]:
            found = self._by_block(cursor, back, limit)
        elif not self.terms[0].nullable:
            found = self._ask([], cursor, back, limit)
        else:
            found = self._values_and_nulls(cursor, back, limit)
        return found[::-1] if back else found

    def _values_and_nulls(self, cursor: Sequence[str | None] | None, back: bool, limit: int) -> Found:
        """Rows with a value, then those without, asked for one after the other.

        Each is a question that an index answers in either direction, as "descending, but NULL last" in one is not.
        """
        parts = [back, not back]  # is it the part of the NULLs?
        if cursor is not None:
            parts = parts[parts.index(cursor[0] is None) :]
        found: Found = []
        for null in parts:
            if len(found) < limit:
                condition = psycopg2.sql.SQL("{} IS NULL" if null else "{} IS NOT NULL").format(
                    self.terms[0].expression
                )
                found += self._ask([condition], cursor, back, limit - len(found))
            cursor = None
        return found

    def _by_block(self, cursor: Sequence[str | None] | None, back: bool, limit: int) -> Found:
        """Rows by ctid, from ever larger ranges of blocks: the server does not know that tables lie in that order."""
        name = psycopg2.sql.Literal(self.relation.identifier.as_string(self.connection))
        ((blocks,),) = reading.read(self.connection, self.relation, queries.compose(SQL.blocks, relation=name))
        down = back != self.descending
        match = PLACE.fullmatch(cursor[0] or "") if cursor else None
        at = min(int(match[1]), blocks) if match else blocks if down else 0
        window = BLOCKS
        while True:
            edge = max(at - window, 0) if down else min(at + window, blocks)
            limits = [_beyond([CTID], (f"({edge},0)",), ">=" if down else "<")]
            found = self._ask(limits, cursor, back, limit)
            if len(found) == limit or edge in (0, blocks):
                return found
            window *= 8

    def _ask(
        self,
        conditions: list[psycopg2.sql.Composed],
        cursor: Sequence[str | None] | None,
        back: bool,
        limit: int,
    ) -> Found:
        """The next rows under some conditions in the order of walking."""
        down = back != self.descending
        if cursor is not None:
            skipped = 1 if cursor[0] is None else 0
            bound = _beyond(self.terms[skipped:], cursor[skipped:], "<" if down else ">")
            conditions = [*conditions, bound]
        expressions = [term.expression for term in self.terms]
        columns = [field.expression for field in self.fields]
        direction = psycopg2.sql.SQL("{} DESC" if down else "{}")
        statement = queries.compose(
            SQL.keyset,
            shown=reading.listed([*self.shown(), *(psycopg2.sql.SQL("({})::text").format(e) for e in expressions)]),
            read=reading.listed([*columns, CTID.expression] if CTID in self.terms else columns),
            relation=self.relation.identifier,
            condition=psycopg2.sql.SQL("WHERE " if conditions else "") + psycopg2.sql.SQL(" AND ").join(conditions),
            order=reading.listed(direction.format(expression) for expression in expressions),
            limit=psycopg2.sql.Literal(limit),
        )
        width = len(self.fields)
        return [
            (reading.trimmed(row[:width], self.cut), row[width:])
            for row in reading.read(self.connection, self.relation, statement, given=cursor is not None)
        ]


class _Skipping(_Walker):
    """By the number of a row in the order of all its columns; a cursor is that number."""

    def walk(self, cursor: Sequence[str | None] | None, back: bool, limit: int) -> Found:
        if cursor is not None and (len(cursor) != 1 or not NUMBER.fullmatch(cursor[0] or "")):
            raise self.misfit()
        at = int(cursor[0] or 0) if cursor else None
        if back:
            end = relations.count(self.connection, self.relation) if at is None else at
            start = max(end - limit, 0)
        else:
            start = 0 if at is None else at + 1
            end = start + limit
        direction = psycopg2.sql.SQL("{} DESC NULLS LAST" if self.descending else "{}")
        statement = queries.compose(
            SQL.skipping,
            shown=reading.listed(self.shown()),
            relation=self.relation.identifier,
            order=reading.listed([direction.format(self.terms[0].expression), *(t.expression for t in self.terms[1:])]),
            limit=psycopg2.sql.Literal(end - start),
            offset=psycopg2.sql.Literal(start),
        )
        found = reading.read(self.connection, self.relation, statement, given=cursor is not None)
        return [(reading.trimmed(row, self.cut), (str(start + number),)) for number, row in enumerate(found)]


def _beyond(terms: Sequence[_Term], cursor: Sequence[str | None], comparison: str) -> psycopg2.sql.Composed:
    """That a row lies on one side of a cursor."""
    return psycopg2.sql.SQL("({}) {} ({})").format(
        reading.listed(term.expression for term in terms),
        psycopg2.sql.SQL(comparison),
        reading.listed(reading.typed(text, term.type) for term, text in zip(terms, cursor, strict=True)),
    )
