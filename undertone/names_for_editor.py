"""Every name that an editor may propose: relations with their columns and types, functions, and the search path.

Three statements for the whole database, however many tables it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from undertone import database, names, queries

SQL = queries.load("catalog")
MOST_COLUMNS, MOST_FUNCTIONS = 40_000, 5_000
SYSTEM = ("pg_catalog", "information_schema")


@dataclass(frozen=True)
class CatalogNames:
    """Schema → relation → its columns, each a name and a type. `complete` says whether they are all."""

    schemas: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]]
    functions: tuple[str, ...]
    search_path: tuple[str, ...]
    complete: bool = True

    def relations(self, words: str = "") -> list[tuple[str, str]]:
        """Schema and name of every relation of people's own that has all these words in its name or its columns'.

        Those that match by their own name come first.
        """
        wanted = words.casefold().split()
        named, found = [], []
        for schema, relations in self.schemas.items():
            if schema in SYSTEM:
                continue
            for relation, columns in relations.items():
                name = f"{schema}.{relation}".casefold()
                if all(word in name for word in wanted):
                    named.append((schema, relation))
                elif wanted:
                    every = " ".join((name, *(column.casefold() for column, _ in columns)))
                    if all(word in every for word in wanted):
                        found.append((schema, relation))
        return named + found


EMPTY = CatalogNames({}, (), ())


def read(connection: database.Connection) -> CatalogNames:
    """What this account may select and call."""
    schemas: dict[str, dict[str, list[tuple[str, str]]]] = {}
    rows = SQL.all_columns(connection, most=MOST_COLUMNS + 1)
    for schema, relation, column, type_ in rows[:MOST_COLUMNS]:
        schemas.setdefault(schema, {}).setdefault(relation, []).append((column, type_))
    return CatalogNames(
        {
            schema: {relation: tuple(columns) for relation, columns in relations.items()}
            for schema, relations in schemas.items()
        },
        tuple(name for (name,) in SQL.callable_functions(connection, most=MOST_FUNCTIONS)),
        tuple(SQL.search_path(connection)),
        complete=len(rows) <= MOST_COLUMNS,
    )


def written(schema: str, relation: str) -> str:
    """A relation as a statement names it: quoted where it must be, without `public`."""
    name = names.quoted(relation)
    return name if schema == "public" else f"{names.quoted(schema)}.{name}"


def preview(schema: str, relation: str, rows: int = 10) -> str:
    """What a person would type to see a few rows. It goes through the lane as any statement does."""
    return f"TABLE {written(schema, relation)} LIMIT {int(rows)}"
