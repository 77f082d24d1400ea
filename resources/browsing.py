"""What Tables asks about relations and their rows: kept for a while, and shared by all sessions.

What takes long is not asked here but in `jobs`. A failure is raised, never kept.
"""

from __future__ import annotations

import dataclasses

import streamlit as st

from resources import database
from undertone import catalog, looks, matching, outlook, paging, reading, relations, row_order, searching
from undertone import database as pools

SECONDS = 60
PAGE_SECONDS = 5.0  # that a page looks for rows, or sorts them, while somebody waits for it


@st.cache_data(ttl=SECONDS, max_entries=500, show_spinner=False)
def get_relation(label: str) -> catalog.Relation:
    """The relation that is meant by a name in an address. Raises CatalogError with the nearest names."""
    return database.get_database().ask(catalog.find, label)


@st.cache_data(ttl=SECONDS, max_entries=500, show_spinner=False)
def get_about(relation: catalog.Relation) -> row_order.About:
    """The columns of a relation and what tells its rows apart."""
    return database.get_database().ask(row_order.about, relation)


@st.cache_data(ttl=SECONDS, max_entries=500, show_spinner=False)
def get_search(relation: catalog.Relation) -> searching.Search:
    """How a relation is searched."""
    return database.get_database().ask(searching.plan, relation, get_about(relation).fields)


@st.cache_data(ttl=SECONDS, max_entries=500, show_spinner="Reading rows …")
def get_page(relation: catalog.Relation, look: looks.Look, zone: str | None, size: int) -> catalog.Page:
    """The page of rows that a look is at."""
    return database.get_database().ask(read_page, relation, look, zone, size, PAGE_SECONDS)


@st.cache_data(ttl=SECONDS, max_entries=500, show_spinner=False)
def get_outlook(relation: catalog.Relation, look: looks.Look, zone: str | None, size: int) -> outlook.Outlook:
    """What is to be expected of the first page of a look."""
    return database.get_database().ask(
        outlook.outlook,
        relation,
        sorts=look.sorts,
        where=get_where(relation, look, zone),
        size=size,
        known=get_about(relation),
    )


def get_where(relation: catalog.Relation, look: looks.Look, zone: str | None) -> matching.Where:
    """The condition of a look's filters and its search; None where it has every row."""
    search = get_search(relation) if look.search.strip() else None
    return matching.compose(get_about(relation).fields, look, relation=relation, search=search, zone=zone)


def read_page(
    connection: pools.Connection,
    relation: relations.Relation,
    look: looks.Look,
    zone: str | None,
    size: int,
    seconds: float,
    cut: int | None = reading.CUT,
) -> paging.Page:
    """The page of rows that a look is at, on a connection: what `jobs` asks where it takes long, and files in full."""
    place = look.place
    return paging.page(
        connection,
        relation,
        size=size,
        sorts=look.sorts,
        where=get_where(relation, look, zone),
        columns=look.columns,
        after=place.cursor if place.kind == "after" else None,
        before=place.cursor if place.kind == "before" else None,
        at_end=place.kind == "last",
        cut=cut,
        seconds=seconds,
        known=get_about(relation),
    )


def of_page(look: looks.Look) -> looks.Look:
    """The parts of a look that say which rows it has, in which order, where: others are no other question."""
    return dataclasses.replace(look, part="rows", pinned=())
