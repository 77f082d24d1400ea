"""Runs: one pass of a model over texts, followed and changed here, planned in `planning.py`, done by the workers.

A run is cut into chunks (`chunks.py`). What is to be done is in the store before it is in the job queue, and whatever
the queue lacks is put into it again by every worker (`enqueue`), so a run survives the end of any process.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from undertone import database, errors, queries, scores, writing

ENDED = ("finished", "failed", "cancelled")
# state -> what a person may do with it -> the state that follows
ACTIONS: dict[str, dict[str, str]] = {
    "planned": {"pause": "paused", "cancel": "cancelled"},
    "running": {"pause": "paused", "cancel": "cancelled"},
    "paused": {"resume": "running", "cancel": "cancelled"},
    "failed": {"retry": "running"},
    "finished": {"retry": "running"},  # where rows of it have failed
    "cancelled": {},
}
# A run has so many chunks in the queue, or four for each worker: a run that is started later need not wait for all of
# one that was started before.
QUEUED = 8
SQL = queries.load("scoring")


class ScoringError(errors.UndertoneError):
    """A run that cannot be planned, found or changed; the message says why and what to do."""


@dataclass(frozen=True)
class Run:
    """A run and how far it is. Counts are rows; `rows_total` is None until the run has been cut into chunks.

    `rows` = `scored` + `unchanged` + `empty` + `failed`; of `scored`, `reused` have a text that the model had seen
    before. `vanished` are scores whose rows are gone. `done` are the rows that chunks have dealt with.
    """

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
    failed: int
    reused: int
    last_at: datetime.datetime | None
    done: int
    recent_rate: float | None
    condition: str
    queue: str
    who: str
    watch: int | None
    new_by: str | None
    surveyed: int
    vanished: int
    undone_at: datetime.datetime | None

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
        """Rows per second: of the last minute while it goes on, else from start to last chunk; None before one."""
        if self.state == "running" and self.recent_rate:
            return self.recent_rate
        if self.started_at is None or self.last_at is None or not self.done:
            return None
        return self.done / max(0.001, (self.last_at - self.started_at).total_seconds())

    @property
    def seconds_left(self) -> float | None:
        """At that rate; None where nobody can know."""
        if self.rate is None or self.rows_total is None or self.state != "running":
            return None
        return max(0, self.rows_total - self.rows) / self.rate

    @property
    def actions(self) -> tuple[str, ...]:
        """What a person may do with it now."""
        possible = tuple(ACTIONS[self.state])
        if self.undone_at is not None or (self.state == "finished" and not self.failed):
            possible = ()
        return (*possible, "undo") if self.ended and self.undone_at is None else possible


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
    found: list[Sequence[Any]] = [
        (row[0], known[row[1]], *row[2:14], *map(int, row[14:21]), row[21], int(row[22]), *row[23:]) for row in rows
    ]
    return [Run(*values) for values in found]


def sources(connection: database.Connection) -> list[scores.Source]:
    """What is or has been scored, the last first."""
    return [as_source(row) for row in SQL.sources(connection)]


def change(connection: database.Connection, run: int, action: str) -> Run:
    """`pause`, `resume`, `cancel`, `retry` or `undo` a run.

    Raises ScoringError when it is not in a state in which that can be done.
    """
    locked = SQL.lock_run(connection, run=run)
    found = get(connection, run)
    if action not in found.actions:
        raise ScoringError(_refused(found, action))
    source = locked[1]
    if action == "undo":
        _alone(connection, source)
        writing.undo(connection, found.source, run)
        SQL.set_undone(connection, run=run)
        connection.commit()
        return get(connection, run)
    following = ACTIONS[found.state][action]
    if action == "resume" and found.rows_total is None:
        following = "planned"  # it was paused before it was cut
    if action == "retry":
        _alone(connection, source)
        SQL.failed_to_waiting(connection, run=run)
        if found.rows_total is None:
            following = "planned"
    SQL.set_state(connection, run=run, state=following, error=None)
    SQL.finish_if_done(connection, run=run)  # where the last chunk has failed while it was paused
    enqueue_in(connection)
    connection.commit()
    return get(connection, run)


def _refused(run: Run, action: str) -> str:
    if run.undone_at is not None:
        return f"Run {run.id} was undone; start a new one"
    if action == "undo":
        return f"Run {run.id} is {run.state}; cancel it before it is undone"
    can = " or ".join(run.actions)
    ending = f"It can {can}." if can else "It needs nothing more."
    return f"Run {run.id} is {run.state}: it cannot {action}. {ending}"


def _alone(connection: database.Connection, source: int) -> None:
    """Raises ScoringError where a run of the source is under way. Until the transaction ends, none will be."""
    SQL.lock_names(connection)  # as planning does: one of the two comes first
    if active := SQL.active_run(connection, source_id=source):
        raise ScoringError(f"Run {active} of the same texts has not ended; wait for it or cancel it")


def make_current(connection: database.Connection, source: scores.Source, model: str) -> scores.Source:
    """Let another model's scores be those that charts and the view use. Raises ScoringError where it has none."""
    SQL.lock_names(connection)
    have = [line.model for line in scores.models(connection, source)]
    if model not in have:
        raise ScoringError(f"{source.title} has no scores of {model}; it has: {', '.join(have) or 'none'}")
    SQL.set_current(connection, id=source.id, model=model)
    changed = get_source(connection, source.id)
    scores.create_view(connection, changed)
    connection.commit()
    return changed


