"""Watches: sources that are kept up. Every so often, or when a cron line says, a run scores what is new or changed.

Procrastinate's clock asks every minute for the watches that are due (`tasks.start_due_runs`); whichever worker comes
first plans the run. A run that is still under way is not waited for: the next time will do.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import croniter

from undertone import database, errors, planning, queries, scores, scoring, source_rows

SQL = queries.load("watches")
MOST_MINUTES = 366 * 24 * 60


class WatchError(errors.UndertoneError):
    """A watch that cannot be, or that is not there; the message says what to do."""


@dataclass(frozen=True)
class Pace:
    """How often: every so many minutes, or by a cron line of five fields, in UTC. One of the two."""

    every_minutes: int | None = None
    cron: str | None = None

    def __str__(self) -> str:
        if self.cron is not None:
            return f"cron {self.cron} (UTC)"
        minutes = self.every_minutes or 0
        for size, name in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
            if minutes % size == 0:
                number = minutes // size
                return f"every {name}" if number == 1 else f"every {number:,} {name}s"
        raise AssertionError("a minute divides all")


@dataclass(frozen=True)
class Watch:
    """A source that is kept up with a model. `error` says why its last run could not be planned."""

    id: int
    source: scores.Source
    model: str
    wish: planning.Wish
    pace: Pace
    active: bool
    next_at: datetime.datetime
    error: str | None
    who: str
    created_at: datetime.datetime
    last_run: int | None
    last_state: str | None


def check_pace(pace: Pace) -> None:
    """Raises WatchError for one that is none."""
    if (pace.every_minutes is None) == (pace.cron is None):
        raise WatchError("Say how often: every so many minutes, or a cron line")
    if pace.cron is not None:
        # Seconds and years, which croniter knows besides, are not what a cron line has.
        if len(pace.cron.split()) != 5 or not croniter.croniter.is_valid(pace.cron):
            raise WatchError(
                f"{pace.cron!r} is no cron line; it has five fields, as in: 0 2 * * * (every night at 2, UTC)"
            )
        try:
            following(pace, datetime.datetime.now(datetime.UTC))
        except croniter.CroniterBadDateError:
            raise WatchError(f"{pace.cron!r} never comes: there is no such day; choose another") from None
    elif not 1 <= (pace.every_minutes or 0) <= MOST_MINUTES:
        raise WatchError(f"A source can be watched every 1 to {MOST_MINUTES:,} minutes")


def following(pace: Pace, after: datetime.datetime) -> datetime.datetime:
    """The next time behind a moment."""
    if pace.cron is not None:
        moment: datetime.datetime = croniter.croniter(pace.cron, after.astimezone(datetime.UTC)).get_next(
            datetime.datetime
        )
        return moment
    return after + datetime.timedelta(minutes=pace.every_minutes or 0)


def put(connection: database.Connection, run: scoring.Run, wish: planning.Wish, pace: Pace) -> Watch:
    """Watch the source of a run from now on, by the wish that the run was planned from. Raises WatchError."""
    check_pace(pace)
    id = SQL.put(
        connection,
        source_id=run.source.id,
        model=wish.model,
        wish=json.dumps(
            dataclasses.asdict(dataclasses.replace(wish, condition=wish.condition.strip(), new_after=None))
        ),
        every_minutes=pace.every_minutes,
        cron=pace.cron,
        next_at=following(pace, datetime.datetime.now(datetime.UTC)),
        who=wish.who,
    )
    SQL.adopt(connection, id=id, run=run.id)
    connection.commit()
    return get(connection, id)


def watches(connection: database.Connection, *, only: int | None = None) -> list[Watch]:
    """All watches."""
    rows = list(SQL.watches(connection, only=only))
    known = {source.id: source for source in scoring.sources(connection)} if rows else {}
    return [Watch(row[0], known[row[1]], row[2], _wish(row[3]), Pace(row[4], row[5]), *row[6:]) for row in rows]


def get(connection: database.Connection, id: int) -> Watch:
    """One watch. Raises WatchError."""
    found = watches(connection, only=id)
    if not found:
        raise WatchError(f"There is no watch {id}; see all of them with: python -m undertone watches")
    return found[0]


def change(connection: database.Connection, id: int, action: str) -> None:
    """`pause`, `resume` or `remove` a watch; its runs and scores stay. Raises WatchError."""
    watch = get(connection, id)
    if action == "remove":
        SQL.remove(connection, id=id)
    else:
        now = datetime.datetime.now(datetime.UTC)
        SQL.set_active(connection, id=id, active=action == "resume", next_at=following(watch.pace, now))
    connection.commit()


def start_due(reader: source_rows.Reader, store: database.Database, *, place: str) -> list[int]:
    """Plan the runs of all watches whose time has come; their numbers. What cannot be planned is noted at its watch."""
    started: list[int] = []
    while True:
        with store.lend() as connection:
            row = SQL.due(connection, place=place)
            if row is None:
                return started
            id, _, _, wish, every, cron, _ = row
            after = SQL.mark(connection, id=id)
            # First, and whatever becomes of it: a watch that fails must not be tried without end.
            next_at = following(Pace(every, cron), datetime.datetime.now(datetime.UTC))
            SQL.schedule(connection, id=id, next_at=next_at, error=None)
            connection.commit()
        try:
            wanted = dataclasses.replace(_wish(wish), new_after=after if wish.get("new_by") else None)
            started.append(planning.start(reader, store, wanted, place=place, watch=id).id)
        except errors.UndertoneError as error:
            with store.lend() as connection:
                SQL.schedule(connection, id=id, next_at=next_at, error=str(error))
                connection.commit()


def _wish(values: dict[str, Any]) -> planning.Wish:
    def tupled(value: Any) -> Any:
        return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value

    return planning.Wish(**{name: tupled(value) for name, value in values.items()})
