"""Publishing: all of it or nothing, only what is Undertone's own is replaced, nobody learns the account."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
import sqlalchemy

from tests import running, servers
from tests.unit import scored
from undertone import database, published_table, publishing, scores, scoring

ACCOUNT, PASSWORD = "night_writer", "hunter2"
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[servers.Postgresql]:
    """Another server, with an account that may write in a schema `mart`."""
    with servers.Postgresql() as server:
        with contextlib.closing(psycopg2.connect(**server.dsn())) as connection:
            connection.autocommit = True
            for statement in (f"CREATE ROLE {ACCOUNT} LOGIN", "CREATE ROLE analyst", 'CREATE ROLE "a ""b"""'):
                connection.cursor().execute(statement)
        yield server


@pytest.fixture
def address(elsewhere: servers.Postgresql) -> sqlalchemy.URL:
    """A database there, as the account that may write."""
    with contextlib.closing(psycopg2.connect(**elsewhere.dsn())) as connection:
        connection.autocommit = True
        connection.cursor().execute("DROP DATABASE IF EXISTS shop WITH (FORCE)")
        connection.cursor().execute("CREATE DATABASE shop")
    url = sqlalchemy.URL.create("postgresql+psycopg2", ACCOUNT, PASSWORD, "127.0.0.1", elsewhere.dsn()["port"], "shop")
    with contextlib.closing(psycopg2.connect(**elsewhere.dsn(database="shop"))) as connection:
        connection.cursor().execute(f"CREATE SCHEMA mart AUTHORIZATION {ACCOUNT}")
        connection.commit()
    return url


@pytest.fixture
def there(elsewhere: servers.Postgresql, address: sqlalchemy.URL) -> Ask:
    """Statements in that database as its superuser."""

    def ask(statement: str, user: str = "postgres") -> list[tuple[Any, ...]]:
        with contextlib.closing(psycopg2.connect(**elsewhere.dsn(database="shop") | {"user": user})) as connection:
            cursor = connection.cursor()
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return rows

    return ask


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


@pytest.fixture
def source(bench: scored.Bench, execute: scored.Execute) -> scores.Source:
    execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
    execute(
        "CREATE TABLE texts (id bigint, part text, body text, mood mood, code character(3), at timestamptz, w interval)"
    )
    execute("ALTER TABLE texts ADD PRIMARY KEY (part, id)")
    execute(
        "INSERT INTO texts SELECT n, E'a\\\\b\\t\"' || n, 'good ' || n, 'glad', 'abc', timestamptz 'infinity',"
        " interval '-1 year 2 days' FROM generate_series(1, 20) AS n"
    )
    return bench.run("texts", context=["mood", "code", "at", "w"]).source


def tables(there: Ask) -> list[str]:
    return [str(row[0]) for row in there("SELECT tablename FROM pg_tables WHERE schemaname = 'mart' ORDER BY 1")]


def publish(bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, **more: Any) -> publishing.Published:
    return publishing.publish(bench.store, source, address, **{"schema": "mart", **more})


def test_a_copy_has_every_value_key_and_comment(
    bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, there: Ask, execute: scored.Execute
) -> None:
    done = publish(bench, source, address)
    assert (done.rows, done.schema, done.table, done.replaced) == (20, "mart", "texts", False)
    assert done.place == f"127.0.0.1:{address.port}/shop"
    every = "SELECT {}::text FROM {} AS t ORDER BY part, id"
    columns = (
        "id, part, mood, code, at, w, label, confidence, probabilities, text_hash, truncated, model, run_id, scored_at"
    )
    row = f"ROW({columns})"
    assert there(every.format(row, "mart.texts")) == execute(every.format(row, source.current))
    types = dict(
        there(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'mart.texts'::regclass AND attnum > 0"
        )
    )
    assert (types["id"], types["at"], types["w"]) == ("bigint", "timestamp with time zone", "interval")
    assert (types["mood"], types["code"]) == ("text", "bpchar"), "a type that is not known there is text"
    assert not {"vanished_at", "vanished_by"} & set(types)
    assert there("SELECT conkey FROM pg_constraint WHERE conrelid = 'mart.texts'::regclass AND contype = 'p'")
    ((comment,),) = there("SELECT obj_description('mart.texts'::regclass)")
    told = json.loads(comment.removeprefix(published_table.MARK))
    assert (told["relation"], told["text"], told["model"]) == ("texts", "body", "default")
    assert there("SELECT col_description('mart.texts'::regclass, attnum) IS NOT NULL FROM pg_attribute"
                 " WHERE attrelid = 'mart.texts'::regclass AND attname = 'label'") == [(True,)]  # fmt: skip


