"""What the lane promises: it answers what reads, as PostgreSQL means it, and lets nothing else through."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest
import sqlalchemy

from tests import servers
from tests.unit import statements
from undertone import channel, console, database, embedded, gate, lane, parameters, privileges, reach, settings

Execute = Callable[..., list[tuple[object, ...]]]
ESCAPES, FUNCTIONS = statements.lines(statements.ESCAPES), statements.lines(statements.FUNCTIONS)
ACCOUNTS = ("reader", "owner")
NAN = float("nan")
TYPES = "CREATE TYPE colour AS ENUM ('red', 'blue'); CREATE DOMAIN small AS int CHECK (VALUE < 10)"

# All that a statement could leave behind in a database, and what only its server knows.
FINGERPRINT = """
SELECT (SELECT json_agg(i ORDER BY id) FROM items AS i)::text,
       (SELECT json_agg(p ORDER BY part) FROM parts AS p)::text,
       (SELECT row(n.*) FROM numbers AS n)::text,
       (SELECT md5(string_agg(format('%s %s %s %s', oid, relname, relacl, relchecks), ',' ORDER BY oid)) FROM pg_class),
       (SELECT md5(string_agg(format('%s %s %s', oid, proname, proacl), ',' ORDER BY oid)) FROM pg_proc),
       (SELECT md5(string_agg(format('%s %s %s', attrelid, attname, attacl), ',' ORDER BY attrelid, attnum))
        FROM pg_attribute),
       (SELECT string_agg(nspname || coalesce(nspacl::text, ''), ',' ORDER BY oid) FROM pg_namespace),
       (SELECT string_agg(rolname, ',' ORDER BY oid) FROM pg_roles), (SELECT count(*) FROM pg_db_role_setting),
       (SELECT count(*) FROM pg_description), (SELECT count(*) FROM pg_largeobject_metadata),
       (SELECT count(*) FROM pg_prepared_xacts), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
       pg_notification_queue_usage()
"""
# A statement of the lane that the server is at work on.
RUNNING = """
FROM pg_stat_activity WHERE query LIKE '%FETCH FORWARD%' AND state = 'active' AND pid <> pg_backend_pid()
"""
# What is not as the server gave it in somebody's session.
SESSION = """
SELECT (SELECT string_agg(name, ',') FROM pg_settings WHERE source = 'session'), current_user = session_user,
       (SELECT count(*) FROM pg_cursors WHERE name <> ''), (SELECT count(*) FROM pg_prepared_statements),
       (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_class WHERE relpersistence = 't')
"""


def ask(connection: Any, question: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()


@dataclass
class Shop:
    """A database with something to lose, asked under two accounts through pools of one connection each."""

    pools: dict[str, database.Database]
    superuser: Any
    bystander: Any

    def fingerprint(self) -> Any:
        return ask(self.superuser, FINGERPRINT), pathlib.Path("/tmp/undertone-stolen").exists()

    @contextlib.contextmanager
    def unharmed(self, account: str) -> Iterator[database.Database]:
        """Lends the account's pool, and looks afterwards."""
        before = self.fingerprint()
        yield self.pools[account]
        assert self.fingerprint() == before
        assert self.pools[account].ask(ask, SESSION) == (None, True, 0, 0, 0, 0)
        assert ask(self.bystander, "SELECT 7") == (7,)


@pytest.fixture(scope="module")
def shop(server: servers.Postgresql) -> Iterator[Shop]:
    with contextlib.ExitStack() as stack:

        def connect(name: str) -> Any:
            connection = stack.enter_context(contextlib.closing(psycopg2.connect(**server.dsn(database=name))))
            connection.autocommit = True
            return connection

        maintenance = connect("postgres")
        maintenance.cursor().execute(f"CREATE DATABASE console TEMPLATE undertone OWNER {embedded.OWNER}")
        stack.callback(lambda: maintenance.cursor().execute("DROP DATABASE console WITH (FORCE)"))
        pools = {}
        for account, role in zip(ACCOUNTS, (embedded.READER, embedded.OWNER), strict=True):
            address = sqlalchemy.URL.create(
                "postgresql+psycopg2", role, None, "127.0.0.1", server.dsn()["port"], "console"
            )
            pools[account] = database.Database(address, name="data", size=1)
            stack.callback(pools[account].close)
        with pools["owner"].lend() as connection:
            connection.cursor().execute(f"{statements.SHOP}; {TYPES}")
            connection.commit()
        superuser = connect("console")
        # The embedded server does this at each start.
        superuser.cursor().execute((embedded.SQL / "database.sql").read_text())
        yield Shop(pools, superuser, connect("console"))


