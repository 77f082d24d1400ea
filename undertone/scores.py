"""The tables of scores: one for each scored text column, `scores.<source>`, made, written and read here.

A row holds the source's key and the chosen context with their own types, and what the model said. Nobody's text is
copied: it is fetched from the data by key when a person wants to read it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg2 import sql

from undertone import database, names

# Every column of a table of scores besides the source's own, with its type.
RESULT = {
    "label": "text",
    "confidence": "real",
    "probabilities": "jsonb",
    "text_hash": "uuid",
    "truncated": "boolean",
    "share_read": "real",
    "reason": "text",
    "model_id": "text",
    "run_id": "bigint",
    "scored_at": "timestamptz",
}
COMMENTS = {
    "label": "What the model called the text; null where there was nothing to read, see reason",
    "confidence": "The model's probability for the label, 0 to 1",
    "probabilities": "The model's probability for each of its labels",
    "text_hash": "MD5 of the text that was scored: another one today means that the score is stale",
    "truncated": "Whether the text was longer than what the model reads",
    "share_read": "Share of the text that the model read, 0 to 1, 1 where all of it was read; null where there was "
    "nothing to read or nobody has noted it",
    "reason": "Why there is no label",
    "model_id": "The model, with a part of its weights' hash",
    "run_id": "The run that wrote this row",
    "scored_at": "When",
}
# Columns that every table has; a view may have one of these names for a column of its own.
SYSTEM = ("tableoid", "cmax", "xmax", "cmin", "xmin", "ctid")
NAME_BYTES = 63  # of a PostgreSQL identifier
Values = tuple[str | None, ...]


@dataclass(frozen=True)
class Kept:
    """A column of the source that is kept in its scores: its name and type there, its name and type here."""

    name: str
    type: str
    stored: str
    stored_type: str


@dataclass(frozen=True)
class Source:
    """A text column that is scored. `name` is its table in the schema `scores`."""

    id: int
    name: str
    database: str
    schema: str
    relation: str
    text_column: str
    key: tuple[Kept, ...]
    context: tuple[Kept, ...]

    @property
    def table(self) -> sql.Identifier:
        """The table of scores, quoted."""
        return sql.Identifier("scores", self.name)

    @property
    def address(self) -> str:
        """The relation as SQL writes it."""
        return f"{names.quoted(self.schema)}.{names.quoted(self.relation)}"

    @property
    def scores(self) -> str:
        """The table of scores as SQL writes it."""
        return f"scores.{names.quoted(self.name)}"

    @property
    def title(self) -> str:
        """The source as a person would say it."""
        return f"{self.relation} · {self.text_column}"


@dataclass(frozen=True)
class Score:
    """One row to be written: values of key and context as PostgreSQL's text, then what the model said."""

    key: Values
    context: Values
    label: str | None
    confidence: float | None
    probabilities: str | None  # JSON
    text_hash: str
    truncated: bool
    share_read: float | None  # 0 to 1; None where there was nothing to read
    reason: str | None


@dataclass(frozen=True)
class Summary:
    """What a source's scores say: rows, rows with a label, rows by label (None: nothing to read)."""

    rows: int
    labels: dict[str | None, int]


def free_name(wanted: Sequence[str], taken: set[str]) -> str:
    """The first of `wanted` that is not taken, each cut to what PostgreSQL takes; else the last one with a number."""
    for name in map(_cut, wanted):
        if name not in taken:
            return name
    number = 2
    while (name := f"{_cut(wanted[-1], 8)}_{number}") in taken:
        number += 1
    return name


def _cut(name: str, spare: int = 0) -> str:
    return name.encode()[: NAME_BYTES - spare].decode(errors="ignore")


def create(connection: database.Connection, source: Source) -> None:
    """Create the source's table, or add the context that it does not have yet."""
    columns = [(kept.stored, kept.stored_type) for kept in (*source.key, *source.context)] + list(RESULT.items())
    statement = sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(
        source.table,
        sql.SQL(", ").join(_column(name, type_) for name, type_ in columns),
        _names(kept.stored for kept in source.key),
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NULL", (source.table.as_string(connection),))
        (missing,) = cursor.fetchone()
        if missing:
            cursor.execute(statement)
            # Without a name: PostgreSQL finds one that is free, whatever the sources are called.
            cursor.execute(sql.SQL("CREATE INDEX ON {} (label, confidence)").format(source.table))
        for kept in source.context:
            cursor.execute(
                sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}").format(
                    source.table, _column(kept.stored, kept.stored_type)
                )
            )
        about = f"Scores of {source.text_column} in {source.schema}.{source.relation}"
        cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(source.table, sql.Literal(about)))
        for name, comment in COMMENTS.items():
            column = sql.Identifier("scores", source.name, name)
            cursor.execute(sql.SQL("COMMENT ON COLUMN {} IS {}").format(column, sql.Literal(comment)))


