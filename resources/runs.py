"""What the pages about runs ask and do. What a run is doing is asked anew each time; what is planned from is kept."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from resources import database, model
from undertone import again, catalog, errors, estimating, library, listing, planning, scores, scoring, texts, watches

SECONDS = 60


@st.cache_data(ttl=SECONDS, max_entries=500, show_spinner=False)
def get_new_by(relation: catalog.Relation) -> list[str]:
    """The columns of a relation by which new rows can be found without reading all."""
    return database.get_database().ask(again.new_by_columns, relation)


@st.cache_data(ttl=10, max_entries=100, show_spinner="Asking what the query returns …")
def get_query_columns(name: str) -> list[catalog.Column]:
    """The columns of a saved query. Raises ScoringError for one that cannot be scored."""
    saved = database.get_store().ask(library.find, name)
    return list(planning.query_columns(database.get_services().reader, saved).values())


def get_queries() -> list[library.Saved]:
    """The saved queries that can be scored, people's own first: they ask the data and need no values."""
    found = [*database.get_store().ask(library.saved), *library.shipped()]
    return [one for one in found if one.target == "data" and not one.parameters]


def get_lines(
    *, source: str | None = None, state: str | None = None, who: str | None = None, words: str = "", most: int = 200
) -> tuple[list[listing.Line], bool]:
    """The newest runs that are so, and whether there are older ones."""
    return database.get_store().ask(listing.runs, source=source, state=state, who=who, words=words, most=most)


def get_newest() -> int | None:
    """The number of the newest run."""
    return database.get_store().ask(listing.newest)


def get_people() -> list[str]:
    """Who has started runs."""
    return database.get_store().ask(listing.people)


def get_run(run: int) -> scoring.Run:
    """A run as it is now. Raises ScoringError."""
    return database.get_store().ask(scoring.get, run)


def get_workers() -> list[scoring.Worker]:
    """The workers at work, on whatever machine."""
    return database.get_store().ask(scoring.workers)


def get_sources() -> list[scores.Source]:
    """What is or has been scored, the last first."""
    return database.get_store().ask(scoring.sources)


def get_last_runs() -> dict[int, listing.Last]:
    """The last run of every source, by the source's id."""
    return database.get_store().ask(listing.last_runs)


def get_watches() -> list[watches.Watch]:
    """All watches."""
    return database.get_store().ask(watches.watches)


def get_chunk_errors(run: int) -> list[tuple[int, str]]:
    """Number and error of each chunk that was given up."""
    return database.get_store().ask(scoring.chunk_errors, run)


def get_failed_rows(run: scoring.Run, most: int) -> list[tuple[scoring.FailedRow, str | None]]:
    """The first rows of a run that could not be scored, each with a statement that selects it, where there is one."""
    found = database.get_store().ask(scoring.failed_rows, run.id, most)
    if not found or run.source.database != database.get_services().place:
        return [(row, None) for row in found]
    with database.get_database().lend() as connection:
        statements = again.row_statements(connection, run.source, [row.key for row in found])
    return list(zip(found, statements, strict=True))


def look(wish: planning.Wish) -> estimating.Plan:
    """How much work a run would be. Measures the model, and loads it for that, where no run has shown its speed."""
    opened = database.get_services()

    def measure(some: Sequence[str]) -> float:
        loaded = model.get_classifier()
        loaded.classify(some[:2])  # the first call makes things ready
        begun = time.monotonic()
        loaded.classify(some)
        return time.monotonic() - begun

    return estimating.look(
        opened.reader,
        opened.store,
        wish,
        place=opened.place,
        most=_characters(),
        measure=measure if wish.model == opened.settings.model else None,
    )


def _characters() -> int:
    """How many characters of a text are read at most, without loading the model to know."""
    return database.get_settings().text_tokens * texts.CHARACTERS_PER_TOKEN


def start(wish: planning.Wish, pace: watches.Pace | None = None) -> scoring.Run:
    """Start a run; with a pace, watch its source from then on. Raises CatalogError, ScoringError, WatchError."""
    opened = database.get_services()
    if pace is not None:
        watches.check_pace(pace)  # before anything is started
    run = planning.start(opened.reader, opened.store, wish, place=opened.place)
    if pace is not None:
        schedule(run, wish, pace)
    return run


def change(run: int, action: str) -> scoring.Run:
    """Pause, resume, cancel, retry or undo a run. Raises ScoringError."""
    with database.get_store().lend() as connection:
        return scoring.change(connection, run, action)


def make_current(source: scores.Source, name: str) -> None:
    """Let a model's scores be the current ones. Raises ScoringError."""
    with database.get_store().lend() as connection:
        scoring.make_current(connection, source, name)


def schedule(run: scoring.Run, wish: planning.Wish, pace: watches.Pace) -> watches.Watch:
    """Watch the source of a run from now on. Raises WatchError, and the errors of a wish that cannot be granted."""
    opened = database.get_services()
    planning.check(opened.reader, opened.store, wish)
    with opened.store.lend() as connection:
        return watches.put(connection, run, wish, pace)


def change_watch(watch: int, action: str) -> None:
    """Pause, resume or remove a watch. Raises WatchError."""
    with database.get_store().lend() as connection:
        watches.change(connection, watch, action)


def under_way(who: str) -> list[int]:
    """The runs that somebody has started and that have not ended; none where the store does not answer just now."""
    try:
        return database.get_store().ask(listing.under_way, who)
    except errors.UndertoneError:
        return []


def ended(some: Sequence[int]) -> list[scoring.Run]:
    """Of some runs, those that have ended; none where the store does not answer just now."""
    try:
        return database.get_store().ask(listing.ended, some)
    except errors.UndertoneError:
        return []