@pytest.fixture
def no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "refusal", lambda tokens: None)
    monkeypatch.setattr(gate, "forbidden", lambda *arguments: None)
    monkeypatch.setattr(reach.Reach, "refusal", lambda reached: None)


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("statement", ESCAPES + FUNCTIONS)
def test_what_does_more_than_read_is_refused(shop: Shop, account: str, statement: str) -> None:
    with shop.unharmed(account) as pool, pytest.raises(console.StatementRefused) as caught:
        console.run(pool, statement, console.Limits(seconds=5))
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("no_gate")
@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("statement", ESCAPES)
def test_nothing_escapes_the_channel_even_where_the_gate_is_open(shop: Shop, account: str, statement: str) -> None:
    with shop.unharmed(account) as pool, contextlib.suppress(console.StatementError):
        console.run(pool, statement, console.Limits(seconds=5))


@pytest.mark.usefixtures("no_gate")
@pytest.mark.parametrize("statement", FUNCTIONS)
def test_the_reader_has_no_right_to_what_the_gate_would_refuse(shop: Shop, statement: str) -> None:
    # Not StatementLimited: what sleeps must not even begin to.
    answered_or_not = contextlib.suppress(console.StatementFailed, console.StatementRefused)
    with shop.unharmed("reader") as pool, answered_or_not:
        console.run(pool, statement, console.Limits(seconds=5))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1; COMMIT; UPDATE parts SET part = 'gone'",
        "COMMIT; DELETE FROM parts",
        "EXPLAIN ANALYZE CREATE TABLE stolen AS SELECT 1",
        "SELECT pg_notify('undertone', 'x'); ROLLBACK; BEGIN READ WRITE; DELETE FROM parts",
        "SELECT pg_advisory_lock(1)",
    ],
)
def test_a_naive_read_only_transaction_would_have_been_caught_out(place: Any, statement: str) -> None:
    """The negative control: the same statements, sent as SQL in a READ ONLY transaction that ends with COMMIT."""
    with contextlib.closing(
        psycopg2.connect(place("postgres").set(drivername="postgresql").render_as_string())
    ) as other:
        other.autocommit = True
        other.cursor().execute(statements.SHOP)
        with contextlib.closing(psycopg2.connect(other.dsn)) as naive:
            naive.set_session(readonly=True)
            look = Shop({}, other, other)
            before = look.fingerprint()
            naive.cursor().execute(statement)
            naive.commit()
            assert look.fingerprint() != before


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize(("statement", "rows"), statements.ANSWERED)
def test_what_reads_is_answered(
    shop: Shop, account: str, statement: str, rows: list[tuple[object, ...]] | None
) -> None:
    with shop.unharmed(account) as pool:
        result = console.run(pool, statement)
    assert result.truncated is None
    assert all(len(row) == len(result.columns) for row in result.rows)
    if rows is not None:
        assert result.rows == rows


