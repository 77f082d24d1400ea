"""The same page of rows by psql, by our statement in psql, by all of our Python, and by Datasette on SQLite."""

from __future__ import annotations

import csv
import http.client
import json
import pathlib
import sqlite3
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2.sql

from bench import browse_tables
from tests import running
from undertone import catalog, database, looks, paging, reading, row_order

SIZE = 50
PLACES = ("first", "forward", "middle", "back", "last")
ORDERS = {"by the key": "id", "by an indexed column": "at"}
PLAIN = "SELECT * FROM {table} {where}ORDER BY {order} LIMIT {size};"
COPY = """
COPY (
    SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), status, customer, amount, paid::int, note
    FROM large ORDER BY id LIMIT {rows}
) TO STDOUT (FORMAT csv)
"""


@dataclass(frozen=True)
class Read:
    """A page: of which table, in the order of which column, where; `cursor` is (at in UTC, id) there, as texts."""

    table: str
    column: str
    place: str
    cursor: tuple[str, str] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What `paging.page` is asked."""
        given: dict[str, Any] = {"size": SIZE}
        if self.column != "id":
            given["sorts"] = (looks.Sort(self.column),)
        if self.place == "last":
            given["at_end"] = True
        elif self.cursor is not None:
            at, id = self.cursor
            cursor = (id,) if self.column == "id" else (f"{at}+00", id)
            given["before" if self.place == "back" else "after"] = cursor
        return given

    @property
    def plain(self) -> str:
        """What somebody would type into psql for it."""
        names = ["id"] if self.column == "id" else [self.column, "id"]
        back = self.place in ("back", "last")
        order = ", ".join(f"{name} DESC" if back else name for name in names)
        where = ""
        if self.cursor is not None and self.place != "last":
            at, id = self.cursor
            values = id if self.column == "id" else f"'{at}+00', {id}"
            where = f"WHERE ({', '.join(names)}) {'<' if back else '>'} ({values}) "
        return PLAIN.format(table=self.table, where=where, order=order, size=SIZE)

    def path(self) -> str | None:
        """What Datasette is asked for it; None for a page back, which it has not."""
        if self.place == "back":
            return None
        given = {"_size": str(SIZE)}
        if self.column != "id":
            given["_sort"] = self.column
        if self.place == "last":
            given = {"_size": str(SIZE), "_sort_desc": self.column}
        elif self.cursor is not None:
            from datasette.utils import tilde_encode  # type: ignore[import-untyped]

            texts = self.cursor[1:] if self.column == "id" else self.cursor
            given["_next"] = ",".join(map(tilde_encode, texts))
        return f"/{self.table}/{self.table}.json?{urllib.parse.urlencode(given)}"


def reads(connection: database.Connection, table: str, rows: int, *, of: bool = False) -> Iterator[Read]:
    """All pages of a table that are measured; with `of`, of a table that has only its first `rows` by id."""
    for column in ORDERS.values():
        order = "id" if column == "id" else "at, id"
        first = browse_tables.place(connection, table, f"ORDER BY {order} OFFSET {SIZE - 1} LIMIT 1")
        # Any row will do: where its neighbours lie is as good as anywhere; but not of a part of the rows.
        which = f"WHERE id = {rows // 2}"
        if of:
            which = f"WHERE id <= {rows} ORDER BY {order} OFFSET {rows // 2} LIMIT 1"
        middle = browse_tables.place(connection, table, which)
        cursors = {"first": None, "forward": first, "middle": middle, "back": middle, "last": None}
        for place in PLACES:
            yield Read(table, column, place, cursors[place])


class Ours:
    """Our side, on one connection after the other of a pool."""

    def __init__(self, pool: database.Database, table: str) -> None:
        self.pool = pool
        self.table = table
        self.relation = pool.ask(catalog.find, table)
        self.known = pool.ask(row_order.about, self.relation)

    def page(self, read: Read) -> paging.Page:
        """As the page does it, which knows the columns and the key for a minute."""
        return self.pool.ask(paging.page, self.relation, known=self.known, **read.options)

    def everything(self, read: Read) -> paging.Page:
        """With all that has to be looked up."""

        def ask(connection: database.Connection) -> paging.Page:
            return paging.page(connection, catalog.find(connection, self.table), **read.options)

        return self.pool.ask(ask)

    def statements(self, read: Read) -> list[str]:
        """The statements that it comes to."""
        asked: list[str] = []
        plain = reading.read

        def noted(connection: Any, relation: Any, statement: psycopg2.sql.Composable, **options: Any) -> Any:
            asked.append(statement.as_string(connection))
            return plain(connection, relation, statement, **options)

        reading.read = noted
        try:
            assert self.page(read).rows, read
        finally:
            reading.read = plain
        return asked


@contextmanager
def datasette(pool: database.Database, rows: int, folder: pathlib.Path) -> Iterator[Datasette]:
    """Datasette with a table of the same rows, indexed as ours, in a process of its own."""
    copied, file = folder / "rows.csv", folder / "large.db"
    with copied.open("w") as written, pool.lend() as connection, connection.cursor() as cursor:
        cursor.copy_expert(COPY.format(rows=rows), written)
    with closing(sqlite3.connect(file)) as made, copied.open(newline="") as given:
        made.execute(
            "CREATE TABLE large (id INTEGER PRIMARY KEY, at TEXT, status TEXT, customer TEXT, amount REAL,"
            " paid INTEGER, note TEXT)"
        )
        made.executemany("INSERT INTO large VALUES (?, ?, ?, ?, ?, ?, ?)", csv.reader(given))
        made.execute("CREATE INDEX large_at ON large (at)")
        made.execute("ANALYZE")
        made.commit()
    port = running.free_port()
    command = [sys.executable, "-m", "datasette", "serve", str(file), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        running.wait_until(lambda: _answers(port), "Datasette answers")
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as asked:
            yield Datasette(asked)
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
            connection.request("GET", "/-/versions.json")
            return connection.getresponse().status == 200
    except OSError:
        return False


@dataclass(frozen=True)
class Datasette:
    """A running Datasette."""

    connection: http.client.HTTPConnection

    def rows(self, path: str) -> list[Any]:
        """The rows of a page, as it answers a program."""
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        found: list[Any] = json.loads(body)["rows"]
        assert len(found) == SIZE
        return found
