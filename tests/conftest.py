"""Fixtures that every kind of test shares: a real PostgreSQL, and databases in it that are fresh for each test.

server   one PostgreSQL for the whole session, with Undertone's roles and a migrated, empty template database
place    the address of a new database made from the template, for one test
store_pool   a pool on it as the owner
data_pool    a pool on it as the reader, SELECT only
execute      statements as the owner
model_cache  the directory of converted models, which all tests and the processes that they start share
engine       the default model is in it, so that a process which a test has started has nothing to find out
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

import psycopg2
import psycopg2.sql
import pytest
import sqlalchemy

from tests import ground, running, servers
from undertone import database, embedded, store

CACHE, SHARED = "UNDERTONE_MODEL_CACHE", "PYTEST_XDIST_WORKER"
_shared = os.environ.get(CACHE) if SHARED in os.environ else None
for name in [name for name in os.environ if name.startswith(("PG", "UNDERTONE_", "DATABASE_URL", "STORE_URL"))]:
    del os.environ[name]  # the tests say themselves what they want
# But for this: a conversion and the choice of an engine take ten seconds and more, once for all that run side by side.
# It goes as the tests end. Not pytest's own directory, which is closed to every other account.
if _shared is None:
    _cache = tempfile.TemporaryDirectory(prefix="undertone-models-", dir="/tmp", ignore_cleanup_errors=True)
    pathlib.Path(_cache.name).chmod(0o755)
os.environ[CACHE] = _shared or _cache.name
ground.prefer_memory()

TEMPLATE = "undertone"
_numbers = itertools.count(1)


def _superuser(server: servers.Postgresql, name: str) -> database.Connection:
    connection: database.Connection = psycopg2.connect(**server.dsn(database=name))
    connection.autocommit = True
    return connection


@pytest.fixture(scope="session")
def model_cache() -> pathlib.Path:
    return pathlib.Path(os.environ[CACHE])


@pytest.fixture(scope="session")
def engine(model_cache: pathlib.Path) -> None:
    """The default model is converted and its engine chosen: a worker, which lets others go first, would take long."""
    load = "import os, pathlib; from undertone import classifier"
    load += f"; classifier.load_classifier(threads=1, cache=pathlib.Path(os.environ[{CACHE!r}]))"
    subprocess.run([sys.executable, "-c", load], cwd=running.ROOT, check=True, timeout=600)


@pytest.fixture(scope="session")
def server() -> Iterator[servers.Postgresql]:
    with servers.Postgresql() as server:
        with contextlib.closing(_superuser(server, "postgres")) as connection, connection.cursor() as cursor:
            cursor.execute((embedded.SQL / "cluster.sql").read_text())
            cursor.execute(f"CREATE DATABASE {TEMPLATE} OWNER {embedded.OWNER}")
        with contextlib.closing(_superuser(server, TEMPLATE)) as connection:
            connection.cursor().execute((embedded.SQL / "database.sql").read_text())
        owner = database.Database(_address(server, embedded.OWNER, TEMPLATE), name="store")
        store.migrate(owner)
        owner.close()
        yield server


def _address(server: servers.Postgresql, role: str, name: str) -> sqlalchemy.URL:
    port = server.dsn()["port"]
    return sqlalchemy.URL.create("postgresql+psycopg2", username=role, host="127.0.0.1", port=port, database=name)


@pytest.fixture
def place(server: servers.Postgresql) -> Iterator[Callable[[str], sqlalchemy.URL]]:
    """A new database: called with a role, its address."""
    name = f"test_{next(_numbers)}"
    identifier = psycopg2.sql.Identifier(name)
    with contextlib.closing(_superuser(server, "postgres")) as connection, connection.cursor() as cursor:
        make = psycopg2.sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
        cursor.execute(
            make.format(identifier, psycopg2.sql.Identifier(TEMPLATE), psycopg2.sql.Identifier(embedded.OWNER))
        )
        yield lambda role: _address(server, role, name)
        cursor.execute(psycopg2.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


@pytest.fixture
def store_pool(place: Callable[[str], sqlalchemy.URL]) -> Iterator[database.Database]:
    """A pool on the new database as the owner of the store and of the tables in `public`."""
    pool = database.Database(place(embedded.OWNER), name="store", size=10)
    yield pool
    pool.close()


@pytest.fixture
def data_pool(place: Callable[[str], sqlalchemy.URL]) -> Iterator[database.Database]:
    """A pool on the new database as the reader."""
    pool = database.Database(place(embedded.READER), name="data", size=10, read_only=True)
    yield pool
    pool.close()


@pytest.fixture
def data(data_pool: database.Database) -> Iterator[database.Connection]:
    with data_pool.lend() as connection:
        yield connection


@pytest.fixture
def execute(store_pool: database.Database) -> Callable[..., list[tuple[object, ...]]]:
    """Run statements as the owner and commit; returns the rows of the last one, if it has any."""

    def run(statement: object, parameters: object = None) -> list[tuple[object, ...]]:
        with store_pool.lend() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return rows

    return run