def test_the_next_copy_takes_the_place_of_the_last_one(
    bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, there: Ask, execute: scored.Execute
) -> None:
    publish(bench, source, address)
    there('GRANT SELECT ON mart.texts TO analyst, "a ""b"""; GRANT SELECT ON mart.texts TO PUBLIC')
    there("GRANT INSERT ON mart.texts TO analyst WITH GRANT OPTION")
    execute("DELETE FROM texts WHERE id > 15")
    bench.run("texts", context=["mood", "code", "at", "w"])
    done = publish(bench, source, address)
    assert (done.rows, done.replaced) == (15, True)
    assert tables(there) == ["texts"]
    assert there("SELECT count(*) FROM mart.texts") == [(15,)]
    rights = there(
        "SELECT coalesce(r.rolname, 'PUBLIC'), a.privilege_type, a.is_grantable FROM pg_class AS c"
        " CROSS JOIN LATERAL aclexplode(relacl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee"
        " WHERE c.oid = 'mart.texts'::regclass AND a.grantee <> c.relowner ORDER BY 1, 2"
    )
    assert rights == [
        ("PUBLIC", "SELECT", False),
        ('a "b"', "SELECT", False),
        ("analyst", "INSERT", True),
        ("analyst", "SELECT", False),
    ]


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE mart.texts (id int)",
        "CREATE VIEW mart.texts AS SELECT 1 AS id",
        "CREATE TABLE mart.texts (id int); COMMENT ON TABLE mart.texts IS 'Published by Undertone: yes'",
        "CREATE TABLE mart.texts (id int); COMMENT ON TABLE mart.texts IS 'Published by Undertone: [1]'",
        "CREATE VIEW mart.texts AS SELECT 1 AS id; COMMENT ON VIEW mart.texts IS 'Published by Undertone: {}'",
        "CREATE SEQUENCE mart.texts",
    ],
)
def test_what_is_not_undertones_is_left_alone(
    bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, there: Ask, made: str
) -> None:
    there(made, user=ACCOUNT)
    every = "SELECT oid, relname, relfilenode FROM pg_class WHERE relnamespace = 'mart'::regnamespace ORDER BY 1"
    before = there(every)
    with pytest.raises(publishing.PublishError, match="left alone"):
        publish(bench, source, address)
    assert there(every) == before
    assert publish(bench, source, address, table="other").rows == 20


def test_neither_are_other_scores_nor_what_others_have_built_on_it(
    bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, there: Ask, execute: scored.Execute
) -> None:
    execute("CREATE TABLE others (id int PRIMARY KEY, body text)")
    other = bench.run("others").source
    publish(bench, source, address, table="both")
    with pytest.raises(publishing.PublishError, match="published from other scores"):
        publish(bench, other, address, table="both")
    there("CREATE VIEW mart.built AS SELECT label FROM mart.both", user=ACCOUNT)
    with pytest.raises(publishing.PublishError, match="such as a view, rests on the table"):
        publish(bench, source, address, table="both")
    there("DROP VIEW mart.built; ALTER TABLE mart.both ENABLE ROW LEVEL SECURITY")
    with pytest.raises(publishing.PublishError, match="row-level security"):
        publish(bench, source, address, table="both")
    assert tables(there) == ["both"]
    assert publish(bench, other, address).rows == 0, "no scores are scores, too"


def test_a_schema_is_made_only_where_that_is_asked_for(
    bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, there: Ask
) -> None:
    with pytest.raises(publishing.PublishError, match='no schema "new 100%"'):
        publish(bench, source, address, schema="new 100%")
    with pytest.raises(publishing.PublishError, match="permission denied"):
        publish(bench, source, address, schema="new 100%", create_schema=True)
    there(f"GRANT CREATE ON DATABASE shop TO {ACCOUNT}")
    hostile = 'ta"ble\n100%_{x} 評論'
    assert publish(bench, source, address, schema="new 100%", table=hostile, create_schema=True).rows == 20
    assert publish(bench, source, address, schema="new 100%", table=hostile, create_schema=True).replaced
    for schema in ("undertone", "scores", "pg_catalog", "pg_temp", "information_schema", "", "x" * 64, "\ud83d"):
        with pytest.raises(publishing.PublishError, match="choose"):
            publish(bench, source, address, schema=schema, create_schema=True)
    with pytest.raises(publishing.PublishError, match="choose"):
        publish(bench, source, address, table="評" * 22)


def test_who_reads_the_last_copy_is_waited_for_but_not_for_ever(
    bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, elsewhere: servers.Postgresql, there: Ask
) -> None:
    publish(bench, source, address)
    with contextlib.closing(psycopg2.connect(**elsewhere.dsn(database="shop"))) as reading:
        cursor = reading.cursor()
        cursor.execute("SELECT count(*) FROM mart.texts")
        with pytest.raises(publishing.PublishError, match=r"Somebody has used the table .* for 0.2 seconds"):
            publish(bench, source, address, lock_seconds=0.2)
        cursor.execute("SELECT count(*) FROM mart.texts")
        assert cursor.fetchone() == (20,)
    assert tables(there) == ["texts"]
    assert publish(bench, source, address).replaced


