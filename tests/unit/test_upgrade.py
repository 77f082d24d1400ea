"""What the step to several models a source promises: tables of scores of before go on, with all that was in them."""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
import shutil
import threading
from typing import Any

import psycopg2.sql
import pytest

from tests.unit import scored
from undertone import database, scores, scoring, store

Execute = scored.Execute
BEFORE = ("0001.scoring.sql", "0002.share_read.sql", "0003.library.sql")
# What tables of scores had before.
RESULT = (
    "label text, confidence real, probabilities jsonb, text_hash uuid, truncated boolean, share_read real, reason text,"
    " model_id text, run_id bigint, scored_at timestamptz"
)
ID = scores.Kept("id", "integer", "id", "integer")
ODD = 'it\'s 100% "odd"'


@pytest.fixture
def old(
    store_pool: database.Database, execute: Execute, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> database.Database:
    """A store as it was when a source had one model's scores."""
    for schema in (store.SCHEMA, store.SCORES):
        execute(f"DROP SCHEMA {schema} CASCADE")
    with monkeypatch.context() as patched:
        for name in BEFORE:
            shutil.copy(store.MIGRATIONS / name, tmp_path)
        patched.setattr(store, "MIGRATIONS", tmp_path)
        store.migrate(store_pool)
    execute("GRANT USAGE ON SCHEMA scores TO undertone_reader")
    return store_pool


def add(
    execute: Execute,
    name: str,
    key: tuple[scores.Kept, ...] = (ID,),
    context: tuple[scores.Kept, ...] = (),
    *,
    more: str = "",
    model: str | None = "big",
) -> int:
    """A source of before with a run, a table and three scores in it; the run."""
    kept = [json.dumps([vars(column) for column in columns]) for columns in (key, context)]
    execute(
        "INSERT INTO undertone.sources (name, database, schema_name, relation, text_column, key_columns,"
        " context_columns) VALUES (%s, 'here', 'public', %s, 'body', %s, %s)",
        (name, name, *kept),
    )
    run = 0
    if model:
        ((run,),) = execute(
            "INSERT INTO undertone.runs (source_id, model, model_id, state, chunk_rows)"
            " SELECT max(id), %s, 'fake@1', 'finished', 100 FROM undertone.sources RETURNING id",
            (model,),
        )  # type: ignore[assignment]
    table = psycopg2.sql.Identifier("scores", name)
    own = [
        psycopg2.sql.SQL("{} " + one.stored_type).format(psycopg2.sql.Identifier(one.stored)) for one in key + context
    ]
    listed = psycopg2.sql.SQL(", ").join(own)
    names = psycopg2.sql.SQL(", ").join(psycopg2.sql.Identifier(one.stored) for one in key)
    create = psycopg2.sql.SQL("CREATE TABLE {} ({}, " + RESULT + more + ", PRIMARY KEY ({}))")
    execute(create.format(table, listed, names))
    columns = [one.stored for one in key + context]
    for number in (1, 2, 3):
        insert = psycopg2.sql.SQL(
            "INSERT INTO {} ({}, label, confidence, probabilities, text_hash, truncated, share_read, reason, model_id,"
            " run_id, scored_at) VALUES ({}, 'POSITIVE', 0.75, '{{\"POSITIVE\": 0.75}}', md5({})::uuid, false, 1, NULL,"
            " 'fake@1', {}, '2025-01-02 03:04:05+00')"
        )
        execute(
            insert.format(
                table,
                psycopg2.sql.SQL(", ").join(map(psycopg2.sql.Identifier, columns)),
                psycopg2.sql.SQL(", ").join([psycopg2.sql.Literal(str(number))] * len(columns)),
                psycopg2.sql.Literal(f"text {number}"),
                psycopg2.sql.Literal(run),
            )
        )
    return int(run)


def rows(execute: Execute, source: scores.Source, *columns: str) -> list[tuple[Any, ...]]:
    names = psycopg2.sql.SQL(", ").join(map(psycopg2.sql.Identifier, columns))
    return execute(psycopg2.sql.SQL("SELECT {} FROM {} ORDER BY 1").format(names, source.table))


def upgrade(old: database.Database) -> dict[str, scores.Source]:
    store.migrate(old)
    scoring.upgrade(old)
    return {source.name: source for source in old.ask(scoring.sources)}


def test_scores_of_before_are_those_of_the_model_that_wrote_them(old: database.Database, execute: Execute) -> None:
    run = add(execute, ODD, context=(scores.Kept("kind", "text", "kind", "text"),))
    without = add(execute, "without a run", model=None)
    before = execute('SELECT * FROM scores."without a run" ORDER BY 1')
    sources = upgrade(old)
    made = sources[ODD]
    assert (made.current_model, made.view_name, made.template, made.statement) == ("big", f"{ODD}_current", False, None)
    shared = ("id", "kind", "label", "confidence", "probabilities", "truncated", "share_read", "reason", "model_id")
    assert rows(execute, made, *shared) == [
        (n, str(n), "POSITIVE", 0.75, {"POSITIVE": 0.75}, False, 1.0, None, "fake@1") for n in (1, 2, 3)
    ]
    new = ("model", "engine", "precision", "vanished_at", "vanished_by", "run_id", "scored_at")
    assert {row[:-1] for row in rows(execute, made, *new)} == {("big", None, None, None, None, run)}
    assert {str(row[-1].astimezone())[:4] for row in rows(execute, made, *new)} == {"2025"}
    other = sources["without a run"]
    assert (other.current_model, without) == ("default", 0)
    assert {row[0] for row in rows(execute, other, "model")} == {"default"}
    assert [row[: len(before[0])] for row in execute(f"SELECT * FROM {other.scores} ORDER BY 1")] == before


def test_what_it_makes_is_what_a_new_source_has(
    old: database.Database, data_pool: database.Database, execute: Execute
) -> None:
    execute("CREATE TABLE reviews (id int PRIMARY KEY, body text); CREATE TABLE fresh (id int PRIMARY KEY, body text)")
    execute("INSERT INTO fresh VALUES (1, 'good'); GRANT SELECT ON reviews, fresh TO PUBLIC")
    add(execute, "reviews")
    upgrade(old)
    scored.Bench(data_pool, old).run("fresh")
    described = (
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, col_description(a.attrelid, a.attnum)"
        " FROM pg_attribute AS a WHERE a.attrelid = %s::regclass AND a.attnum > 0 ORDER BY 1"
    )
    indexed = (
        "SELECT replace(regexp_replace(indexdef, 'INDEX \\S+ ON', 'INDEX ON'), %s, '') FROM pg_indexes"
        " WHERE schemaname = %s AND tablename = %s ORDER BY 1"
    )
    found = {}
    for number, name in enumerate(("reviews", "fresh"), 1):
        found[name] = [
            execute(described, (f"scores.{name}",)),
            execute(described, (f"undertone.replaced_{number}",)),
            execute(indexed, (name, "scores", name)),
            execute(indexed, (str(number), "undertone", f"replaced_{number}")),
            execute(described, (f"scores.{name}_current",)),
        ]
    assert found["reviews"] == found["fresh"]


def test_done_twice_it_changes_nothing(old: database.Database, execute: Execute) -> None:
    add(execute, ODD)
    add(execute, "reviews", (ID, scores.Kept("model", "text", "model", "text")))
    first = upgrade(old)
    everything = (
        "SELECT c.relname, c.relfilenode, c.relkind, a.attname, a.attnum, c.xmin::text FROM pg_class AS c"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid WHERE c.relnamespace = 'scores'::regnamespace ORDER BY 1, 5"
    )
    before = execute(everything)
    assert upgrade(old) == first
    assert execute(everything) == before


@pytest.mark.parametrize("name", scores.ADDED)
def test_a_column_that_is_kept_under_one_of_the_new_names_gives_way(
    old: database.Database, data_pool: database.Database, execute: Execute, name: str
) -> None:
    clash = scores.Kept(name, "text", name, "text")
    second = scores.Kept(f"source_{name}", "text", f"source_{name}", "text")
    add(execute, "in the context", context=(second, clash))
    add(execute, "in the key", key=(clash,))
    add(execute, "once", more=f", \"{name}\" text DEFAULT 'theirs'")
    sources = upgrade(old)
    free = f"source_{name}_2"
    assert [kept.stored for kept in sources["in the context"].context] == [f"source_{name}", free]
    assert [kept.stored for kept in sources["in the key"].key] == [f"source_{name}"]
    assert rows(execute, sources["in the context"], "id", f"source_{name}", free) == [
        (n, str(n), str(n)) for n in (1, 2, 3)
    ]
    assert [row[0] for row in rows(execute, sources["in the key"], f"source_{name}")] == ["1", "2", "3"]
    assert rows(execute, sources["once"], "id", f"source_{name}") == [(n, "theirs") for n in (1, 2, 3)]
    for source in sources.values():
        assert {row[0] for row in rows(execute, source, "model")} == {"big"}, "nobody's column is taken for ours"
        assert {row[0] for row in rows(execute, source, "vanished_at")} == {None}

    # And it goes on being scored.
    execute(f'CREATE TABLE "in the context" (id int PRIMARY KEY, body text, source_{name} text, "{name}" text)')
    execute("INSERT INTO \"in the context\" SELECT n, 'text ' || n, n, n FROM generate_series(1, 4) AS n")
    run = scored.Bench(data_pool, old).run("in the context", model="big", context=[f"source_{name}", name])
    assert (run.scored, run.unchanged) == (1, 3)


def test_scores_of_before_are_scored_on_by_key_and_model(
    old: database.Database, data_pool: database.Database, execute: Execute
) -> None:
    execute("CREATE TABLE reviews (id int PRIMARY KEY, body text)")
    execute("INSERT INTO reviews SELECT n, 'text ' || n FROM generate_series(2, 4) AS n")
    add(execute, "reviews")
    source = upgrade(old)["reviews"]
    bench = scored.Bench(data_pool, old)
    run = bench.run("reviews", model="big")
    assert (run.rows, run.unchanged, run.scored, run.vanished) == (3, 2, 1, 1)
    assert bench.run("reviews", model="other").unchanged == 0
    assert sorted(rows(execute, source, "id", "model")) == sorted(
        [(1, "big"), *((n, model) for n in (2, 3, 4) for model in ("big", "other"))]
    )
    bench.change(run, "undo")
    assert execute(f"SELECT count(*) FROM {source.current}") == [(3,)]


def test_a_source_whose_table_was_dropped_is_made_anew_whole(
    old: database.Database, data_pool: database.Database, execute: Execute
) -> None:
    add(execute, "reviews", context=(scores.Kept("model", "text", "model", "text"),))
    execute("DROP TABLE scores.reviews; CREATE TABLE reviews (id int PRIMARY KEY, body text, model text)")
    execute("INSERT INTO reviews VALUES (1, 'good', 'T')")
    upgrade(old)
    bench = scored.Bench(data_pool, old)
    run = bench.run("reviews", context=["model"])
    assert (run.state, run.scored) == ("finished", 1)
    assert bench.scores(run.source, "id", "source_model", "model", "label") == [(1, "T", "default", "POSITIVE")]
    assert run.source.view_name == "reviews_current"
    bench.store.ask(scoring.make_current, run.source, "default")
    assert execute("SELECT id, label FROM scores.reviews_current") == [(1, "POSITIVE")]


def test_of_some_that_start_at_once_one_does_it(old: database.Database, execute: Execute) -> None:
    add(execute, "reviews")
    add(execute, ODD)
    store.migrate(old)
    gate = threading.Barrier(4)

    def start() -> None:
        gate.wait()
        scoring.upgrade(old)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(start) for _ in range(4)]:
            future.result()
    views = "SELECT view_name FROM undertone.sources ORDER BY id"
    assert execute(views) == [("reviews_current",), (f"{ODD}_current",)]
