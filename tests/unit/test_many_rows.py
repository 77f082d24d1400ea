"""A hundred thousand rows of every kind: all are accounted for, and a run after that does what has changed, no more."""

from __future__ import annotations

import collections
import pathlib

import pytest
from psycopg2 import sql

from tests.unit import scored, texts_made
from undertone import classifier, database

ROWS = 100_000
HUNDREDTH = ROWS // 100
CHUNK_ROWS = 2_000


@pytest.fixture(scope="module")
def model(model_cache: pathlib.Path) -> classifier.Classifier:
    return classifier.load_classifier(threads=1, cache=model_cache)


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def kinds(rows: int, seed: int = 1) -> tuple[int, int]:
    """Of so many rows: how many have nothing to read, and how many different texts the others have."""
    texts = collections.Counter(texts_made.texts(rows, seed))
    empty = sum(number for text, number in texts.items() if not (text or "").strip())
    return empty, sum(bool((text or "").strip()) for text in texts)


def check_every_row(execute: scored.Execute, table: str, source: str) -> None:
    """Each row has one score, which is of its text as it is now, and nothing else has one."""
    ((missing, more, stale, unread, blind),) = execute(
        sql.SQL(
            "SELECT count(*) FILTER (WHERE s.id IS NULL),"
            " count(*) FILTER (WHERE t.id IS NULL AND s.vanished_at IS NULL),"
            " count(*) FILTER (WHERE t.body IS NOT NULL AND s.text_hash <> md5(t.body)::uuid),"
            " count(*) FILTER (WHERE s.label IS NULL AND length(btrim(t.body, E' \\t\\n\\r')) > 0),"
            " count(*) FILTER (WHERE s.label IS NOT NULL AND t.id IS NOT NULL"
            "   AND coalesce(length(btrim(t.body, E' \\t\\n\\r')), 0) = 0)"
            " FROM {} AS t FULL JOIN {} AS s USING (id)"
        ).format(sql.Identifier(table), sql.Identifier("scores", source))
    )
    assert (missing, more, stale, unread, blind) == (0, 0, 0, 0, 0)