def test_two_at_once_come_one_after_the_other(
    bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, there: Ask
) -> None:
    done: list[publishing.Published] = []
    threads = [threading.Thread(target=lambda: done.append(publish(bench, source, address))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.replaced for one in done) == [False, True, True, True]
    assert tables(there) == ["texts"]


def test_what_fails_in_the_middle_leaves_what_was_there(
    bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, there: Ask, execute: scored.Execute
) -> None:
    publish(bench, source, address)
    before = there("SELECT 'mart.texts'::regclass::oid, (SELECT max(scored_at) FROM mart.texts)")

    def stop(rows: int) -> None:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        publish(bench, source, address, go_on=stop)

    def lose(rows: int) -> None:
        there(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ACCOUNT}'")

    with pytest.raises(publishing.PublishError, match="nothing was changed"):
        publish(bench, source, address, go_on=lose)

    def lose_the_store(rows: int) -> None:
        execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%'"
            " AND pid <> pg_backend_pid()"
        )

    execute(
        f"INSERT INTO {source.scores} (id, part, label, model, run_id) SELECT n, repeat('x', 1000), 'POSITIVE',"
        " 'default', 1 FROM generate_series(1, 20000) AS n"
    )
    with pytest.raises(database.DatabaseError):
        publish(bench, source, address, go_on=lose_the_store)
    execute(f"DROP TABLE {source.scores} CASCADE")
    with pytest.raises(scoring.ScoringError, match="is gone"):
        publish(bench, source, address)
    assert tables(there) == ["texts"]
    assert there("SELECT 'mart.texts'::regclass::oid, (SELECT max(scored_at) FROM mart.texts)") == before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_who_is_killed_in_the_middle_leaves_what_was_there(
    bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, there: Ask, how: signal.Signals
) -> None:
    publish(bench, source, address)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, bench.store.address.render_as_string(False), address.render_as_string(False)],
        cwd=running.ROOT,
        env=os.environ | {"PYTHONPATH": str(running.ROOT)},
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"in the middle\n"
        assert tables(there) == ["texts"], "nobody sees it before it is whole"
        child.send_signal(how)
        assert child.wait(60) != 0
    active = f"SELECT FROM pg_stat_activity WHERE usename = '{ACCOUNT}'"
    running.wait_until(lambda: not there(active), "the server has noticed")
    assert tables(there) == ["texts"]
    assert there("SELECT count(*) FROM mart.texts") == [(20,)]


CHILD = """
import signal, sys, time
from undertone import database, publishing, scoring, settings
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
store = database.Database(settings.parse_address(sys.argv[1]), name="store")
def stay(rows):
    print("in the middle", flush=True)
    time.sleep(600)
source = store.ask(scoring.find_source, "texts")
publishing.publish(store, source, settings.parse_address(sys.argv[2]), schema="mart", go_on=stay)
"""


def test_nobody_learns_the_account_or_its_password(
    bench: scored.Bench, source: scores.Source, address: sqlalchemy.URL, there: Ask
) -> None:
    there(
        "CREATE FUNCTION tell() RETURNS event_trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'no tables for % (or %), who said hunter2', current_user, quote_ident(current_user); END$$;"
        " CREATE EVENT TRIGGER tell ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION tell()"
    )
    told = []
    for changed in (
        address,
        address.set(port=1),
        address.set(database="nowhere"),
        address.set(host="no.such.host.invalid"),
        address.update_query_dict({"sslmode": "verify-full"}),
        address.update_query_dict({PASSWORD: ACCOUNT}),
    ):
        with pytest.raises(publishing.PublishError) as caught:
            publish(bench, source, changed)
        told.append(str(caught.value))
        assert caught.value.__cause__ is None
    assert all(ACCOUNT not in line and PASSWORD not in line for line in told), told
    assert "no tables for the account" in told[0]
    assert told[1].endswith("nothing answers there")
    assert told[2].endswith("the database or the account does not exist")


def test_the_address_comes_from_the_environment_and_is_gone_from_it() -> None:
    environment = {publishing.VARIABLE: "postgresql://a:b@c/d"}
    assert publishing.take_address(environment).database == "d"
    assert environment == {}, "no process that is started later finds it"
    for wrong in ({}, {publishing.VARIABLE: " "}, {publishing.VARIABLE: f"mysql://{ACCOUNT}:{PASSWORD}@c/d"}):
        with pytest.raises(publishing.PublishError) as caught:
            publishing.take_address(wrong)
        assert PASSWORD not in str(caught.value)
        assert ACCOUNT not in str(caught.value)
