"""The tables of scores: one for each scored text column, `scores.<source>`, made and read here; `writing.py` writes.

A row holds the source's key and the chosen context with their own types, and what a model said; several models stand
beside each other. Nobody's text is copied: it is fetched from the data by key when a person wants to read it. A view,
`scores.<source>_current`, has what charts use: one model's scores, of rows that are still there.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg2 import sql

from undertone import database, names, queries

SQL = queries.load("scores")
# Every column of a table of scores besides the source's own, with its type.
RESULT = {
    "label": "text",
    "confidence": "real",
    "probabilities": "jsonb",
    "text_hash": "uuid",
    "truncated": "boolean",
    "share_read": "real",
    "reason": "text",
    "model": "text",
    "model_id": "text",
    "engine": "text",
    "precision": "text",
    "run_id": "bigint",
    "scored_at": "timestamptz",
    "vanished_at": "timestamptz",
    "vanished_by": "bigint",
}
# Of these, what the view leaves out: it has nothing of rows that are gone.
GONE = ("vanished_at", "vanished_by")
COMMENTS = {
    "label": "What the model called the text; null where there was nothing to read, see reason",
    "confidence": "The model's probability for the label, 0 to 1",
    "probabilities": "The model's probability for each of its labels",
    "text_hash": "MD5 of the text that was scored: another one today means that the score is stale",
    "truncated": "Whether the text was longer than what the model reads",
    "share_read": "Share of the text that the model read, 0 to 1, 1 where all of it was read; null where there was "
    "nothing to read or nobody has noted it",
    "reason": "Why there is no label",
    "model": "The model, as it was named",
    "model_id": "What was loaded under that name, with a part of its weights' hash",
    "engine": "What computed it; null where nobody has noted it",
    "precision": "In which precision",
    "run_id": "The run that wrote this row",
    "scored_at": "When",
    "vanished_at": "Since when the row is known to be gone from the source; null where it is there",
    "vanished_by": "The run that found it gone",
}
# Columns that every table has; a view may have one of these names for a column of its own.
SYSTEM = ("tableoid", "cmax", "xmax", "cmin", "xmin", "ctid")
NAME_BYTES = 63  # of a PostgreSQL identifier
VIEW = "_current"
TIMES = ("date", "timestamp without time zone", "timestamp with time zone")
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
    """Texts that are scored. `name` is their table in the schema `scores`, `view_name` the view of what is current.

    `schema` is empty where they come from a saved query; `relation` is then its name and `statement` what it says.
    `text_column` is a template, such as `{title}: {body}`, where `template` says so.
    """

    id: int
    name: str
    database: str
    schema: str
    relation: str
    text_column: str
    key: tuple[Kept, ...]
    context: tuple[Kept, ...]
    template: bool = False
    statement: str | None = None
    current_model: str | None = None
    view_name: str | None = None

    @property
    def table(self) -> sql.Identifier:
        """The table of scores, quoted."""
        return sql.Identifier("scores", self.name)

    @property
    def replaced(self) -> sql.Identifier:
        """The table of the scores that were replaced, quoted."""
        return sql.Identifier("undertone", f"replaced_{self.id}")

    @property
    def view(self) -> sql.Identifier:
        """The view of the current scores, quoted."""
        return sql.Identifier("scores", self.view_name or self.name)

    @property
    def address(self) -> str:
        """The relation as SQL writes it; of a saved query, its name."""
        return f"{names.quoted(self.schema)}.{names.quoted(self.relation)}" if self.schema else self.relation

    @property
    def scores(self) -> str:
        """The table of scores as SQL writes it."""
        return f"scores.{names.quoted(self.name)}"

    @property
    def current(self) -> str:
        """The view of the current scores as SQL writes it."""
        return f"scores.{names.quoted(self.view_name or self.name)}"

    @property
    def title(self) -> str:
        """The source as a person would say it."""
        return f"{self.relation} · {self.text_column}"


@dataclass(frozen=True)
class Summary:
    """What a source's scores say: rows, rows with a label, rows by label (None: nothing to read)."""

    rows: int
    labels: dict[str | None, int]


