"""What filtering asks: which values a column mostly has, and whether the server takes those that somebody gives."""

from __future__ import annotations

import streamlit as st

from resources import browsing, database
from undertone import catalog, conditions, proposals, relations


@st.cache_data(ttl=browsing.SECONDS, max_entries=500, show_spinner=False)
def get_proposals(relation: catalog.Relation, field: relations.Field) -> tuple[str, ...]:
    """Values that a condition on a column may have."""
    return database.get_database().ask(proposals.values, relation, field)


def settled(relation: catalog.Relation, condition: conditions.Condition, zone: str) -> conditions.Group:
    """A condition as an address holds it, with times that mean the same everywhere.

    Raises ConditionError for a value that is none of its column's type, and CatalogError.
    """
    fields = browsing.get_about(relation).fields
    group = conditions.Group((condition,))
    database.get_database().ask(conditions.check, relation, fields, group, zone=zone)
    return conditions.anchored(fields, group, zone)