@pytest.mark.parametrize(
    ("expression", "type_", "value"),
    [
        ("NULL::int", "integer", None),
        ("true", "boolean", True),
        ("9223372036854775807", "bigint", 2**63 - 1),
        ("0.1::real", "real", 0.1),
        ("'-Infinity'::float8", "double precision", float("-inf")),
        ("'NaN'::numeric", "numeric", "NaN"),
        ("repeat('9', 1000)::numeric", "numeric", "9" * 1000),
        ("0.00000000010::numeric", "numeric", "0.00000000010"),
        ("'infinity'::date", "date", "infinity"),
        ("'-infinity'::timestamptz", "timestamp with time zone", "-infinity"),
        ("'0044-03-15 BC'::date", "date", "0044-03-15 BC"),
        ("'10000-01-01 12:00'::timestamp", "timestamp without time zone", "10000-01-01 12:00:00"),
        ("'24:00'::time", "time without time zone", "24:00:00"),
        ("'178000000 years'::interval", "interval", "178000000 years"),
        ("ARRAY[[1,2],[3,NULL]]", "integer[]", "{{1,2},{3,NULL}}"),
        ("'{1,\"a b\",NULL}'::text[]", "text[]", '{1,"a b",NULL}'),
        ("'{\"a\" :  1.0}'::json", "json", '{"a" :  1.0}'),
        ("'{\"a\" :  1.0}'::jsonb", "jsonb", '{"a": 1.0}'),
        (r"'\x00ff'::bytea", "bytea", r"\x00ff"),
        ("ROW(1, NULL, 'a b')", "record", '(1,,"a b")'),
        ("(SELECT p FROM parts p ORDER BY part LIMIT 1)", "parts", "(1,handle)"),
        ("int4range(1, 3)", "int4range", "[1,3)"),
        ("'192.168.0.1/24'::inet", "inet", "192.168.0.1/24"),
        ("'11111111-1111-1111-1111-111111111111'::uuid", "uuid", "11111111-1111-1111-1111-111111111111"),
        ("12.5::money", "money", "$12.50"),
        ("'a'::char(3)", "character", "a  "),
        ("''", "text", ""),
        ("'NaN'::float8", "double precision", NAN),
        ("'infinity'::numeric", "numeric", "Infinity"),
        ("1e-1000::numeric", "numeric", "0." + "0" * 999 + "1"),
        ("'4713-01-01 BC'::date", "date", "4713-01-01 BC"),
        ("'294276-12-31 23:59:59.999999'::timestamp", "timestamp without time zone", "294276-12-31 23:59:59.999999"),
        ("'2020-01-01 12:00+14'::timestamptz", "timestamp with time zone", "2019-12-31 22:00:00+00"),
        ("'24:00:00-15:59'::timetz", "time with time zone", "24:00:00-15:59"),
        ("'infinity'::interval", "interval", "infinity"),
        ("'1 mon -3 days +04:05:06.7'::interval", "interval", "1 mon -3 days +04:05:06.7"),
        ("ARRAY['infinity'::date, NULL, '0001-01-01 BC']", "date[]", '{infinity,NULL,"0001-01-01 BC"}'),
        ("ARRAY['NaN'::float8, 1]", "double precision[]", "{NaN,1}"),
        ("'[2:3]={1,2}'::int[]", "integer[]", "[2:3]={1,2}"),
        ("'{}'::int[]", "integer[]", "{}"),
        ("ARRAY[ROW(1, 'a,b'), ROW(2, NULL)]", "record[]", '{"(1,\\"a,b\\")","(2,)"}'),
        ("ROW(ROW(1, ''), ARRAY[true])", "record", '("(1,"""")",{t})'),
        ("'[2020-01-01,infinity)'::daterange", "daterange", "[2020-01-01,infinity)"),
        ("'empty'::numrange", "numrange", "empty"),
        ("'{[1,2),[5,6)}'::int4multirange", "int4multirange", "{[1,2),[5,6)}"),
        ('\'{"a": 1, "a": 1e400, "b": "\\u00fc"}\'::json', "json", '{"a": 1, "a": 1e400, "b": "\\u00fc"}'),
        ("'[12345678901234567890123456789.10]'::jsonb", "jsonb", "[12345678901234567890123456789.10]"),
        ("'$.a[*] ? (@ > 1)'::jsonpath", "jsonpath", '$."a"[*]?(@ > 1)'),
        (r"''::bytea", "bytea", r"\x"),
        ("'a'::\"char\"", '"char"', "a"),
        ("'ab'::varchar(9)", "character varying", "ab"),
        ("'ab'::name", "name", "ab"),
        ("B'0101'", "bit", "0101"),
        ("B'01'::varbit", "bit varying", "01"),
        ("'fat:2 cat'::tsvector", "tsvector", "'cat' 'fat':2"),
        ("'!a & b:*'::tsquery", "tsquery", "!'a' & 'b':*"),
        ("'(1,2)'::point", "point", "(1,2)"),
        ("'08:00:2b:01:02:03'::macaddr", "macaddr", "08:00:2b:01:02:03"),
        ("'items'::regclass", "regclass", "items"),
        ("1::oid", "oid", 1),
        ("'0/16B3748'::pg_lsn", "pg_lsn", "0/16B3748"),
        ("'blue'::colour", "colour", "blue"),
        ("5::small", "integer", 5),
        ("ARRAY['blue'::colour]", "colour[]", "{blue}"),
        ("1.5::money::numeric", "numeric", "1.50"),
        ("NULL", "text", None),
        ("E'\\t\\r\\n\\x01'", "text", "\t\r\n\x01"),
    ],
)
def test_values_are_what_postgresql_means_by_them(shop: Shop, expression: str, type_: str, value: object) -> None:
    result = console.run(shop.pools["owner"], f"SELECT {expression} AS v")
    assert result.columns == (console.Column("v", type_),)
    assert result.rows == [(value,)] or (value is NAN and repr(result.rows) == "[(nan,)]")
    assert type(result.rows[0][0]) is type(value)


def test_values_do_not_change_what_the_next_borrower_gets(shop: Shop) -> None:
    console.run(shop.pools["reader"], "SELECT 1.5, now()")
    (value,) = shop.pools["reader"].ask(ask, "SELECT '{1}'::int[]")
    assert value == [1]


def test_equal_column_names_survive_and_many_columns_too(shop: Shop) -> None:
    many = ", ".join(f"{number} AS c" for number in range(1600))
    result = console.run(shop.pools["reader"], f"SELECT {many}")
    assert [column.name for column in result.columns] == ["c"] * 1600
    assert result.rows == [tuple(range(1600))]


