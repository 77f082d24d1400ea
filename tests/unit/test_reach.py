"""What the look at what a statement reaches promises, on an account that owns what is in its database."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests import servers
from tests.unit import worlds
from undertone import console, database

ENDS = "may do more than answer, such as wait, lock, write or run a text."
EXTENSIONS = (
    "citext", "hstore", "ltree", "pg_trgm", "unaccent", "intarray", "cube", "earthdistance", "fuzzystrmatch", "vector",
    "tablefunc", "pg_buffercache",
)  # fmt: skip
_numbers = itertools.count(1)


class Place:
    """An empty database of an account's own, asked through the console, changed through sessions of its own."""

    def __init__(self, pool: database.Database, owner: Any, superuser: Any) -> None:
        self.pool = pool
        self.owner = owner
        self.superuser = superuser

    def make(self, *statements: str) -> None:
        worlds.execute(self.owner, *statements)

    def ask(self, statement: str, *functions: str) -> list[tuple[object, ...]]:
        return console.run(self.pool, statement, console.Limits(functions=frozenset(functions))).rows

    def refused(self, statement: str) -> str:
        with pytest.raises(console.StatementRefused) as caught:
            self.ask(statement)
        return str(caught.value)


@pytest.fixture(scope="module")
def brought_server() -> Iterator[servers.Postgresql]:
    with worlds.somebodys_server() as server:
        yield server


@pytest.fixture
def place(brought_server: servers.Postgresql) -> Iterator[Place]:
    name = f"reach_{next(_numbers)}"
    with contextlib.ExitStack() as stack:

        def session(role: str, database_name: str) -> Any:
            address = worlds.address(brought_server, role, database_name)
            return stack.enter_context(contextlib.closing(worlds.connect(address)))

        worlds.execute(session("postgres", "postgres"), f"CREATE DATABASE {name} OWNER {worlds.BROUGHT}")
        pool = database.Database(worlds.address(brought_server, worlds.BROUGHT, name), name="data", size=1)
        stack.callback(pool.close)
        yield Place(pool, session(worlds.BROUGHT, name), session("postgres", name))


def test_a_refusal_says_the_whole_way(place: Place) -> None:
    place.make(
        "CREATE FUNCTION first(int) RETURNS bool STABLE LANGUAGE sql AS 'SELECT pg_cancel_backend($1)'",
        "CREATE DOMAIN second AS int CHECK (first(VALUE) IS NOT NULL)",
        "CREATE VIEW third AS SELECT 1::second + 1",
        "CREATE VIEW fourth AS SELECT * FROM third",
    )
    assert place.refused("TABLE fourth") == (
        "The view fourth cannot be read here: it reads the view third, which uses the type second, which calls the"
        f" function first, which calls the function pg_cancel_backend, which {ENDS}"
    )
    assert place.refused("SELECT first(1)").startswith(
        "The function first cannot be called here: it calls the function"
    )


def test_a_long_way_is_said_in_short(place: Place) -> None:
    place.make("CREATE FUNCTION f0() RETURNS bool STABLE LANGUAGE sql AS 'SELECT pg_sleep(0) IS NULL'")
    for number in range(1, 31):
        place.make(f"CREATE FUNCTION f{number}() RETURNS bool STABLE LANGUAGE sql AS 'SELECT f{number - 1}()'")
    said = place.refused("SELECT f30()")
    assert "the function f27, which leads, 24 steps on, to the function f2, which calls" in said
    assert said.endswith(f"the function f0, which calls the function pg_sleep, which {ENDS}")


@pytest.mark.parametrize(
    ("language", "body", "why"),
    [
        ("plpgsql", "BEGIN EXECUTE 'SELECT 1'; END", "it runs a text as a statement (EXECUTE)"),
        ("sql", 'SELECT U&"now"()', 'it has names written as U&"…"'),
        ("plpgsql", "BEGIN PERFORM 1 AS standard_conforming_strings; END", "it changes how texts are read"),
    ],
)
def test_what_cannot_be_followed_is_refused(place: Place, language: str, body: str, why: str) -> None:
    place.make(f"CREATE FUNCTION f() RETURNS void STABLE LANGUAGE {language} AS $${body}$$")
    assert f"The function f cannot be called here: {why}" in place.refused("SELECT f()")


