"""What the work of a run promises: every row once, nothing half-done, nothing twice, nobody's data touched."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import functools
import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import psycopg2.sql
import pytest
import sqlalchemy

from tests import servers
from tests.unit import scored
from undertone import catalog, chunks, classifier, cutting, database, embedded, jobs, scores, scoring, writing

Execute = scored.Execute


@pytest.fixture(scope="session")
def model(model_cache: pathlib.Path) -> classifier.Classifier:
    return classifier.load_classifier(threads=1, cache=model_cache)


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


@dataclasses.dataclass
class Pair:
    """The data and the store as one database, or as two of other habits; many tests share them, so name tables anew."""

    bench: scored.Bench
    data: Execute  # statements in the data, as the superuser
    store: Execute
    ways: tuple[tuple[int, str], ...]  # chunk sizes and conditions of runs; () for chunks of 1 and of all rows


HABITS = {
    "datestyle": "SQL, DMY",
    "timezone": "Asia/Kolkata",
    "intervalstyle": "iso_8601",
    "bytea_output": "escape",
    "extra_float_digits": "-5",
}
MOOD = "CREATE TYPE mood AS ENUM ('low', 'Mid dle', 'high', 'a''b', '評 %s')"


@pytest.fixture(scope="module", params=["one database", "two databases"])
def pair(server: servers.Postgresql, request: pytest.FixtureRequest) -> Iterator[Pair]:
    store, data = "chunks_store", "chunks_store" if request.param == "one database" else "chunks_data"

    def execute(place: str, statement: object, parameters: object = None) -> list[tuple[object, ...]]:
        with contextlib.closing(psycopg2.connect(**server.dsn(database=place))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []

    execute("postgres", f"CREATE DATABASE {store} TEMPLATE undertone OWNER {embedded.OWNER}")
    if data != store:
        execute("postgres", f"CREATE DATABASE {data} TEMPLATE template0")
        for setting, value in HABITS.items():
            execute("postgres", f"ALTER DATABASE {data} SET {setting} = '{value}'")
    execute(data, f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; {MOOD}")
    execute(data, "GRANT USAGE ON SCHEMA public TO PUBLIC")

    def pool(role: str, place: str, **options: Any) -> database.Database:
        port = server.dsn()["port"]
        address = sqlalchemy.URL.create("postgresql+psycopg2", role, host="127.0.0.1", port=port, database=place)
        return database.Database(address, size=5, **options)

    bench = scored.Bench(
        pool(embedded.READER, data, name="data", read_only=True), pool(embedded.OWNER, store, name="store")
    )
    yield Pair(
        bench,
        functools.partial(execute, data),
        functools.partial(execute, store),
        () if data == store else ((3, ""), (3, "r.body IS NOT NULL")),
    )
    bench.data.close()
    bench.store.close()
    for place in {data, store}:
        execute("postgres", f"DROP DATABASE {place} WITH (FORCE)")


def fill(execute: Execute, rows: int, body: str = "'good text ' || n") -> None:
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text, kind text)")
    execute(f"INSERT INTO texts SELECT n, {body}, 'kind ' || n % 3 FROM generate_series(1, {rows}) AS n")


def log_states(execute: Execute) -> Callable[[], list[object]]:
    """From now on every state that a run comes to is noted; returns what asks for them."""
    execute("CREATE TABLE scores.log (n int GENERATED ALWAYS AS IDENTITY, state text)")
    execute(
        "CREATE FUNCTION scores.note() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO scores.log (state) VALUES (NEW.state); RETURN NEW; END $$"
    )
    execute("CREATE TRIGGER note AFTER UPDATE OF state ON undertone.runs FOR EACH ROW EXECUTE FUNCTION scores.note()")
    return lambda: [row[0] for row in execute("SELECT state FROM scores.log ORDER BY n")]


# --- cutting

HOSTILE = [
    "plain",
    "",
    " ",
    "it's",
    'double "quotes"',
    "line\nfeed",
    "carriage\rreturn",
    "tab\tstop",
    r"back\slash",
    r"\N",
    r"\.",
    r"\x00 \u0000 \0",
    "{a,b}",
    "(1,2)",
    "NULL",
    "null",
    "%s %(x)s 100%",
    ":name $1 $$",
    "👍🏳️‍🌈",
    "評論",
    "отзыв",
    "é",
    "e\u0301",
    "\x01\x7f",
    "Z",
    "a",
    "z" * 600,
]
KEYS: dict[str, tuple[list[str], list[tuple[object, ...]]]] = {
    "bigint": (["bigint"], [(str(n),) for n in (-(2**63), -10, -9, -1, 0, 1, 2, 9, 10, 11, 100, 2**63 - 1)]),
    "uuid": (["uuid"], [(f"{n:08x}-0000-4000-8000-{n * 7 % 13:012x}",) for n in range(10)]),
    "text": (["text"], [(value,) for value in HOSTILE]),
    "char": (["character(5)"], [("a",), ("ab",), ("abcde",), ("",), ("b c",), ("é",)]),
    "text, int": (["text", "int"], [(value, n) for value in HOSTILE[:7] for n in (-1, 2, 10)]),
    "int, text": (["int", "text"], [(n, value) for value in HOSTILE[-7:] for n in (-1, 2, 10)]),
    "timestamptz": (
        ["timestamptz"],
        [(f"2024-03-31 0{n // 3}:59:59.{999_990 + n:06d}+00",) for n in range(9)]
        + [("infinity",), ("-infinity",), ("0044-03-15 12:00:00.000001+00 BC",), ("2024-01-02 00:00+00",)],
    ),
    "timestamp": (["timestamp"], [("2024-02-01 00:00:00.000001",), ("2024-01-02 00:00",), ("infinity",)]),
    "numeric": (
        ["numeric"],
        [
            (value,)
            for value in ("1.10", "-0.001", "1e30", "10", "9", "NaN", "Infinity", "0.1000000000000000001", "0.1")
        ],
    ),
    "double": (
        ["double precision"],
        [(value,) for value in ("0.1", "0.30000000000000004", "0.3", "1e300", "NaN", "-1")],
    ),
    "date": (["date"], [("2024-02-29",), ("2024-03-02",), ("2024-02-03",), ("0001-01-01 BC",), ("infinity",)]),
    "enum": (["mood"], [("low",), ("Mid dle",), ("high",), ("a'b",), ("評 %s",)]),
    "boolean, bytea": (
        ["boolean", "bytea"],
        [(yes, rb"\x00%b" % bytes([n])) for yes in (True, False) for n in (0, 39, 92)],
    ),
    "interval": (
        ["interval"],
        [("1 mon",), ("-1 days 02:03:04.000005",), ("-1 mon -2 days",), ("36:00",), ("2 days",)],
    ),
    "jsonb": (["jsonb"], [('{"a": "\\"%"}',), ("[1, 2]",), ("null",), ("1.50",), ('"{a}"',)]),
    "int[]": (["int[]"], [([],), ([1, 2],), ([10],), ([9, None],), ([3],)]),
    "bit, varbit": (["bit(3)", "bit varying(5)"], [(f"{n:03b}", f"{n:b}") for n in range(6)]),
    "decimal, varchar": (["numeric(9,2)", "varchar(9)"], [(f"{n}.10", "x" * n) for n in range(6)]),
    "timestamptz(0)": (["timestamptz(0)"], [(f"2024-10-27 00:00:0{n}+00",) for n in range(6)]),
    "real": (["real"], [(value,) for value in ("0.1", "16777216", "1e-30", "3.4e38", "-Infinity", "NaN")]),
}


def make_keys(execute: Execute, table: str, kind: str) -> list[str]:
    """A table filled with a kind of key, in no order; the names of its columns."""
    types, values = KEYS[kind]
    names = [f"k{n}" for n in range(len(types))]
    columns = ", ".join(f"{name} {type_}" for name, type_ in zip(names, types, strict=True))
    execute(f"CREATE TABLE {table} ({columns}, body text, PRIMARY KEY ({', '.join(names)}))")
    rows = ", ".join("({}, 'good')".format(", ".join(f"%s::{type_}" for type_ in types)) for _ in values)
    execute(f"INSERT INTO {table} VALUES {rows}", [value for row in values for value in row])
    return names


@pytest.mark.parametrize("kind", KEYS)
def test_chunks_cover_every_row_once_whatever_the_key(pair: Pair, kind: str) -> None:
    table = f"keyed_{list(KEYS).index(kind)}"
    names = make_keys(pair.data, table, kind)
    rows = len(KEYS[kind][1])
    keys = ", ".join(names)
    # Every fourth, far enough apart to be a list of keys, two a chunk.
    change = "UPDATE {0} SET body = body || '!' FROM (SELECT {1}, row_number() OVER (ORDER BY {1}) AS n FROM {0}) AS o"
    change = f"{change.format(table, keys)} WHERE ({', '.join(f'{table}.{name}' for name in names)}) = "
    change = f"{change} ({', '.join(f'o.{name}' for name in names)}) AND o.n % 4 = 1"
    some = -(-rows // 4)
    shown = ", ".join(f"{name}::text" for name in names)
    same = "SET datestyle = 'ISO'; SET timezone = 'UTC'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'"
    ask = f"{same}; SET extra_float_digits = 3; SELECT {shown} FROM "
    # Read as it is, and as a person's condition has it read: through the lane.
    for size, condition in pair.ways or ((1, ""), (rows, "r.body IS NOT NULL")):
        bench = dataclasses.replace(pair.bench, model=scored.Fake(f"{size} {condition}"))
        before = scored.fingerprint(pair.data)
        run = bench.run(table, chunk_rows=size, condition=condition)
        assert (run.state, run.rows_total, run.chunks) == ("finished", rows, -(-rows // size))
        assert (run.rows, run.unchanged, run.scored, run.failed) == (rows, 0, rows, 0)
        planned = pair.store("SELECT rows_planned, rows_read FROM undertone.chunks WHERE run_id = %s", (run.id,))
        assert all(before == after for before, after in planned)
        assert sorted(pair.store(f"{ask} scores.{table}")) == sorted(pair.data(f"{ask} public.{table}"))
        again = bench.run(table, chunk_rows=size, condition=condition)
        assert (again.state, again.chunks, again.rows, again.unchanged) == ("finished", 0, rows, rows)
        assert scored.fingerprint(pair.data) == before

        pair.data(change)
        run = bench.run(table, chunk_rows=2, condition=condition)
        assert (run.state, run.rows, run.scored, run.unchanged) == ("finished", rows, some, rows - some)
        lists = "SELECT jsonb_array_length(keys), last_key IS NULL FROM undertone.chunks WHERE run_id = %s"
        found = pair.store(f"{lists} ORDER BY number", (run.id,))
        assert found == [(2, True)] * (some // 2) + [(None, False)] * (some % 2)
        assert sorted(pair.store(f"{ask} scores.{table}")) == sorted(pair.data(f"{ask} public.{table}"))
        assert pair.store(f"SELECT count(*) FROM scores.{table} WHERE run_id = %s", (run.id,)) == [(some,)]


def test_context_of_any_type_is_kept_and_compared(pair: Pair) -> None:
    pair.data("CREATE DOMAIN grade AS int CHECK (VALUE > 0)")
    types = "m mood, g grade, c character(4), v varchar(9), b bit(3), n numeric(9, 2), t timestamptz(0), d date, f real"
    types += ", i interval, j json, x jsonb, p point, a text[], y bytea, u uuid, r int4range, moods mood[]"
    pair.data(f"CREATE TABLE contexts (id int PRIMARY KEY, body text, {types})")
    pair.data(
        "INSERT INTO contexts VALUES (1, 'good', 'high', 3, 'abc', 'abc', B'101', 1.5, '2024-02-03 04:05:06+00',"
        " make_date(2024, 2, 3), 0.1, '-1 days 02:03', '{\"a\":  1}', '{\"a\":  1}', '(1,0.1)', '{a,\"b\\\\c\",NULL}',"
        " 'x\\001y', '00000000-0000-4000-8000-000000000000', '[1,5)', '{low,NULL}')"
    )
    pair.data("INSERT INTO contexts VALUES (2, 'bad')")
    bench = dataclasses.replace(pair.bench, model=scored.Fake())
    context = [column.split()[0] for column in types.replace("(9, 2)", "").split(", ")]
    run = bench.run("contexts", context=context)
    kept = {column.name: column.stored_type for column in run.source.context}
    unknown = pair.store("SELECT to_regtype('mood') IS NULL") == [(True,)]
    assert (kept["m"], kept["g"], kept["moods"]) == (("text",) * 3 if unknown else ("mood", "grade", "mood[]"))
    assert (kept["c"], kept["b"], kept["n"], kept["t"]) == ("bpchar", '"bit"', "numeric", "timestamp with time zone")
    shown = ", ".join(f"{name}::text" for name in context)
    found = pair.store(f"SET timezone = 'UTC'; SELECT {shown} FROM scores.contexts ORDER BY id")
    assert found == [
        (
            *("high", "3", "abc", "abc", "101", "1.50", "2024-02-03 04:05:06+00", "2024-02-03", "0.1"),
            *("-1 days +02:03:00", '{"a":  1}', '{"a": 1}', "(1,0.1)", '{a,"b\\\\c",NULL}', "\\x780179"),
            *("00000000-0000-4000-8000-000000000000", "[1,5)", "{low,NULL}"),
        ),
        (None,) * 18,
    ]
    again = bench.run("contexts", context=context)
    assert (again.unchanged, again.scored) == (2, 0)


def test_an_empty_table_is_finished_at_once(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 0)
    run = bench.plan("texts")
    assert bench.cut(run) == 0
    ended = bench.get(run)
    assert (ended.state, ended.rows_total, ended.chunks, ended.share) == ("finished", 0, 0, 1.0)
    assert ended.finished_at is not None
    assert bench.cut(run) == 0


def test_a_run_is_cut_once(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 5)
    run = bench.plan("texts", chunk_rows=2)
    assert [bench.cut(run), bench.cut(run)] == [3, 0]
    assert bench.get(run).chunks == 3
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        other = bench.plan("texts", "kind", chunk_rows=2)
        assert sorted(pool.map(lambda _: bench.cut(other), range(4))) == [0, 0, 0, 3]
    assert bench.get(other).chunks == 3


def test_of_many_chunks_a_few_are_in_the_queue(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 2001)
    run = bench.plan("texts", chunk_rows=1)
    assert bench.cut(run) == 2001
    found = bench.get(run)
    assert (found.chunks, found.rows_total) == (2001, 2001)
    queued = "SELECT (args ->> 'number')::int FROM undertone.procrastinate_jobs WHERE task_name = 'score_chunk'"
    assert [row[0] for row in execute(f"{queued} ORDER BY id")] == list(range(1, scoring.QUEUED + 1))


ODD_NAMES = {
    "schema": 'Sch"ema 100%',
    "table": "Täble %s (x) :y 評論; DROP",
    "key": 'The "Key" %(k)s',
    "text": "Te'xt\\ $$ %",
    "context": "Übrige % 👍",
}


def test_names_may_be_anything(bench: scored.Bench, execute: Execute) -> None:
    name = {kind: psycopg2.sql.Identifier(value) for kind, value in ODD_NAMES.items()}
    for statement in (
        "CREATE SCHEMA {schema}",
        "CREATE TABLE {schema}.{table} ({key} text PRIMARY KEY, {text} text, {context} text)",
        "INSERT INTO {schema}.{table} VALUES ('100%', 'good', '%s'), ('%(k)s', 'bad', ':x')",
        "GRANT USAGE ON SCHEMA {schema} TO PUBLIC",
        "GRANT SELECT ON {schema}.{table} TO PUBLIC",
    ):
        execute(psycopg2.sql.SQL(statement).format(**name))
    run = bench.run(ODD_NAMES["table"], ODD_NAMES["text"], context=[ODD_NAMES["context"]], chunk_rows=1)
    assert run.source.name == ODD_NAMES["table"]
    assert bench.scores(run.source, ODD_NAMES["key"], ODD_NAMES["context"], "label") == [
        ("%(k)s", ":x", "NEGATIVE"),
        ("100%", "%s", "POSITIVE"),
    ]
    labels = [found.label for found in bench.data.ask(catalog.relations) if found.schema != "scores"]
    assert bench.run(labels[0], ODD_NAMES["text"], context=[ODD_NAMES["context"]]).unchanged == 2


def test_a_key_may_be_called_as_anything_in_our_own_statements(bench: scored.Bench, execute: Execute) -> None:
    names = [
        "position",
        "more",
        "keys",
        "numbered",
        "left",
        "md5",
        "r",
        "k0",
        "c0",
        "n",
        "s",
        "asked",
        "incoming",
        "reason",
        "text_hash",
        "ordinality",
    ]
    for name in names:
        execute(f'CREATE TABLE "of {name}" ("{name}" int PRIMARY KEY, body text, also int)')
        execute(f"INSERT INTO \"of {name}\" SELECT n, 'good', n FROM generate_series(8, 12) AS n")
        run = bench.run(f"of {name}", chunk_rows=2, context=["also"])
        assert (run.state, run.scored) == ("finished", 5), name
        again = bench.run(f"of {name}", chunk_rows=3, context=["also"])
        assert (again.state, again.unchanged) == ("finished", 5), name


def test_a_view_a_materialised_view_and_a_partitioned_table(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE TABLE parts (id int, body text, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    execute("CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (5)")
    execute("CREATE TABLE high PARTITION OF parts FOR VALUES FROM (5) TO (100)")
    execute("INSERT INTO parts SELECT n, 'good' FROM generate_series(0, 9) AS n")
    execute("CREATE VIEW seen AS SELECT id * 10 AS nr, body || '!' AS said, id AS id FROM parts WHERE id < 7")
    execute("CREATE MATERIALIZED VIEW kept AS SELECT * FROM seen; GRANT SELECT ON kept TO PUBLIC")
    assert bench.run("parts", chunk_rows=3).scored == 10
    assert bench.run("seen", "said", key=["nr"], chunk_rows=3).scored == 7
    assert bench.run("kept", "said", key=["id", "nr"], chunk_rows=3).scored == 7
    assert bench.scores(bench.run("seen", "said", key=["nr"]).source, "nr")[:2] == [(0,), (10,)]


def test_the_text_may_be_json_or_a_domain(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE DOMAIN remark AS varchar(50)")
    execute("CREATE TABLE odd (id int PRIMARY KEY, doc jsonb, said remark, c character(8))")
    execute("INSERT INTO odd VALUES (1, '{\"a\": \"good\"}', 'good', 'good')")
    for column, read in (("doc", '{"a": "good"}'), ("said", "good"), ("c", "good")):
        assert bench.run("odd", column).scored == 1
        assert bench.model.asked[-1] == read
        assert bench.run("odd", column).unchanged == 1


# --- scoring


def test_scoring_a_chunk_again_does_nothing(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 10)
    run = bench.plan("texts", chunk_rows=5)
    bench.cut(run)
    assert [bench.score(run, 1), bench.score(run, 1), bench.score(run, 9)] == [True, False, False]
    assert len(bench.model.asked) == 5
    assert bench.score(run, 2)
    first = bench.scores(run.source, "id", "label", "scored_at", "run_id")
    assert sorted(row[:2] for row in first) == [(number, "POSITIVE") for number in range(1, 11)]
    assert [bench.score(run, 1), bench.score(run, 2)] == [False, False]
    assert bench.scores(run.source, "id", "label", "scored_at", "run_id") == first
    assert bench.get(run).rows == 10


def test_what_is_unchanged_is_left_and_what_is_changed_is_done_again(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 8)
    execute("UPDATE texts SET body = NULL WHERE id = 8; UPDATE texts SET body = '' WHERE id = 7")
    first = bench.run("texts", context=["kind"])
    assert (first.scored, first.empty, first.unchanged) == (6, 2, 0)
    before = bench.scores(first.source, "id", "run_id", "scored_at")

    bench.model.calls.clear()
    second = bench.run("texts", context=["kind"])
    assert (second.state, second.rows, second.unchanged, second.scored, second.empty) == ("finished", 8, 8, 0, 0)
    assert bench.model.asked == []
    assert bench.scores(first.source, "id", "run_id", "scored_at") == before

    execute("UPDATE texts SET body = 'bad now' WHERE id = 1; UPDATE texts SET kind = NULL WHERE id = 2")
    execute("UPDATE texts SET body = '' WHERE id = 8; UPDATE texts SET body = NULL WHERE id = 7")
    execute("UPDATE texts SET id = 20 WHERE id = 3; INSERT INTO texts VALUES (9, 'good', 'new')")
    third = bench.run("texts", context=["kind"])
    assert (third.rows, third.unchanged, third.scored, third.empty) == (9, 3, 4, 2)
    assert sorted(map(str, bench.model.asked)) == ["", "None", "bad now", "good"], "the other two it has seen before"
    assert (third.reused, third.vanished) == (2, 1)
    assert [row for row in bench.scores(first.source, "id", "run_id", "kind", "label") if row[1] == third.id] == [
        (1, third.id, "kind 1", "NEGATIVE"),
        (2, third.id, None, "POSITIVE"),
        (20, third.id, "kind 0", "POSITIVE"),
        (7, third.id, "kind 1", None),
        (8, third.id, "kind 2", None),
        (9, third.id, "new", "POSITIVE"),
    ]

    bench.model = scored.Fake("another@2")
    assert bench.run("texts", context=["kind"]).unchanged == 0, "another model has another opinion"


def test_nothing_to_read_is_a_row_with_a_reason(
    bench: scored.Bench, execute: Execute, model: classifier.Classifier
) -> None:
    nothing = [None, "", " ", "\n\t\r", "\u00a0\u3000", "\u200b\ufeff", "\x01\x1f"]
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text)")
    for number, text in enumerate([*nothing, "good"]):
        execute("INSERT INTO texts VALUES (%s, %s)", (number, text))
    bench.model = model
    run = bench.run("texts", chunk_rows=3)
    assert (run.rows, run.scored, run.empty) == (8, 1, 7)
    columns = ("id", "label", "confidence", "probabilities", "reason")
    found = bench.scores(run.source, *columns)
    assert found[:-1] == [(number, None, None, None, "empty") for number in range(7)]
    assert found[-1][1] == "POSITIVE"
    assert bench.run("texts").unchanged == 8


def test_every_text_is_read_by_the_model_that_ships(
    bench: scored.Bench, execute: Execute, model: classifier.Classifier
) -> None:
    texts = [value for value in HOSTILE if value.strip() and value.strip("\x01\x7f")]
    texts += [
        "good " * 200_000,
        "x" * 1_000_000,
        "é" * 300_000,
        "{}[]<>&" * 40,
        "\u202egnihton",
        "good \ue000\U0010ffff",
    ]
    texts += ["هذا فيلم رائع", "यह अच्छा है", "ดีมาก", "모두 좋아요", "שלום", "Очень плохо", "これは椅子です", "Ꮳꮃꭹ ጥሩ ነው"]
    texts += ["I love it, thank you!", "Terrible, I want my money back."]
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text)")
    for number, text in enumerate(texts):
        execute("INSERT INTO texts VALUES (%s, %s)", (number, text))
    bench.model = model
    run = bench.run("texts", chunk_rows=25)
    assert (run.state, run.rows, run.scored, run.empty) == ("finished", len(texts), len(texts), 0)
    found = {
        row[0]: row[1:]
        for row in bench.scores(run.source, "id", "label", "confidence", "probabilities", "truncated", "model_id")
    }
    assert len(found) == len(texts)
    assert {row[0] for row in found.values()} <= set(model.labels)
    assert all(row[2][row[0]] == pytest.approx(row[1], abs=1e-6) for row in found.values())
    assert all(sum(row[2].values()) == pytest.approx(1, abs=1e-4) for row in found.values())
    assert {row[4] for row in found.values()} == {model.model_id} == {run.model_id}
    assert [found[len(texts) - 2][0], found[len(texts) - 1][0]] == ["POSITIVE", "NEGATIVE"]
    truncated = {texts[number] for number, row in found.items() if row[3]}
    assert {"good " * 200_000, "x" * 1_000_000, "é" * 300_000} <= truncated
    assert not truncated & {"plain", "I love it, thank you!"}
    assert run.truncated == len(truncated)
    hashes = execute(
        "SELECT count(*) FROM texts AS t JOIN scores.texts AS s USING (id) WHERE md5(t.body)::uuid = s.text_hash"
    )
    assert hashes == [(len(texts),)]
    assert bench.run("texts").unchanged == len(texts)


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a run still goes on is looked up whenever that may be, not every half second."""
    monkeypatch.setattr(chunks, "LOOK_SECONDS", -1.0)
    monkeypatch.setattr(cutting, "NOTE_SECONDS", -1.0)


