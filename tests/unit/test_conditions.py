"""What conditions promise: a link holds them whole and believes nothing; each finds the rows that its words say."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable

import psycopg2.sql
import pytest

from undertone import catalog, condition_sql, conditions, database, operators, queries, reading, relations
from undertone.conditions import Condition, ConditionError, Group

Execute = Callable[..., list[tuple[object, ...]]]
HOSTILE = (
    "",
    " ",
    "and",
    "or",
    "50%_\\",
    "a'b",
    'a"b',
    "{x} {}",
    "%s %(x)s",
    "\0",
    "\ud800",
    "é😀\n\t",
    "'; DROP TABLE t; --",
    "x" * 3000,
)


class Table:
    """A relation, asked which of its rows a condition lets pass; rows are known by their `id`."""

    def __init__(self, connection: database.Connection, name: str) -> None:
        self.connection = connection
        self.relation = catalog.find(connection, name)
        self.fields = relations.fields(connection, self.relation)

    def where(self, group: Group, zone: str | None = None) -> psycopg2.sql.Composed | None:
        return conditions.compose(self.fields, group, relation=self.relation, zone=zone)

    def ids(self, *parts: Condition | Group, any: bool = False, zone: str | None = None) -> list[object]:
        where = self.where(Group(parts, any), zone)
        assert where is not None
        statement = queries.compose(
            relations.SQL.sample,
            columns=psycopg2.sql.SQL("id"),
            relation=self.relation.identifier,
            condition=psycopg2.sql.SQL("WHERE ") + where,
            limit=psycopg2.sql.Literal(100),
        )
        return sorted(row[0] for row in reading.read(self.connection, self.relation, statement, given=True))

    def check(self, *parts: Condition | Group, zone: str | None = None) -> None:
        conditions.check(self.connection, self.relation, self.fields, Group(parts), zone=zone)


def made(random: random.Random, deep: int = 0) -> Group:
    """Any group that a link may hold."""

    def part() -> Condition | Group:
        if deep < 3 and random.random() < 0.3:
            return made(random, deep + 1)
        operator = random.choice(list(conditions.OPERATORS))
        known = conditions.OPERATORS[operator]
        count = random.randint(known.least, min(known.most, 4))
        return Condition(random.choice(HOSTILE), operator, tuple(random.choices(HOSTILE, k=count)))

    return Group(tuple(part() for _ in range(random.randint(1, 4))), random.random() < 0.5)


def test_a_link_holds_any_conditions_whole() -> None:
    some = random.Random(17)
    for group in (conditions.EVERY, *(made(some) for _ in range(300))):
        packed = conditions.pack(group)
        assert packed.isascii()
        assert conditions.unpack(packed) == group
        conditions.words(group).encode()
    assert conditions.pack(Group((Condition("status", "eq", ("open",)),))) == '[["status","eq","open"]]'
    assert conditions.pack(Group((Group(), Condition("and", "null")), any=True)) == '["or",["and","null"]]'


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "{}", "17", "null", '"and"', '["and"]x', "[" * 100_000, "NaN", "[1]", '[["a"]]', "[[]]"),
        *('[["a","eq",1]]', '[["a","eq",null]]', '[["a","eq",["x"]]]', '[["a","like","x"]]', '[["a","eq"]]'),
        *(
            '[["a","eq","x","y"]]',
            '[["a","null","x"]]',
            '[["a","in"]]',
            '[["a","between","1"]]',
            '["xor",["a","null"]]',
        ),
        json.dumps([["a", "in", *("x" for _ in range(1001))]]),
        json.dumps([["a", "null"]] * 101),
        '["or",["or",["or",["or",["or",["or",["a","null"]]]]]]]',
        "9" * 5000,
    ],
)
def test_what_no_link_holds_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        conditions.unpack(text)


def test_conditions_are_told_in_words() -> None:
    many = Condition("id", "in", tuple(str(number) for number in range(12)))
    group = Group(
        (
            Condition("status", "eq", ("open",)),
            Condition("opened_at", "last", ("7", "days")),
            Group((Condition("rating", "between", ("3", "5")), Condition("rating", "null")), any=True),
            Group((Condition("note", "eq", ("",)),), any=True),
            Group(),
        )
    )
    assert conditions.words(group) == (
        "status is open and opened_at is in the last 7 days and (rating is between 3 and 5 or rating has no value)"
        " and note is “”"
    )
    assert conditions.words(conditions.EVERY) == ""
    assert conditions.word(many) == "id is one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert conditions.word(Condition("a\nb\0", "eq", ("x and y, \ud800",))) == "a b? is “x and y, ?”"
    assert len(conditions.word(Condition("x" * 500, "eq", ("y" * 5000,)))) < 200
    assert [one.column for one in conditions.each(group)] == ["status", "opened_at", "rating", "rating", "note"]
    less = conditions.without(group, Condition("note", "eq", ("",)))
    assert conditions.words(less).endswith("has no value)")
    assert conditions.without(less, Condition("status", "eq", ("open",))).parts[0] == group.parts[1]


COLUMNS = """
    id int, text text, short varchar(20), padded character(4), number int, amount numeric, share double precision,
    real real, flag boolean, mood mood, stars stars, day date, moment timestamp, at timestamptz, doc json, docb jsonb,
    bytes bytea, tags text[], short_tags varchar(9)[], numbers int[], docs json[], place point, span int4range,
    uuid uuid, address inet, length interval, pair pair, "o'dd ""50%" text