def test_a_hundred_thousand_rows_are_accounted_for_and_then_what_changes_is_done(
    bench: scored.Bench, execute: scored.Execute
) -> None:
    texts_made.fill(bench.store, "texts", ROWS)
    empty, different = kinds(ROWS)
    assert empty == ROWS // 100
    assert different == pytest.approx(ROWS * 0.69 + texts_made.OFTEN, abs=2)
    first = bench.run("texts", chunk_rows=CHUNK_ROWS)
    assert (first.state, first.rows_total, first.rows, first.failed) == ("finished", ROWS, ROWS, 0)
    assert (first.scored, first.empty, first.unchanged) == (ROWS - empty, empty, 0)
    check_every_row(execute, "texts", "texts")
    # The fake calls a text by a word in it, so every label can be told from outside.
    ((wrong,),) = execute(
        "SELECT count(*) FROM texts JOIN scores.texts AS s USING (id)"
        " WHERE s.label <> CASE WHEN position('good' in body) > 0 THEN 'POSITIVE' ELSE 'NEGATIVE' END"
    )
    assert wrong == 0
    asked = [text for text in bench.model.asked if str(text or "").strip()]
    assert len(asked) == len(set(asked)) == different, "a text that was seen before was classified again"

    # Again: nothing is done, and nothing is written.
    bench.model.calls.clear()
    execute("CREATE TABLE scores.before AS SELECT * FROM scores.texts")
    second = bench.run("texts", chunk_rows=CHUNK_ROWS)
    assert (second.state, second.rows, second.unchanged, second.chunks) == ("finished", ROWS, ROWS, 0)
    assert (bench.model.calls, second.vanished) == ([], 0)
    assert execute("SELECT count(*) FROM (SELECT * FROM scores.before EXCEPT SELECT * FROM scores.texts) AS s") == [
        (0,)
    ]

    # A hundredth each is changed, removed and added, all over the table.
    some = f"id % 98 = {{}} AND id <= {98 * HUNDREDTH}"
    execute(f"UPDATE texts SET body = coalesce(body, '') || ' and since then good ' || id WHERE {some.format(5)}")
    execute(f"DELETE FROM texts WHERE {some.format(6)}")
    execute(f"INSERT INTO texts SELECT {ROWS} + n, 'quite a new text ' || n FROM generate_series(1, {HUNDREDTH}) AS n")
    third = bench.run("texts", chunk_rows=CHUNK_ROWS)
    assert (third.state, third.rows, third.rows_total) == ("finished", ROWS, ROWS)
    assert (third.scored, third.empty, third.failed, third.vanished) == (2 * HUNDREDTH, 0, 0, HUNDREDTH)
    assert third.unchanged == ROWS - 2 * HUNDREDTH
    assert len(bench.model.asked) == 2 * HUNDREDTH
    check_every_row(execute, "texts", "texts")
    touched = "SELECT id FROM scores.texts AS s JOIN scores.before AS b USING (id) WHERE s.scored_at <> b.scored_at"
    ((others, changed),) = execute(
        f"SELECT count(*) FILTER (WHERE id % 98 <> 5), count(*) FROM ({touched} OR s.run_id <> b.run_id) AS t"
    )
    assert (others, changed) == (0, HUNDREDTH)
    gone = "SELECT count(*), count(*) FILTER (WHERE id % 98 = 6) FROM scores.texts WHERE vanished_at IS NOT NULL"
    assert execute(gone) == [(HUNDREDTH, HUNDREDTH)]
    assert execute("SELECT count(*) FROM scores.texts_current") == [(ROWS,)]
    after = bench.run("texts", chunk_rows=CHUNK_ROWS)
    assert (after.unchanged, after.chunks, after.vanished) == (ROWS, 0, 0)

    # The model has seen these texts, though in another table; but for those that were replaced there since.
    bench.model.calls.clear()
    texts_made.fill(bench.store, "others", 10_000)
    execute("INSERT INTO others SELECT 10000 + n, 'quite a new text ' || n FROM generate_series(1, 100) AS n")
    execute("UPDATE others SET body = 'seen by nobody' WHERE id = 2000")
    elsewhere = bench.run("others", chunk_rows=CHUNK_ROWS)
    asked = [text for text in bench.model.asked if str(text or "").strip()]
    forgotten = {text for number, text in enumerate(texts_made.texts(10_000), 1) if number % 98 == 5}
    assert "seen by nobody" in asked
    assert {*asked} <= {*forgotten, "seen by nobody"}
    assert (elsewhere.rows, elsewhere.reused) == (10_100, elsewhere.scored - len(asked))
    check_every_row(execute, "others", "others")


def test_the_model_that_ships_reads_every_kind(
    bench: scored.Bench, execute: scored.Execute, model: classifier.Classifier
) -> None:
    bench.model = model
    # So many that each kind of hostile text is among them, however long: the megabytes are read from their beginnings.
    texts_made.fill(bench.store, "texts", 8_000)
    execute("DELETE FROM texts WHERE id > 2000 AND (id - 1) * 617 % 1000 > 40")
    ((rows, empty),) = execute(
        "SELECT count(*), count(*) FILTER (WHERE coalesce(btrim(body, E' \\t\\n\\r'), '') = '') FROM texts"
    )
    run = bench.run("texts", chunk_rows=500)
    assert (run.state, run.rows, run.failed) == ("finished", rows, 0)
    assert (run.scored, run.empty) == (int(str(rows)) - int(str(empty)), empty)
    ((missing, more),) = execute(
        "SELECT count(*) FILTER (WHERE s.id IS NULL), count(*) FILTER (WHERE t.id IS NULL)"
        " FROM texts AS t FULL JOIN scores.texts AS s USING (id)"
    )
    assert (missing, more) == (0, 0)
    assert execute("SELECT count(*) FROM scores.texts WHERE (label IS NULL) <> (reason IS NOT NULL)") == [(0,)]
    again = bench.run("texts", chunk_rows=500)
    assert (again.unchanged, again.chunks) == (rows, 0)
