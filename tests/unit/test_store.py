"""What migrations promise: each is applied once, whole, whoever comes first and whoever is killed."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import threading
from collections.abc import Callable

import psycopg2
import pytest
import sqlalchemy

from tests import servers
from undertone import database, embedded, store

Execute = Callable[..., list[tuple[object, ...]]]
APPLIED = "SELECT migration_id, count(*) FROM undertone._yoyo_migration GROUP BY 1"


@pytest.fixture
def empty(store_pool: database.Database, execute: Execute) -> database.Database:
    """A database in which nothing was ever made."""
    for schema in (store.SCHEMA, store.SCORES):
        execute(f"DROP SCHEMA {schema} CASCADE")
    return store_pool


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The migrations, in a folder where more can be added."""
    copy = tmp_path / "schema"
    shutil.copytree(store.MIGRATIONS, copy)
    monkeypatch.setattr(store, "MIGRATIONS", copy)
    return copy


def test_the_second_time_there_is_nothing_to_do(empty: database.Database, execute: Execute) -> None:
    assert store.migrate(empty) > len(list(store.MIGRATIONS.glob("*.sql")))  # the job queue's as well
    before = execute("SELECT * FROM undertone._yoyo_migration ORDER BY 1")
    assert store.migrate(empty) == 0
    assert execute("SELECT * FROM undertone._yoyo_migration ORDER BY 1") == before


def test_both_schemas_and_the_job_queue_are_there(empty: database.Database, execute: Execute) -> None:
    store.migrate(empty)
    tables = (
        "SELECT to_regclass('undertone.runs'), to_regclass('undertone.procrastinate_jobs'), to_regnamespace('scores')"
    )
    assert None not in execute(tables)[0]
    assert execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]


def test_five_at_once_apply_each_once(
    empty: database.Database, execute: Execute, place: Callable[[str], sqlalchemy.URL]
) -> None:
    counts: list[int] = []
    together = threading.Barrier(5)

    def migrate() -> None:
        pool = database.Database(place(embedded.OWNER), name="store", size=1)
        together.wait()
        counts.append(store.migrate(pool))
        pool.close()

    threads = [threading.Thread(target=migrate) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts)[:4] == [0, 0, 0, 0]
    assert len(counts) == 5
    applied = dict(execute(APPLIED))
    assert len(applied) == max(counts)
    assert set(applied.values()) == {1}


def test_a_migration_that_fails_leaves_the_ones_before_it_and_nothing_of_itself(
    store_pool: database.Database, execute: Execute, folder: pathlib.Path
) -> None:
    (folder / "9001.good.sql").write_text("CREATE TABLE good (i int);")
    (folder / "9002.bad.sql").write_text("CREATE TABLE half (i int);\nSELECT 1 / 0;")
    (folder / "9003.later.sql").write_text("CREATE TABLE later (i int);")
    there = "SELECT to_regclass('undertone.good'), to_regclass('undertone.half'), to_regclass('undertone.later')"
    for _ in range(2):
        with pytest.raises(database.DatabaseError, match="division by zero"):
            store.migrate(store_pool)
        assert execute(there) == [("undertone.good", None, None)]
        assert "9001.good" in dict(execute(APPLIED))
        assert "9002.bad" not in dict(execute(APPLIED))
    (folder / "9002.bad.sql").write_text("CREATE TABLE half (i int);")
    assert store.migrate(store_pool) == 2
    assert None not in execute(there)[0]


def test_a_session_that_is_killed_half_way_leaves_whole_migrations_and_no_lock(
    store_pool: database.Database, execute: Execute, folder: pathlib.Path
) -> None:
    (folder / "9001.good.sql").write_text("CREATE TABLE good (i int);")
    kill = "CREATE TABLE half (i int);\nSELECT pg_terminate_backend(pg_backend_pid());"
    (folder / "9002.killed.sql").write_text(kill)
    with pytest.raises(database.ConnectionLost):
        store.migrate(store_pool)
    assert execute("SELECT to_regclass('undertone.good'), to_regclass('undertone.half')") == [("undertone.good", None)]
    (folder / "9002.killed.sql").write_text("CREATE TABLE half (i int);")
    assert store.migrate(store_pool) == 1
    assert execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_migrations_leave_the_connection_as_clean_as_it_was(store_pool: database.Database, execute: Execute) -> None:
    store.migrate(store_pool)
    assert execute("SHOW search_path") == [('"$user", public',)]


def test_an_account_that_may_not_make_schemas_can_use_a_migrated_store(
    store_pool: database.Database, execute: Execute, server: servers.Postgresql
) -> None:
    name = store_pool.address.database
    with contextlib.closing(psycopg2.connect(**server.dsn(database=name))) as superuser, superuser.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} OWNER TO postgres")
        superuser.commit()
    assert execute(f"SELECT has_database_privilege('{name}', 'CREATE')") == [(False,)]
    assert store.migrate(store_pool) == 0


def test_an_account_that_may_not_make_schemas_is_told_so(
    empty: database.Database, execute: Execute, server: servers.Postgresql
) -> None:
    name = empty.address.database
    with contextlib.closing(psycopg2.connect(**server.dsn(database=name))) as superuser, superuser.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} OWNER TO postgres")
        superuser.commit()
    with pytest.raises(database.DatabaseError, match="permission denied for database"):
        store.migrate(empty)
    assert execute("SELECT count(*) FROM pg_namespace WHERE nspname IN ('undertone', 'scores')") == [(0,)]