def _column(name: str, type_: str) -> sql.Composed:
    # The type is PostgreSQL's own spelling of one it knows (to_regtype), quoted where it has to be.
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_))


def _names(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def existing(
    connection: database.Connection, source: Source, rows: Sequence[tuple[Values, Values]]
) -> dict[int, tuple[str, str, bool]]:
    """What the scores of some rows, each given as (key, context), rest on.

    Position in `rows` -> (hash of the text, model, whether the context is still the same). Compared here and by the
    types here: neither the order of texts and enums nor how a moment is written need be the same in both databases.
    """
    if not rows:
        return {}
    keys = [sql.Identifier(f"k{number}") for number in range(len(source.key))]
    contexts = [sql.Identifier(f"c{number}") for number in range(len(source.context))]
    columns = zip(*((*key, *context) for key, context in rows), strict=True)
    statement = sql.SQL(
        "SELECT asked.n - 1, s.text_hash::text, s.model_id, {same}"
        " FROM unnest({values}) WITH ORDINALITY AS asked ({names}, n) JOIN {table} AS s ON {found}"
    ).format(
        same=sql.SQL(" AND ").join(
            [
                sql.SQL("s.{}::text IS NOT DISTINCT FROM CAST(asked.{} AS {})::text").format(
                    sql.Identifier(kept.stored), name, sql.SQL(kept.stored_type)
                )
                for kept, name in zip(source.context, contexts, strict=True)
            ]
            or [sql.SQL("true")]
        ),
        values=sql.SQL(", ").join(sql.SQL("{}::text[]").format(sql.Literal(list(column))) for column in columns),
        names=sql.SQL(", ").join([*keys, *contexts]),
        table=source.table,
        found=sql.SQL(" AND ").join(
            sql.SQL("s.{} = CAST(asked.{} AS {})").format(sql.Identifier(kept.stored), name, sql.SQL(kept.stored_type))
            for kept, name in zip(source.key, keys, strict=True)
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {row[0]: row[1:] for row in cursor.fetchall()}


def write(
    connection: database.Connection, source: Source, scores: Sequence[Score], *, model_id: str, run_id: int
) -> None:
    """Write scores, replacing those of the same keys, in the transaction that the caller commits."""
    columns = [kept.stored for kept in (*source.key, *source.context)] + list(RESULT)
    key = _names(kept.stored for kept in source.key)
    changes = sql.SQL(", ").join(
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name))
        for name in columns
        if name not in {kept.stored for kept in source.key}
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()::text")
        (now,) = cursor.fetchone()
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                _names(columns), source.table
            )
        )
        lines = io.StringIO()
        for score in scores:
            confidence = None if score.confidence is None else repr(score.confidence)
            result = (
                score.label,
                confidence,
                score.probabilities,
                score.text_hash,
                "ft"[score.truncated],
                None if score.share_read is None else repr(score.share_read),
                score.reason,
            )
            lines.write(_copy_line((*score.key, *score.context, *result, model_id, str(run_id), now)))
        lines.seek(0)
        cursor.copy_expert("COPY incoming FROM STDIN", lines)
        cursor.execute(
            sql.SQL(
                "INSERT INTO {table} ({columns}) SELECT {columns} FROM incoming"
                " ON CONFLICT ({key}) DO UPDATE SET {changes}"
            ).format(table=source.table, columns=_names(columns), key=key, changes=changes)
        )


def _copy_line(values: Iterable[str | None]) -> str:
    """A row in COPY's text format."""
    return "\t".join(r"\N" if value is None else value.translate(_COPY_ESCAPES) for value in values) + "\n"


_COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def summary(connection: database.Connection, source: Source) -> Summary:
    """How many rows have which label."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT label, count(*) FROM {} GROUP BY label ORDER BY label").format(source.table))
        labels = dict(cursor.fetchall())
        return Summary(sum(labels.values()), labels)


def extremes(connection: database.Connection, source: Source, label: str, most: int) -> list[tuple[Values, float]]:
    """The keys of the rows of a label that the model is surest of, with its confidence, the surest first."""
    statement = sql.SQL("SELECT {}, confidence FROM {} WHERE label = {} ORDER BY confidence DESC, {} LIMIT {}").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(kept.stored)) for kept in source.key),
        source.table,
        sql.Literal(label),
        _names(kept.stored for kept in source.key),
        sql.Literal(most),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [(row[:-1], row[-1]) for row in cursor.fetchall()]
