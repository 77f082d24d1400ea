"""What migrations promise: each is applied once, whole, whoever comes first and whoever is killed."""

from __future__ import annotations

import contextlib
import json
import pathlib
import shutil
import threading
from collections.abc import Callable

import psycopg2
import psycopg2.sql
import pytest
import sqlalchemy

from tests import servers
from tests.unit import scored
from undertone import database, embedded, scores, scoring, store, writing

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


# --- 0002: the share that was read

ODD = 'it\'s 100% "odd" %s'
KEY = {"name": "id", "type": "integer", "stored": "id", "stored_type": "integer"}
CLASH = {"name": "share_read", "type": "text", "stored": "share_read", "stored_type": "text"}
KIND = {"name": "kind", "type": "text", "stored": "kind", "stored_type": "text"}
# What tables of scores had before.
RESULT = (
    "label text, confidence real, probabilities jsonb, text_hash uuid, truncated boolean, reason text, model_id text,"
    " run_id bigint, scored_at timestamptz"
)
# number, label, truncated -> the share
ROWS = {
    (1, "POSITIVE", False): 1.0,
    (2, "POSITIVE", True): None,
    (3, None, False): None,
    (4, None, True): None,
    (5, "NEGATIVE", None): None,
}


@pytest.fixture
def before_shares(
    empty: database.Database, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> database.Database:
    """A store as it was before scores said which share of a text was read."""
    with monkeypatch.context() as patched:
        shutil.copy(store.MIGRATIONS / "0001.scoring.sql", tmp_path)
        patched.setattr(store, "MIGRATIONS", tmp_path)
        store.migrate(empty)
    return empty


def add(execute: Execute, name: str, own: str | None, key: list[dict[str, str]], context: list[dict[str, str]]) -> None:
    """A source, and its table where the definition of its own columns is given."""
    execute(
        "INSERT INTO undertone.sources (name, database, schema_name, relation, text_column, key_columns,"
        " context_columns) VALUES (%s, 'here', 'public', %s, 'body', %s, %s)",
        (name, name, json.dumps(key), json.dumps(context)),
    )
    if own:
        table = psycopg2.sql.Identifier("scores", name)
        execute(psycopg2.sql.SQL("CREATE TABLE {} ({})").format(table, psycopg2.sql.SQL(own.format(result=RESULT))))


def fill(execute: Execute, name: str, *own: str) -> None:
    """A row for each of ROWS, with its number in the source's own columns."""
    columns = [*own, "label", "truncated"]
    for number, label, truncated in ROWS:
        values = (*[number] * len(own), label, truncated)
        execute(
            psycopg2.sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                psycopg2.sql.Identifier("scores", name),
                psycopg2.sql.SQL(", ").join(map(psycopg2.sql.Identifier, columns)),
                psycopg2.sql.SQL(", ").join(map(psycopg2.sql.Literal, values)),
            )
        )


def kept(execute: Execute, name: str) -> tuple[object, ...]:
    return execute("SELECT key_columns, context_columns FROM undertone.sources WHERE name = %s", (name,))[0]


def rows(execute: Execute, name: str, *columns: str) -> list[tuple[object, ...]]:
    names = psycopg2.sql.SQL(", ").join(map(psycopg2.sql.Identifier, columns))
    table = psycopg2.sql.Identifier("scores", name)
    return execute(psycopg2.sql.SQL("SELECT {} FROM {} ORDER BY 1").format(names, table))


def test_scores_of_before_get_the_share_where_it_is_known(before_shares: database.Database, execute: Execute) -> None:
    for name in (ODD, "reviews"):
        add(execute, name, "id integer PRIMARY KEY, kind text, {result}", [KEY], [KIND])
        fill(execute, name, "id", "kind")
    files = "SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE relnamespace = 'scores'::regnamespace"
    before = execute(f"{files} ORDER BY 1")
    assert store.migrate(before_shares) == len(list(store.MIGRATIONS.glob("*.sql"))) - 1
    assert execute(f"{files} ORDER BY 1") == before, "no table is written anew"
    for name in (ODD, "reviews"):
        found = rows(execute, name, "id", "kind", "label", "truncated", "share_read")
        assert found == [(n, str(n), label, cut, share) for (n, label, cut), share in ROWS.items()]
        assert kept(execute, name) == ([KEY], [KIND])
        column = execute(
            "SELECT format_type(atttypid, -1), atthasdef, col_description(attrelid, attnum) FROM pg_attribute"
            " WHERE attrelid = to_regclass(format('scores.%%I', %s::text)) AND attname = 'share_read'",
            (name,),
        )
        assert column == [(scores.RESULT["share_read"], False, scores.COMMENTS["share_read"])]


