"""The tables that somebody wants at hand, in the store: by who they are, by database, by the table's name.

A favourite is a name. Whether there is still such a table, and whether it may be read, is for the reader of the data to
say: one that is gone stays until it is removed, for it may come back.
"""

from __future__ import annotations

from dataclasses import dataclass

from undertone import database, errors, names, names_for_editor, queries

SQL = queries.load("favourites")
MOST = 200  # of one person in one database


class FavouriteError(errors.UndertoneError):
    """A table that cannot be marked."""


@dataclass(frozen=True)
class Favourite:
    """A relation by its name, whether or not it is there."""

    schema: str
    name: str

    @property
    def label(self) -> str:
        """As `relations.Relation.label`."""
        return names_for_editor.written(self.schema, self.name)


def read(connection: database.Connection, who: str, place: str) -> list[Favourite]:
    """Somebody's favourites in the database `place`, in the order in which they were marked."""
    return [Favourite(*row) for row in SQL.favourites(connection, who=who, place=place)]


def add(connection: database.Connection, who: str, place: str, favourite: Favourite) -> None:
    """Mark a relation and commit. Raises FavouriteError for one too many, and for what is no name."""
    given = (who, favourite.schema, favourite.name)
    if any("\0" in text or text.encode(errors="ignore").decode() != text for text in given):
        raise FavouriteError(f"{names.line(favourite.name)} cannot be the name of a table.")
    marked = SQL.add(connection, who=who, place=place, schema=favourite.schema, name=favourite.name, most=MOST)
    if not marked and favourite not in read(connection, who, place):
        raise FavouriteError(f"There are {MOST} favourites already; remove one first.")
    connection.commit()


def remove(connection: database.Connection, who: str, place: str, favourite: Favourite) -> None:
    """Unmark a relation, if it is marked, and commit."""
    SQL.remove(connection, who=who, place=place, schema=favourite.schema, name=favourite.name)
    connection.commit()
