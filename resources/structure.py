"""How relations are built, kept for a while."""

from __future__ import annotations

import streamlit as st

from resources import database
from undertone import catalog, diagram, structure

SECONDS = 60


@st.cache_data(ttl=SECONDS, max_entries=200, show_spinner="Reading the structure …")
def get_structure(relation: catalog.Relation) -> structure.Structure:
    """How a relation is built. Raises CatalogError."""
    return database.get_database().ask(structure.read, relation)


@st.cache_data(ttl=SECONDS, max_entries=200, show_spinner="Looking for what refers to it …")
def get_graph(relation: catalog.Relation, depth: int) -> diagram.Graph:
    """What refers to what around a relation. Raises CatalogError."""
    return database.get_database().ask(diagram.graph, relation, depth)
