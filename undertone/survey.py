"""A survey: every row's key and hash on one way from the data to the store, compared there with the scores that it has.

So a run over a table of which a hundredth has changed reads the texts of that hundredth alone, and a run of which
nothing is to be done ends after one pass. Texts stay where they are: the data's server hashes them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import psycopg2
from psycopg2 import sql

from undertone import database, piping, queries, scoring, source_rows, writing

SQL = queries.load("survey")


@dataclass(frozen=True)
class Totals:
    """What a survey found: rows, rows to be done, and of these rows with nothing to read, and characters to read."""

    rows: int
    todo: int
    empty: int
    characters: int


class Survey:
    """A survey that was taken, in the transaction of `connection`; `cut` and `mark_vanished` write what follows."""

    def __init__(
        self, connection: database.Connection, selection: source_rows.Selection, model: str, model_id: str | None
    ) -> None:
        """`model_id` None: whatever was loaded under the model's name."""
        self._connection = connection
        self._selection = selection
        self._source = selection.source
        self._model, self._model_id = model, model_id

    def take(self, reader: source_rows.Reader, go_on: Callable[[int], object], *, hashes: bool, most: int) -> Totals:
        """Read the data; `go_on` is called with the rows so far, and what it raises ends it.

        Without `hashes` neither texts nor types are looked at, and everything is to be done. Raises as
        `source_rows.slices`, and ScoringError where a part of the key is null.
        """
        question = source_rows.survey_question(self._selection, hashes=hashes)
        names = [f"k{number}" for number in range(len(self._source.key))]
        names += [f"c{number}" for number in range(len(self._source.context))]
        types = [kept.stored_type if hashes else "text" for kept in self._source.key]
        types += ["text"] * len(self._source.context)
        columns = [
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_))
            for name, type_ in zip(names, types, strict=True)
        ]
        with self._connection.cursor() as cursor:
            cursor.execute(SQL.settle.sql)
            cursor.execute(queries.compose(SQL.create, columns=source_rows.listed(columns)))
            copy = queries.compose(
                SQL.copy_in, columns=source_rows.listed(map(sql.Identifier, [*names, "hash", "size"]))
            )
            with _feed(reader, self._selection, question, go_on) as feed:
                try:
                    cursor.copy_expert(copy.as_string(self._connection), feed, piping.BLOCK)
                except psycopg2.Error as error:
                    found = piping.reason(error, feed)
                    raise found from found.__cause__  # by which a row's fault is told
            cursor.execute(SQL.analyze.sql)
            self._refuse_nulls()
            if hashes:
                self._execute(
                    SQL.compare,
                    same_context=writing.same_context(
                        self._source, [sql.Identifier("v", name) for name in names[len(self._source.key) :]]
                    ),
                    model=sql.Literal(self._model),
                    model_id=sql.SQL("s.model_id") if self._model_id is None else sql.Literal(self._model_id),
                )
            else:
                cursor.execute(SQL.everything.sql)
            cursor.execute(queries.compose(SQL.totals, most=sql.Literal(most)))
            return Totals(*map(int, cursor.fetchone()))

    def _refuse_nulls(self) -> None:
        """Rows whose key is null belong to no range of keys; a key that was chosen may have become so."""
        null = sql.SQL(" OR ").join(
            sql.SQL("{} IS NULL").format(sql.Identifier(f"k{number}")) for number in range(len(self._source.key))
        )
        with self._connection.cursor() as cursor:
            cursor.execute(queries.compose(SQL.nulls, null=null))
            (rows,) = cursor.fetchone()
        if rows:
            listed = ", ".join(kept.name for kept in self._source.key)
            raise scoring.ScoringError(
                f"{listed} is null in {rows:,} rows of {self._source.relation}, so it cannot be the key"
            )

    def cut(self, run_id: int, size: int) -> int:
        """Write the chunks of a run; how many."""
        with self._connection.cursor() as cursor:
            cursor.execute(SQL.index.sql)
            cursor.execute(SQL.index_todo.sql)
            cursor.execute(
                queries.compose(
                    SQL.chunks,
                    run=sql.Literal(run_id),
                    size=sql.Literal(size),
                    key=sql.SQL("jsonb_build_array({})").format(
                        source_rows.listed(
                            sql.SQL("{}::text").format(sql.Identifier("v", f"k{number}"))
                            for number in range(len(self._source.key))
                        )
                    ),
                )
            )
            return int(cursor.rowcount)

    def mark_vanished(self, run_id: int) -> int:
        """Mark the scores whose rows are gone; how many, 0 where a key of the data cannot be compared here."""
        with self._connection.cursor() as cursor:
            cursor.execute("SAVEPOINT marking")
            try:
                return self._execute(SQL.mark_vanished, run=sql.Literal(run_id))
            except psycopg2.DataError:
                cursor.execute("ROLLBACK TO SAVEPOINT marking")
                return 0

    def _execute(self, statement: Any, **parts: sql.Composable) -> int:
        same_key = sql.SQL(" AND ").join(
            # The cast is one only where the survey has taken the keys as texts.
            sql.SQL("s.{} = CAST(v.{} AS {})").format(
                sql.Identifier(kept.stored), sql.Identifier(f"k{number}"), sql.SQL(kept.stored_type)
            )
            for number, kept in enumerate(self._source.key)
        )
        with self._connection.cursor() as cursor:
            cursor.execute(queries.compose(statement, table=self._source.table, same_key=same_key, **parts))
            return int(cursor.rowcount)


