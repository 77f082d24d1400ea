"""Pages of rows by keyset: from the place where the last page ended, not by counting the rows before it.

A page costs the same at any depth when an index has its order. The rows are ordered by the columns that somebody chose,
then by the key, so that no row is shown twice or left out; rows without a value in a column come last, in whichever
direction it is sorted. How rows without a key are paged through:

- a plain table or a materialised view, by ctid, the place where the row lies: fast at any depth, but a row that is
  changed while somebody reads moves to another place;
- everything else (views, foreign tables, partitioned and inherited tables without a key, or a table of which only some
  columns may be read), by sorting on all columns and skipping rows: what is deep costs more, and rows that are written
  meanwhile shift the pages.

With a condition that no index serves, the rows are looked through in their order until the page is full or the time is
up; what was found until then is the page, and says where to go on. No page counts rows, but for the last one of those
that are skipped to.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Sequence

import psycopg2
import psycopg2.sql

from undertone import database, keyset, looks, outlook, queries, reading, relations, row_order

SQL = keyset.SQL
# The first look at a table by ctid is at so many blocks.
BLOCKS = 16
MOST_BLOCKS = 4096  # that are looked through at once, so that one can stop in time
TRIAL_SECONDS = 1.0  # for a condition that the server expects to be true of many rows
PLACE = re.compile(r"\((\d{1,10}),\d{1,5}\)")
NUMBER = re.compile(r"\d{1,18}")

Cursor = keyset.Cursor
Found = keyset.Found
PageTooSlow = keyset.PageTooSlow


@dataclasses.dataclass(frozen=True)
class Page:
    """Rows that follow each other, in order; values as in `reading`.

    `first` and `last` say that nothing lies before, or after. `start` and `end` are for `before=` and `after=`: the
    values that the first and the last row are found by, as text; None where there are no rows. `keys` has the key of
    each row, as texts; None where the relation has none. `stopped` is the place at which the time was up, to go on
    from in the same direction, and `examined` how many rows were looked at until then, about; 0 where an index served.
    """

    columns: tuple[relations.Column, ...]
    rows: list[reading.Row]
    first: bool
    last: bool
    start: Cursor | None
    end: Cursor | None
    keys: list[tuple[str, ...]] | None = None
    stopped: Cursor | None = None
    examined: int = 0


def page(
    connection: database.Connection,
    relation: relations.Relation,
    *,
    size: int,
    sorts: Sequence[looks.Sort] = (),
    where: psycopg2.sql.Composable | None = None,
    columns: Sequence[str] | None = None,
    after: Sequence[str | None] | None = None,
    before: Sequence[str | None] | None = None,
    at_end: bool = False,
    cut: int | None = reading.CUT,
    seconds: float | None = None,
    known: row_order.About | None = None,
) -> Page:
    """`size` rows: the first ones, those after or before a cursor of another page in the same order, or the last ones.

    Without `sorts` the order is that of the key, or where there is none, that of the module's docstring; `where` is a
    condition about the relation, which is called r; `columns` are those that are read, all of them if it is None.
    Where the rows after a cursor are gone it is the last page, and where less than a page lies before one, the first;
    with a condition and a time limit it is what there is.
    Texts longer than `cut` characters come cut, with a mark; None lifts that. A relation of no columns has an empty
    page. `known` is what `row_order.about` said a moment ago.

    Raises CatalogError when the relation or a column is not there, and for a cursor that does not fit; PageTooSlow
    where it takes longer than `seconds`, or somebody holds the relation.
    """
    if size < 1 or (after is not None) + (before is not None) + at_end > 1:
        raise ValueError("a page has at least one row, and one of after=, before= and at_end=")
    known = known or row_order.about(connection, relation)
    fields = known.fields
    if not fields:
        return Page((), [], first=True, last=True, start=None, end=None, keys=[] if known.key else None)
    shown = relations.pick(relation, fields, columns) if columns is not None else list(fields)
    order = row_order.terms(relation, known, sorts)
    names = list(row_order.directions(sorts, known.key))
    ordering = relations.pick(relation, fields, names)
    progress = keyset.Walk(None if seconds is None else time.monotonic() + seconds)
    rows = keyset.Rows(connection, relation, fields, shown, ordering, order, where, cut)
    walker = _Keyset(rows, progress) if known.key or known.physical else _Skipping(rows, progress)
    with keyset.limited(connection, relation, seconds):
        if before is not None or at_end:
            found, first, last = _backward(walker, before, size)
        else:
            found, first, last = _forward(walker, after, size)
    start, end = (found[0][1], found[-1][1]) if found else (None, None)
    places = [names.index(name) for name in known.key]
    keys = [tuple(str(cursor[place]) for place in places) for _, cursor in found] if known.key else None
    shape = tuple(field.column for field in shown)
    return Page(shape, [row for row, _ in found], first, last, start, end, keys, progress.stopped, progress.examined)


def count(
    connection: database.Connection, relation: relations.Relation, where: psycopg2.sql.Composable | None = None
) -> int:
    """How many rows a condition is true of: counted, which may take as long as reading all. Raises CatalogError."""
    conditions = [] if where is None else [where]
    statement = queries.compose(relations.SQL.count, relation=relation.identifier, condition=keyset.where(conditions))
    ((rows,),) = reading.read(connection, relation, statement, given=True)
    return int(rows)


def _forward(walker: _Walker, after: Sequence[str | None] | None, size: int) -> tuple[Found, bool, bool]:
    found = walker.walk(after, False, size + 1)
    if not found and after is not None and not walker.seeks:
        return _backward(walker, None, size)
    return found[:size], after is None, len(found) <= size and not walker.progress.stopped


def _backward(walker: _Walker, before: Sequence[str | None] | None, size: int) -> tuple[Found, bool, bool]:
    found = walker.walk(before, True, size + 1)
    if len(found) < size and before is not None and not walker.seeks:
        return _forward(walker, None, size)
    return found[-size:], len(found) <= size and not walker.progress.stopped, before is None


@dataclasses.dataclass(frozen=True)
class _Walker:
    """One way through a relation."""

    rows: keyset.Rows
    progress: keyset.Walk

    def walk(self, cursor: Sequence[str | None] | None, back: bool, limit: int) -> Found:
        """Up to `limit` rows from a cursor on, forward or back, each with its own cursor, in the order of the page."""
        raise NotImplementedError

    @property
    def seeks(self) -> bool:
        """Whether it looks for rows until the time is up: then no rows further on are shown in place of none."""
        return self.rows.where is not None and self.progress.until is not None

    def misfit(self) -> relations.CatalogError:
        return relations.CatalogError(
            f"There is no such place in {self.rows.relation.label} in this order; start at its first page."
        )


class _Keyset(_Walker):
    """From one row to the next by what they are ordered by: the chosen columns, if any, then the key or ctid."""

    def walk(self, cursor: Sequence[str | None] | None, back: bool, limit: int) -> Found:
        place = None if cursor is None else tuple(cursor)
        order = self.rows.terms
        physical = order[-1].expression is keyset.CTID.expression
        if place is not None and not (keyset.fits(order, place) and (not physical or PLACE.fullmatch(place[-1] or ""))):
            raise self.misfit()
        if physical and len(order) == 1:
            found = self._by_block(place, back, limit)
        elif self.rows.where is None or self.progress.until is None:
            found = keyset.walk(self.rows, place, back, limit, [])
        else:
            found = self._sought(place, back, limit)
        return found[::-1] if back else found

    def _sought(self, place: Cursor | None, back: bool, limit: int) -> Found:
        """Rows under a condition: by an index that serves it, else by looking through them in their order."""
        rows, progress = self.rows, self.progress
        expected = outlook.expect(rows, place, back, limit)
        walkable = outlook.is_walkable(rows, place, back)
        if walkable and expected.slow:
            return keyset.search(rows, place, back, limit, progress)
        try:
            # The server may be mistaken about how many rows are like that.
            seconds = min(progress.left or 0.0, TRIAL_SECONDS) if walkable else progress.left or 0.0
            with relations.within(rows.connection, max(1, int(seconds * 1000)), lock=keyset.LOCK_MILLISECONDS):
                return keyset.walk(rows, place, back, limit, [])
        except psycopg2.errors.QueryCanceled:
            if not walkable:
                raise
            return keyset.search(rows, place, back, limit, progress)

    def _by_block(self, cursor: Cursor | None, back: bool, limit: int) -> Found:
        """Rows by ctid, from ever larger ranges of blocks: the server does not know that tables lie in that order."""
        rows = self.rows
        name = psycopg2.sql.Literal(rows.relation.identifier.as_string(rows.connection))
        ((blocks,),) = reading.read(rows.connection, rows.relation, queries.compose(SQL.blocks, relation=name))
        down = back != rows.terms[0].descending
        match = PLACE.fullmatch(cursor[0] or "") if cursor else None
        at = min(int(match[1]), blocks) if match else blocks if down else 0
        window = BLOCKS
        found: Found = []
        while True:
            edge = max(at - window, 0) if down else min(at + window, blocks)
            limits = [psycopg2.sql.SQL("r.ctid >= {}" if down else "r.ctid < {}").format(_tid(edge))]
            found += keyset.walk(rows, cursor, back, limit - len(found), limits)
            if len(found) == limit or edge in (0, blocks):
                return found
            if rows.where is not None:
                self.progress.examined += int((rows.relation.rows or 0) * abs(edge - at) / blocks)
            # The place before all rows of a block: what has been looked through is not looked through again.
            cursor, at = (f"({edge},0)",), edge
            if self.progress.left == 0.0:
                self.progress.stopped = cursor
                return found
            window = window * 8 if rows.where is None else min(window * 8, MOST_BLOCKS)


class _Skipping(_Walker):
    """By the number of a row in the order of all its columns; a cursor is that number."""

    def walk(self, cursor: Sequence[str | None] | None, back: bool, limit: int) -> Found:
        if cursor is not None and (len(cursor) != 1 or not NUMBER.fullmatch(cursor[0] or "")):
            raise self.misfit()
        rows = self.rows
        at = int(cursor[0] or 0) if cursor else None
        if back:
            end = count(rows.connection, rows.relation, rows.where) if at is None else at
            start = max(end - limit, 0)
        else:
            start = 0 if at is None else at + 1
            end = start + limit
        direction = {True: psycopg2.sql.SQL("{} DESC NULLS LAST"), False: psycopg2.sql.SQL("{}")}
        statement = queries.compose(
            SQL.skipping,
            shown=reading.listed(reading.shown(field, rows.cut) for field in rows.shown),
            relation=rows.relation.identifier,
            condition=keyset.where([] if rows.where is None else [rows.where]),
            order=reading.listed(direction[term.descending].format(term.expression) for term in rows.terms),
            limit=psycopg2.sql.Literal(end - start),
            offset=psycopg2.sql.Literal(start),
        )
        given = cursor is not None or rows.where is not None
        found = reading.read(rows.connection, rows.relation, statement, given=given)
        return [(reading.trimmed(row, rows.cut), (str(start + number),)) for number, row in enumerate(found)]


def _tid(block: int) -> psycopg2.sql.Composable:
    return psycopg2.sql.SQL("{}::tid").format(psycopg2.sql.Literal(f"({block},0)"))