@pytest.mark.usefixtures("watchful")
def test_pausing_takes_effect_between_slices_and_nothing_is_lost(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 4 * scored.SLICE)
    for call in (1, 2, 4):
        model = bench.model = scored.Fake(f"paused at {call}")
        run = bench.plan("texts")
        bench.cut(run)
        model.before = lambda now, run=run, call=call: bench.change(run, "pause") if now == call else None
        assert not bench.score(run)
        assert len(model.calls) == call
        assert (run.id,) not in bench.scores(run.source, "run_id")
        paused = bench.get(run)
        assert (paused.state, paused.rows, paused.model_id) == ("paused", 0, model.model_id)
        assert not bench.score(run)
        model.before = lambda now: None
        assert bench.change(run, "resume").state == "running"
        assert bench.score(run)
        assert (bench.get(run).state, bench.get(run).scored) == ("finished", 4 * scored.SLICE)


@pytest.mark.usefixtures("watchful")
def test_cancelling_takes_effect_between_slices(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 3 * scored.SLICE)
    run = bench.plan("texts", chunk_rows=2 * scored.SLICE)
    bench.cut(run)
    assert bench.score(run, 2)
    bench.model.before = lambda now: bench.change(run, "cancel")
    assert not bench.score(run, 1)
    assert len(bench.scores(run.source, "id")) == scored.SLICE, "what was done before stays"
    assert (bench.get(run).state, bench.get(run).rows) == ("cancelled", scored.SLICE)
    assert not bench.score(run, 1)


