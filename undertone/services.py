"""What a process opens before it does anything: the embedded server if needed, both databases, the store's tables."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy

from undertone import console, database, demo, embedded, restraint, scoring, settings, source_rows, store

# How much memory one statement may take in the embedded server, for each byte that its answer may have.
MEMORY = 16


@dataclass
class Services:
    """The two databases, always two, whether or not they are one. `owner` is set where tables can be brought in.

    `console` and `scores_console` are for people's statements: pools of their own, so that the pages never wait for
    one. `scores_console`, the store through an account that only reads it, is not everywhere.
    """

    settings: settings.Settings
    server: embedded.EmbeddedServer | None
    data: database.Database
    store: database.Database
    console: database.Database
    scores_console: database.Database | None = None

    @property
    def consoles(self) -> dict[str, database.Database]:
        """What people's statements may be asked of: "data", and "scores" where an account can read them alone."""
        return {"data": self.console} | ({"scores": self.scores_console} if self.scores_console else {})

    @property
    def reader(self) -> source_rows.Reader:
        """The ways to the data that scoring has."""
        return source_rows.Reader(self.data, self.console, console.limits(self.settings), self.place)

    @property
    def place(self) -> str:
        """Which database the data is, as scores remember it: without account and password."""
        return "embedded" if self.settings.embedded_data else place_of(self.data.address)

    @property
    def one_database(self) -> bool:
        """Whether data and store are the same database, so that SQL can join scores to rows."""
        if self.settings.embedded_data or self.settings.embedded_store:
            return self.settings.embedded_data and self.settings.embedded_store
        return place_of(self.data.address) == place_of(self.store.address)

    @property
    def owner(self) -> database.Database | None:
        """Where a file can become a table: only ever the embedded database."""
        return self.store if self.settings.embedded_data and self.one_database else None

    def close(self) -> None:
        """Close the pools and stop using the server; the last process to leave stops it."""
        for pool in (self.data, self.store, *self.consoles.values()):
            pool.close()
        if self.server is not None:
            self.server.release()


def place_of(address: sqlalchemy.URL) -> str:
    """Which database an address leads to, without account and password."""
    host = address.host or address.query.get("host", "")
    return f"{host}:{address.port or address.query.get('port') or 5432}/{address.database}"


def open_services(chosen: settings.Settings) -> Services:
    """Open what the settings name. Raises ServerError, DatabaseError; what was opened until then is closed."""
    with contextlib.ExitStack() as stack:
        server = None
        if chosen.needs_server:
            server = embedded.EmbeddedServer(chosen.home, chosen.postgres_account)
            stack.callback(server.release)
            server.start()

        def pool(
            name: str, address: sqlalchemy.URL | None, role: str, size: int, *, read_only: bool, asked: bool = False
        ) -> database.Database:
            heal: Callable[[], None] | None = None
            prepare: Callable[[database.Connection], None] | None = None
            if address is None:
                assert server is not None
                address, heal = server.address(role), server.start
                account, memory = server.account, MEMORY * chosen.query_bytes
                if asked:
                    prepare = functools.partial(restraint.restrain, account=account, memory=memory)
            made = database.Database(
                address,
                name=name,
                size=size,
                connect_seconds=chosen.connect_seconds,
                read_only=read_only,
                heal=heal,
                prepare=prepare,
            )
            stack.callback(made.close)
            return made

        data, own = settings.address(chosen.database_url), settings.address(chosen.store_url)
        reader = settings.address(chosen.store_reader_url)
        services = Services(
            settings=chosen,
            server=server,
            data=pool("data", data, embedded.READER, chosen.pool_size, read_only=True),
            store=pool("store", own, embedded.OWNER, chosen.pool_size, read_only=False),
            console=pool("data", data, embedded.READER, chosen.query_slots, read_only=True, asked=True),
            scores_console=pool(
                "scores", reader, embedded.SCORES_READER, chosen.query_slots, read_only=True, asked=True
            )
            if chosen.embedded_store or reader
            else None,
        )
        store.migrate(services.store)
        scoring.upgrade(services.store)
        if chosen.embedded_store:
            embedded.share_runs(services.store)
        if services.owner is not None and chosen.demo:
            demo.load_demo(services.owner)
        stack.pop_all()
        return services
