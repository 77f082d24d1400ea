"""The store's own tables: made and kept up to date by numbered migrations.

`sql/schema/NNNN.name.sql` are Undertone's, in the schema `undertone`; Procrastinate's own migrations, for the job
queue, go through the same list. yoyo knows which are still to be applied, and in which order.
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import procrastinate.schema
import yoyo
import yoyo.backends.core.postgresql
import yoyo.connections

from undertone import database

SCHEMA, SCORES = "undertone", "scores"
MIGRATIONS = pathlib.Path(__file__).parent.parent / "sql" / "schema"
# Any constant will do, as long as every version of Undertone uses the same one.
ADVISORY_LOCK = 7_286_551_003


def migrate(store: database.Database) -> int:
    """Bring the store's tables up to date; returns how many migrations were applied.

    Whichever process comes first does it, the others wait for it. A process that is killed here leaves a whole number
    of migrations behind and no lock. Raises DatabaseError.
    """
    with store.lend() as connection, contextlib.closing(connection.cursor()) as cursor:
        # A session's lock: the server releases it when its holder is killed.
        cursor.execute("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        for schema in (SCHEMA, SCORES):
            # IF NOT EXISTS would ask for the right to create schemas even where there is nothing to create.
            cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE SCHEMA {schema}")
        cursor.execute(f"SET search_path TO {SCHEMA}")
        connection.commit()
        backend = _Backend(connection)
        queue = procrastinate.schema.SchemaManager.get_migrations_path()
        pending = backend.to_apply(yoyo.read_migrations(queue, str(MIGRATIONS)))
        backend.apply_migrations(pending)
        connection.commit()
        return len(pending)


class _Backend(yoyo.backends.core.postgresql.PostgresqlBackend):
    """yoyo's backend on a connection that it is lent, with one transaction a migration.

    yoyo commits a migration and then the note that it was applied; killed in between, it would apply it again. Here
    both are one transaction, and yoyo's own lock, a row that a killed process leaves behind, is not used.
    """

    def __init__(self, connection: database.Connection) -> None:
        self._lent = connection
        super().__init__(yoyo.connections.parse_uri("postgresql:///lent"), "_yoyo_migration")

    def connect(self, dburi: Any) -> database.Connection:
        self.schema = None
        return self._lent

    def copy(self) -> contextlib.AbstractContextManager[_Backend]:
        return contextlib.nullcontext(self)

    @contextlib.contextmanager
    def lock(self, timeout: float = 10) -> Iterator[None]:
        yield

    def apply_one(self, migration: Any, force: bool = False, mark: bool = True) -> None:
        super().apply_one(migration, force, mark)
        self._lent.commit()

    def log_migration(self, migration: Any, operation: str) -> None:
        """Nothing: yoyo would look up this machine's name and account, which may hang or not exist."""

    def begin(self) -> None:
        """Nothing: psycopg2 has begun."""

    def commit(self) -> None:
        """Nothing: `apply_one` does it."""

    def rollback(self) -> None:
        """Nothing: what is not committed is rolled back when the connection goes back."""
