"""What the pools promise: a clean connection each time, a dead one replaced unseen, a driver's error in one line."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy

from undertone import database, embedded

Execute = Callable[..., list[tuple[object, ...]]]


def question(connection: database.Connection, statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        return row[0] if row else None


@pytest.fixture
def single(place: Callable[[str], sqlalchemy.URL]) -> Any:
    """A pool of one connection, so that each borrower gets what the last one left."""
    pool = database.Database(place(embedded.OWNER), name="store", size=1, connect_seconds=1)
    yield pool
    pool.close()


@pytest.mark.parametrize(
    ("mess", "look", "clean"),
    [
        ("SET work_mem = '9MB'", "SHOW work_mem", "4MB"),
        ("SELECT pg_advisory_lock(5)", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", 0),
        ("CREATE TEMPORARY TABLE left_over (i int)", "SELECT to_regclass('left_over')", None),
        ("LISTEN somebody", "SELECT count(*) FROM pg_listening_channels()", 0),
        ("PREPARE p AS SELECT 1", "SELECT count(*) FROM pg_prepared_statements", 0),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "SELECT count(*) FROM pg_cursors WHERE name = 'c'", 0),
        ("SET default_transaction_read_only = on", "SHOW transaction_read_only", "off"),
    ],
)
def test_the_next_borrower_finds_nothing_of_the_last(
    single: database.Database, mess: str, look: str, clean: object
) -> None:
    with single.lend() as connection:
        connection.cursor().execute(mess)
        connection.commit()
    assert single.ask(question, look) == clean


def test_what_was_not_committed_is_gone(single: database.Database, execute: Execute) -> None:
    execute("CREATE TABLE t (i int)")
    with single.lend() as connection:
        connection.cursor().execute("INSERT INTO t VALUES (1)")
    assert single.ask(question, "SELECT count(*) FROM t") == 0


def test_a_session_killed_while_idle_is_replaced_unseen(single: database.Database, execute: Execute) -> None:
    pid = single.ask(question, "SELECT pg_backend_pid()")
    execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    assert single.ask(question, "SELECT pg_backend_pid()") != pid


def test_a_session_killed_in_use_is_one_named_error_and_the_next_one_works(single: database.Database) -> None:
    with pytest.raises(database.ConnectionLost, match="Try again"), single.lend() as connection:
        connection.cursor().execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert single.ask(question, "SELECT 1") == 1


def test_a_question_is_asked_again_when_its_connection_is_lost(single: database.Database) -> None:
    asked = []

    def unlucky(connection: database.Connection) -> int:
        asked.append(1)
        if len(asked) == 1:
            connection.cursor().execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return 7

    assert single.ask(unlucky) == 7
    assert len(asked) == 2


def test_a_full_pool_says_so(single: database.Database) -> None:
    with single.lend(), pytest.raises(database.DatabaseError, match="in use"), single.lend():
        pass


def test_an_error_of_the_server_is_one_line(single: database.Database) -> None:
    with pytest.raises(database.DatabaseError, match='The store answered: relation "nowhere" does not exist') as caught:
        single.ask(question, "SELECT * FROM nowhere")
    assert "\n" not in str(caught.value)
    assert single.ask(question, "SELECT 1") == 1


def test_an_unreachable_server_is_one_line_without_the_password() -> None:
    address = sqlalchemy.make_url("postgresql+psycopg2://somebody:hunter2@127.0.0.1:1/nowhere")
    pool = database.Database(address, name="data", connect_seconds=1)
    with pytest.raises(
        database.DatabaseError, match=r"The data cannot be reached at somebody@127\.0\.0\.1:1/nowhere"
    ) as caught:
        pool.ask(question, "SELECT 1")
    assert "hunter2" not in str(caught.value) + repr(pool)
    assert "\n" not in str(caught.value)


def test_the_reader_may_not_write_and_the_seat_belt_holds(data_pool: database.Database, execute: Execute) -> None:
    execute("CREATE TABLE t (i int)")
    with pytest.raises(database.DatabaseError, match="read-only transaction"):
        data_pool.ask(question, "INSERT INTO t VALUES (1)")
    with data_pool.lend() as connection:
        connection.cursor().execute("SET default_transaction_read_only = off")
        connection.commit()
        with connection.cursor() as cursor, pytest.raises(Exception, match="permission denied for table t"):
            cursor.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(database.DatabaseError, match="read-only transaction"):
        data_pool.ask(question, "INSERT INTO t VALUES (1)")


def test_many_threads_share_a_few_connections(data_pool: database.Database) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(data_pool.ask(question, f"SELECT {n}"))) for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(40))
