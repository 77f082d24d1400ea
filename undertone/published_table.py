"""The table that scores are published as: made anew, filled, put in the place of the last one, in one transaction."""

from __future__ import annotations

import datetime
import json
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import psycopg2
from psycopg2 import sql

from undertone import console, database, errors, names, piping, queries, scores

SQL = queries.load("publishing")
MARK = "Published by Undertone: "
# Undertone's own, here or in the store, and PostgreSQL's.
RESERVED = re.compile(r"undertone|scores|information_schema|pg_.*", re.DOTALL)


class PublishError(errors.UndertoneError):
    """Scores that cannot be published; the message says what to do, and that nothing has changed."""


def check_target(schema: str, table: str | None) -> None:
    """Raises PublishError for names that cannot be published under."""
    for name, what in ((schema, "schema"), (table, "table")):
        if name is not None and not (name.strip() and _fits(name)):
            raise PublishError(f"The name of a {what} has 1 to {scores.NAME_BYTES} bytes; choose another")
    if RESERVED.fullmatch(schema):
        raise PublishError(f"The schema {schema} is not for publishing; choose one of your own")


def _fits(name: str) -> bool:
    try:
        return len(name.encode()) <= scores.NAME_BYTES and "\0" not in name
    except UnicodeEncodeError:
        return False


def settle(connection: database.Connection, lock_seconds: float) -> None:
    """Let names mean what they say and values be written in one way, and nobody wait longer than this; 0: for ever."""
    with connection.cursor() as cursor:
        cursor.execute(queries.compose(SQL.settle, milliseconds=sql.Literal(int(lock_seconds * 1000))))


def _says(comment: str, identity: dict[str, object]) -> bool:
    """Whether a table's comment names these scores."""
    try:
        found = json.loads(comment.removeprefix(MARK))
    except ValueError:
        return False
    return isinstance(found, dict) and found.items() >= identity.items()


class Target:
    """Where scores are published, in a transaction that the caller commits."""

    def __init__(self, connection: database.Connection, source: scores.Source, schema: str, name: str) -> None:
        self._connection = connection
        self._source = source
        self._schema, self._name = schema, name
        self._final = sql.Identifier(schema, name)
        self._new = f"{name.encode()[:50].decode(errors='ignore')}_{secrets.token_hex(4)}"
        self._filled = sql.Identifier(schema, self._new)
        self._key = [kept.stored for kept in source.key]

    def find_schema(self, create: bool) -> None:
        """Raises PublishError unless the schema is there, or is to be made."""
        SQL.take_turns(self._connection, schema=self._schema, name=self._name)
        if SQL.has_schema(self._connection, name=self._schema):
            return
        if not create:
            raise PublishError(
                f"There is no schema {names.line(self._schema)} to publish to; make it, or let --create-schema do it"
            )
        self._do(SQL.create_schema, schema=sql.Identifier(self._schema))

    def look(self) -> bool:
        """Whether an earlier copy of the same scores is there. Raises PublishError for anything else."""
        found = SQL.there(self._connection, schema=self._schema, name=self._name)
        if found is None:
            return False
        kind, comment, guarded = found
        ours = kind == "r" and (comment or "").startswith(MARK)
        if ours and not guarded and _says(comment, self._identity()):
            return True
        whose = "was published from other scores" if ours else "is not Undertone's"
        if ours and guarded:
            whose = "has got row-level security, which a new table would not have"
        raise PublishError(
            f"{names.line(self._name)} in {names.line(self._schema)} {whose}; it is left alone: choose another --table"
        )

    def _identity(self) -> dict[str, object]:
        """What tells the scores from others: what they are scores of, by which they may be published again."""
        source = self._source
        return {
            "data": source.database,
            "schema": source.schema,
            "relation": source.relation,
            "text": source.text_column,
            "template": source.template,
        }

    def create(self, columns: Sequence[console.Column]) -> None:
        """Make the new table, under a name of its own."""
        types = list({column.type for column in columns})
        known = {row[0] for row in SQL.known_types(self._connection, types=types)}
        listed = [
            sql.SQL("{} {}").format(sql.Identifier(one.name), sql.SQL(one.type if one.type in known else "text"))
            for one in columns
        ]
        self._do(SQL.create_table, table=self._filled, columns=sql.SQL(", ").join(listed))

    def fill(self, store: database.Database, question: str, go_on: Callable[[int], object]) -> int:
        """Pipe the scores into it; how many rows."""
        statement = queries.compose(SQL.copy_in, table=self._filled).as_string(self._connection)

        def copy_out(connection: database.Connection, pipe: BinaryIO) -> None:
            settle(connection, 0)
            with connection.cursor() as cursor:
                cursor.copy_expert(question, pipe, piping.BLOCK)

        with self._connection.cursor() as cursor, piping.feed(store, copy_out, go_on) as rows:
            try:
                cursor.copy_expert(statement, rows, piping.BLOCK)
            except psycopg2.Error as error:
                raise piping.reason(error, rows) from None
            return int(cursor.rowcount)

    def put(self, columns: Sequence[console.Column], replaced: bool) -> None:
        """Finish the new table, and put it where the last one is."""
        key = sql.SQL(", ").join(map(sql.Identifier, self._key))
        self._do(SQL.add_key, table=self._filled, key=key)
        now = datetime.datetime.now(datetime.UTC)
        about = self._identity() | {"model": self._source.current_model, "at": now.isoformat(timespec="seconds")}
        comment = MARK + json.dumps(about, ensure_ascii=False)
        self._do(SQL.comment_table, table=self._filled, comment=sql.Literal(comment))
        for column in columns:
            if about_it := scores.COMMENTS.get(column.name):
                identifier = sql.Identifier(self._schema, self._new, column.name)
                self._do(SQL.comment_column, column=identifier, comment=sql.Literal(about_it))
        self._do(SQL.analyze, table=self._filled)
        if replaced:
            self._do(SQL.lock, table=self._final)
        # Once more: until now somebody could have put something else there.
        if self.look():
            for right, role, grantable in SQL.rights(self._connection, schema=self._schema, name=self._name):
                self._do(
                    SQL.grant,
                    right=sql.SQL(right),
                    table=self._filled,
                    role=sql.SQL("PUBLIC") if role is None else sql.Identifier(role),
                    option=sql.SQL("WITH GRANT OPTION" if grantable else ""),
                )
            self._do(SQL.drop_table, table=self._final)
        self._do(SQL.rename_table, table=self._filled, name=sql.Identifier(self._name))

    def _do(self, statement: Any, **parts: sql.Composable) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(queries.compose(statement, **parts))
