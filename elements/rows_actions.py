"""What else can be done with the rows that somebody looks at: as SQL, as a link, as a file."""

from __future__ import annotations

from collections.abc import Sequence

from undertone import catalog, looks, relations


def show(look: looks.Look, relation: catalog.Relation, fields: Sequence[relations.Field]) -> None:
    """The buttons."""