@pytest.mark.parametrize("there_are", [9, 10, 11, 5000])
def test_rows_are_counted(shop: Shop, there_are: int) -> None:
    result = console.run(shop.pools["reader"], f"SELECT generate_series(1, {there_are})", console.Limits(rows=10))
    assert len(result.rows) == min(there_are, 10)
    assert result.truncated == ("rows" if there_are > 10 else None)


def test_rows_are_counted_over_many_fetches(shop: Shop) -> None:
    statement = "SELECT g, repeat('x', g % 100) FROM generate_series(1, 20000) g"
    result = console.run(shop.pools["reader"], statement, console.Limits(rows=12345))
    assert [row[0] for row in result.rows] == list(range(1, 12346))
    assert result.truncated == "rows"


def test_bytes_are_counted(shop: Shop) -> None:
    statement = "SELECT repeat('ü', 1000) FROM generate_series(1, 1000)"
    result = console.run(shop.pools["reader"], statement, console.Limits(bytes=10_500))
    assert len(result.rows) == 9  # what Python needs for one: 1,000 for the text, 73 for its head, 72 for the row's
    assert result.truncated == "bytes"
    result = console.run(shop.pools["reader"], statement.replace("ü", "👍"), console.Limits(bytes=10_500))
    assert len(result.rows) == 2


def test_a_first_row_that_is_too_large_is_not_shown_but_said(shop: Shop) -> None:
    result = console.run(shop.pools["reader"], "SELECT repeat('x', 100000)", console.Limits(bytes=50_000))
    assert (result.rows, result.truncated, result.columns[0].name) == ([], "bytes", "repeat")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM generate_series(1, 100000000000)",
        "SELECT * FROM generate_series(1, 100000000000)",
        "SELECT g FROM generate_series(1, 100000000000) g WHERE g < 0",
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i FROM n) SELECT count(*) FROM n",
        "EXPLAIN ANALYZE SELECT count(*) FROM generate_series(1, 100000000000)",
    ],
)
@pytest.mark.parametrize("account", ACCOUNTS)
def test_seconds_are_counted(shop: Shop, account: str, statement: str) -> None:
    limits = console.Limits(seconds=0.5, rows=10**12, bytes=10**12)
    with (
        shop.unharmed(account) as pool,
        pytest.raises(console.StatementLimited, match=r"after 0\.5 seconds; .* UNDERTONE_QUERY_SECONDS"),
    ):
        console.run(pool, statement, limits)


def test_a_statement_cannot_lift_its_own_timeout(shop: Shop) -> None:
    statement = """
        SELECT set_config('statement_timeout', '0', false) FROM generate_series(1, 9)
        UNION ALL SELECT pg_sleep(0.01)::text FROM generate_series(1, 100000)"""
    limits = console.Limits(seconds=1, rows=10**6, functions=frozenset({"set_config", "pg_sleep"}))
    with shop.unharmed("owner") as pool, pytest.raises(console.StatementLimited, match="after 1 seconds"):
        console.run(pool, statement, limits)