def test_stopping_takes_effect_between_slices(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 3 * scored.SLICE)
    run = bench.plan("texts")
    bench.cut(run)
    with pytest.raises(jobs.Interrupted):
        bench.score(run, stop=lambda: len(bench.model.calls) == 2)
    assert len(bench.model.calls) == 2
    assert bench.scores(run.source, "id") == []
    assert (bench.get(run).state, bench.get(run).rows) == ("running", 0)
    assert bench.score(run)
    assert bench.get(run).state == "finished"


def test_chunks_that_end_together_end_the_run_once(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 8)
    states = log_states(execute)
    run = bench.plan("texts", chunk_rows=1)
    bench.cut(run)
    gate = threading.Barrier(8)
    bench.model.before = lambda call: gate.wait()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda number: bench.score(run, number), range(1, 9)))
    ended = bench.get(run)
    assert (ended.state, ended.rows, ended.chunks_done) == ("finished", 8, 8)
    assert states() == ["running", "finished"]


def test_a_chunk_that_two_do_at_once_is_written_once(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 5)
    run = bench.plan("texts")
    bench.cut(run)
    gate = threading.Barrier(3)
    bench.model.before = lambda call: gate.wait()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(lambda _: bench.score(run), range(3))) == [False, False, True]
    assert (bench.get(run).state, bench.get(run).rows, bench.get(run).scored) == ("finished", 5, 5)
    assert len(bench.scores(run.source, "id")) == 5