def test_a_kept_column_of_that_name_gives_way(before_shares: database.Database, execute: Execute) -> None:
    add(execute, ODD, "share_read text PRIMARY KEY, kind text, {result}", [CLASH], [KIND])
    fill(execute, ODD, "share_read", "kind")
    # Its second name is taken too: by a column that is kept, and by one that was kept once.
    second = CLASH | {"name": "source_share_read", "stored": "source_share_read"}
    own = "id integer PRIMARY KEY, share_read text, source_share_read text, source_share_read_2 text, {result}"
    add(execute, "reviews", own, [KEY], [second, CLASH])
    fill(execute, "reviews", "id", "share_read")
    # Kept once: only the table knows of it.
    add(execute, "once", "id integer PRIMARY KEY, share_read text, {result}", [KEY], [])
    fill(execute, "once", "id", "share_read")
    # Its table is gone, and what is planned next makes it anew.
    add(execute, "gone", None, [KEY], [second, CLASH])
    store.migrate(before_shares)

    renamed = {
        ODD: ("source_share_read", [CLASH | {"stored": "source_share_read"}], [KIND]),
        "reviews": ("source_share_read_3", [KEY], [second, CLASH | {"stored": "source_share_read_3"}]),
        "once": ("source_share_read", [KEY], []),
    }
    for name, (column, *described) in renamed.items():
        found = rows(execute, name, column, "label", "truncated", "share_read")
        assert found == [(str(n), label, cut, share) for (n, label, cut), share in ROWS.items()]
        assert list(kept(execute, name)) == described
    assert kept(execute, "gone") == ([KEY], [second, CLASH | {"stored": "source_share_read_2"}])
    assert rows(execute, "reviews", "source_share_read", "source_share_read_2") == [(None, None)] * len(ROWS)

    answer = writing.Answer("NEUTRAL", 0.5, "{}", True, 0.25, None, None, None)
    one = writing.Score(("3",), ("new",), "0" * 32, answer)
    scoring.upgrade(before_shares)
    with before_shares.lend() as connection:
        sources = {source.name: source for source in scoring.sources(connection)}
        for source in sources.values():
            scores.create(connection, source)
        writing.write(connection, sources[ODD], [one], model="default", model_id="m", run_id=1)
        connection.commit()
    found = rows(execute, ODD, "source_share_read", "kind", "label", "share_read")
    assert len(found) == len(ROWS)
    assert found[2] == ("3", "new", "NEUTRAL", 0.25)
    assert rows(execute, "gone", "id", "source_share_read", "source_share_read_2", "share_read") == []


def test_a_store_of_before_goes_on_being_scored(
    before_shares: database.Database, data_pool: database.Database, execute: Execute
) -> None:
    execute("CREATE TABLE reviews (id integer PRIMARY KEY, body text, share_read text)")
    execute("INSERT INTO reviews SELECT n, repeat('good ', n * 100), 'theirs' FROM generate_series(1, 4) AS n")
    add(execute, "reviews", "id integer PRIMARY KEY, share_read text, {result}", [KEY], [CLASH])
    execute(
        "INSERT INTO scores.reviews (id, share_read, label, text_hash, truncated, model_id)"
        " SELECT id, share_read, 'POSITIVE', md5(body)::uuid, false, 'fake@1' FROM reviews WHERE id = 1"
    )
    store.migrate(before_shares)
    run = scored.Bench(data_pool, before_shares).run("reviews", context=["share_read"])
    assert (run.scored, run.unchanged, run.truncated) == (3, 1, 2)
    found = rows(execute, "reviews", "id", "source_share_read", "truncated", "share_read")
    shares = {1: 1.0, 2: 1.0, 3: pytest.approx(2 / 3), 4: 0.5}
    assert found == [(n, "theirs", share != 1, share) for n, share in shares.items()]
