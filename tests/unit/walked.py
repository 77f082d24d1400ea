"""A walk through all pages of a relation, there and back, for tests of paging."""

from __future__ import annotations

import itertools
import json
from typing import Any

from undertone import catalog, database, looks


def walk(connection: database.Connection, name: str, size: int = 3, **order: Any) -> list[tuple[object, ...]]:
    """All rows, page by page; and that they are the same from the end back, and that the pages know where they are."""
    relation = catalog.find(connection, name)
    page = catalog.page(connection, relation, size=size, **order)
    pages = [page]
    assert page.first
    while not page.last:
        page = catalog.page(connection, relation, size=size, after=carried(page.end), **order)
        pages.append(page)
        assert not page.first
        assert len(pages) < 500
    rows = [row for page in pages for row in page.rows]
    assert all(len(page.rows) == size for page in pages[:-1])

    page = catalog.page(connection, relation, size=size, at_end=True, **order)
    assert page.last
    back = page.rows
    while not page.first:
        page = catalog.page(connection, relation, size=size, before=carried(page.start), **order)
        back = page.rows + back if len(page.rows) == size and not page.first else back
        if page.first:
            # The first page is a full one, so it may repeat what the second began with.
            assert repr(page.rows) == repr(rows[:size])
            back = rows[: len(rows) - len(back)] + back
    assert repr(back) == repr(rows)  # NaN is not equal to itself

    for earlier, later in itertools.pairwise(pages):
        again = catalog.page(connection, relation, size=size, before=later.start, **order)
        assert repr(again.rows) == repr(earlier.rows)
    return rows


def carried(cursor: tuple[str | None, ...] | None) -> tuple[str | None, ...]:
    """A cursor after a journey through an address."""
    assert cursor is not None
    return tuple(json.loads(json.dumps(cursor)))


def by(column: str, descending: bool = False) -> list[looks.Sort]:
    """An order by one column."""
    return [looks.Sort(column, descending)]


def ids(rows: list[tuple[object, ...]]) -> list[object]:
    return [row[0] for row in rows]