def test_giving_up_and_writing_a_chunk_do_not_wait_for_each_other(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 4)
    run = bench.plan("texts", chunk_rows=2)
    bench.cut(run)

    def waiting(sessions: int) -> bool:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        deadline = time.monotonic() + 60
        while execute(asked) != [(sessions,)] and time.monotonic() < deadline:
            time.sleep(0.02)
        return execute(asked) == [(sessions,)]

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        with bench.store.lend() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT FROM undertone.runs FOR UPDATE")
            giving_up = pool.submit(bench.give_up, run, 1)
            assert waiting(1)
            scoring_it = pool.submit(bench.score, run, 1)
            assert waiting(2)
        giving_up.result()
        assert scoring_it.result() is False
    assert (bench.get(run).chunks_failed, bench.get(run).rows) == (1, 0)


def test_a_worker_that_is_stopped_while_it_writes_is_let_go_by_the_server(
    bench: scored.Bench, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(execute, 2)
    run = bench.plan("texts")
    bench.cut(run)
    limits: list[object] = []
    original = writing.write

    def write(connection: database.Connection, *args: Any, **options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            limits.append(cursor.fetchone())
        original(connection, *args, **options)

    monkeypatch.setattr(writing, "write", write)
    assert bench.score(run)
    assert limits == [("20s",)]
    assert execute("SHOW idle_in_transaction_session_timeout") == [("0",)]


VANISHING = {
    'relation "public.texts" does not exist': ("texts RENAME TO gone", "gone RENAME TO texts"),
    "column r.body does not exist": ("texts RENAME body TO gone", "texts RENAME gone TO body"),
    "column r.id does not exist": ("texts RENAME id TO gone", "texts RENAME gone TO id"),
    "column r.kind does not exist": ("texts RENAME kind TO gone", "texts RENAME gone TO kind"),
}


def test_what_vanishes_is_reported_and_comes_back(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 6)
    for said, (broken, mended) in VANISHING.items():
        bench.model = scored.Fake(f"before {said}")  # so that everything is new to it
        run = bench.plan("texts", chunk_rows=3, context=["kind"])
        bench.cut(run)
        assert bench.score(run, 1)
        execute(f"ALTER TABLE {broken}")
        with pytest.raises(database.DatabaseError) as caught:
            bench.score(run, 2)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len([row for row in bench.scores(run.source, "run_id") if row == (run.id,)]) == 3
        bench.give_up(run, 2, str(caught.value))
        failed = bench.get(run)
        assert (failed.state, failed.chunks_failed, failed.chunks_done) == ("failed", 1, 1)
        assert failed.error == f"1 of 2 chunks failed; the last: {caught.value}"
        assert not bench.score(run, 2)
        execute(f"ALTER TABLE {mended}")
        assert bench.change(run, "retry").state == "running"
        assert bench.score(run, 2)
        assert (bench.get(run).state, bench.get(run).error, bench.get(run).scored) == ("finished", None, 6)


def test_a_relation_that_vanishes_before_the_cut(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 6)
    run = bench.plan("texts")
    execute("DROP TABLE texts")
    with pytest.raises(database.DatabaseError, match=r'relation "public\.texts" does not exist'):
        bench.cut(run)
    assert bench.get(run).state == "planned"


def test_a_chunk_given_up_does_not_take_a_done_one_with_it(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 6)
    run = bench.plan("texts", chunk_rows=3)
    bench.cut(run)
    bench.score(run, 1)
    bench.give_up(run, 1)
    assert bench.get(run).chunks_failed == 0
    bench.score(run, 2)
    bench.give_up(run, 2)
    assert (bench.get(run).state, bench.get(run).chunks_failed) == ("finished", 0)


def test_rows_that_come_and_go_meanwhile(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 10, body="'good'")
    execute("UPDATE texts SET id = -id; UPDATE texts SET id = id * -10")
    run = bench.plan("texts", chunk_rows=5)
    bench.cut(run)
    execute("DELETE FROM texts WHERE id <= 50; INSERT INTO texts SELECT n, 'good' FROM generate_series(51, 59) AS n")
    execute("INSERT INTO texts VALUES (1000, 'good')")
    assert [bench.score(run, 1), bench.score(run, 2)] == [True, True]
    ended = bench.get(run)
    assert (ended.state, ended.rows_total, ended.rows, ended.share) == ("finished", 10, 14, 1.0)
    assert execute("SELECT count(*) FROM texts LEFT JOIN scores.texts AS s USING (id) WHERE s.id IS NULL") == [(1,)]


def test_a_worker_with_another_model_is_refused(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 6)
    run = bench.plan("texts", chunk_rows=3)
    bench.cut(run)
    assert bench.score(run, 1)
    stranger = scored.Fake("stranger@2")
    with pytest.raises(
        scoring.ScoringError, match=r"begun with fake@1 and this worker has stranger@2 .* start a new run"
    ):
        bench.score(run, 2, model=stranger)
    assert stranger.calls == []
    assert bench.get(run).rows == 3
    assert bench.score(run, 2)
    assert {row[0] for row in bench.scores(run.source, "model_id")} == {"fake@1"}


def test_a_text_that_the_model_breaks_on_costs_itself(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 40)
    execute("UPDATE texts SET body = 'my secret' WHERE id IN (7, 8, 33)")

    def explode(call: int) -> None:
        if "my secret" in bench.model.calls[-1]:
            raise RuntimeError(f"cannot read {bench.model.calls[-1]}")

    bench.model.before = explode
    run = bench.run("texts", chunk_rows=20)
    assert (run.state, run.rows, run.scored, run.failed, run.chunks_failed) == ("finished", 40, 37, 3, 0)
    failed = bench.store.ask(scoring.failed_rows, run.id)
    assert [row.key for row in failed] == [("7",), ("8",), ("33",)]
    assert {row.reason for row in failed} == {"the model failed at it: RuntimeError"}, "nobody's text"
    assert execute("SELECT count(*) FROM scores.texts WHERE id IN (7, 8, 33)") == [(0,)]

    bench.model.before = lambda call: None
    bench.model.calls.clear()
    assert bench.change(run, "retry").state == "running"
    assert [bench.score(run, 1), bench.score(run, 2)] == [True, True]
    done = bench.get(run)
    assert (done.state, done.rows, done.scored, done.unchanged, done.failed) == ("finished", 40, 40, 0, 0)
    assert bench.model.asked == ["my secret"], "once, and nothing else again"
    assert bench.store.ask(scoring.failed_rows, run.id) == []


def test_a_model_that_breaks_on_everything_fails_the_chunk(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 6)
    run = bench.plan("texts", chunk_rows=3)
    bench.cut(run)

    def explode(call: int) -> None:
        raise RuntimeError("no memory at all")

    bench.model.before = explode
    with pytest.raises(RuntimeError):
        bench.score(run, 1)
    assert bench.scores(run.source, "id") == []
    assert bench.store.ask(scoring.failed_rows, run.id) == []
    bench.model.before = lambda call: None
    assert bench.score(run, 2)
    assert bench.score(run, 1)
    assert bench.get(run).state == "finished"


def test_a_row_that_cannot_be_read_costs_itself(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 30)
    execute("CREATE VIEW seen AS SELECT id, 'good ' || (6 / (id % 13 - 5)) AS body FROM texts")
    # With a condition it is read through the lane.
    for condition in ("", "id > 0"):
        bench.model = scored.Fake(f"reads {condition}")
        run = bench.run("seen", key=["id"], chunk_rows=12, condition=condition)
        assert (run.state, run.rows, run.scored, run.failed, run.error) == ("finished", 30, 28, 2, None)
        failed = bench.store.ask(scoring.failed_rows, run.id)
        assert [(row.key, row.reason) for row in failed] == [
            (("5",), "division by zero"),
            (("18",), "division by zero"),
        ]


def test_a_second_row_of_the_same_key_costs_itself(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 10)
    execute("CREATE VIEW seen AS SELECT id % 100 AS nr, body FROM texts")
    run = bench.plan("seen", key=["nr"], chunk_rows=4)
    execute("INSERT INTO texts VALUES (103, 'good'), (203, 'good'), (110, 'good')")
    done = bench.work(run)
    assert (done.state, done.rows, done.scored, done.failed) == ("finished", 13, 10, 3)
    failed = bench.store.ask(scoring.failed_rows, run.id)
    assert [row.key for row in failed] == [("3",), ("3",), ("10",)]
    assert {row.reason for row in failed} == {"another row has the same key"}


def test_a_row_that_cannot_be_stored_costs_itself(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE TABLE texts (id bigint PRIMARY KEY, body text, n int)")
    execute("INSERT INTO texts SELECT n, 'good ' || n, n FROM generate_series(1, 30) AS n")
    run = bench.run("texts", context=["n"])
    execute("ALTER TABLE texts ALTER n TYPE text; UPDATE texts SET n = 'many' WHERE id IN (3, 30)")
    bench.model = scored.Fake("another")
    run = bench.run("texts", context=["n"], chunk_rows=10)
    assert (run.state, run.rows, run.scored, run.failed) == ("finished", 30, 28, 2)
    failed = bench.store.ask(scoring.failed_rows, run.id)
    assert [row.key for row in failed] == [("3",), ("30",)]
    assert failed[0].reason == 'its score cannot be stored: invalid input syntax for type integer: "many"'


def test_a_write_that_fails_leaves_nothing_of_its_chunk(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 4)
    run = bench.plan("texts", chunk_rows=2)
    bench.cut(run)
    execute("ALTER TABLE scores.texts ADD CONSTRAINT never CHECK (id <> 4)")
    assert bench.score(run, 1)
    with pytest.raises(database.DatabaseError, match='violates check constraint "never"'):
        bench.score(run, 2)
    assert bench.scores(run.source, "id") == [(1,), (2,)]
    assert (bench.get(run).rows, bench.get(run).chunks_done) == (2, 1)
    execute("ALTER TABLE scores.texts DROP CONSTRAINT never")
    assert bench.score(run, 2)


def test_only_our_own_schemas_are_written(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 50)
    execute("CREATE VIEW seen AS SELECT * FROM texts; CREATE SEQUENCE numbers")
    before = scored.fingerprint(execute)
    assert before == scored.fingerprint(execute)
    bench.run("texts", context=["kind"], chunk_rows=7)
    run = bench.run("seen", key=["id"], chunk_rows=7)
    assert run.scored == 50
    assert scored.fingerprint(execute) == before
    # What a session has done is counted as that says so.
    execute("INSERT INTO texts VALUES (0); DELETE FROM texts WHERE id = 0; SELECT pg_stat_force_next_flush()")
    assert scored.fingerprint(execute) != before, "the fingerprint is one"


def test_the_read_text_is_bounded(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 2, body=f"repeat('g', {scored.TEXT_CHARACTERS} + n - 1)")
    run = bench.run("texts")
    assert [len(str(text)) for text in bench.model.asked] == [scored.TEXT_CHARACTERS] * 2
    assert run.truncated == 2, "the fake says so for both"
    execute("UPDATE texts SET body = body || 'x' WHERE id = 2")
    assert bench.run("texts").unchanged == 1, "though what was read is the same"


def test_the_share_that_was_read_is_of_the_whole_text(bench: scored.Bench, execute: Execute) -> None:
    most = scored.TEXT_CHARACTERS
    bodies = {
        "short": ("good", False, 1.0),
        "just fits": ("g" * 1000, False, 1.0),
        "the model reads half": ("g" * 2000, True, 0.5),
        "just not cut": ("g" * most, True, 1000 / most),
        "just cut": ("g" * (most + 1), True, 1000 / (most + 1)),
        "long": ("g" * most * 4, True, 1000 / most / 4),
        "two bytes, and four": ("é👍" * most, True, 1000 / most / 2),
        "empty": ("", False, None),
        "null": (None, False, None),
        "only blanks where it is read": (" " * most + "good", True, None),
    }
    execute("CREATE TABLE texts (id text PRIMARY KEY, body text)")
    for name, (body, _, _) in bodies.items():
        execute("INSERT INTO texts VALUES (%s, %s)", (name, body))
    run = bench.run("texts")
    found = bench.scores(run.source, "id", "truncated", "share_read")
    assert {name: truncated for name, truncated, _ in found} == {name: one[1] for name, one in bodies.items()}
    assert {name: share for name, _, share in found} == pytest.approx({name: one[2] for name, one in bodies.items()})
    assert all((share < 1) == truncated for _, truncated, share in found if share is not None)
    assert run.truncated == 6


def test_a_model_that_reads_all_it_is_given_has_not_read_what_was_cut(bench: scored.Bench, execute: Execute) -> None:
    @dataclasses.dataclass
    class Reader(scored.Fake):
        def _one(self, text: object) -> classifier.Prediction:
            return dataclasses.replace(super()._one(text), truncated=False, share=1.0)

    bench.model = Reader()
    most = scored.TEXT_CHARACTERS
    fill(execute, 3, body=f"repeat('g', {most} * n - 1 + n / 2)")
    run = bench.run("texts")
    found = bench.scores(run.source, "id", "truncated", "share_read")
    assert [row[:2] for row in found] == [(1, False), (2, True), (3, True)]
    assert [row[2] for row in found] == pytest.approx([1, 1 / 2, 1 / 3])
    assert run.truncated == 2


def test_the_summary_of_a_source(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 5, body="CASE WHEN n < 3 THEN 'good' WHEN n < 5 THEN 'bad' END")
    run = bench.run("texts")
    assert bench.store.ask(scores.summary, run.source) == scores.Summary(5, {"POSITIVE": 2, "NEGATIVE": 2, None: 1})
