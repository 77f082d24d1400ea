"""Which rows are shown: the search, the conditions, and how another one is added. All of it stands in the address."""

from __future__ import annotations

from collections.abc import Sequence

from undertone import catalog, looks, relations


def show(look: looks.Look, relation: catalog.Relation, fields: Sequence[relations.Field]) -> None:
    """The search box, what is filtered by, and the way to filter by more."""