def find_source(connection: database.Connection, name: str) -> scores.Source:
    """The source whose table of scores has this name, `reviews` or `scores.reviews`. Raises ScoringError."""
    known = sources(connection)
    # As it is called first: a name may hold quotes or begin with `scores.` itself.
    for wanted in (name, name.removeprefix("scores."), name.removeprefix("scores.").strip('"')):
        for source in known:
            if wanted in (source.name, source.view_name, source.scores, source.current):
                return source
    raise ScoringError(
        f"There are no scores called {name}; there are: {', '.join(source.name for source in known) or 'none'}"
    )


def enqueue(store: database.Database) -> int:
    """Put into the job queue whatever is to be done and is not in it; returns how many jobs that were.

    None where somebody else is at it: of a hundred workers that look from time to time, one is enough.
    """
    with store.lend() as connection:
        if not SQL.try_lock_queue(connection):
            return 0
        added = enqueue_in(connection)
        connection.commit()
        return added


def enqueue_in(connection: database.Connection) -> int:
    """As `enqueue`, in the transaction that the caller commits. Changes its search path."""
    SQL.queue_search_path(connection)
    SQL.lock_queue(connection)
    added: int | None = SQL.enqueue(connection, least=QUEUED)
    return added or 0


def top_up(store: database.Database, run: int) -> None:
    """Put more of a run into the job queue, if it has little there and nobody else is at it."""
    with store.lend() as connection:
        if SQL.runs_short(connection, run=run, least=QUEUED) and SQL.try_lock_queue(connection):
            SQL.queue_search_path(connection)
            SQL.enqueue(connection, least=QUEUED)
            connection.commit()


def finish(store: database.Database, run: int) -> None:
    """End a run whose last chunk has ended."""
    with store.lend() as connection:
        if not SQL.is_waiting(connection, run=run):
            SQL.let_go(connection)
            SQL.lock_run(connection, run=run)
            SQL.finish_if_done(connection, run=run)
            connection.commit()


def finish_idle(store: database.Database) -> None:
    """End runs whose last chunk has ended when nobody was left to notice."""
    with store.lend() as connection:
        idle = [row[0] for row in SQL.idle_runs(connection)]
    for run in idle:
        finish(store, run)


def chunk_errors(connection: database.Connection, run: int) -> list[tuple[int, str]]:
    """Number and error of each chunk that was given up."""
    return [(row[0], row[1]) for row in SQL.errors(connection, run=run)]


@dataclass(frozen=True)
class FailedRow:
    """A row that could not be scored: its key as text, and why."""

    key: scores.Values
    reason: str
    at: datetime.datetime


def failed_rows(connection: database.Connection, run: int, most: int = 1000) -> list[FailedRow]:
    """Rows of a run that could not be scored, in the order of its chunks."""
    return [FailedRow(tuple(row[0]), row[1], row[2]) for row in SQL.failed_rows(connection, run=run, most=most)]


@dataclass(frozen=True)
class Worker:
    """A worker that has shown itself within the last half minute. `rows`, and `rate` a second, are of the last one."""

    name: str
    last_seen: datetime.datetime
    started_at: datetime.datetime
    queues: tuple[str, ...]
    threads: int
    device: str
    engine: str
    doing: str
    rows: int
    rate: float


def workers(connection: database.Connection) -> list[Worker]:
    """The workers at work, on whatever machine."""
    found: list[Sequence[Any]] = [
        (*row[:3], tuple(row[3]), *row[4:8], int(row[8]), float(row[9])) for row in SQL.workers(connection)
    ]
    return [Worker(*values) for values in found]


def get_source(connection: database.Connection, source_id: int) -> scores.Source:
    """A source by its id; it must exist."""
    return as_source(SQL.get_source(connection, id=source_id))


def as_source(row: Sequence[Any]) -> scores.Source:
    """A row of the statements about sources."""
    *plain, key, context, template, statement, model, view = row
    columns = (tuple(scores.Kept(**column) for column in kept) for kept in (key, context))
    values: list[Any] = [*plain, *columns, template, statement, model, view]
    return scores.Source(*values)


def upgrade(store: database.Database) -> None:
    """Give tables of scores of earlier versions what they lack."""
    with store.lend() as connection:
        if not list(SQL.without_view(connection)):
            return
        SQL.lock_names(connection)
        for *row, model in SQL.without_view(connection):
            source = scores.make_room(connection, as_source(row))
            taken = {row[0] for row in SQL.taken_names(connection)}
            SQL.amend_source(
                connection,
                id=source.id,
                view_name=scores.view_name(source.name, taken),
                model=model,
                key_columns=kept_json(source.key),
                context_columns=kept_json(source.context),
            )
            # Where somebody has dropped it, the next run makes it anew.
            if scores.SQL.exists(connection, name=source.name):
                scores.create(connection, get_source(connection, source.id))
        connection.commit()


def kept_json(kept: Sequence[scores.Kept]) -> str:
    """Kept columns as the store has them."""
    return json.dumps([vars(column) for column in kept])
