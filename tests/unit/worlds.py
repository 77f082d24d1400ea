"""Databases with something to lose, asked as people ask: the embedded server's, and somebody's own."""

from __future__ import annotations

import contextlib
import functools
import pathlib
from collections.abc import Iterator
from typing import Any

import psycopg2
import psycopg2.sql
import sqlalchemy

from tests import running, servers
from tests.unit import aftermath, corpus
from undertone import database, services, settings

BROUGHT, KEEPER = "brought", "keeper"
PATIENCE = 30.0  # seconds


def connect(place: sqlalchemy.URL) -> Any:
    """A connection in autocommit."""
    connection = psycopg2.connect(**database.connect_arguments(place, 10, "-c datestyle=ISO"))
    connection.autocommit = True
    return connection


def execute(connection: Any, *statements_: str) -> None:
    for statement in statements_:
        connection.cursor().execute(statement)


@contextlib.contextmanager
def embedded() -> Iterator[aftermath.Watched]:
    """The embedded server as the app has it, asked as its reader."""
    with running.home() as home, contextlib.ExitStack() as stack:
        chosen = settings.load_settings(home=home.path, demo=False)
        with contextlib.closing(services.open_services(chosen)) as first:
            assert first.owner is not None
            with first.owner.lend() as owner:
                execute(owner, corpus.WORLD)
                execute(
                    owner, "GRANT USAGE ON SCHEMA depot TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA depot TO PUBLIC"
                )
                owner.commit()
        # From here on its rights are set again, which is what a start does.
        opened = stack.enter_context(contextlib.closing(services.open_services(chosen)))
        assert opened.server is not None

        def session(role: str) -> Any:
            assert opened.server is not None
            return stack.enter_context(contextlib.closing(connect(opened.server.address(role))))

        superuser = session("postgres")
        execute(superuser, "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()", "ANALYZE")
        others = [functools.partial(session, role) for role in ("undertone_reader", "postgres")]
        yield aftermath.Watched(console_of(opened), superuser, others, PATIENCE)


@contextlib.contextmanager
def somebodys_server() -> Iterator[servers.Postgresql]:
    """Somebody's own server, with an account that owns what is in its database."""
    with servers.Postgresql() as server:
        with contextlib.closing(psycopg2.connect(**server.dsn(database="postgres"))) as superuser:
            superuser.autocommit = True
            execute(
                superuser,
                "ALTER SYSTEM SET autovacuum = off",
                "SELECT pg_reload_conf()",
                f"CREATE ROLE {BROUGHT} LOGIN",
                f"CREATE ROLE {KEEPER} LOGIN",
                f"CREATE DATABASE store OWNER {KEEPER}",
            )
        yield server


def address(server: servers.Postgresql, role: str, name: str) -> sqlalchemy.URL:
    return sqlalchemy.URL.create("postgresql+psycopg2", role, None, "127.0.0.1", server.dsn()["port"], name)


def make(server: servers.Postgresql, name: str) -> None:
    """A database of the account's own."""
    with contextlib.closing(psycopg2.connect(**server.dsn(database="postgres"))) as superuser:
        superuser.autocommit = True
        execute(superuser, f"CREATE DATABASE {name} OWNER {BROUGHT}")
    with contextlib.closing(connect(address(server, BROUGHT, name))) as owner:
        execute(owner, corpus.WORLD, "ANALYZE")


@contextlib.contextmanager
def brought(server: servers.Postgresql, home: pathlib.Path) -> Iterator[aftermath.Watched]:
    make(server, "undertone")
    chosen = settings.load_settings(
        home=home,
        database_url=address(server, BROUGHT, "undertone").render_as_string(),
        store_url=address(server, KEEPER, "store").render_as_string(),
    )
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(contextlib.closing(services.open_services(chosen)))

        def session(role: str) -> Any:
            return stack.enter_context(contextlib.closing(connect(address(server, role, "undertone"))))

        others = [functools.partial(session, role) for role in (BROUGHT, BROUGHT, "postgres")]
        yield aftermath.Watched(console_of(opened), session("postgres"), others, PATIENCE)


def console_of(opened: services.Services) -> database.Database:
    return opened.consoles["data"]