"""
ROWS = [
    """(1, 'Open 50%', 'Ab', 'ab', 3, 1.50, 0.1, 0.1, true, 'sad', 3, '2026-03-01', '2026-03-01 23:30',
        '2026-03-01 23:30+00', '{"a": 1}', '{"a": 1, "b": {"c": "x"}, "flag": false}', '\\x00ff', '{a,b}', '{a,b}',
        '{1,2}', ARRAY['{"a": 1}'::json], '(1,2)', '[1,5)', '00000000-0000-0000-0000-000000000001', '10.0.0.1',
        '1 day', (1, 'b'), 'x')""",
    """(2, 'open_issue\\', 'ab', 'abc', 10, 20, 2.5, 2.5, false, 'happy', 5, '2026-03-02', '2026-03-02 00:00',
        '2026-03-02 00:00+01', '[1, 2]', '[1, "k"]', '\\x', '{}', '{}', '{}', '{}', '(0,0)', 'empty',
        '00000000-0000-0000-0000-000000000002', '10.0.0.0/8', '1 hour', (NULL, NULL), 'it''s 50%')""",
    "(3)",
    """(4, '', 'x', 'x', -5, 'NaN', 'Infinity', 'NaN', true, 'sad', 1, 'infinity', '-infinity', 'infinity', 'null',
        'null', '\\x5c25', ARRAY[NULL], NULL, '{2,3}', NULL, NULL, '(,)', NULL, '::1', '-1 day', NULL, '')""",
]
FOUND: list[tuple[str, str, tuple[str, ...], list[int]]] = [
    ("text", "eq", ("Open 50%",), [1]),
    ("text", "eq", ("",), [4]),
    ("text", "ne", ("Open 50%",), [2, 3, 4]),
    ("text", "contains", ("OPEN",), [1, 2]),
    ("text", "contains", ("%",), [1]),
    ("text", "contains", ("_",), [2]),
    ("text", "contains", ("\\",), [2]),
    ("text", "contains", ("",), [1, 2, 4]),
    ("text", "lacks", ("open",), [3, 4]),
    ("text", "starts", ("OPEN_",), [2]),
    ("text", "ends", ("50%",), [1]),
    ("text", "regex", ("^open .*%$",), [1]),
    ("text", "regex", ("(?c)^open",), [2]),
    ("text", "in", ("", "Open 50%", ""), [1, 4]),
    ("text", "notin", ("", "Open 50%"), [2, 3]),
    ("text", "empty", (), [4]),
    ("text", "null", (), [3]),
    ("text", "notnull", (), [1, 2, 4]),
    ("text", "between", ("O", "P"), [1]),
    ("short", "eq", ("ab",), [2]),
    ("short", "starts", ("ab",), [1, 2]),
    ("padded", "eq", ("ab",), [1]),
    ("padded", "ends", ("b",), [1]),
    ("padded", "in", ("abc", "abcd"), [2]),
    ("number", "eq", ("10",), [2]),
    ("number", "eq", (" 10 ",), [2]),
    ("number", "ge", ("-5",), [1, 2, 4]),
    ("number", "gt", ("5000000000",), []),
    ("number", "ne", ("10",), [1, 3, 4]),
    ("number", "between", ("3", "10"), [1, 2]),
    ("number", "contains", ("1",), [2]),
    ("amount", "eq", ("1.5",), [1]),
    ("amount", "eq", ("NaN",), [4]),
    ("amount", "lt", ("1e2",), [1, 2]),
    ("share", "eq", ("0.1",), [1]),
    ("share", "gt", ("2.5",), [4]),
    ("real", "eq", ("0.1",), [1]),
    ("real", "in", ("0.1", "NaN"), [1, 4]),
    ("flag", "eq", ("true",), [1, 4]),
    ("flag", "eq", ("no",), [2]),
    ("flag", "ne", ("true",), [2, 3]),
    ("mood", "eq", ("sad",), [1, 4]),
    ("mood", "gt", ("sad",), [2]),
    ("mood", "notin", ("sad",), [2, 3]),
    ("stars", "ge", ("3",), [1, 2]),
    ("stars", "eq", ("17",), []),
    ("day", "eq", ("2026-03-01",), [1]),
    ("day", "between", ("2026-03-01", "infinity"), [1, 2, 4]),
    ("moment", "eq", ("2026-03-01",), [1]),
    ("moment", "ne", ("2026-03-01",), [2, 3, 4]),
    ("moment", "le", ("2026-03-01",), [1, 4]),
    ("moment", "gt", ("2026-03-01",), [2]),
    ("moment", "between", ("2026-03-01", "2026-03-02"), [1, 2]),
    ("moment", "eq", ("2026-03-02 00:00",), [2]),
    ("at", "eq", ("2026-03-01 23:30:00+00",), [1]),
    ("at", "ge", ("2026-03-01T23:30:00Z",), [1, 4]),
    ("at", "eq", ("infinity",), [4]),
    ("doc", "contains", ('"a"',), [1]),
    ("doc", "eq", ("[1, 2]",), [2]),
    ("doc", "path", ("$.a",), [1]),
    ("doc", "haskey", ("a",), [1]),
    ("docb", "eq", ('[1,    "k"]',), [2]),
    ("docb", "path", ("$.flag",), [1]),
    ("docb", "path", ("$.a ? (@ == 1)",), [1]),
    ("docb", "path", ("$.a == 1",), [1]),
    ("docb", "path", ("$.a > 1",), []),
    ("docb", "path", ('($.b.c == "x") && $.a == 1',), [1]),
    ("docb", "path", ("exists($.b ? (@.c == 1))",), []),
    ("docb", "path", ('$[*] ? (@ == "k")',), [2]),
    ("docb", "path", ("strict $.a.b.c",), []),
    ("docb", "haskey", ("k",), [2]),
    ("docb", "null", (), [3]),
    ("bytes", "eq", ("\\x00ff",), [1]),
    ("bytes", "in", ("\\x5c25", "\\x00FF"), [1, 4]),
    ("bytes", "empty", (), [2]),
    ("tags", "has", ("a",), [1]),
    ("tags", "hasall", ("b", "a"), [1]),
    ("tags", "hasall", ("b", "c"), []),
    ("tags", "empty", (), [2]),
    ("tags", "eq", ("{a,b}",), [1]),
    ("short_tags", "has", ("b",), [1]),
    ("numbers", "has", ("2",), [1, 4]),
    ("docs", "contains", ("a",), [1]),
    ("docs", "empty", (), [2]),
    ("place", "eq", ("(1,2)",), [1]),
    ("place", "in", ("(1,2)", "(0,0)"), [1, 2]),
    ("span", "eq", ("[1,4]",), [1]),
    ("uuid", "gt", ("00000000-0000-0000-0000-000000000001",), [2]),
    ("address", "eq", ("10.0.0.1/32",), [1]),
    ("length", "between", ("0", "60 minutes"), [2]),
    ("pair", "eq", ("(1,b)",), [1]),
    ("pair", "null", (), [3, 4]),
    ("pair", "notnull", (), [1, 2]),
    ("o'dd \"50%", "contains", ("50%",), [2]),
    ("o'dd \"50%", "eq", ("it's 50%",), [2]),
]
REFUSED = [
    ("number", "eq", "x", "integer"),
    ("number", "eq", "٣", "integer"),
    ("stars", "ge", "4.5", "stars"),
    ("mood", "eq", "it's %s {x} \\", "mood"),
    ("day", "ge", "2026-02-30", "date"),
    ("at", "le", "2026-02-30", "timestamp with time zone"),
    ("at", "ge", "yesterdayish", "timestamp with time zone"),
    ("text", "regex", "(", "regular expression"),
    ("docb", "path", "$.a[", "JSON path"),
    ("numbers", "has", "x", "integer[]"),
    ("uuid", "in", "x", "uuid"),
    ("at", "last", "999999999 years", "span of time"),
]


@pytest.fixture
def things(data: database.Connection, execute: Execute) -> Table:
    execute(
        "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN stars AS int CHECK (value < 6);"
        "CREATE TYPE pair AS (a int, b text)"
    )
    execute(f"CREATE TABLE things ({COLUMNS}); SET timezone = 'UTC'; INSERT INTO things VALUES {', '.join(ROWS[:2])}")
    execute(f"INSERT INTO things VALUES {ROWS[3]}; INSERT INTO things (id) VALUES {ROWS[2]}")
    data.cursor().execute("SET timezone = 'UTC'")
    return Table(data, "things")


def test_each_condition_finds_its_rows(things: Table) -> None:
    wrong = []
    for column, operator, values, ids in FOUND:
        condition = Condition(column, operator, values)
        things.check(condition)
        if (found := things.ids(condition)) != ids:
            wrong.append((condition, found))
    assert wrong == []
    assert {operator for _, operator, _, _ in FOUND} | {"last"} == set(conditions.OPERATORS)

    # Whatever is offered for a column can be asked of it.
    given = {"": (), "text": ("%",), "pattern": ("x",), "path": ("$.x",), "span": ("2", "weeks")}
    for field in things.fields:
        (sample,) = reading.read(
            things.connection,
            things.relation,
            queries.compose(
                relations.SQL.sample,
                columns=condition_sql.text_of(field),
                relation=things.relation.identifier,
                condition=psycopg2.sql.SQL(""),
                limit=psycopg2.sql.Literal(1),
            ),
        )
        for operator in conditions.operators(field):
            known = conditions.OPERATORS[operator]
            value = "1" if known.values == "element" else str(sample[0])
            values = given.get(known.values, (value,) * known.least)
            things.ids(Condition(field.column.name, operator, values))


def test_conditions_are_combined(things: Table) -> None:
    sad, odd = Condition("mood", "eq", ("sad",)), Condition("number", "in", ("3", "10"))
    assert things.ids(sad, odd) == [1]
    assert things.ids(sad, odd, any=True) == [1, 2, 4]
    assert things.ids(Condition("id", "lt", ("4",)), Group((sad, Group((odd,))), any=True)) == [1, 2]
    assert things.ids(Group((sad, odd), any=True), Group((Condition("id", "eq", ("4",)),))) == [4]
    assert things.where(Group((Group(), Group((Group(),), any=True)))) is None


def test_a_value_that_is_none_is_told_in_one_line_and_harms_nothing(things: Table) -> None:
    for column, operator, value, wanted in REFUSED:
        values = tuple(value.split()) if operator == "last" else (value,)
        things.connection.cursor().execute("SET LOCAL work_mem = '9MB'")
        with pytest.raises(ConditionError) as error:
            things.check(Condition("text", "contains", ("x",)), Condition(column, operator, values))
        said = str(error.value)
        assert column in said
        assert value.split()[0] in said
        assert f"is no {'' if ' ' in wanted and 'time zone' not in wanted else 'value of '}{wanted}" in said
        assert "\n" not in said
        cursor = things.connection.cursor()
        cursor.execute("SHOW work_mem")
        assert cursor.fetchone() == ("9MB",)  # the transaction lives
        # Without a check, the statement itself is refused as kindly.
        if operator not in ("last", "path"):
            with pytest.raises(catalog.CatalogError):
                things.ids(Condition(column, operator, values))
            things.connection.rollback()
            things.connection.cursor().execute("SET timezone = 'UTC'")


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800"])
def test_a_text_that_no_database_has_is_refused(things: Table, text: str) -> None:
    for column, operator in (("text", "eq"), ("text", "contains"), ("docb", "path"), ("tags", "has"), ("at", "ge")):
        with pytest.raises(ConditionError, match="no text in a database"):
            things.where(Group((Condition(column, operator, (text,)),)))
    with pytest.raises(catalog.CatalogError):
        things.where(Group((Condition(text, "null"),)))


def test_what_does_not_fit_its_column_is_refused(things: Table) -> None:
    for condition in (
        Condition("flag", "contains", ("x",)),
        Condition("text", "last", ("7", "days")),
        Condition("day", "last", ("7", "hours")),
        Condition("at", "last", ("-7", "days")),
        Condition("at", "last", ("0", "days")),
        Condition("at", "last", ("7", "days'; --")),
        Condition("docs", "has", ("x",)),
        Condition("text", "eq"),
        Condition("at", "eq"),
        Condition("text", "like", ("x",)),
    ):
        with pytest.raises(ConditionError):
            things.where(Group((condition,)))
    with pytest.raises(catalog.CatalogError, match="There is: text"):
        things.where(Group((Condition("txet", "null"),)))


def test_the_last_days_end_now(data: database.Connection, execute: Execute) -> None:
    execute(
        "CREATE TABLE days AS SELECT n AS id, current_date - n AS day, localtimestamp - n * '1 day'::interval AS"
        " moment, now() - n * '1 day'::interval AS at FROM generate_series(-2, 9) AS n"
    )
    days = Table(data, "days")
    assert days.ids(Condition("day", "last", ("7", "days"))) == [*range(7)]
    assert days.ids(Condition("moment", "last", ("1", "weeks"))) == [*range(7)]
    assert days.ids(Condition("at", "last", ("100", "hours"))) == [*range(5)]


def test_times_are_those_of_the_readers_zone_and_mean_the_same_in_a_link(things: Table) -> None:
    berlin, day = "Europe/Berlin", Condition("at", "eq", ("2026-03-02",))
    assert things.ids(day, zone="UTC") == []
    assert things.ids(day, zone=berlin) == [1, 2]
    group = conditions.anchored(things.fields, Group((day,)), berlin)
    assert group == Group(
        (Condition("at", "between", ("2026-03-02 00:00:00+01:00", "2026-03-02 23:59:59.999999+01:00")),)
    )
    assert conditions.anchored(things.fields, group, "America/New_York") == group
    for condition, expected in (
        (Condition("at", "ge", ("2026-07-01T09:30",)), ("2026-07-01 09:30:00+02:00",)),
        (Condition("at", "lt", ("2026-07-01 9:30:01.5",)), ("2026-07-01 09:30:01.500000+02:00",)),
        (Condition("at", "le", ("2026-07-01",)), ("2026-07-01 23:59:59.999999+02:00",)),
        (Condition("at", "in", ("2026-07-01", "infinity")), ("2026-07-01 00:00:00+02:00", "infinity")),
        (Condition("at", "eq", ("2026-07-01 00:00-05",)), ("2026-07-01 00:00-05",)),
        (Condition("moment", "le", ("2026-07-01",)), ("2026-07-01 23:59:59.999999",)),
        (Condition("day", "le", ("2026-07-01",)), ("2026-07-01",)),
        (Condition("text", "eq", ("2026-07-01",)), ("2026-07-01",)),
        (Condition("gone", "eq", ("2026-07-01",)), ("2026-07-01",)),
        (Condition("at", "last", ("7", "days")), ("7", "days")),
    ):
        ((settled),) = conditions.anchored(things.fields, Group((condition,)), berlin).parts
        assert isinstance(settled, Condition)
        assert (settled.column, settled.operator, settled.values) == (condition.column, condition.operator, expected)
    assert things.ids(Condition("at", "ne", ("2026-03-02",)), zone=berlin) == [3, 4]
    for zone in ("Europe/Atlantis", "../../etc/passwd", "", "\0"):
        with pytest.raises(ConditionError, match="no time zone"):
            things.ids(day, zone=zone)


def test_an_index_serves_what_it_can(data: database.Connection, execute: Execute) -> None:
    execute(
        "CREATE TABLE served AS SELECT n AS id, n::bigint AS big, n::numeric AS amount, n::float8 AS share, n::text AS"
        " name, '2026-01-01 00:00+00'::timestamptz + n * '1 hour'::interval AS at, jsonb_build_object('k', n) AS doc,"
        " ARRAY[n] AS numbers FROM generate_series(1, 3000) AS n"
    )
    for index in ("(big)", "(amount)", "(share)", "(name)", "(at)", "USING gin (doc)", "USING gin (numbers)"):
        execute(f"CREATE INDEX ON served {index}")
    execute("ANALYZE served")
    served = Table(data, "served")
    for column, operator, *values in (
        ("big", "eq", "17"),
        ("big", "between", "17", "19"),
        ("big", "in", "17", "19"),
        ("amount", "eq", "17"),
        ("share", "ge", "2999.5"),
        ("name", "eq", "17"),
        ("name", "in", "17", "19"),
        ("at", "eq", "2026-01-02"),
        ("doc", "path", "$.k == 17"),
        ("doc", "haskey", "x"),
        ("numbers", "has", "17"),
    ):
        where = served.where(Group((Condition(column, operator, tuple(values)),)), "UTC")
        assert where is not None
        cursor = data.cursor()
        cursor.execute(psycopg2.sql.SQL("EXPLAIN SELECT FROM served AS r WHERE ") + where)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "Index Cond" in plan, (column, operator, plan)


def test_every_type_of_the_server_can_be_asked_for(data: database.Connection, execute: Execute) -> None:
    types = execute(
        "SELECT format_type(oid, -1) FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typisdefined"
        " AND typtype IN ('b', 'd', 'e', 'r', 'm') AND typname !~ '^_?pg_(ndistinct|dep|mcv|brin|node)'"
        " AND typelem NOT IN (SELECT oid FROM pg_type WHERE typtype IN ('c', 'p')) ORDER BY typname"
    )
    columns = ", ".join(f"c{number} {name}" for number, (name,) in enumerate(types))
    execute(f"CREATE TABLE every ({columns}, id int)")
    every = Table(data, "every")
    assert len(every.fields) > 150
    given = {"text": "x", "pattern": "x", "path": "$"}
    for field in every.fields:
        for operator in conditions.operators(field):
            if (kind := operators.OPERATORS[operator].values) in ("typed", "element", "span"):
                continue
            values = (given[kind],) if kind else ()
            assert every.ids(Condition(field.column.name, operator, values)) == [], (field, operator)
        if not field.sortable:
            assert every.ids(Condition(field.column.name, "eq", ("x",))) == []


def test_paths_that_say_something_are_told_from_those_that_lead_somewhere() -> None:
    says = ["$.a > 1", "($.a > 1)", '$.a starts with "x"', "!($.a == 1)", "exists($.a)", "($.a == 1) is unknown"]
    says += ['$."a" like_regex "^x"', "$.a ? (@ > 1) == 3"]
    leads = [
        "$",
        "$.a",
        '$."a > 1"',
        "$.a ? (@ > 1)",
        "$.a ? (@.b ? (@ > 1) == 2).c",
        "$[0 to 1]",
        "$.exists",
        "$.starts",
    ]
    leads += ["$.a ? (exists(@.b) && (@.c == 1))", "lax $.a.size()", "$[$.n - 1]", ""]
    for path, wanted in itertools.chain(((one, True) for one in says), ((one, False) for one in leads)):
        assert condition_sql._says(path) is wanted, path
