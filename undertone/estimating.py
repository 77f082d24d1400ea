"""How much work a run will be, before it is started: rows, rows that are done already, and how long the rest takes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql

from undertone import catalog, console, database, planning, queries, scoring, source_rows, survey

SQL = scoring.SQL
LOOK_SECONDS = 20.0  # that looking at the rows may take
SAMPLE_ROWS = 2_000


@dataclass(frozen=True)
class Plan:
    """How much work a run will be: rows, rows scored and unchanged, rows with nothing to read, characters to read.

    `todo` are the rows that will be looked at, the empty among them. A count that `exact` says nothing of is an
    estimate. `seconds` is None where nobody has measured the model here.
    """

    rows: int
    unchanged: int
    empty: int
    todo: int
    characters: int
    exact: bool
    seconds: float | None
    key: tuple[str, ...]
    context: tuple[str, ...]


def look(
    reader: source_rows.Reader,
    store: database.Database,
    wish: planning.Wish,
    *,
    place: str,
    most: int,
    measure: Callable[[Sequence[str]], float] | None = None,
    seconds: float = LOOK_SECONDS,
) -> Plan:
    """How much work a run would be, before it is started; nothing is written.

    Counts are exact where that takes no more than `seconds`. `most` characters of a text are read; `measure` says how
    many seconds the model takes for some texts, where no run has shown it yet. Raises as `check`.
    """
    checked = planning.check(reader, store, wish)
    selection = planning.selection_of(checked)
    model_id = store.ask(SQL.known_model, model=wish.model)
    with store.lend() as connection:
        found = planning.find(connection, checked, place)
        counted = None
        kept = {column.name: column for column in found.context} if found is not None else {}
        # Where there is more context than the scores have, they are all written anew.
        anew = found is None or not all(name in kept for name, _ in checked.context)
        if found is not None and not anew:
            context = tuple(kept[name] for name, _ in checked.context)
            source = dataclasses.replace(found, statement=checked.statement, context=context)
            selection = dataclasses.replace(selection, source=source)
            counted = _surveyed(connection, reader, selection, wish.model, model_id, most, seconds)
        connection.rollback()
    surveyed = counted is not None
    if counted is None:
        counted = _counted(reader, checked, selection, most, seconds)
    rows, todo, empty, characters, exact = counted
    exact = exact and (surveyed or anew)  # else nobody has looked which of the rows are scored already
    rate = _rate(store, model_id) or (_measured(reader, checked, selection, most, measure) if measure else None)
    return Plan(
        rows=rows,
        unchanged=rows - todo,
        empty=empty,
        todo=todo,
        characters=characters or 0,
        exact=exact,
        seconds=_seconds(characters, rate),
        key=tuple(name for name, _ in checked.key),
        context=tuple(name for name, _ in checked.context),
    )


def _seconds(characters: int | None, rate: float | None) -> float | None:
    if characters is None or (characters and not rate):
        return None
    return characters / rate if rate else 0.0


Counts = tuple[int, int, int, int | None, bool]


class _TooLong(Exception):
    """Looking has taken long enough."""


def _surveyed(
    connection: database.Connection,
    reader: source_rows.Reader,
    selection: source_rows.Selection,
    model: str,
    model_id: str | None,
    most: int,
    seconds: float,
) -> Counts | None:
    """Rows, to be done, empty, characters, whether exact; None where it would take too long, or a row is broken."""
    deadline = time.monotonic() + seconds

    def go_on(rows: int) -> None:
        if time.monotonic() > deadline:
            raise _TooLong

    taken = survey.Survey(connection, selection, model, model_id)
    try:
        totals = taken.take(reader, go_on, hashes=True, most=most)
    except _TooLong:
        return None
    except (psycopg2.Error, database.DatabaseError, console.StatementError, UnicodeDecodeError):
        return None
    return totals.rows, totals.todo, totals.empty, totals.characters, True


def _counted(
    reader: source_rows.Reader, checked: planning.Checked, selection: source_rows.Selection, most: int, seconds: float
) -> Counts:
    """As `_surveyed`, of texts that have no scores, or whose scores nobody has the time to look through."""

    def sizes(limit: str, size: sql.Composable) -> tuple[int, int, int]:
        ((rows, empty, characters),) = source_rows.ask(
            reader,
            selection,
            queries.compose(
                source_rows.SQL.sizes,
                most=sql.Literal(most),
                size=size,
                origin=source_rows.origin(selection.source),
                condition=source_rows.where(selection, None),
                limit=sql.SQL(limit),
            ),
            seconds,
        )
        return int(rows), int(empty), int(characters)

    size = source_rows.size(selection.source)
    try:
        rows, empty, characters = sizes("", size)
        return rows, rows, empty, characters, True
    except (database.DatabaseError, console.StatementError) as error:
        broken = source_rows.row_fault(error) is not None
    if broken:  # a text that cannot be read, which the run will note
        rows, _, _ = sizes("", sql.SQL("1"))
        return rows, rows, 0, None, False
    rows, empty, characters = sizes(f"LIMIT {SAMPLE_ROWS}", size)
    estimate = rows
    if not checked.wish.saved and rows == SAMPLE_ROWS:
        with reader.data.lend() as connection:
            estimate = catalog.find(connection, checked.wish.relation).rows or rows
    times = estimate / max(1, rows)
    return estimate, estimate, round(empty * times), round(characters * times), False


def _rate(store: database.Database, model_id: str | None) -> float | None:
    """Characters a second of the workers that are there, as the last chunks of the model have shown."""
    if model_id is None:
        return None
    _, characters, seconds = store.ask(SQL.speed, model_id=model_id)
    workers = len(store.ask(scoring.workers))
    return float(characters) / float(seconds) * max(1, workers) if seconds else None


def _measured(
    reader: source_rows.Reader,
    checked: planning.Checked,
    selection: source_rows.Selection,
    most: int,
    measure: Callable[[Sequence[str]], float],
) -> float | None:
    """Characters a second, measured with a few of the texts."""
    statement = queries.compose(
        source_rows.SQL.some_texts,
        text=source_rows.text(selection.source),
        most=sql.Literal(min(most, 20_000)),
        origin=source_rows.origin(selection.source),
        condition=source_rows.where(selection, None),
    )
    try:
        texts = [row[0] for row in source_rows.ask(reader, selection, statement, LOOK_SECONDS) if row[0]]
    except (database.DatabaseError, console.StatementError, UnicodeDecodeError) as error:
        if source_rows.row_fault(error) is None:
            raise
        return None
    characters = sum(map(len, texts))
    if not characters:
        return None
    return characters / max(measure(texts), 1e-6)