_NOW = sql.SQL("least({}, CAST(now() AS {}))")


def largest(reader: source_rows.Reader, selection: source_rows.Selection) -> str | None:
    """The largest value of the column by which new rows are told, as text."""
    assert selection.new_by is not None
    name, type_ = selection.new_by
    largest = sql.SQL("max({})").format(sql.Identifier("r", name))
    statement = queries.compose(
        source_rows.SQL.largest,
        largest=_NOW.format(largest, sql.SQL(type_)) if source_rows.kind(type_) == "time" else largest,
        origin=source_rows.origin(selection.source),
    )
    ((found,),) = source_rows.ask(reader, selection, statement, source_rows.READ_SECONDS)
    return found if found is None else str(found)


@contextlib.contextmanager
def _feed(
    reader: source_rows.Reader, selection: source_rows.Selection, question: sql.Composed, go_on: Callable[[int], object]
) -> Iterator[piping.Feed | _Lines]:
    """What COPY reads: the answer of the data, piped through without a look at it where nothing needs one."""
    if selection.guarded:
        with contextlib.closing(source_rows.ask(reader, selection, question, source_rows.SURVEY_SECONDS)) as rows:
            yield _Lines(rows, go_on)
        return

    def copy_out(connection: database.Connection, pipe: BinaryIO) -> None:
        source_rows.settle(connection, source_rows.SURVEY_SECONDS)
        with connection.cursor() as cursor:
            statement = queries.compose(source_rows.SQL.copy_out, question=question)
            cursor.copy_expert(statement.as_string(connection), pipe, piping.BLOCK)

    with piping.feed(reader.data, copy_out, go_on) as feed:
        yield feed


class _Lines:
    """Rows that came through the lane, as `piping.Feed` gives those of a pipe."""

    def __init__(self, rows: Iterator[Any], go_on: Callable[[int], object]) -> None:
        self.error: BaseException | None = None
        self._go_on, self._rows = go_on, 0
        self._lines = (
            writing.copy_line(None if value is None else str(value) for value in row).encode() for row in rows
        )
        self._block = b""

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end."""
        try:
            pieces = [self._block]
            length = len(self._block)
            while length < size and (line := next(self._lines, None)) is not None:
                pieces.append(line)
                length += len(line)
                self._rows += 1
            block = b"".join(pieces)
            self._block = block[size:]
            self._go_on(self._rows)
            return block[:size]
        except BaseException as error:
            self.error = error
            raise