@pytest.mark.parametrize("command", ["LOCK TABLE t", "NOTIFY t", "ANALYZE t", "DO 'BEGIN END'"])
def test_commands_are_found_in_a_function_that_a_view_calls(place: Place, command: str) -> None:
    place.make(
        "CREATE TABLE t (lock int, load int)",
        f"CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$BEGIN {command}; RETURN 1; END$$",
        "CREATE VIEW v AS SELECT f()",
        "CREATE FUNCTION g(copy bool) RETURNS SETOF int LANGUAGE plpgsql AS"
        " $$BEGIN RETURN QUERY SELECT CASE WHEN copy THEN lock ELSE load END FROM t; END$$",
        "CREATE VIEW w AS SELECT g(true)",
    )
    assert command.split(" ")[0] in place.refused("TABLE v")
    assert place.ask("TABLE w") == []


def test_a_function_that_only_forgot_to_say_what_it_is_is_called_by_a_view(place: Place) -> None:
    place.make(
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT (random() * 0)::int FROM clock_timestamp()'",
        "CREATE VIEW v AS SELECT f()",
    )
    assert place.ask("TABLE v") == [(0,)]
    assert "function f" in place.refused("SELECT f()")  # the gate believes the server


def test_what_was_made_a_moment_ago_is_known(place: Place) -> None:
    place.make("CREATE FUNCTION f() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'", "CREATE VIEW v AS SELECT f()")
    assert place.ask("SELECT f(), (TABLE v)") == [(1, 1)]
    place.make("CREATE OR REPLACE FUNCTION f() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1 FROM pg_sleep(0)'")
    assert "pg_sleep" in place.refused("SELECT f()")
    assert "pg_sleep" in place.refused("TABLE v")
    place.make("CREATE OR REPLACE FUNCTION f() RETURNS int STABLE LANGUAGE sql AS 'SELECT 2'")
    assert place.ask("TABLE v") == [(2,)]
    place.make("CREATE VIEW w AS SELECT pg_advisory_lock(1) IS NULL")
    assert "pg_advisory_lock" in place.refused("TABLE w")
    place.make("CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    assert "function g" in place.refused("SELECT g()")
    place.make("ALTER FUNCTION g() STABLE")
    assert place.ask("SELECT g()") == [(1,)]


def test_a_function_may_be_allowed_wherever_it_is_called(place: Place) -> None:
    place.make(
        "CREATE FUNCTION f() RETURNS int STABLE LANGUAGE plpgsql AS $$BEGIN EXECUTE 'SELECT 1'; RETURN 1; END$$",
        "CREATE FUNCTION g() RETURNS int STABLE LANGUAGE sql AS 'SELECT f()'",
        "CREATE VIEW v AS SELECT f(), g()",
    )
    assert "function f" in place.refused("TABLE v")
    assert place.ask("SELECT v.*, f(), g() FROM v", "f") == [(1, 1, 1, 1)]


def test_operators_that_need_no_sign_are_found_by_what_they_take(place: Place) -> None:
    place.make(
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE TABLE moods (m mood, n int)",
        "CREATE FUNCTION same(mood, text) RETURNS bool STABLE LANGUAGE sql AS 'SELECT pg_sleep(0) IS NULL'",
        "CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = text, FUNCTION = same)",
        "CREATE TABLE others (n int)",
    )
    for statement in ("m IN ('x'::text)", "m = 'x'::text", "CASE m WHEN 'x'::text THEN true END"):
        assert "operator =" in place.refused(f"SELECT 1 FROM moods WHERE {statement}")
    assert place.ask("SELECT 1 FROM others WHERE n = 1 OR n IN (2)") == []
    place.make(
        "CREATE FUNCTION same(json, json) RETURNS bool STABLE LANGUAGE sql AS 'SELECT pg_sleep(0) IS NULL'",
        "CREATE OPERATOR = (LEFTARG = json, RIGHTARG = json, FUNCTION = same)",
    )
    assert "operator =" in place.refused("SELECT '{}'::json IN ('{}'::json)")


def test_an_operator_may_call_the_servers_own_function(place: Place) -> None:
    place.make("CREATE OPERATOR !!! (RIGHTARG = float8, FUNCTION = pg_sleep)")
    place.make("CREATE AGGREGATE sets(text, bool) (SFUNC = set_config, STYPE = text, INITCOND = 'statement_timeout')")
    assert place.refused("SELECT !!! 0").startswith(
        "The operator !!! cannot be used here: it calls the function pg_sleep"
    )
    assert "set_config" in place.refused("SELECT sets('0', false)")


def test_a_column_that_is_called_as_a_harmful_function_is_read(place: Place) -> None:
    place.make(
        "CREATE TABLE orders (id int, status text, at json)",
        "INSERT INTO orders VALUES (1, 'new')",
        "CREATE FUNCTION status(int) RETURNS int STABLE LANGUAGE plpgsql AS $$BEGIN EXECUTE 'SELECT 1'; END$$",
        "CREATE FUNCTION detail(orders) RETURNS int STABLE LANGUAGE plpgsql AS $$BEGIN EXECUTE 'SELECT 1'; END$$",
        "CREATE TABLE decoys (detail int)",
    )
    assert place.ask("SELECT status, o.status, coalesce(o.status, '-') FROM orders AS o") == [("new",) * 3]
    assert "function detail" in place.refused("SELECT o.detail FROM orders AS o")
    assert "function status" in place.refused("SELECT x.status FROM generate_series(1, 2) AS x")


def test_a_search_path_leads_past_nothing(place: Place) -> None:
    place.make(
        "CREATE FUNCTION plus(int, int) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1 FROM pg_sleep(0)'",
        "CREATE FUNCTION abs(int) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1 FROM pg_sleep(0)'",
        "CREATE DOMAIN text AS pg_catalog.text CHECK (plus(1, 1) = 1)",
        "CREATE OPERATOR + (LEFTARG = int, RIGHTARG = int, FUNCTION = plus)",
    )
    for statement in ("SELECT abs(1)", "SELECT 'a'::text", "SELECT 1 + 1"):
        assert "pg_sleep" in place.refused(statement)
    assert place.ask("SELECT 2 - 1, sqrt(4)") == [(1, 2.0)]


def test_extensions_are_judged_as_the_server_does(place: Place) -> None:
    for extension in EXTENSIONS:
        worlds.execute(place.superuser, f"CREATE EXTENSION {extension}")
    place.make(
        "CREATE TABLE t (c citext, h hstore, l ltree, v vector(2))",
        "INSERT INTO t VALUES ('Ab', 'a=>1', 'x.y', '[1,2]')",
        "CREATE INDEX ON t USING gist (l)",
        "CREATE VIEW near AS SELECT c, v <-> '[1,1]' AS far, similarity(c::text, 'ab') AS alike FROM t",
        "CREATE FUNCTION plain(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT unaccent($1)'",
    )
    assert place.ask("SELECT c = 'aB', c LIKE 'aB', h -> 'a', l <@ 'x', plain('é'), c IN ('AB') FROM t") == [
        (True, True, "1", True, "e", True)
    ]
    assert place.ask("TABLE near") == [("Ab", 1.0, 1.0)]
    assert place.ask("SELECT 'ab' % 'ab', ARRAY[1] && ARRAY[1], levenshtein('a', 'b')") == [(True, True, 1)]
    assert place.ask("SELECT earth_distance(ll_to_earth(1, 1), ll_to_earth(1, 1))") == [(0.0,)]
    assert "function crosstab" in place.refused("SELECT * FROM crosstab('SELECT 1') AS x(a int)")
    with contextlib.suppress(console.StatementFailed):  # an extension's own view: for rights to say
        place.ask("SELECT count(*) FROM pg_buffercache")


def test_who_adds_a_function_to_an_extension_is_not_trusted_for_that(place: Place) -> None:
    place.make("CREATE FUNCTION f() RETURNS bool STABLE LANGUAGE sql AS 'SELECT pg_sleep(0) IS NULL'")
    worlds.execute(place.superuser, "ALTER EXTENSION plpgsql ADD FUNCTION f()")
    assert "pg_sleep" in place.refused("SELECT f()")
    worlds.execute(place.superuser, "ALTER FUNCTION f() OWNER TO postgres", "GRANT EXECUTE ON FUNCTION f() TO PUBLIC")
    assert place.ask("SELECT f()") == [(False,)]


def test_a_type_that_a_text_names_is_any_domain(place: Place) -> None:
    asked = "SELECT pg_input_is_valid('7', 'int')"
    assert place.ask(asked) == [(True,)]
    place.make("CREATE DOMAIN fine AS int CHECK (VALUE > 0)")
    assert place.ask(asked) == [(True,)]
    place.make("CREATE DOMAIN sleepy AS int CHECK (pg_sleep(0) IS NOT NULL)")
    assert "type sleepy" in place.refused(asked)
    assert place.ask("SELECT 1") == [(1,)]


def test_a_policy_counts_where_policies_do(place: Place) -> None:
    place.make(
        "CREATE TABLE t (i int)",
        "CREATE POLICY p ON t USING (pg_sleep(0) IS NULL)",
        "CREATE POLICY q ON t FOR INSERT WITH CHECK (pg_sleep(0) IS NULL)",
    )
    assert place.ask("TABLE t") == []
    place.make("ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    assert place.refused("TABLE t") == (
        f"The table t cannot be read here: it calls the function pg_sleep, which {ENDS}"
    )
    place.make("DROP POLICY p ON t")
    assert place.ask("TABLE t") == []
