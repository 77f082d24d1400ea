"""What the lane promises of memory: whatever is asked, the process that asks grows by no more than 100 MB."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from tests import servers
from undertone import embedded

MOST = 100_000_000  # bytes
FUNCTIONS = """
CREATE FUNCTION flood() RETURNS int LANGUAGE plpgsql STABLE SET client_min_messages = notice AS $$ BEGIN
    FOR i IN 1..200 LOOP RAISE NOTICE '%', repeat('x', 1000000); END LOOP;
    RETURN 1;
END $$;
CREATE FUNCTION complain(size int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN
    RAISE EXCEPTION '%', repeat('x', size);
END $$;
CREATE FUNCTION explain_at_length(size int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN
    RAISE EXCEPTION 'short' USING DETAIL = repeat('d', size), HINT = repeat('h', size);
END $$;
"""
# Asks through the lane, or as everybody would, and says how it ended and by how much this process has grown at most.
CHILD = """
import json, sys
import psycopg2, sqlalchemy
from undertone import console, database

def peak():
    with open("/proc/self/status") as file:
        return 1024 * next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))

way, port, statement = sys.argv[1], int(sys.argv[2]), sys.stdin.read()
place = {"host": "127.0.0.1", "port": port, "database": "memory"}
if way == "lane":
    pool = database.Database(sqlalchemy.URL.create("postgresql+psycopg2", "undertone_reader", **place), name="data")
    limits = console.Limits(seconds=60, length=200_000)
    console.run(pool, "SELECT 1", limits)
    before = peak()
    try:
        result = console.run(pool, statement, limits)
        ended = result.truncated or "whole"
    except console.StatementError as error:
        ended = f"{type(error).__name__}: {str(error)[:200]}"
    grown = peak() - before
    assert console.run(pool, "SELECT 7", limits).rows == [(7,)]
else:
    cursor = psycopg2.connect(user="undertone_reader", **place).cursor()
    before = peak()
    cursor.execute(statement)
    ended, grown = str(len(cursor.fetchall())), peak() - before
print(json.dumps([ended, grown]))
"""

pytestmark = pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="memory is read from /proc")


@pytest.fixture(scope="module")
def port(server: servers.Postgresql) -> Iterator[int]:
    with contextlib.closing(psycopg2.connect(**server.dsn(database="postgres"))) as maintenance:
        maintenance.autocommit = True
        maintenance.cursor().execute(f"CREATE DATABASE memory TEMPLATE undertone OWNER {embedded.OWNER}")
        with contextlib.closing(psycopg2.connect(**server.dsn(database="memory"))) as connection, connection:
            connection.cursor().execute(FUNCTIONS)
        yield server.dsn()["port"]
        maintenance.cursor().execute("DROP DATABASE memory WITH (FORCE)")


def asked(way: str, port: int, statement: str) -> Any:
    command = [sys.executable, "-c", CHILD, way, str(port)]
    root = pathlib.Path(__file__).parents[2]
    done = subprocess.run(command, input=statement, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


LIMITED = "StatementLimited: The statement was stopped: one row"


@pytest.mark.parametrize(
    ("statement", "ended"),
    [
        ("SELECT repeat('x', 150000000)", LIMITED),
        ("SELECT repeat('x', 9900000)", "whole"),
        ("SELECT repeat('x', 9900000) || '👍'", "whole"),
        ("SELECT repeat('x', 1000000) FROM generate_series(1, 1000)", "bytes"),
        ("SELECT repeat('x', 300000) || '👍' FROM generate_series(1, 1000)", "bytes"),
        ("SELECT CASE WHEN g < 100 THEN 'x' ELSE repeat('x', 12000000) END FROM generate_series(1, 130) g", "bytes"),
        ("SELECT repeat('x', 3000000) || CASE WHEN g > 17 THEN '👍' END FROM generate_series(1, 30) g", "bytes"),
        ("SELECT * FROM generate_series(1, 10000000)", "rows"),
        ("SELECT g, g % 7, md5(g::text), now(), g * 1.5, 'abc', g::float8 FROM generate_series(1, 20000) g", "rows"),
        (f"SELECT {', '.join(['g'] * 1600)} FROM generate_series(1, 10000) g", "bytes"),
        (f"SELECT {', '.join(['NULL'] * 1600)} FROM generate_series(1, 10000) g", "bytes"),
        (f"SELECT {', '.join(['nullif(g, 1) + 10000'] * 1600)} FROM generate_series(1, 10000) g", "bytes"),
        (f"SELECT {', '.join(['nullif(1, g)::text || 2'] * 1600)} FROM generate_series(1, 10000) g", "bytes"),
        ("EXPLAIN (VERBOSE) SELECT repeat('x', 150000000)", "bytes"),  # its first line is short
        ("EXPLAIN (VERBOSE, FORMAT JSON) SELECT repeat('x', 150000000)", LIMITED),
        ("SELECT array_agg(repeat('x', 1000)) FROM generate_series(1, 100000)", LIMITED),
        ("SELECT repeat('x', 150000000)::int", "StatementLimited: "),
        ("SELECT complain(9000000) FROM generate_series(1, 2)", "StatementFailed: xxx"),
        ("SELECT explain_at_length(4500000) FROM generate_series(1, 2)", "StatementFailed: short"),
        ("SELECT flood() FROM generate_series(1, 2)", LIMITED),
    ],
)  # fmt: skip
def test_whatever_is_asked_memory_is_held(port: int, statement: str, ended: str) -> None:
    said, grown = asked("lane", port, statement)
    assert said.startswith(ended)
    assert grown < MOST


def test_a_plain_connection_would_not_have_held_it(port: int) -> None:
    """The negative control: the measurement sees what libpq takes."""
    _, grown = asked("plain", port, "SELECT repeat('x', 150000000)")
    assert grown > MOST
