"""What Tables asks about columns: facets and profiles, kept for a while and shared by all sessions."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import streamlit as st

from resources import browsing, database
from undertone import catalog, facet_proposals, facets, looks, profiles, profiling
from undertone import database as pools

SECONDS = 300
AT_ONCE = 2  # facets that are counted at a time: the connections of the pages are for the others
PATIENCE_SECONDS = 20.0
_turns = threading.BoundedSemaphore(AT_ONCE)


@st.cache_data(ttl=SECONDS, max_entries=500, show_spinner=False)
def get_proposals(relation: catalog.Relation) -> list[facet_proposals.Proposal]:
    """The columns that are worth a facet."""
    return database.get_database().ask(facet_proposals.propose, relation, browsing.get_about(relation).fields)


@st.cache_data(ttl=SECONDS, max_entries=2_000, show_spinner=False)
def get_facet(relation: catalog.Relation, look: looks.Look, column: str, zone: str | None) -> facets.Facet:
    """The facet of a column among the rows of a look (`of_rows`). Raises CatalogError, ConditionError, SearchError."""
    proposed = {proposal.column: proposal.kind for proposal in get_proposals(relation)}
    where = browsing.get_where(relation, look, zone)
    fields = browsing.get_about(relation).fields
    with _turn():
        return database.get_database().ask(
            facets.facet, relation, fields, column, kind=proposed.get(column), where=where, zone=zone
        )


@st.cache_data(ttl=60, max_entries=100, show_spinner=False)
def get_profile(relation: catalog.Relation, zone: str | None) -> list[profiles.ColumnProfile]:
    """What is known of all columns without reading a row."""
    return database.get_database().ask(profiles.profile, relation, browsing.get_about(relation).fields, zone)


def ask_exact(
    connection: pools.Connection, relation: catalog.Relation, look: looks.Look, column: str, zone: str | None
) -> profiles.ColumnProfile:
    """What the rows of a look say of a column, on a connection: what `jobs` asks."""
    where = browsing.get_where(relation, look, zone)
    return profiling.exact(connection, relation, browsing.get_about(relation).fields, column, where=where, zone=zone)


def of_rows(look: looks.Look) -> looks.Look:
    """The parts of a look that say which rows it has: others are no other question."""
    return looks.Look(look.table, search=look.search, where=look.where)


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """One's turn to count."""
    if not _turns.acquire(timeout=PATIENCE_SECONDS):
        raise catalog.CatalogError("Too much is counted at once here; open the page again in a moment.")
    try:
        yield
    finally:
        _turns.release()
