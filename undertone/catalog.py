"""What is in a database, for people: its relations, their columns, pages of their rows, and which columns hold what.

    relations  find  columns  key  count      relations.py   what is there
    page                                      paging.py      rows in any order, one page after the other
    rows_by_key                               reading.py     some rows again
    text_columns  propose_context             prose.py       what is worth scoring, and what to see the scores by

The first argument is a psycopg2 connection. Everything works for an account that may only SELECT, and on what it may
not select nothing is said. Nothing is written and nothing committed. What is not there raises CatalogError; after that
error the transaction may have failed, so use the connection no further before it is given back or rolled back.
"""

from __future__ import annotations

from undertone.paging import Page, page
from undertone.prose import propose_context, text_columns
from undertone.reading import rows_by_key
from undertone.relations import CatalogError, Column, Relation, columns, count, find, key, relations

__all__ = [
    "CatalogError",
    "Column",
    "Page",
    "Relation",
    "columns",
    "count",
    "find",
    "key",
    "page",
    "propose_context",
    "relations",
    "rows_by_key",
    "text_columns",
]
