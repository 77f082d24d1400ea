"""Bring a file into a new table of the embedded database: all of it, or nothing.

The file is read once for the types of its columns and once more into COPY, in one transaction that ends with the
table's primary key, its comment and its statistics. Whatever stops it, `kill -9` of either side included, leaves no
table behind, and a table that is there is never touched. What reads the file: see `files`.
"""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import re
import time
import unicodedata
from collections.abc import Callable
from typing import Any

import psycopg2
import psycopg2.errors
from psycopg2 import sql

from undertone import database, feed, files, parquet, sources

LoadError = files.LoadError
SCHEMA = "public"
# What adding a primary key says when the column is none: NULL, twice, or a value too long for an index.
NO_KEY = (psycopg2.errors.NotNullViolation, psycopg2.errors.UniqueViolation, psycopg2.errors.ProgramLimitExceeded)


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A table that was made from a file; `columns` are (name, PostgreSQL type), an added key column included."""

    table: str
    schema: str
    rows: int
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    seconds: float


def load_file(
    database: database.Database,
    path: pathlib.Path,
    *,
    table: str | None = None,
    key: str | None = None,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Loaded:
    """Load the file at `path` into a new table of the schema `public`; `database` is the embedded one, as its owner.

    `name` is the file's name as a person knows it, where `path` is a copy; its suffix says how it is read, and the
    table is named after it where `table` is not given. `key` names the column that becomes the primary key. Without it
    the key is the file's own `id`, where that is unique and never empty, or else a new first column `id` (or `row_id`)
    that numbers the rows from 1. `progress(done, total)` is called a few times a second, in bytes, for Parquet in rows;
    the file is read twice, and the total is both. What it raises stops the load and is passed on.

    Raises LoadError for a file that cannot become a table, DatabaseError for a database that does not answer.
    """
    started = time.monotonic()
    file = files.identify(path, name)
    before = path.stat()
    table = _table_name(table, file)
    with database.lend() as connection:
        _refuse_existing(connection, table)
    source = open_source(file)
    meter = _Meter(progress, source.size)
    source.infer(meter.tick)
    keys = _keys(source, key)
    meter.half()
    with database.lend() as connection:
        try:
            rows, chosen = _fill(connection, table, source, keys, meter)
            _finish(connection, table, file)
            after = path.stat()
            if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
                raise file.error("the file changed while it was read; try again.")
            # Before the commit: what `progress` raises at its last call stops the load, too.
            meter.end()
            connection.commit()
        except (psycopg2.errors.DuplicateTable, psycopg2.errors.DuplicateObject):
            raise _there_already(table) from None
    columns = tuple(zip(source.names, source.types, strict=True))
    if chosen.added:
        columns = ((chosen.name, "bigint"), *columns)
    return Loaded(table, SCHEMA, rows, columns, (chosen.name,), time.monotonic() - started)


def open_source(file: files.File) -> sources.Source:
    """The file as columns, by its kind."""
    kinds: dict[str, type[sources.Source]] = {"json": sources.JsonSource, "parquet": parquet.ParquetSource}
    return kinds.get(file.kind, sources.DelimitedSource)(file)


# --- names


def _table_name(table: str | None, file: files.File) -> str:
    if table is None:
        # As PostgreSQL writes names without quotes: "Kunden Feedback 2024.csv" is kunden_feedback_2024.
        words = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", file.stem).casefold()).strip("_")
        words = re.sub(r"_+", "_", words) or "loaded"
        return sources.cut(words if not words[0].isdigit() else f"t_{words}")
    if not table.strip() or not table.isprintable() or len(table.encode(errors="replace")) > sources.NAME_BYTES:
        raise LoadError(f"A table's name must have 1 to {sources.NAME_BYTES} bytes and no line breaks; choose another.")
    if "." in table:
        raise LoadError(
            f'Files are loaded into the schema {SCHEMA} only; give --table a name without a dot, not "{table}".'
        )
    return table


def _there_already(table: str) -> LoadError:
    return LoadError(f'There is already a table "{table}"; choose another name with --table.')


def _refuse_existing(connection: database.Connection, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_class WHERE relname = %s AND relnamespace = to_regnamespace(%s)", (table, SCHEMA)
        )
        if cursor.rowcount:
            raise _there_already(table)


@dataclasses.dataclass(frozen=True)
class _Key:
    name: str
    added: bool  # a column that is not the file's
    wanted: bool  # by the person: no other will do


def _keys(source: sources.Source, key: str | None) -> list[_Key]:
    """The keys to try, the best first."""
    if key is not None:
        if key not in source.names:
            raise source.file.error(f'there is no column "{key}" for --key; the columns are {", ".join(source.names)}.')
        return [_Key(key, added=False, wanted=True)]
    taken = {name.casefold() for name in source.names}
    keys = [_Key(name, added=False, wanted=False) for name in source.names if name.casefold() == "id"][:1]
    free = next(name for number in range(2, 2000) for name in ("id", "row_id", f"row_id_{number}") if name not in taken)
    return [*keys, _Key(free, added=True, wanted=False)]


# --- the transaction


def _fill(
    connection: database.Connection, table: str, source: sources.Source, keys: list[_Key], meter: _Meter
) -> tuple[int, _Key]:
    """Make the table and fill it, with the first of `keys` that is one; returns the number of rows and that key."""
    for key in keys:
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT nothing")
            rows = _copy(cursor, table, source, key, meter)
            cursor.execute("SAVEPOINT filled")
            add = sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})")
            try:
                cursor.execute(add.format(_identifier(table), sql.Identifier(key.name)))
                return rows, key
            except NO_KEY as error:
                if key.wanted:
                    cursor.execute("ROLLBACK TO SAVEPOINT filled")
                    raise _no_key(cursor, table, source, key.name, error) from None
                cursor.execute("ROLLBACK TO SAVEPOINT nothing")
    raise AssertionError("the last key numbers the rows")


def _copy(cursor: Any, table: str, source: sources.Source, key: _Key, meter: _Meter) -> int:
    columns = list(zip(source.names, source.types, strict=True))
    if key.added:
        columns.insert(0, (key.name, "bigint"))
    if len(columns) > sources.COLUMN_LIMIT:
        raise source.file.error(f"{len(source.names):,} columns leave no room for a key; name one of them with --key.")
    definitions = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type)) for name, type in columns
    )
    try:
        cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(_identifier(table), definitions))
    except psycopg2.errors.UniqueViolation:  # of a catalog: another load was there a moment earlier
        raise _there_already(table) from None
    reader = feed.Feed(source, key.added, meter.tick)
    copy = sql.SQL("COPY {} FROM STDIN (FORMAT text, ENCODING 'UTF8')").format(_identifier(table))
    try:
        cursor.copy_expert(copy, reader, size=2**20)
    except psycopg2.Error as error:
        if reader.error is not None:
            raise reader.error from None
        refusal = f"PostgreSQL refused it: {error.diag.message_primary}."
        if isinstance(error, psycopg2.errors.ProgramLimitExceeded):  # seen when a block of rows is written: which one?
            raise source.file.error(refusal) from error
        # In COPY's text format a row is a line, so its line is our row.
        context = re.search(rf"^COPY {re.escape(table)}, line (\d+)", error.diag.context or "", re.MULTILINE)
        if context is None or not isinstance(error, psycopg2.DataError):
            raise
        raise LoadError(f"{source.file.name}, {source.place(int(context[1]))}: {refusal}") from error
    return int(cursor.rowcount)


def _no_key(cursor: Any, table: str, source: sources.Source, key: str, error: psycopg2.Error) -> LoadError:
    """Which value makes `key` none. The rows of a table that was just filled lie in the order of the file."""
    if isinstance(error, psycopg2.errors.ProgramLimitExceeded):
        return source.file.error(f'column "{key}" cannot be the key: it has values that are too long for an index.')
    ask = sql.SQL(
        "SELECT number, value, first FROM ("
        " SELECT number, value, min(number) OVER (PARTITION BY key) AS first FROM ("
        "  SELECT row_number() OVER (ORDER BY ctid) AS number, {key}::text AS value, {key} AS key FROM {table}) AS n"
        " ) AS compared WHERE value IS NULL OR number > first ORDER BY number LIMIT 1"
    )
    cursor.execute(ask.format(key=sql.Identifier(key), table=_identifier(table)))
    number, value, first = cursor.fetchone()
    place = source.place(number)
    if value is None:
        return LoadError(f'{source.file.name}, {place}: column "{key}" cannot be the key: it is empty here.')
    shown, before = value if len(value) <= 60 else value[:60] + "…", source.place(first)
    return LoadError(
        f'{source.file.name}, {place}: column "{key}" cannot be the key: {shown!r} was there before, on {before}.'
    )


def _finish(connection: database.Connection, table: str, file: files.File) -> None:
    now = datetime.datetime.now(datetime.UTC)
    comment = f'Loaded from "{file.name}" on {now:%Y-%m-%d at %H:%M} UTC.'
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(_identifier(table), sql.Literal(comment)))
        cursor.execute(sql.SQL("ANALYZE {}").format(_identifier(table)))


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, table)


class _Meter:
    """Calls `progress` a few times a second with what is done of two readings of the file."""

    def __init__(self, progress: Callable[[int, int], None] | None, size: int) -> None:
        self._progress = progress
        self._size, self._before, self._done, self._at = size, 0, 0, 0.0

    def tick(self, position: int) -> None:
        now = time.monotonic()
        done = self._before + min(position, self._size)
        if self._progress and done >= self._done and now - self._at >= 0.1:
            self._at, self._done = now, done
            self._progress(done, 2 * self._size)

    def half(self) -> None:
        self._before = self._size

    def end(self) -> None:
        if self._progress:
            self._progress(2 * self._size, 2 * self._size)
