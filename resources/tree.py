"""The tree of the data, one copy for everybody, and what each has marked in it."""

from __future__ import annotations

import dataclasses

import streamlit as st

from resources import database
from undertone import favourites, tree, tree_packing

SECONDS = 60


@dataclasses.dataclass(frozen=True, eq=False)
class Known:
    """A tree, and as the browser gets it."""

    tree: tree.Tree
    packed: bytes


@st.cache_resource(ttl=SECONDS, show_spinner="Looking through the database …")
def get_tree(system: bool) -> Known:
    """All that there is to look at; nobody changes it. Raises DatabaseError."""
    known = database.get_database().ask(tree.read, system=system)
    return Known(known, tree_packing.pack(known))


@st.cache_data(ttl=SECONDS, max_entries=500, show_spinner=False)
def get_favourites(who: str) -> list[favourites.Favourite]:
    """What somebody has marked. Raises DatabaseError."""
    return database.get_store().ask(favourites.read, who, database.get_services().place)


def mark(who: str, favourite: favourites.Favourite, on: bool) -> None:
    """Mark a relation, or unmark it. Raises FavouriteError, DatabaseError."""
    change = favourites.add if on else favourites.remove
    try:
        with database.get_store().lend() as connection:
            change(connection, who, database.get_services().place, favourite)
    finally:
        get_favourites.clear(who)
