"""What models have said of one row, in whichever columns of it are scored, and whether its text is still the same."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
import psycopg2.sql

from undertone import database, queries, reading, relations, rows, scores, scoring, source_rows

SQL = queries.load("row_scores")
MILLISECONDS = 5_000


@dataclass(frozen=True)
class Score:
    """What a model said of the row's text. `text_hash` is the MD5 of the text that it was about, without dashes.

    `label` None: there was nothing to read, for this `reason`. `share_read` is 0 to 1, or None where nobody noted it.
    `is_current`: it is the one that charts and the view use.
    """

    model: str
    label: str | None
    confidence: float | None
    probabilities: dict[str, float]
    text_hash: str | None
    truncated: bool | None
    share_read: float | None
    reason: str | None
    model_id: str | None
    engine: str | None
    precision: str | None
    run: int
    at: datetime.datetime
    vanished_at: datetime.datetime | None
    is_current: bool


@dataclass(frozen=True)
class Scored:
    """A source that the row belongs to, and its scores: one a model, the current one first; none if not scored yet."""

    source: scores.Source
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class Text:
    """The text that is scored as it is now: the beginning of it, its length in characters, its MD5 without dashes."""

    text: str | None
    length: int
    hash: str

    def changed_since(self, score: Score) -> bool:
        """Whether it is another one than the model was given."""
        return score.text_hash is not None and score.text_hash != self.hash


def of_row(connection: database.Connection, row: rows.Row, place: str) -> list[Scored]:
    """The sources that a row belongs to, of the database called `place`, with its scores.

    The connection is one to the store. A source whose key the row does not have any more is left out, and so are those
    that come from saved queries: no row says that it is in one.
    """
    found = []
    for source in scoring.sources(connection):
        here = (source.database, source.schema, source.relation) == (place, row.relation.schema, row.relation.name)
        if not here or source.statement is not None:
            continue
        key = row.texts([kept.name for kept in source.key])
        if key is not None and None not in key:
            found.append(Scored(source, tuple(_scores(connection, source, key))))
    return found


def _scores(connection: database.Connection, source: scores.Source, key: Sequence[str | None]) -> list[Score]:
    if not scores.SQL.exists(connection, name=source.name):
        return []
    statement = queries.compose(
        SQL.of_row,
        table=source.table,
        matches=psycopg2.sql.SQL(" AND ").join(
            psycopg2.sql.SQL("s.{} = CAST({} AS {})").format(
                psycopg2.sql.Identifier(kept.stored), psycopg2.sql.Literal(text), psycopg2.sql.SQL(kept.stored_type)
            )
            for kept, text in zip(source.key, key, strict=True)
        ),
    )
    found = []
    # A key whose type has changed since it was scored may be none there: then there are no scores.
    with (
        contextlib.suppress(psycopg2.DataError),
        relations.within(connection, MILLISECONDS),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        found = [_score(line, source) for line in cursor.fetchall()]
    return sorted(found, key=lambda score: not score.is_current)


def _score(line: Sequence[Any], source: scores.Source) -> Score:
    model, label, confidence, probabilities, text_hash, *others = line
    digest = None if text_hash is None else text_hash.replace("-", "")
    chances = json.loads(probabilities or "{}")
    values: list[Any] = [model, label, confidence, chances, digest, *others, model == source.current_model]
    return Score(*values)


def text_of(connection: database.Connection, row: rows.Row, source: scores.Source, most: int) -> Text:
    """The text of a row that a source scores, as it is now, up to `most` characters of it.

    The connection is one to the data. Raises CatalogError where a column of it or the row is gone.
    """
    fields = relations.fields(connection, row.relation)
    found = rows.keyed(connection, row.relation, fields, row.key)
    statement = queries.compose(
        rows.SQL.text_of,
        most=psycopg2.sql.Literal(most),
        none=psycopg2.sql.Literal(source_rows.NO_TEXT),
        text=source_rows.text(source),
        relation=row.relation.identifier,
        matches=rows.matching(found, row.key),
    )
    with rows.limited(connection, row.relation, MILLISECONDS):
        answer = reading.read(connection, row.relation, statement, given=True)
    if not answer:
        raise rows.missing(row.relation, found, row.key)
    text, length, digest = answer[0]
    return Text(text, length or 0, digest)
