"""What a process opens before it does anything: the embedded server if needed, both databases, the store's tables."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy

from undertone import database, demo, embedded, settings, store


@dataclass
class Services:
    """The two databases, always two, whether or not they are one. `owner` is set where tables can be brought in."""

    settings: settings.Settings
    server: embedded.EmbeddedServer | None
    data: database.Database
    store: database.Database
    console: database.Database

    @property
    def place(self) -> str:
        """Which database the data is, as scores remember it: without account and password."""
        return "embedded" if self.settings.embedded_data else _place(self.data.address)

    @property
    def one_database(self) -> bool:
        """Whether data and store are the same database, so that SQL can join scores to rows."""
        if self.settings.embedded_data or self.settings.embedded_store:
            return self.settings.embedded_data and self.settings.embedded_store
        return _place(self.data.address) == _place(self.store.address)

    @property
    def owner(self) -> database.Database | None:
        """Where a file can become a table: only ever the embedded database."""
        return self.store if self.settings.embedded_data and self.one_database else None

    def close(self) -> None:
        """Close the pools and stop using the server; the last process to leave stops it."""
        for pool in (self.data, self.console, self.store):
            pool.close()
        if self.server is not None:
            self.server.release()


def _place(address: sqlalchemy.URL) -> str:
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

        def pool(name: str, address: sqlalchemy.URL | None, role: str, size: int, read_only: bool) -> database.Database:
            heal: Callable[[], None] | None = None
            if address is None:
                assert server is not None
                address, heal = server.address(role), server.start
            made = database.Database(
                address, name=name, size=size, connect_seconds=chosen.connect_seconds, read_only=read_only, heal=heal
            )
            stack.callback(made.close)
            return made

        data, own = settings.address(chosen.database_url), settings.address(chosen.store_url)
        services = Services(
            settings=chosen,
            server=server,
            data=pool("data", data, embedded.READER, chosen.pool_size, read_only=True),
            store=pool("store", own, embedded.OWNER, chosen.pool_size, read_only=False),
            # A pool of its own, so that the pages never wait for somebody's statement.
            console=pool("data", data, embedded.READER, chosen.query_slots, read_only=True),
        )
        store.migrate(services.store)
        if services.owner is not None and chosen.demo:
            demo.load_demo(services.owner)
        stack.pop_all()
        return services
