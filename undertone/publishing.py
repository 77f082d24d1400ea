"""Publishing: a copy of the current scores, as a table in a schema of somebody's database.

The only thing that ever writes there, and only when a person asks for it with an account that may. One transaction: a
new table is filled, then put in the place of the one that was published before; whatever stops it, `kill -9` of either
side included, all is as it was. A table that was not published from the same scores is never touched.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass

import psycopg2
import psycopg2.errors
import sqlalchemy

from undertone import console, database, names, published_table, queries, score_export, scores, settings

SQL = queries.load("publishing")
PublishError = published_table.PublishError
VARIABLE = "PUBLISH_URL"
LOCK_SECONDS = 10.0
# What libpq says of a connection that could not be had, and we instead: its own words name the account.
REFUSALS = {
    "authentication|password|pg_hba|not permitted to log in": "it does not let this account in",
    "could not translate host name": "there is no such host",
    "refused|No such file": "nothing answers there",
    "timeout|timed out": "it does not answer in time",
    "SSL|certificate": "SSL cannot be agreed on",
    "does not exist": "the database or the account does not exist",
    "too many|remaining connection slots": "it takes no more connections",
}


@dataclass(frozen=True)
class Published:
    """What was published where. `place` is host, port and database; `replaced` whether an earlier copy stood there."""

    rows: int
    place: str
    schema: str
    table: str
    replaced: bool
    seconds: float

    @property
    def sql(self) -> str:
        """The table as SQL writes it."""
        return f"{names.quoted(self.schema)}.{names.quoted(self.table)}"


def take_address(environment: MutableMapping[str, str]) -> sqlalchemy.URL:
    """The address to write to, from the environment of this command alone, where no child of it finds it any more.

    Raises PublishError, which never shows a part of it.
    """
    text = environment.pop(VARIABLE, "")
    if not text.strip():
        raise PublishError(
            f"Set {VARIABLE}, for this command alone, to the address of the database to publish to, with an account"
            f" that may write there; it looks like {settings.EXAMPLE}"
        )
    try:
        return settings.parse_address(text)
    except ValueError as error:
        raise PublishError(f"{VARIABLE}: {error}") from None


def publish(
    store: database.Database,
    source: scores.Source,
    address: sqlalchemy.URL,
    *,
    schema: str,
    table: str | None = None,
    create_schema: bool = False,
    connect_seconds: int = 10,
    lock_seconds: float = LOCK_SECONDS,
    go_on: Callable[[int], object] = lambda rows: None,
) -> Published:
    """Copy the current scores of a source to `schema`.`table` (default: the name of their own table) at `address`.

    The schema must exist, unless `create_schema`. The key is the primary key there; columns of a type that is not known
    there become text. Rights that others had on the table before stay. `go_on` is called with the rows so far; what it
    raises stops it. Raises PublishError, ScoringError where the scores are gone, DatabaseError of the store.
    """
    begun = time.monotonic()
    name = table or source.name
    published_table.check_target(schema, name)
    with _connected(address, connect_seconds, lock_seconds) as connection:
        target = published_table.Target(connection, source, schema, name)
        target.find_schema(create_schema)
        replaced = target.look()
        columns, question = _question(store, source)
        target.create(columns)
        rows = target.fill(store, question, go_on)
        target.put(columns, replaced)
        _commit(connection)
        return Published(rows, place(address), schema, name, replaced, time.monotonic() - begun)


def place(address: sqlalchemy.URL) -> str:
    """An address as it may be shown: without account and password."""
    host = address.host or address.query.get("host", "")
    port = address.port or address.query.get("port")
    return f"{host}{f':{port}' if port else ''}/{address.database}"


def _question(store: database.Database, source: scores.Source) -> tuple[Sequence[console.Column], str]:
    with store.lend() as connection:
        # Types are called by their full names then, which mean the same elsewhere or nothing.
        published_table.settle(connection, 0)
        columns = score_export.list_columns(connection, source, gone=False)
        selected = score_export.select(connection, source, score_export.Which(), [column.name for column in columns])
        return columns, queries.compose(SQL.copy_out, question=selected).as_string(connection)


@contextlib.contextmanager
def _connected(address: sqlalchemy.URL, connect_seconds: int, lock_seconds: float) -> Iterator[database.Connection]:
    """A transaction on the database to publish to; rolled back unless it was committed. Errors become PublishErrors."""
    try:
        connection = psycopg2.connect(**database.connect_arguments(address, connect_seconds, ""))
    except (psycopg2.Error, UnicodeError) as error:
        found = (ours for theirs, ours in REFUSALS.items() if re.search(theirs, str(error), re.IGNORECASE))
        why = next(found, "it cannot be reached")
        # Nothing is chained: libpq names the account, and somebody may print the whole of it.
        raise PublishError(f"The database to publish to, {place(address)}, cannot be used: {why}") from None
    try:
        published_table.settle(connection, lock_seconds)
        yield connection
    except psycopg2.errors.LockNotAvailable:
        raise PublishError(
            f"Somebody has used the table at {place(address)} for {lock_seconds:g} seconds; nothing was changed, try"
            " again in a moment"
        ) from None
    except psycopg2.errors.DependentObjectsStillExist:
        raise PublishError(
            f"Something at {place(address)}, such as a view, rests on the table that was published before; nothing was"
            " changed: drop that first, or choose another --table"
        ) from None
    except (psycopg2.Error, UnicodeError) as error:
        raise PublishError(f"{place(address)} answered: {_line(error, connection)}; nothing was changed") from None
    finally:
        connection.close()


def _commit(connection: database.Connection) -> None:
    try:
        connection.commit()
    except psycopg2.OperationalError:
        if not connection.closed:
            raise
        raise PublishError(
            "The connection was lost at the very end: the scores may have been published or not; publish them again"
        ) from None


def _line(error: Exception, connection: database.Connection) -> str:
    """The server's words as one line, without the account and its password, which it may quote."""
    said = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    for secret in (connection.info.user, connection.info.password):
        if secret:
            said = re.sub(rf'"?(?<!\w){re.escape(secret)}(?!\w)"?', "the account", said)
    return " ".join(said.split())[:300].rstrip(".")
