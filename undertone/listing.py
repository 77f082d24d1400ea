"""Runs in a line each, filtered, for lists of hundreds; and what there is to filter them by."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from undertone import database, queries, scoring

SQL = queries.load("listing")
UNDER_WAY, UNDONE = "under way", "undone"
# What runs are filtered by, each with the states that it means.
STATES: dict[str, tuple[str, ...]] = {
    UNDER_WAY: ("planned", "running", "paused"),
    "planned": ("planned",),
    "running": ("running",),
    "paused": ("paused",),
    "finished": ("finished",),
    "failed": ("failed",),
    "cancelled": ("cancelled",),
    UNDONE: scoring.ENDED,
}
MOST_PEOPLE = 200


@dataclass(frozen=True)
class Line:
    """A run in a list. `source` is the name of its table of scores, `title` what a person calls the source."""

    id: int
    source: str
    title: str
    model: str
    state: str
    undone_at: datetime.datetime | None
    who: str
    watch: int | None
    created_at: datetime.datetime
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    rows_total: int | None
    rows: int
    scored: int
    failed: int
    chunks_failed: int
    surveyed: int
    error: str | None

    @property
    def under_way(self) -> bool:
        """Whether it has not ended."""
        return self.state in STATES[UNDER_WAY]

    @property
    def shown_state(self) -> str:
        """Its state in a word."""
        return UNDONE if self.undone_at is not None else self.state


@dataclass(frozen=True)
class Last:
    """The last run of a source."""

    id: int
    state: str
    at: datetime.datetime
    undone: bool


def runs(
    connection: database.Connection,
    *,
    source: str | None = None,
    state: str | None = None,
    who: str | None = None,
    words: str = "",
    most: int = 200,
) -> tuple[list[Line], bool]:
    """The newest `most` runs that are so, and whether there are older ones. `state` is one of STATES."""
    rows = SQL.runs(
        connection,
        source=source,
        states=list(STATES[state]) if state else None,
        undone=None if state is None else state == UNDONE,
        who=who,
        words=_storable(words).split(),
        most=most + 1,
    )
    found: list[Sequence[Any]] = [(*row[:12], *map(int, row[12:17]), row[17]) for row in rows[:most]]
    return [Line(*values) for values in found], len(rows) > most


def people(connection: database.Connection) -> list[str]:
    """Who has started runs."""
    return [row[0] for row in SQL.people(connection, most=MOST_PEOPLE)]


def newest(connection: database.Connection) -> int | None:
    """The number of the newest run; None where there is none."""
    number: int | None = SQL.newest(connection)
    return number


def under_way(connection: database.Connection, who: str) -> list[int]:
    """The runs that somebody has started by hand and that have not ended."""
    return [row[0] for row in SQL.under_way(connection, who=_storable(who))]


def ended(connection: database.Connection, runs: Sequence[int]) -> list[scoring.Run]:
    """Of some runs, those that have ended."""
    return [scoring.get(connection, row[0]) for row in SQL.ended(connection, runs=list(runs))]


def last_runs(connection: database.Connection) -> dict[int, Last]:
    """The last run of every source that has one, by the source's id."""
    return {row[0]: Last(*row[1:]) for row in SQL.last_runs(connection)}


def _storable(text: str) -> str:
    return text.encode(errors="replace").decode().replace("\0", "")
