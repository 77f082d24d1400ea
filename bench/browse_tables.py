"""The tables that `bench.browse` reads: the same rows, few and many; wide ones; long texts; thousands of empty ones."""

from __future__ import annotations

from undertone import database

COLUMNS = 7
SMALL = 10_000
WIDE_COLUMNS, LONG_ROWS = 300, 60
TABLES, TABLE_COLUMNS = 2_000, 20
# Ties in `at`, and no order that the rows lie in; every row has a place of its own in (at, id).
ROWS = """
CREATE UNLOGGED TABLE {name} (
    id bigint PRIMARY KEY, at timestamptz, status text, customer text, amount numeric, paid boolean, note text
);
INSERT INTO {name}
SELECT g, timestamptz '2025-01-01 00:00+00' + g * 7919 % 1000003 * interval '1 second',
       (ARRAY['open', 'open', 'open', 'waiting', 'closed', 'closed', 'reopened'])[1 + g * 31 % 7],
       'customer ' || g * 17 % 50021, (g * 7919 % 100003)::numeric / 100, g % 3 = 0, md5(g::text)
FROM generate_series(1::bigint, {rows}) AS g;
CREATE INDEX ON {name} (at);
"""
WIDE = """
CREATE UNLOGGED TABLE wide (id bigint PRIMARY KEY, {columns});
INSERT INTO wide SELECT g, {values} FROM generate_series(1::bigint, {rows}) AS g
"""
LONG = """
CREATE UNLOGGED TABLE long (id bigint PRIMARY KEY, title text, body text);
INSERT INTO long
SELECT g, 'text ' || g, (SELECT string_agg(md5((g * 40000 + i)::text), ' ') FROM generate_series(1, 30300) AS i)
FROM generate_series(1, {rows}) AS g
"""
PLACE = "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), id::text FROM {name} {which}"


def rows(owner: database.Connection, name: str, count: int) -> None:
    """A table of so many rows, with an index on `at`."""
    _make(owner, name, ROWS.format(name=name, rows=count))


def wide(owner: database.Connection) -> None:
    """10,000 rows of 300 columns."""
    columns = ", ".join(f"c{number} text" for number in range(1, WIDE_COLUMNS))
    values = ", ".join(f"'value ' || g * {number}" for number in range(1, WIDE_COLUMNS))
    _make(owner, "wide", WIDE.format(columns=columns, values=values, rows=SMALL))


def long(owner: database.Connection) -> None:
    """Rows with a text of a million characters each."""
    _make(owner, "long", LONG.format(rows=LONG_ROWS))


def many(owner: database.Connection) -> None:
    """Two thousand tables of twenty columns."""
    columns = ", ".join(f"column_{number} text" for number in range(1, TABLE_COLUMNS))
    for start in range(0, TABLES, 100):
        made = (f"CREATE TABLE empty_{n:04} (id bigint PRIMARY KEY, {columns})" for n in range(start, start + 100))
        owner.cursor().execute(";".join(made))
        owner.commit()


def _make(owner: database.Connection, name: str, statements: str) -> None:
    owner.cursor().execute(statements)
    owner.commit()
    owner.autocommit = True
    owner.cursor().execute(f"VACUUM ANALYZE {name}")
    owner.autocommit = False


def place(connection: database.Connection, name: str, which: str) -> tuple[str, str]:
    """`at`, in UTC, and `id` of a row of such a table, as texts; `which` is the rest of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(PLACE.format(name=name, which=which))
        at, id = cursor.fetchone()
        return at, id