def test_a_server_that_does_not_stop_is_left(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's deadline behind the server's: here the server is not told any."""
    monkeypatch.setattr(channel, "_milliseconds", lambda seconds: psycopg2.sql.Literal(0))
    with shop.unharmed("owner") as pool, pytest.raises(console.StatementLimited, match=r"after 0\.5 seconds"):
        console.run(pool, "SELECT count(*) FROM generate_series(1, 100000000000)", console.Limits(seconds=0.5))


def test_cancel_stops_it_in_the_database_and_frees_the_slot(shop: Shop) -> None:
    cancel, failures = threading.Event(), []

    def endless() -> None:
        try:
            console.run(shop.pools["reader"], "SELECT count(*) FROM generate_series(1, 100000000000)", cancel=cancel)
        except console.StatementError as error:
            failures.append(error)

    running = f"SELECT count(*) {RUNNING}"
    thread = threading.Thread(target=endless)
    thread.start()
    while ask(shop.superuser, running) != (1,):
        time.sleep(0.02)
    cancel.set()
    began = time.monotonic()
    thread.join()
    while ask(shop.superuser, running) != (0,):
        time.sleep(0.02)
    assert time.monotonic() - began < 2.5
    assert [type(error) for error in failures] == [console.StatementCancelled]
    assert console.run(shop.pools["reader"], "SELECT 1").rows == [(1,)]


def test_what_was_cancelled_before_it_began_is_not_asked(shop: Shop) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(console.StatementCancelled):
        console.run(shop.pools["reader"], "SELECT 1", cancel=cancel)


def test_cancel_from_inside_the_database_is_told_from_a_timeout(shop: Shop) -> None:
    def from_outside() -> None:
        while ask(shop.superuser, f"SELECT pg_cancel_backend(pid) {RUNNING}") is None:
            time.sleep(0.02)

    thread = threading.Thread(target=from_outside)
    thread.start()
    with pytest.raises(console.StatementCancelled, match="by somebody else"):
        console.run(shop.pools["reader"], "SELECT count(*) FROM generate_series(1, 100000000000)")
    thread.join()


def test_a_lane_that_is_full_says_so(place: Callable[[str], sqlalchemy.URL]) -> None:
    # Not after the time in which a connection must be there: the person is told at once.
    pool = database.Database(place(embedded.READER), name="data", size=1, connect_seconds=600)
    busy = pytest.raises(console.StatementLimited, match=r"All slots are busy .* UNDERTONE_QUERY_SLOTS")
    with contextlib.closing(pool), pool.lend(), busy:
        console.run(pool, "SELECT 1")


def test_a_table_that_is_being_changed_is_not_waited_for_long(
    data_pool: database.Database,
    store_pool: database.Database,
    execute: Execute,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lane, "LOCK_SECONDS", 0.5)
    execute("CREATE TABLE t (i int)")
    with store_pool.lend() as connection:
        connection.cursor().execute("LOCK TABLE t")
        with pytest.raises(console.StatementLimited, match=r"waited 0\.5 seconds for a table"):
            console.run(data_pool, "SELECT * FROM t")


def test_a_lost_connection_is_left_to_the_pool(shop: Shop) -> None:
    allowed = console.Limits(functions=frozenset({"pg_terminate_backend"}))
    with pytest.raises(database.ConnectionLost, match="Try again"):
        console.run(shop.pools["owner"], "SELECT pg_terminate_backend(pg_backend_pid())", allowed)
    assert console.run(shop.pools["owner"], "SELECT 1").rows == [(1,)]


@pytest.mark.parametrize(
    ("statement", "message", "position", "sqlstate"),
    [
        ("SELECT nope FROM items", 'column "nope" does not exist', 8, "42703"),
        ("SELECT 'ü👍', nope\nFROM items", 'column "nope" does not exist', 14, "42703"),
        ("SELECT 1 +", "syntax error at end of input", 11, "42601"),
        ("SELECT * FROM nowhere;", 'relation "nowhere" does not exist', 15, "42P01"),
        ("EXPLAIN SELECT nope", 'column "nope" does not exist', 16, "42703"),
        ("SELECT 'open", 'unterminated quoted string at or near "\'open"', 8, "42601"),
        ("SELECT 1 /* open", 'unterminated /* comment at or near "/* open"', 10, "42601"),
        ("SELECT 1 / (id - 1) FROM items", "division by zero", None, "22012"),
        ("SELECT $1", "there is no parameter $1", 8, "42P02"),
        ("SHOW nonsense", 'unrecognized configuration parameter "nonsense"', None, "42704"),
    ],
)
def test_an_error_is_the_servers_own_and_points_into_the_statement(
    shop: Shop, statement: str, message: str, position: int | None, sqlstate: str
) -> None:
    with shop.unharmed("reader") as pool, pytest.raises(console.StatementFailed) as caught:
        console.run(pool, statement)
    error = caught.value
    assert (str(error), error.position, error.sqlstate) == (message, position, sqlstate)


def test_an_error_keeps_its_hint_and_detail(shop: Shop) -> None:
    with pytest.raises(console.StatementFailed) as caught:
        console.run(shop.pools["reader"], "SELECT nam FROM items")
    assert caught.value.hint == 'Perhaps you meant to reference the column "items.name".'
    with pytest.raises(console.StatementFailed) as caught:
        console.run(shop.pools["reader"], "SELECT '{\"a\"'::json")
    assert caught.value.detail == "The input string ended unexpectedly."


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize(
    ("statement", "error", "words"),
    [
        ("", console.StatementRefused, "nothing to ask"),
        (" ;; -- nothing\n", console.StatementRefused, "nothing to ask"),
        ("SELECT 1\0; DROP TABLE parts", console.StatementRefused, "value 0 at 9"),
        ("SELECT '\ud83d'", console.StatementRefused, "character 9"),
        ("SELECT '" + "x" * 50_000 + "'", console.StatementLimited, "50,009 bytes .* UNDERTONE_QUERY_LENGTH"),
        ("SELECT " + "/*" * 201 + "*/" * 201, console.StatementRefused, "comments"),
        ("SELECT 1 FROM a" + " JOIN a USING (x)" * 201, console.StatementRefused, "200 times JOIN"),
        ("SELECT 1 FROM a" + " NATURAL JOIN a" * 21, console.StatementRefused, "20 times NATURAL"),
    ],
)
def test_a_text_that_should_not_be_sent_is_not(
    shop: Shop, account: str, statement: str, error: type[Exception], words: str
) -> None:
    with shop.unharmed(account) as pool, pytest.raises(error, match=words):
        console.run(pool, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT " + "(" * 15_000,
        "SELECT " + "+1" * 20_000,
        "SELECT " + "-" * 3 + "1" * 40_000,
        "SELECT " + "a(" * 20_000,
    ],
)
def test_a_parser_bomb_is_an_error_and_no_more(shop: Shop, statement: str) -> None:
    with shop.unharmed("reader") as pool, contextlib.suppress(console.StatementError):
        console.run(pool, statement, console.Limits(seconds=5))


def test_the_seed_of_one_person_is_not_the_next_ones(shop: Shop) -> None:
    sample = "WITH s AS MATERIALIZED (SELECT setseed(0.5) IS NULL AS x) SELECT random() FROM s WHERE NOT x"
    first = console.run(shop.pools["reader"], sample).rows
    assert console.run(shop.pools["reader"], sample).rows == first
    console.run(shop.pools["reader"], "SELECT setseed(0.5)")
    assert console.run(shop.pools["reader"], "SELECT random()").rows != first


def test_old_string_rules_of_an_account_do_not_count(place: Callable[[str], sqlalchemy.URL]) -> None:
    address = place(embedded.OWNER).update_query_dict({"options": "-c standard_conforming_strings=off"})
    with contextlib.closing(database.Database(address, name="data", size=1)) as pool:
        assert console.run(pool, r"SELECT '\' || 'a''\\b', 1").rows == [("\\a'\\\\b", 1)]


def test_an_empty_and_a_missing_column_name_are_kept(shop: Shop) -> None:
    result = console.run(shop.pools["reader"], 'SELECT 1, \'\' AS " ", 2 AS "ü""x"')
    assert [column.name for column in result.columns] == ["?column?", " ", 'ü"x']
    assert console.run(shop.pools["reader"], "SELECT FROM items").rows == [(), (), ()]


def values(**given: tuple[str, str | None]) -> dict[str, parameters.Value]:
    return {name: parameters.Value(*value) for name, value in given.items()}


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize(
    ("kind", "text", "type_", "value"),
    [
        ("text", 'it\'s \\ "100%" :x $1 ü👍\n', "text", 'it\'s \\ "100%" :x $1 ü👍\n'),
        ("text", "", "text", ""),
        ("text", "'; COMMIT; DELETE FROM parts; --", "text", "'; COMMIT; DELETE FROM parts; --"),
        ("text", "$$); DELETE FROM parts; $$", "text", "$$); DELETE FROM parts; $$"),
        ("text", "\\'; DELETE FROM parts; --", "text", "\\'; DELETE FROM parts; --"),
        ("integer", " -5 ", "integer", -5),
        ("integer", "2147483648", "bigint", 2**31),
        ("number", "1.50", "numeric", "1.50"),
        ("number", "NaN", "numeric", "NaN"),
        ("boolean", "off", "boolean", False),
        ("date", "2020-02-29", "date", "2020-02-29"),
        ("date", "infinity", "date", "infinity"),
        ("timestamp", "2020-01-01 10:00+02", "timestamp with time zone", "2020-01-01 08:00:00+00"),
        ("text", None, "text", None),
        ("integer", None, "integer", None),
        ("number", None, "numeric", None),
        ("boolean", None, "boolean", None),
        ("date", None, "date", None),
        ("timestamp", None, "timestamp with time zone", None),
    ],
)
def test_parameters_are_sent_as_values(
    shop: Shop, account: str, kind: str, text: str | None, type_: str, value: object
) -> None:
    with shop.unharmed(account) as pool:
        result = console.run(pool, "SELECT :it AS v", parameters=values(it=(kind, text)))
    assert result.columns == (console.Column("v", type_),)
    assert result.rows == [(value,)]


def test_parameters_stand_where_values_may(shop: Shop) -> None:
    statement = """
        SELECT id, left(name, :n) FROM items WHERE name LIKE :like AND at >= :since AND id = ANY (:ids::int[])
        ORDER BY id OFFSET :skip LIMIT 1 -- :not
    """
    given = values(
        n=("integer", "3"),
        like=("text", "%e%"),
        since=("timestamp", "2025-01-01"),
        ids=("text", "{1,2,9}"),
        skip=("integer", "1"),
    )
    assert console.run(shop.pools["reader"], statement, parameters=given).rows == [(2, "pin")]


@pytest.mark.parametrize("explain", ["EXPLAIN", "EXPLAIN (ANALYZE, FORMAT JSON)"])
def test_parameters_stand_in_what_is_explained(shop: Shop, explain: str) -> None:
    statement = f"{explain} SELECT * FROM items WHERE id = :id"
    rows = console.run(shop.pools["reader"], statement, parameters=values(id=("integer", "2"))).rows
    assert "id = 2" in str(rows)


@pytest.mark.parametrize(
    ("statement", "message", "position"),
    [
        ("SELECT :long_name, nope", 'column "nope" does not exist', 20),
        ("SELECT a:n, nope", 'syntax error at or near ":n"', 9),
        ("SELECT 'a' || :n FROM :table", 'syntax error at or near ":table"', 23),
        ("SELECT 1:n", 'syntax error at or near ":n"', 9),
        ("SELECT * FROM items WHERE :n = id", "operator does not exist: text = integer", 30),
    ],
)
def test_an_error_beside_parameters_points_into_the_persons_own_text(
    shop: Shop, statement: str, message: str, position: int
) -> None:
    given = values(**dict.fromkeys(("n", "long_name", "table"), ("text", "x")))
    with pytest.raises(console.StatementFailed) as caught:
        console.run(shop.pools["reader"], statement, parameters=given)
    assert (str(caught.value), caught.value.position) == (message, position)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("date", "2020-13-01", "date/time field value out of range"),
        ("date", "tomorrow's", "invalid input syntax for type date"),
        ("timestamp", "noon", "invalid input syntax for type timestamp"),
        ("number", "1e400000", "value overflows numeric format"),
    ],
)
def test_a_value_that_only_the_server_can_tell_wrong_is_named(shop: Shop, kind: str, text: str, words: str) -> None:
    given = values(fine=("date", "2020-01-01"), wrong=(kind, text))
    with pytest.raises(parameters.ParameterError, match=f":wrong does not fit its kind: {words}"):
        console.run(shop.pools["reader"], "SELECT :fine, :wrong", parameters=given)


def test_a_parameter_of_the_wrong_kind_is_hinted_at(shop: Shop) -> None:
    with pytest.raises(console.StatementFailed) as caught:
        console.run(shop.pools["reader"], "SELECT * FROM items WHERE id = :id", parameters=values(id=("text", "1")))
    assert "another kind than text" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM parts WHERE item = :x", "starts with DELETE"),
        ("SELECT :x; DELETE FROM parts", "more after the semicolon at 10"),
        ("SELECT :x, pg_sleep(1)", "function pg_sleep"),
        ("SELECT :x.pg_sleep", "function pg_sleep"),
        ("SELECT :y", ":y has no value"),
    ],
)
@pytest.mark.parametrize("account", ACCOUNTS)
def test_parameters_open_nothing(shop: Shop, account: str, statement: str, words: str) -> None:
    with shop.unharmed(account) as pool, pytest.raises(console.StatementRefused, match=words):
        console.run(pool, statement, parameters=values(x=("integer", "1")))


def test_a_superuser_is_not_asked_unless_a_setting_says_so(place: Callable[[str], sqlalchemy.URL]) -> None:
    with contextlib.closing(database.Database(place("postgres"), name="data", size=1)) as pool:
        for _ in range(2):  # the second time from memory
            with pytest.raises(console.StatementRefused, match=r"postgres is a superuser.*sql/reader_role\.sql"):
                console.run(pool, "SELECT 1")
        assert console.run(pool, "SELECT 1", console.Limits(superuser=True)).rows == [(1,)]


def test_a_superuser_in_disguise_is_one(place: Callable[[str], sqlalchemy.URL]) -> None:
    address = place("postgres").update_query_dict({"options": f"-c role={embedded.READER}"})
    with (
        contextlib.closing(database.Database(address, name="data", size=1)) as pool,
        pytest.raises(console.StatementRefused, match="postgres is a superuser"),
    ):
        console.run(pool, "SELECT current_user")


def test_the_limits_are_those_of_the_settings() -> None:
    chosen = settings.Settings(
        query_seconds=1,
        query_rows=2,
        query_bytes=6000,
        query_length=400,
        query_functions=" a, Odd Name,",
        query_superuser=True,
    )
    functions = frozenset({"a", "Odd Name"})
    expected = console.Limits(seconds=1, rows=2, bytes=6000, row=1000, length=400, functions=functions, superuser=True)
    assert console.limits(chosen) == expected
    assert console.limits(settings.Settings()) == console.Limits(row=console.Limits().bytes // 6)


@pytest.mark.parametrize("view", ["kills", "kills_too", "seeds_and_kills"])
def test_a_view_that_does_more_than_answer_is_not_read(
    data_pool: database.Database, execute: Execute, view: str
) -> None:
    execute("""
        CREATE VIEW kills AS SELECT pg_cancel_backend(0);
        CREATE VIEW kills_too AS SELECT 1 AS one FROM kills;
        CREATE VIEW seeds_and_kills AS SELECT setseed(0)::text, (SELECT pg_cancel_backend FROM kills);
        CREATE VIEW harmless AS SELECT random(), now(), lower('A');
        CREATE VIEW theirs AS SELECT count(*) FROM pg_stat_activity""")
    refused = f"The view {view} cannot be read here: it .*calls the function pg_cancel_backend, which may"
    for statement in (f"TABLE {view}", f"EXPLAIN ANALYZE SELECT * FROM public.{view}"):
        with pytest.raises(console.StatementRefused, match=refused):
            console.run(data_pool, statement)
    assert len(console.run(data_pool, "TABLE harmless").rows) == 1
    with pytest.raises(console.StatementRefused, match="pg_stat_get_activity"):
        console.run(data_pool, "TABLE theirs")
    allowed = console.Limits(functions=frozenset({"pg_cancel_backend"}))
    with contextlib.suppress(console.StatementFailed):  # the server may have its own opinion
        console.run(data_pool, f"TABLE {view}", allowed)


def test_a_function_that_lies_about_itself_is_not_called(store_pool: database.Database, execute: Execute) -> None:
    execute("CREATE FUNCTION ends(int) RETURNS bool STABLE LANGUAGE sql AS 'SELECT pg_terminate_backend($1)'")
    with pytest.raises(console.StatementRefused, match="function ends"):
        console.run(store_pool, "SELECT ends(1)")


def test_functions_may_be_allowed_by_name(shop: Shop) -> None:
    limits = console.Limits(functions=frozenset({"Odd Name"}))
    with shop.unharmed("owner") as pool:
        assert console.run(pool, 'SELECT "Odd Name"(4)', limits).rows == [(4,)]


def test_a_stream_gives_batches_and_can_be_left_early(shop: Shop) -> None:
    with shop.unharmed("reader") as pool:
        with console.stream(pool, "SELECT generate_series(1, 100000000)", console.Limits(rows=10**9)) as answer:
            assert answer.columns == (console.Column("generate_series", "integer"),)
            batches = iter(answer)
            seen = [row[0] for _ in range(4) for row in next(batches)]
        assert seen == list(range(1, len(seen) + 1))
        with pytest.raises(ZeroDivisionError), console.stream(pool, "SELECT 1"):
            _ = 1 / 0


def test_the_dba_script_makes_an_account_that_reads_and_nothing_else(
    server: servers.Postgresql, place: Callable[[str], sqlalchemy.URL], execute: Execute
) -> None:
    execute(statements.SHOP.replace("GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC", ""))
    address = place("postgres")
    command = [str(privileges.packaged_binaries() / "bin" / "psql"), "-X", "-q", "-A", "-t", "-v", "role=dba reader"]
    command += [
        "-v",
        "strict=1",
        "-h",
        "127.0.0.1",
        "-p",
        str(address.port),
        "-U",
        "postgres",
        "-d",
        str(address.database),
    ]
    command += ["-f", str(pathlib.Path(embedded.SQL).parent / "reader_role.sql")]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    assert done.stdout.split("\n") == ["public", ""]  # the schemas that it reads, and nothing that it still can
    with contextlib.closing(database.Database(place("dba reader"), name="data", size=1)) as pool:
        assert console.run(pool, "SELECT count(*) FROM items").rows == [(3,)]
        execute("CREATE TABLE later AS SELECT 1 AS one")
        assert console.run(pool, "TABLE later").rows == [(1,)]
        for refused in (
            "DELETE FROM parts",
            "SELECT pg_sleep(0)",
            "CREATE TEMP TABLE t (i int)",
            "SELECT nextval('numbers')",
        ):
            with pytest.raises(database.DatabaseError, match=r"denied|read-only"), pool.lend() as connection:
                connection.cursor().execute("SET default_transaction_read_only = off; " + refused)
    execute("SELECT pg_sleep(0), nextval('numbers')")  # the others keep what they had
    with pytest.raises(psycopg2.errors.DependentObjectsStillExist):
        _drop_role(server, "dba reader")


def _drop_role(server: servers.Postgresql, role: str) -> None:
    with contextlib.closing(psycopg2.connect(**server.dsn(database="postgres"))) as connection:
        connection.autocommit = True
        connection.cursor().execute(f'DROP ROLE "{role}"')
