"""Pools of connections: lend one, take it back clean, replace a dead one unseen.

SQLAlchemy's QueuePool over psycopg2. Two things are added to it: a connection that comes back is reset to what it was
when it was opened (`DISCARD ALL`: no transaction, setting, lock, temporary table, LISTEN or cursor is left for the next
borrower), and where the server is our own and has died it is started again before anybody sees an error.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import psycopg2
import psycopg2.extensions
import sqlalchemy
import sqlalchemy.exc
import sqlalchemy.pool

from undertone import errors, relay, slots

Connection: TypeAlias = psycopg2.extensions.connection
P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class DatabaseError(errors.UndertoneError):
    """The database cannot be reached, or answered a question of ours with an error."""


class Unreachable(DatabaseError):
    """No connection could be made: the database is down, or does not know the account."""


class ConnectionLost(DatabaseError):
    """The connection ended while it was used; asking again on another one may well succeed."""


class PoolFull(DatabaseError):
    """Every connection of the pool is lent; one may come back in a moment."""


class Database:
    """A pool of connections to one database under one account.

    `heal` is called when a connection is refused, and may bring the server back. `read_only` makes every transaction
    READ ONLY by default: a seat belt, not the lock, which is the account's rights. `prepare` is called with every new
    connection.
    """

    def __init__(
        self,
        address: sqlalchemy.URL,
        *,
        name: str,
        size: int = 5,
        connect_seconds: int = 10,
        read_only: bool = False,
        heal: Callable[[], None] | None = None,
        prepare: Callable[[Connection], None] | None = None,
    ) -> None:
        self.name = name
        self.address = address
        self.size = size
        self._heal = heal
        self._prepare = prepare
        self._healing = threading.Lock()
        # Dates come in one style, whatever the server's is.
        options = "-c datestyle=ISO"
        if read_only:
            # A table that somebody holds exclusively must not keep a page waiting for as long as they like.
            options += " -c default_transaction_read_only=on -c lock_timeout=10s"
        self._arguments = connect_arguments(address, connect_seconds, options)
        self._way = relay.Way(self._arguments)
        self._counts = False
        # Waiting is done here: for how long is the borrower's to say.
        self._seconds = float(connect_seconds)
        self._slots = slots.Slots(size)
        self._engine = sqlalchemy.create_engine(
            address,
            creator=self._connect,
            poolclass=sqlalchemy.pool.QueuePool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=connect_seconds,
            pool_pre_ping=True,
            pool_recycle=3600,
            pool_reset_on_return=None,  # `_reset` does it
            # SQLAlchemy's own first questions are not needed to lend connections.
            _initialize=False,
        )
        sqlalchemy.event.listen(self._engine, "reset", _reset)

    def __repr__(self) -> str:
        return f"Database({self.name!r}, {self.place!r})"

    @property
    def place(self) -> str:
        """The address as it may be shown: host, port, database, account, never the password."""
        host = self._arguments.get("host", "")
        port = f":{self.address.port}" if self.address.port and not str(host).startswith("/") else ""
        return f"{self._arguments.get('user', '')}@{host}{port}/{self.address.database}"

    @contextlib.contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lend a connection for the length of a `with`. What was not committed in it is rolled back.

        Raises Unreachable or PoolFull when none can be had in time and ConnectionLost when it ends while in use; each
        has one line that may be shown. Any other error of the driver becomes a DatabaseError with the server's words.
        """
        with self._slot(self._seconds), self._lent() as connection:
            yield connection

    @contextlib.contextmanager
    def lend_counted(self, wait_seconds: float) -> Iterator[relay.Counted]:
        """As `lend`, a connection whose bytes are counted, waiting for a free one no longer than `wait_seconds`."""
        with self._slot(wait_seconds):
            self._counts = True  # from now on: whoever asks once asks again
            while True:
                with self._lent() as connection:
                    if isinstance(connection, relay.Counted):
                        yield connection
                        return
                    connection.close()

    @contextlib.contextmanager
    def _slot(self, wait_seconds: float) -> Iterator[None]:
        with self._slots.enter(wait_seconds) as entered:
            if not entered:
                raise PoolFull(
                    f"All connections to the {self.name} are in use; try again in a moment, or raise"
                    " UNDERTONE_POOL_SIZE."
                )
            yield

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Connection]:
        try:
            lent = self._engine.raw_connection()
        except (psycopg2.Error, sqlalchemy.exc.DBAPIError) as error:
            raise Unreachable(f"The {self.name} cannot be reached at {self.place}: {_line(error)}") from error
        connection: Connection = lent.driver_connection
        try:
            yield connection
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            if connection.closed:
                raise ConnectionLost(
                    f"The connection to the {self.name} was lost: {_line(error)}. Try again."
                ) from error
            raise DatabaseError(f"The {self.name} answered: {_line(error)}") from error
        except psycopg2.Error as error:
            raise DatabaseError(f"The {self.name} answered: {_line(error)}") from error
        finally:
            if connection.closed:
                lent.invalidate()
            else:
                lent.close()

    def ask(self, question: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`question(connection, …)` on a lent connection, once more when the connection is lost under it.

        For questions only: what writes must decide for itself whether it may be done twice.
        """
        try:
            with self.lend() as connection:
                return question(connection, *args, **kwargs)
        except ConnectionLost:
            with self.lend() as connection:
                return question(connection, *args, **kwargs)

    def close(self) -> None:
        """Close the idle connections; lent ones are closed as they come back."""
        self._engine.dispose()

    def _connect(self) -> Connection:
        try:
            connection = self._connect_once()
        except psycopg2.OperationalError:
            if self._heal is None:
                raise
            with self._healing:
                self._heal()
            connection = self._connect_once()
        if self._prepare is not None:
            self._prepare(connection)
        return connection

    def _connect_once(self) -> Connection:
        return self._way.connect() if self._counts else psycopg2.connect(**self._arguments)


def connect_arguments(address: sqlalchemy.URL, connect_seconds: int, options: str) -> dict[str, Any]:
    """What libpq needs to connect to an address, also where its query says a part of it.

    `options` are settings for the session, given at its start and not by SET: DISCARD ALL returns to them.
    """
    query = dict(address.query)
    found = {
        "application_name": "undertone",
        # Not the database's own encoding, which may lack characters that a person asks for.
        "client_encoding": "UTF8",
        # A peer that has vanished without a word is noticed within a minute, not after the kernel's two hours.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        **query,
        "host": address.host or query.get("host"),
        "port": address.port or query.get("port"),
        "user": address.username or query.get("user"),
        "password": address.password or query.get("password"),
        "dbname": address.database,
        "connect_timeout": connect_seconds,
        "options": f"{query.get('options', '')} {options}".strip(),
    }
    return {key: value for key, value in found.items() if value is not None}


def _reset(connection: Connection, record: Any, state: Any) -> None:
    """Make a connection as it was when it was opened. A failure here makes the pool throw it away."""
    connection.rollback()
    connection.autocommit = True  # DISCARD ALL refuses to run in a transaction
    with connection.cursor() as cursor:
        cursor.execute("DISCARD ALL")
    connection.autocommit = False
    connection.notices.clear()
    connection.notifies.clear()
    connection.cursor_factory = None


def _line(error: BaseException) -> str:
    """The driver's message as one line. libpq's messages name host, port and account, never the password."""
    error = getattr(error, "orig", None) or error
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return (primary or " ".join(str(error).split()) or type(error).__name__).rstrip(".")
