"""Runs: one pass of a model over a text column, planned, followed and changed here, done by the workers.

A run is cut into chunks, ranges of keys (`chunks.py`). What is to be done is in the store before it is in the job
queue, and whatever the queue lacks is put into it again by every worker (`enqueue`), so a run survives the end of any
process.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql

from undertone import catalog, database, errors, queries, scores

ENDED = ("finished", "failed", "cancelled")
# state -> what a person may do with it -> the state that follows
ACTIONS: dict[str, dict[str, str]] = {
    "planned": {"pause": "paused", "cancel": "cancelled"},
    "running": {"pause": "paused", "cancel": "cancelled"},
    "paused": {"resume": "running", "cancel": "cancelled"},
    "failed": {"retry": "running"},
    "finished": {},
    "cancelled": {},
}
SQL = queries.load("scoring")


class ScoringError(errors.UndertoneError):
    """A run that cannot be planned, found or changed; the message says why and what to do."""


@dataclass(frozen=True)
class Run:
    """A run and how far it is. Counts are rows; `rows_total` is None until the run has been cut into chunks."""

    id: int
    source: scores.Source
    model: str
    model_id: str | None
    state: str
    chunk_rows: int
    rows_total: int | None
    error: str | None
    created_at: datetime.datetime
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    chunks: int
    chunks_done: int
    chunks_failed: int
    rows: int
    scored: int
    unchanged: int
    empty: int
    truncated: int
    last_at: datetime.datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in ENDED

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        if self.rows_total:
            return min(1.0, self.rows / self.rows_total)
        return 1.0 if self.state == "finished" else 0.0

    @property
    def rate(self) -> float | None:
        """Rows per second from the start to the last chunk; None before there is one."""
        if self.started_at is None or self.last_at is None or not self.rows:
            return None
        return self.rows / max(0.001, (self.last_at - self.started_at).total_seconds())

    @property
    def seconds_left(self) -> float | None:
        """At that rate; None where nobody can know."""
        if self.rate is None or self.rows_total is None or self.state != "running":
            return None
        return max(0, self.rows_total - self.rows) / self.rate


def start(
    data: database.Database,
    store: database.Database,
    relation_name: str,
    text_column: str,
    *,
    place: str,
    model: str,
    chunk_rows: int,
    key: Sequence[str] = (),
    context: Sequence[str] | None = None,
) -> Run:
    """Plan a run and hand it to the workers.

    `place` names the database that `data` leads to. `key` is needed where the relation has none of its own; `context`
    None proposes some columns. Raises CatalogError for what is not there, ScoringError for what cannot be scored.
    """
    with data.lend() as connection:
        relation = catalog.find(connection, relation_name)
        columns = {column.name: column for column in catalog.columns(connection, relation)}
        own_key = catalog.key(connection, relation)
        key = tuple(dict.fromkeys(key)) or own_key
        if context is None:
            context = catalog.propose_context(connection, relation, text_column) if text_column in columns else ()
        for name in (text_column, *key, *context):
            if name not in columns:
                raise ScoringError(f"{relation.label} has no column {name!r}; it has: {', '.join(columns) or 'none'}")
        if columns[text_column].category not in ("text", "json"):
            raise ScoringError(
                f"The column {text_column} of {relation.label} holds no text: it is {columns[text_column].type}"
            )
        if not key:
            raise ScoringError(
                f"{relation.label} has no primary key; name the columns that identify a row (--key COLUMN)"
            )
        if key != own_key:
            _check_key(connection, relation, key)
    context = [name for name in dict.fromkeys(context) if name not in (*key, text_column)]

    with store.lend() as connection:
        SQL.lock_names(connection)
        types = {name: SQL.known_type(connection, type=columns[name].type) or "text" for name in (*key, *context)}
        found = SQL.find_source(
            connection, database=place, schema_name=relation.schema, relation=relation.name, text_column=text_column
        )
        if found:
            source = _source(found)
            if [kept.name for kept in source.key] != list(key):
                raise ScoringError(
                    f"{source.title} has been scored by the key {', '.join(kept.name for kept in source.key)};"
                    " its scores cannot take another"
                )
            if active := SQL.active_run(connection, source_id=source.id):
                raise ScoringError(f"Run {active} of {source.title} has not ended; wait for it or cancel it")
            name = source.name
        else:
            taken = {row[0] for row in SQL.taken_names(connection)}
            wanted = [
                relation.name,
                f"{relation.name}_{text_column}",
                f"{relation.schema}_{relation.name}_{text_column}",
            ]
            name = scores.free_name(wanted, taken)
        kept = _kept([*key, *context], columns, types, source if found else None)
        key_columns, context_columns = kept[: len(key)], kept[len(key) :]
        source_id = SQL.add_source(
            connection,
            name=name,
            database=place,
            schema_name=relation.schema,
            relation=relation.name,
            text_column=text_column,
            key_columns=json.dumps([vars(column) for column in key_columns]),
            context_columns=json.dumps([vars(column) for column in context_columns]),
        )
        scores.create(connection, _source(SQL.get_source(connection, id=source_id)))
        run = SQL.add_run(connection, source_id=source_id, model=model, chunk_rows=chunk_rows)
        enqueue_in(connection)
        connection.commit()
        return get(connection, run)


def _kept(
    names: Sequence[str], columns: dict[str, catalog.Column], types: dict[str, str], source: scores.Source | None
) -> list[scores.Kept]:
    """Under which names columns are kept: their own, unless a column of the result has it."""
    known = {kept.name: kept for kept in (*source.key, *source.context)} if source else {}
    taken = {*scores.RESULT, *scores.SYSTEM} | {kept.stored for kept in known.values()}
    kept = []
    for name in names:
        if name in known:
            kept.append(known[name])
            continue
        stored = scores.free_name([name, f"source_{name}"], taken)
        taken.add(stored)
        kept.append(scores.Kept(name, columns[name].type, stored, types[name]))
    return kept


def _check_key(connection: database.Connection, relation: catalog.Relation, key: Sequence[str]) -> None:
    """Raises ScoringError unless the columns tell all rows apart and are never null."""
    names = sql.SQL(", ").join(map(sql.Identifier, key))
    null = sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(sql.Identifier(name)) for name in key)
    statement = sql.SQL("SELECT count(*), count(DISTINCT ({})), count(*) FILTER (WHERE {}) FROM {}").format(
        names, null, sql.Identifier(relation.schema, relation.name)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows, distinct, nulls = cursor.fetchone()
    listed = ", ".join(key)
    if nulls:
        raise ScoringError(f"{listed} is null in {nulls:,} rows of {relation.label}, so it cannot be the key")
    if distinct < rows:
        raise ScoringError(
            f"{listed} is the same in {rows - distinct:,} rows of {relation.label}, so it cannot be the key"
        )


def get(connection: database.Connection, run: int) -> Run:
    """One run. Raises ScoringError when there is none of that number."""
    found = runs(connection, only=run)
    if not found:
        raise ScoringError(f"There is no run {run}; see all of them with: python -m undertone runs")
    return found[0]


def runs(connection: database.Connection, *, only: int | None = None, most: int = 200) -> list[Run]:
    """Runs, the newest first."""
    rows = list(SQL.runs(connection, only=only, most=most))
    known = {source.id: source for source in sources(connection)} if rows else {}
    found: list[Sequence[Any]] = [(row[0], known[row[1]], *row[2:14], *map(int, row[14:19]), row[19]) for row in rows]
    return [Run(*values) for values in found]


def sources(connection: database.Connection) -> list[scores.Source]:
    """What is or has been scored, the last first."""
    return [_source(row) for row in SQL.sources(connection)]


def change(connection: database.Connection, run: int, action: str) -> Run:
    """`pause`, `resume`, `cancel` or `retry` a run.

    Raises ScoringError when it is not in a state in which that can be done.
    """
    locked = SQL.lock_run(connection, run=run)
    if locked is None:
        get(connection, run)
    state, source = locked[0], locked[1]
    if action not in ACTIONS[state]:
        can = " or ".join(ACTIONS[state]) or "nothing more"
        raise ScoringError(
            f"Run {run} is {state}: it cannot {action}. It can {can}.".replace("can nothing", "needs nothing")
        )
    following = ACTIONS[state][action]
    if action == "resume" and get(connection, run).rows_total is None:
        following = "planned"  # it was paused before it was cut
    if action == "retry":
        SQL.lock_names(connection)  # as `start` does: one of the two comes first
        if active := SQL.active_run(connection, source_id=source):
            raise ScoringError(f"Run {active} of the same texts has not ended; wait for it or cancel it")
        SQL.failed_to_waiting(connection, run=run)
        if get(connection, run).rows_total is None:
            following = "planned"
    SQL.set_state(connection, run=run, state=following, error=None)
    SQL.finish_if_done(connection, run=run)  # where the last chunk has failed while it was paused
    enqueue_in(connection)
    connection.commit()
    return get(connection, run)


def enqueue(store: database.Database) -> int:
    """Put into the job queue whatever is to be done and is not in it; returns how many jobs that were."""
    with store.lend() as connection:
        added = enqueue_in(connection)
        connection.commit()
        return added


def enqueue_in(connection: database.Connection) -> int:
    """As `enqueue`, in the transaction that the caller commits. Changes its search path."""
    SQL.queue_search_path(connection)
    SQL.lock_queue(connection)
    added: int | None = SQL.enqueue(connection)
    return added or 0


def chunk_errors(connection: database.Connection, run: int) -> list[tuple[int, str]]:
    """Number and error of each chunk that was given up."""
    return [(row[0], row[1]) for row in SQL.errors(connection, run=run)]


@dataclass(frozen=True)
class Worker:
    """A worker that has shown itself within the last half minute."""

    name: str
    last_seen: datetime.datetime
    doing: str


def workers(connection: database.Connection) -> list[Worker]:
    """The workers at work, on whatever machine."""
    return [
        Worker(f"worker {row[0]}", row[1], f"run {row[3]}" if row[2] else "waits for work")
        for row in SQL.workers(connection)
    ]


def get_source(connection: database.Connection, source_id: int) -> scores.Source:
    """A source by its id; it must exist."""
    return _source(SQL.get_source(connection, id=source_id))


def _source(row: Sequence[Any]) -> scores.Source:
    *plain, key, context = row
    values: list[Any] = [*plain, *(tuple(scores.Kept(**column) for column in kept) for kept in (key, context))]
    return scores.Source(*values)
