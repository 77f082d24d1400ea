"""What the two kinds of work of a run share: the run as it is to be done, how it may end, what becomes of failures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from undertone import classifier as classifiers
from undertone import database, scores, scoring, source_rows

SQL = scoring.SQL


class Classifier(Protocol):
    """What is needed of `classifier.Classifier`."""

    engine: str
    precision: str
    device: str
    threads: int

    @property
    def model_id(self) -> str:
        """Which weights these are."""

    @property
    def text_characters(self) -> int:
        """How much of a text it takes: of ten megabytes not all need travel."""

    def classify(
        self, texts_: Sequence[object], go_on: Callable[[], None] = lambda: None
    ) -> list[classifiers.Prediction]:
        """A prediction for each text; `go_on` is called now and then, and what it raises ends the work."""


class Halted(Exception):
    """The run was paused or cancelled while it was worked on."""


class Interrupted(Exception):
    """The worker ends before the work does; nothing of it was written."""


class Elsewhere(Exception):
    """The run is about another database than the one that this worker reads; it is left to a worker that does."""


@dataclass(frozen=True)
class Work:
    """A run as its work needs it."""

    id: int
    state: str
    source: scores.Source
    model: str
    model_id: str | None
    chunk_rows: int
    selection: source_rows.Selection


def get_work(connection: database.Connection, run_id: int) -> Work | None:
    """A run; None where there is none of that number."""
    row = SQL.get_work(connection, run=run_id)
    if row is None:
        return None
    state, source_id, model, model_id, size, condition, statement, new_by, new_type, new_after = row
    # What the saved query said when this run was planned.
    source = dataclasses.replace(scoring.get_source(connection, source_id), statement=statement)
    column = (new_by, new_type) if new_by else None
    selection = source_rows.Selection(source, condition, column, new_after)
    return Work(run_id, state, source, model, model_id, size, selection)


def check_place(reader: source_rows.Reader, work: Work) -> None:
    """Raises Elsewhere for a run about another database."""
    if reader.place and reader.place != work.source.database:
        raise Elsewhere(f"run {work.id} is about {work.source.database}, this worker reads {reader.place}")


def failed(store: database.Database, run_id: int, number: int) -> int:
    """Count a failed attempt at a chunk, or with number 0 at cutting the run; how many there were."""
    with store.lend() as connection:
        if number == 0:
            failures = SQL.cut_failed_once(connection, run=run_id)
        else:
            failures = SQL.chunk_failed_once(connection, run=run_id, number=number)
        connection.commit()
        return int(failures or 0)


def waits(store: database.Database, run_id: int, error: str) -> None:
    """Say what a run waits for, where a person looks at it."""
    with store.lend() as connection:
        SQL.waits(connection, run=run_id, error=error)
        connection.commit()


def goes_on(store: database.Database, run_id: int) -> None:
    """Take back what a run was said to wait for."""
    with store.lend() as connection:
        SQL.goes_on(connection, run=run_id)
        connection.commit()


def give_up(store: database.Database, run_id: int, number: int, *, worker: str, error: str) -> None:
    """Record that a chunk cannot be done, so that the rest of the run can end."""
    with store.lend() as connection:
        if number == 0:
            # Unless somebody has cancelled or paused it meanwhile.
            if SQL.lock_run(connection, run=run_id)[0] == "planned":
                SQL.set_state(connection, run=run_id, state="failed", error=error)
        else:
            # First the chunk, then its run, as whoever writes it does: or each would wait for the other.
            SQL.chunk_failed(connection, run=run_id, number=number, worker=worker, error=error)
            SQL.lock_run(connection, run=run_id)
            SQL.finish_if_done(connection, run=run_id)
        connection.commit()