@dataclass(frozen=True)
class Line:
    """The scores of one model: how many there are, and when the last was written."""

    model: str
    rows: int
    last_at: datetime.datetime


def free_name(wanted: Sequence[str], taken: set[str]) -> str:
    """The first of `wanted` that is not taken, each cut to what PostgreSQL takes; else the last one with a number."""
    for name in map(_cut, wanted):
        if name not in taken:
            return name
    number = 2
    while (name := f"{_cut(wanted[-1], 8)}_{number}") in taken:
        number += 1
    return name


def view_name(name: str, taken: set[str]) -> str:
    """A free name for the view of the source called `name`."""
    return free_name([_cut(name, len(VIEW)) + VIEW], taken)


def _cut(name: str, spare: int = 0) -> str:
    return name.encode()[: NAME_BYTES - spare].decode(errors="ignore")


def create(connection: database.Connection, source: Source) -> None:
    """Create the source's table, its view and what undoing needs, or add what they do not have yet."""
    columns = [(kept.stored, kept.stored_type) for kept in (*source.key, *source.context)] + list(RESULT.items())
    key = _names([*(kept.stored for kept in source.key), "model"])
    with connection.cursor() as cursor:

        def do(statement: object, **parts: sql.Composable) -> None:
            cursor.execute(queries.compose(statement, table=source.table, **parts))

        if SQL.exists(connection, name=source.name):
            has = {row[0] for row in SQL.column_names(connection, name=source.name)}
            for name, type_ in columns:
                if name not in has:
                    do(SQL.add_column, column=sql.Identifier(name), type=sql.SQL(type_))
            if "model" not in has:  # of a time when there was one model a source
                do(SQL.fill_model)
                do(SQL.require_model)
                constraint = sql.Identifier(SQL.key_name(connection, name=source.name))
                do(SQL.change_key, constraint=constraint, key=key)
                do(SQL.index_label)
                do(SQL.index_hash)
                do(SQL.index_run)
        else:
            has = set()
            do(SQL.create_table, columns=_listed(_column(*column) for column in columns), key=key)
            do(SQL.index_label)
            do(SQL.index_hash)
            do(SQL.index_run)
        for kept in source.context:
            if kept.stored not in has and kept.stored_type in TIMES:
                do(SQL.index_time, column=sql.Identifier(kept.stored))
        _create_replaced(connection, source, columns)
        about = f"Scores of {source.text_column} in {source.schema or 'the saved query'}.{source.relation}"
        do(SQL.comment_relation, kind=sql.SQL("TABLE"), relation=source.table, comment=sql.Literal(about))
        for name, comment in COMMENTS.items():
            column = sql.Identifier("scores", source.name, name)
            do(SQL.comment_column, column=column, comment=sql.Literal(comment))
    create_view(connection, source)


