"""What a statement has left behind: a fingerprint of the whole database, the next borrower's session, other sessions.

`Watched` is a database with something to lose. It is looked at as the superuser, before and after a statement, by one
question each time; autovacuum must be off, so that nobody else changes anything.
"""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg2
import psycopg2.sql

from undertone import database

STOLEN = pathlib.Path("/tmp/undertone-stolen")
CHANNELS = ("undertone", "x")
SEED = 0.5  # the only one in the corpus
# Whatever an update, insert or delete does to a table shows in one of these two.
_VERSIONS = psycopg2.sql.SQL("(SELECT concat(count(*), ' ', max(xmin::text::bigint)) FROM {table})")
_CONTENTS = psycopg2.sql.SQL("(SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} AS t)")
_SEQUENCE = psycopg2.sql.SQL("(SELECT concat(last_value, ' ', is_called) FROM {table})")
_OTHERS = psycopg2.sql.SQL(
    """
SELECT 'statistics', (SELECT md5(string_agg(concat(oid, ' ', reltuples), ',' ORDER BY oid)) FROM pg_class
                      WHERE oid >= 16384)
UNION ALL SELECT 'temporary', (SELECT count(*)::text FROM pg_class WHERE relpersistence = 't')
UNION ALL SELECT 'locks', (SELECT string_agg(locktype, ' ') FROM pg_locks WHERE pid <> pg_backend_pid())
UNION ALL SELECT 'prepared', (SELECT count(*)::text FROM pg_prepared_xacts)
UNION ALL SELECT 'slots', (SELECT count(*)::text FROM pg_replication_slots)
UNION ALL SELECT 'notifications', pg_notification_queue_usage()::text
UNION ALL SELECT 'snapshots', (SELECT count(*)::text FROM pg_ls_dir('pg_snapshots'))
UNION ALL SELECT 'configuration', (SELECT md5(string_agg(concat(name, '=', setting), ',' ORDER BY seqno))
                                   FROM pg_file_settings)
UNION ALL SELECT 'transactions', pg_snapshot_xmax(pg_current_snapshot())::text
"""
)
# What is not as the server gave it, in the session that the next borrower gets.
_SESSION = """
SELECT (SELECT string_agg(name, ' ') FROM pg_settings WHERE source = 'session'),
       nullif(current_setting('undertone.x', true), ''), current_user = session_user, current_schema(),
       (SELECT count(*) FROM pg_cursors WHERE name <> ''), (SELECT count(*) FROM pg_prepared_statements),
       (SELECT count(*) FROM pg_listening_channels()), pg_my_temp_schema(),
       (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')
"""
CLEAN = (None, None, True, "public", 0, 0, 0, 0, 0)


def ask(connection: Any, question: Any) -> list[tuple[Any, ...]]:
    """The rows of an answer."""
    with connection.cursor() as cursor:
        cursor.execute(question)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


class Watched:
    """A database, the pool that is asked, a superuser's connection to it, and others that must stay alive.

    `others` connect in autocommit, at least one of them as the account that the pool has. `patience`: seconds that
    locks may take to go.
    """

    def __init__(
        self,
        pool: database.Database | None,
        superuser: Any,
        others: Sequence[Callable[[], Any]],
        patience: float = 0,
    ) -> None:
        self.pool = pool
        self._patience = patience
        self.superuser = superuser
        self._others = [(connect, self._listening(connect)) for connect in others]
        self._prepare()
        with superuser.cursor() as cursor:
            cursor.execute("SELECT setseed(%s)", (SEED,))
            cursor.execute("SELECT random() FROM generate_series(1, 20)")
            self._seeded = {value for (value,) in cursor.fetchall()}
        self.before = self.fingerprint()

    @staticmethod
    def _listening(connect: Callable[[], Any]) -> Any:
        connection = connect()
        for channel in CHANNELS:
            connection.cursor().execute(f"LISTEN {channel}")
        return connection

    def _prepare(self) -> None:
        relations = ask(
            self.superuser,
            "SELECT n.nspname, c.relname, c.relkind FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'm', 'S') AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'",
        )
        # The catalogue's pg_largeobject and pg_authid are among them, and Undertone's own tables where they are here.
        parts = [self._part(*relation) for relation in relations] + [_OTHERS]
        with self.superuser.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
            # Planning it anew each time would take longer than asking it.
            cursor.execute(psycopg2.sql.SQL("PREPARE look AS {}").format(psycopg2.sql.SQL(" UNION ALL ").join(parts)))

    @staticmethod
    def _part(schema: str, name: str, kind: str) -> psycopg2.sql.Composable:
        table = psycopg2.sql.Identifier(schema, name)
        kinds = {"S": _SEQUENCE} if schema != "pg_catalog" else {}
        value = kinds.get(kind, _VERSIONS if schema == "pg_catalog" else _CONTENTS).format(table=table)
        return psycopg2.sql.SQL("SELECT {} AS what, {} AS state").format(
            psycopg2.sql.Literal(f"{schema}.{name}"), value
        )

    def fingerprint(self) -> dict[str, str | None]:
        """All that a statement could change, by what it is."""
        try:
            return dict(ask(self.superuser, "EXECUTE look"))
        except psycopg2.errors.UndefinedTable:  # one is gone, and with it its part
            self._prepare()
            return dict(ask(self.superuser, "EXECUTE look"))

    def changed(self) -> list[str]:
        """What is not as it was when this was last asked."""
        now = self.fingerprint()
        deadline = time.monotonic() + self._patience
        while now["locks"] != self.before["locks"] and time.monotonic() < deadline:
            # A statement whose client has left is at work until the server looks.
            time.sleep(0.1)
            now = self.fingerprint()
        changed = sorted(name for name in now.keys() | self.before.keys() if now.get(name) != self.before.get(name))
        self.before = now
        return changed

    def left(self) -> list[str]:
        """What the last statement has left anywhere; nothing, if all is well."""
        found = self.changed()
        if STOLEN.exists():
            found.append(f"the file {STOLEN}")
            STOLEN.unlink()
        if self.pool is not None:
            (session,) = self.pool.ask(ask, _SESSION)
            if session != CLEAN:
                found.append(f"the next borrower's session: {session}")
            ((chance,),) = self.pool.ask(ask, "SELECT random()")
            if chance in self._seeded:
                found.append("the next borrower's random()")
                self.pool.ask(ask, "SELECT setseed(-0.25)::text")
        for index, (connect, other) in enumerate(self._others):
            try:
                with other.cursor() as cursor:
                    cursor.execute("SELECT 7")
            except psycopg2.Error as error:
                found.append(f"another session has ended: {' '.join(str(error).split())}")
                self._others[index] = connect, self._listening(connect)
                continue
            other.poll()
            if other.notifies:
                found.append("another session was notified")
                other.notifies.clear()
        return found
