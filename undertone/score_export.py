"""Scores on their way out of the store, for files and for `publishing.py`, a batch at a time: memory stays flat.

They are read from the table and not from its view: somebody may have dropped the view, or put another in its place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql

from undertone import console, database, queries, scores, scoring, values

SQL = queries.load("score_export")
FIRST_ROWS, MOST_ROWS = 10, 2_000  # of one batch
BATCH_BYTES = 4_000_000  # of one batch, if its rows are like those before


@dataclass(frozen=True)
class Which:
    """Which scores of a source: the current model's, another `model`'s, or with `gone` also those of vanished rows.

    `gone` without a model means all models.
    """

    model: str | None = None
    gone: bool = False


class Answer:
    """Scores on their way: `columns`, and rows in batches, as `export.write` takes them."""

    def __init__(self, columns: Sequence[console.Column], cursor: Any) -> None:
        self.columns = tuple(columns)
        self._cursor = cursor

    def __iter__(self) -> Iterator[values.Batch]:
        """The rows; values as the module `values` describes them."""
        size = FIRST_ROWS
        while batch := values.Batch(self._cursor.fetchmany(size)):
            described = enumerate(self._cursor.description)
            numbers = frozenset(place for place, column in described if column.type_code in values.NUMBERS)
            mean = values.size(batch, numbers) // len(batch) + 1
            yield batch
            size = max(1, min(size * 8, MOST_ROWS, BATCH_BYTES // mean))


@contextlib.contextmanager
def stream(store: database.Database, source: scores.Source, which: Which = Which()) -> Iterator[Answer]:
    """The scores of a source, as they are at one moment.

    Raises ScoringError where there is no such table any more or the model has no scores in it, and DatabaseError.
    """
    with store.lend() as connection:
        columns = list_columns(connection, source, gone=which.gone)
        statement = select(connection, source, which, [column.name for column in columns])
        with values.as_written(connection.cursor(name="undertone_export")) as cursor:
            cursor.execute(statement)
            yield Answer(columns, cursor)


def list_columns(connection: database.Connection, source: scores.Source, *, gone: bool) -> list[console.Column]:
    """The columns of a source's scores; with `gone` those that say since when a row is gone. Raises ScoringError."""
    found = [console.Column(*row) for row in SQL.columns(connection, name=source.name)]
    if not found:
        raise scoring.ScoringError(
            f"The table {source.scores} is gone; the next run of {source.title} makes it anew, if it is scored again"
        )
    return found if gone else [column for column in found if column.name not in scores.GONE]


def select(
    connection: database.Connection, source: scores.Source, which: Which, columns: Sequence[str]
) -> sql.Composed:
    """The statement that reads the scores. Raises ScoringError where the model has none."""
    model = which.model if which.gone else which.model or source.current_model
    if which.model is not None:
        _check_model(connection, source, which.model)
    condition: sql.Composable = sql.SQL("")
    if model is not None:
        condition = queries.compose(SQL.of_model if which.gone else SQL.current, model=sql.Literal(model))
    return queries.compose(
        SQL.rows,
        columns=_names(columns),
        table=source.table,
        condition=condition,
        key=_names([*(kept.stored for kept in source.key), "model"]),
    )


def _check_model(connection: database.Connection, source: scores.Source, model: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(queries.compose(SQL.has_model, table=source.table, model=sql.Literal(model)))
        (found,) = cursor.fetchone()
    if not found:
        have = [line.model for line in scores.models(connection, source)]
        raise scoring.ScoringError(f"{source.title} has no scores of {model}; it has: {', '.join(have) or 'none'}")


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
