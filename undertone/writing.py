"""Scores on their way into their table: what is known already, what is written, what is undone.

A chunk's scores arrive with COPY and are written with one upsert. What they replace is kept, so that a run can be
undone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psycopg2 import sql

from undertone import database, queries, scores

SQL = scores.SQL
_TO_ESCAPE = re.compile(r"[\\\t\n\r]").search
_COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


@dataclass(frozen=True)
class Answer:
    """What a model said of a text, and what computed it. `share_read` is None where there was nothing to read."""

    label: str | None
    confidence: float | None
    probabilities: str | None  # JSON
    truncated: bool
    share_read: float | None  # 0 to 1
    reason: str | None
    engine: str | None
    precision: str | None


@dataclass(frozen=True)
class Score:
    """One row to be written: values of key and context as PostgreSQL's text, the text's hash, what the model said."""

    key: scores.Values
    context: scores.Values
    text_hash: str
    answer: Answer


class Existing(NamedTuple):
    """What a score rests on. `same`: the context is as it was, and the row was not known to be gone."""

    text_hash: str
    model_id: str
    run_id: int
    empty: bool
    truncated: bool
    same: bool


def existing(
    connection: database.Connection,
    source: scores.Source,
    model: str,
    rows: Sequence[tuple[scores.Values, scores.Values]],
) -> dict[int, Existing]:
    """What a model's scores of some rows, each given as (key, context), rest on: position in `rows` -> that.

    Compared here and by the types here: neither the order of texts and enums nor how a moment is written need be the
    same in both databases.
    """
    if not rows:
        return {}
    keys = [sql.Identifier(f"k{number}") for number in range(len(source.key))]
    contexts = [sql.Identifier(f"c{number}") for number in range(len(source.context))]
    columns = zip(*((*key, *context) for key, context in rows), strict=True)
    statement = queries.compose(
        SQL.existing,
        same=same_context(source, [sql.Identifier("asked", f"c{number}") for number in range(len(contexts))]),
        values=_listed(sql.SQL("{}::text[]").format(sql.Literal(list(column))) for column in columns),
        names=_listed([*keys, *contexts]),
        table=source.table,
        model=sql.Literal(model),
        found=sql.SQL(" AND ").join(
            sql.SQL("s.{} = CAST(asked.{} AS {})").format(sql.Identifier(kept.stored), name, sql.SQL(kept.stored_type))
            for kept, name in zip(source.key, keys, strict=True)
        ),
    )
    SQL.by_index(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {row[0]: Existing(*row[1:]) for row in cursor.fetchall()}


def same_context(source: scores.Source, given: Sequence[sql.Composable]) -> sql.Composed:
    """That a score, called s, has the context that is given as texts."""
    return sql.SQL(" AND ").join(
        [
            sql.SQL("s.{}::text IS NOT DISTINCT FROM CAST({} AS {})::text").format(
                sql.Identifier(kept.stored), value, sql.SQL(kept.stored_type)
            )
            for kept, value in zip(source.context, given, strict=True)
        ]
        or [sql.SQL("true")]
    )


def known(connection: database.Connection, model_id: str, hashes: Collection[str]) -> dict[str, Answer]:
    """What a model has said of texts with these hashes, in the scores of whatever source."""
    tables = [row[0] for row in SQL.tables_of_model(connection, model_id=model_id)] if hashes else []
    if not tables:
        return {}
    parts = [
        queries.compose(
            SQL.known_in,
            table=sql.Identifier("scores", name),
            hashes=sql.Literal(list(hashes)),
            model_id=sql.Literal(model_id),
        )
        for name in tables
    ]
    SQL.by_index(connection)
    with connection.cursor() as cursor:
        cursor.execute(queries.compose(SQL.known, tables=sql.SQL(" UNION ALL ").join(parts)))
        return {
            row[0].replace("-", ""): Answer(
                row[1],
                None if row[2] is None else float(row[2]),
                row[3],
                row[4],
                None if row[5] is None else float(row[5]),
                None,
                *row[6:],
            )
            for row in cursor.fetchall()
        }


def write(
    connection: database.Connection,
    source: scores.Source,
    found: Sequence[Score],
    *,
    model: str,
    model_id: str,
    run_id: int,
) -> None:
    """Write scores, replacing those of the same keys and model, in the transaction that the caller commits.

    Raises the driver's DataError for a value that its column does not take.
    """
    key = [*(kept.stored for kept in source.key), "model"]
    columns = [kept.stored for kept in (*source.key, *source.context)] + list(scores.RESULT)
    with connection.cursor() as cursor:
        now = SQL.now(connection)
        cursor.execute(queries.compose(SQL.incoming, columns=_names(columns), table=source.table))
        lines = io.StringIO()
        for score in found:
            answer = score.answer
            result = (
                answer.label,
                _number(answer.confidence),
                answer.probabilities,
                score.text_hash,
                "ft"[answer.truncated],
                _number(answer.share_read),
                answer.reason,
                model,
                model_id,
                answer.engine,
                answer.precision,
                str(run_id),
                now,
                None,
                None,
            )
            lines.write(copy_line((*score.key, *score.context, *result)))
        lines.seek(0)
        cursor.copy_expert("COPY incoming FROM STDIN", lines)
        parts = {
            "table": source.table,
            "replaced": source.replaced,
            "columns": _names(columns),
            "key": _names(key),
            "run": sql.Literal(run_id),
        }
        old = _listed(sql.Identifier("s", name) for name in columns)
        cursor.execute(queries.compose(SQL.keep_replaced, old=old, **parts))
        changes = _listed(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(n)) for n in columns if n not in key)
        cursor.execute(queries.compose(SQL.upsert, changes=changes, **parts))
        cursor.execute(SQL.forget_incoming.sql)


def undo(connection: database.Connection, source: scores.Source, run_id: int) -> int:
    """Take away what a run wrote and bring back what it had replaced; how many scores it had written that stood.

    In the transaction that the caller commits, who also sees to it that no run of the source is under way.
    """
    columns = _names([row[0] for row in SQL.column_names(connection, name=source.name)])
    same_key = sql.SQL(" AND ").join(
        sql.SQL("before.{0} = after.{0}").format(sql.Identifier(name))
        for name in [*(kept.stored for kept in source.key), "model"]
    )
    parts = {"table": source.table, "replaced": source.replaced, "run": sql.Literal(run_id), "columns": columns}
    with connection.cursor() as cursor:
        cursor.execute(queries.compose(SQL.undo_relink, same_key=same_key, **parts))
        cursor.execute(queries.compose(SQL.undo_remove, **parts))
        removed = cursor.rowcount
        for statement in (SQL.undo_restore, SQL.undo_forget, SQL.undo_vanished):
            cursor.execute(queries.compose(statement, **parts))
    return int(removed)


def copy_line(values: Iterable[str | None]) -> str:
    """A row in COPY's text format."""
    # Few values have any such character, and looking is several times faster than translating.
    return (
        "\t".join(
            [
                r"\N" if value is None else value.translate(_COPY_ESCAPES) if _TO_ESCAPE(value) else value
                for value in values
            ]
        )
        + "\n"
    )


def _number(value: float | None) -> str | None:
    return None if value is None else repr(value)


def _names(names: Iterable[str]) -> sql.Composed:
    return _listed(map(sql.Identifier, names))


def _listed(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
