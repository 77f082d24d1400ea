"""What the page of a row asks. Its values are kept for seconds only: whoever comes back wants it as it is now."""

from __future__ import annotations

import functools
from collections.abc import Callable

import streamlit as st

from resources import database
from undertone import catalog, references, row_copies, row_scores, rows, scores

SECONDS = 5
MOST_TEXT = 20_000  # characters of a text that is explained, as on Try it
Key = tuple[str, ...]


@st.cache_data(ttl=SECONDS, max_entries=20, show_spinner="Reading the row …")
def get_row(relation: catalog.Relation, key: Key) -> rows.Row:
    """The row with this key. Raises RowError."""
    return database.get_database().ask(rows.read, relation, key)


@st.cache_data(ttl=SECONDS, max_entries=100, show_spinner=False)
def get_beside(relation: catalog.Relation, key: Key) -> rows.Beside | None:
    """The keys of the rows before and after one; None where finding them takes too long."""
    try:
        return database.get_database().ask(rows.beside, relation, key)
    except rows.RowError:
        return None


@st.cache_data(ttl=SECONDS, max_entries=100, show_spinner=False)
def get_targets(relation: catalog.Relation, key: Key) -> list[references.Target]:
    """What a row refers to."""
    return database.get_database().ask(references.outgoing, get_row(relation, key))


@st.cache_data(ttl=6 * SECONDS, max_entries=100, show_spinner="Counting the rows that refer to this one …")
def get_pointing(relation: catalog.Relation, key: Key) -> list[references.Pointing]:
    """Which rows refer to a row."""
    return database.get_database().ask(references.incoming, get_row(relation, key))


@st.cache_data(ttl=SECONDS, max_entries=5, show_spinner="Writing it as JSON …")
def get_json(relation: catalog.Relation, key: Key) -> str:
    """A row as JSON. Raises RowError where it is too large."""
    return database.get_database().ask(row_copies.as_json, get_row(relation, key))


@st.cache_data(ttl=SECONDS, max_entries=100, show_spinner=False)
def get_statement(relation: catalog.Relation, key: Key) -> str:
    """The statement that selects a row, for people. Raises ConditionError for a key that no filter can hold."""
    return database.get_database().ask(row_copies.statement, get_row(relation, key))


def whole(relation: catalog.Relation, key: Key, column: str) -> Callable[[], bytes]:
    """What reads all of a value, for a file, when somebody wants it; it needs no session to be called."""
    return functools.partial(database.get_database().ask, row_copies.whole, relation, key, column)


@st.cache_data(ttl=SECONDS, max_entries=100, show_spinner="Looking for scores …")
def get_scored(relation: catalog.Relation, key: Key) -> list[row_scores.Scored]:
    """What models have said of a row."""
    return database.get_store().ask(row_scores.of_row, get_row(relation, key), database.get_services().place)


@st.cache_data(ttl=SECONDS, max_entries=100, show_spinner=False)
def get_text(relation: catalog.Relation, key: Key, source: scores.Source) -> row_scores.Text:
    """The text that a source scores, as it is now. Raises CatalogError where it cannot be read."""
    return database.get_database().ask(row_scores.text_of, get_row(relation, key), source, MOST_TEXT)