def _create_replaced(connection: database.Connection, source: Source, columns: Sequence[tuple[str, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NULL", (source.replaced.as_string(connection),))
        (missing,) = cursor.fetchone()
        if missing:
            for statement in (SQL.create_replaced, SQL.index_replaced, SQL.index_replaced_run):
                cursor.execute(queries.compose(statement, table=source.table, replaced=source.replaced))
            return
        for name, type_ in columns:
            cursor.execute(
                queries.compose(SQL.add_column, table=source.replaced, column=sql.Identifier(name), type=sql.SQL(type_))
            )


def create_view(connection: database.Connection, source: Source) -> None:
    """Create the view of the current scores, or let it show another model's. Nothing before there is a model."""
    if source.view_name is None or source.current_model is None:
        return
    shown = [row[0] for row in SQL.column_names(connection, name=source.name) if row[0] not in GONE]
    about = f"The current scores of {source.title}: those of {source.current_model}, of rows that are still there"
    there = [row[0] for row in SQL.column_names(connection, name=source.view_name)]
    if there == shown and SQL.comment(connection, name=source.view_name) == about:
        return  # replacing it would wait for whoever reads it, and all who plan a run for that
    with connection.cursor() as cursor:
        cursor.execute(
            queries.compose(
                SQL.create_view,
                view=source.view,
                columns=_names(shown),
                table=source.table,
                model=sql.Literal(source.current_model),
            )
        )
        cursor.execute(
            queries.compose(
                SQL.comment_relation, kind=sql.SQL("VIEW"), relation=source.view, comment=sql.Literal(about)
            )
        )


def make_room(connection: database.Connection, source: Source) -> Source:
    """Give other names to columns that tables of earlier versions have under one of the names in `ADDED`.

    Those that are kept, and those that were once. The source as it is called then; the caller notes that and makes the
    columns.
    """
    here = {row[0] for row in SQL.column_names(connection, name=source.name)}
    kept = {one.stored for one in (*source.key, *source.context)}
    if "model" not in kept and "model" in {row[0] for row in SQL.key_columns(connection, name=source.name)}:
        return source  # it has them already
    taken = {*RESULT, *SYSTEM, *here, *kept}
    moved: dict[str, str] = {}
    for name in sorted((here | kept) & set(ADDED)):
        moved[name] = free_name([f"source_{name}"], taken)
        taken.add(moved[name])
        if name in here:
            parts = {"column": sql.Identifier(name), "free": sql.Identifier(moved[name])}
            with connection.cursor() as cursor:
                cursor.execute(queries.compose(SQL.rename_column, table=source.table, **parts))

    def named(columns: tuple[Kept, ...]) -> tuple[Kept, ...]:
        return tuple(dataclasses.replace(one, stored=moved.get(one.stored, one.stored)) for one in columns)

    return dataclasses.replace(source, key=named(source.key), context=named(source.context))


# What tables of scores have got with migration 4.
ADDED = ("model", "engine", "precision", "vanished_at", "vanished_by")


def _column(name: str, type_: str) -> sql.Composed:
    # The type is PostgreSQL's own spelling of one it knows (to_regtype), quoted where it has to be.
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_))


def _names(names: Iterable[str]) -> sql.Composed:
    return _listed(map(sql.Identifier, names))


def _listed(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def summary(connection: database.Connection, source: Source) -> Summary:
    """How many rows have which label, of the current model."""
    with connection.cursor() as cursor:
        cursor.execute(queries.compose(SQL.summary, table=source.table, model=sql.Literal(source.current_model)))
        labels = dict(cursor.fetchall())
        return Summary(sum(labels.values()), labels)


def has_current(connection: database.Connection, source: Source) -> bool:
    """Whether there is a score of the current model."""
    if not SQL.exists(connection, name=source.name):
        return False
    with connection.cursor() as cursor:
        cursor.execute(queries.compose(SQL.has_model, table=source.table, model=sql.Literal(source.current_model)))
        (found,) = cursor.fetchone()
        return bool(found)


def models(connection: database.Connection, source: Source) -> list[Line]:
    """The models that have scores of a source, side by side."""
    with connection.cursor() as cursor:
        cursor.execute(queries.compose(SQL.models, table=source.table))
        return [Line(*row) for row in cursor.fetchall()]


def extremes(connection: database.Connection, source: Source, label: str, most: int) -> list[tuple[Values, float]]:
    """The keys of the rows of a label that the current model is surest of, with its confidence, the surest first."""
    key = [sql.Identifier("s", kept.stored) for kept in source.key]
    statement = queries.compose(
        SQL.extremes,
        key=_listed(sql.SQL("{}::text").format(column) for column in key),
        table=source.table,
        model=sql.Literal(source.current_model),
        label=sql.Literal(label),
        order=_listed(key),
        limit=sql.Literal(most),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [(row[:-1], row[-1]) for row in cursor.fetchall()]
