"""The named statements of sql/queries, one namespace a file.

    SQL = queries.load("catalog")
    rows = SQL.relations(connection, names=None, measure=True)

A statement starts with `-- name: its_name(its, parameters)` and a suffix: none for rows, `^` for one row or None, `$`
for one value, `!` for how many rows it changed. The comment below that line is its docstring. Three rules come from
aiosql and psycopg2: a literal per cent sign is written `%%`, a comment has lines of its own, and an array is not sliced
(`[1:2]` would be read as a parameter).
"""

from __future__ import annotations

import functools
import pathlib
from typing import Any

import aiosql
import aiosql.adapters.pyformat
import psycopg2.sql

FOLDER = pathlib.Path(__file__).parent.parent / "sql" / "queries"


@functools.cache
def load(name: str) -> Any:
    """The statements of sql/queries/NAME.sql as methods: `load(NAME).statement(connection, parameter=…)`.

    One file at a time, because aiosql lets one of two equal names win where it loads a folder; within a file it refuses
    the second. Raises aiosql's errors, which name file and line, for a file that is not there or cannot be read.
    """
    return aiosql.from_path(FOLDER / f"{name}.sql", _Adapter, encoding="utf-8")


def compose(statement: Any, **parts: psycopg2.sql.Composable) -> psycopg2.sql.Composed:
    """A statement of a file with `{parts}` in it, for what cannot be a parameter: identifiers and lists of them.

    Values belong into parts as `psycopg2.sql.Literal`: then the statement is executed without parameters, and a per
    cent sign in somebody's column name is only that.
    """
    return psycopg2.sql.SQL(statement.sql).format(**parts)


class _Adapter(aiosql.adapters.pyformat.PyFormatAdapter):
    """psycopg2's, but rows come as a list.

    aiosql's generator asks the server only when it is read: a statement whose rows nobody wants never runs, and one
    that is read late finds its connection lent to somebody else.
    """

    def select(self, *args: Any, **kwargs: Any) -> Any:
        return list(super().select(*args, **kwargs))
