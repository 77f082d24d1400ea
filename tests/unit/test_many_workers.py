"""What a store needs that many workers share: looks that do not grow with the table, and nobody who waits in vain."""

from __future__ import annotations

import pytest

from tests.unit import scored
from undertone import database, scoring, tasks, writing


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def fill(execute: scored.Execute, rows: int) -> None:
    execute("CREATE TABLE reviews (id int PRIMARY KEY, body text)")
    execute(f"INSERT INTO reviews SELECT n, 'a good text number ' || n % 50 FROM generate_series(1, {rows}) AS n")


def test_what_is_known_is_looked_up_and_never_found_by_reading_the_table(
    bench: scored.Bench, execute: scored.Execute
) -> None:
    fill(execute, rows=1000)
    run = bench.run("reviews", chunk_rows=500)
    hashes = {str(row[0]).replace("-", "") for row in bench.scores(run.source, "text_hash")}
    seen = "SELECT seq_scan FROM pg_stat_xact_all_tables WHERE relid = %s::regclass"
    # First nothing is known of the table, as while a run fills it; then how few texts it has.
    for prepare in ("SELECT", "ANALYZE scores.reviews"):
        execute(prepare)
        with bench.store.lend() as connection, connection.cursor() as cursor:
            cursor.execute(seen, (run.source.scores,))
            (before,) = cursor.fetchone()
            found = writing.existing(connection, run.source, "default", [((str(n),), ()) for n in range(1, 1001)])
            known = writing.known(connection, bench.model.model_id, {*hashes, "0" * 31 + "1"})
            cursor.execute(seen, (run.source.scores,))
            assert cursor.fetchone()[0] == before
        assert (len(found), set(known)) == (1000, hashes), "one answer for each text, however many rows have it"


def test_whoever_finds_another_at_the_queue_does_not_wait(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, rows=4)
    bench.plan("reviews")
    execute("SET LOCAL search_path TO undertone; DELETE FROM procrastinate_jobs")
    with bench.store.lend() as other:
        scoring.SQL.lock_queue(other)
        assert scoring.enqueue(bench.store) == 0
    assert scoring.enqueue(bench.store) == 1


def test_time_that_a_chunk_waits_for_the_model_is_counted_once(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, rows=40)
    run = bench.run("reviews", chunk_rows=10)
    # One worker, a chunk every two seconds; each waits two seconds for the one before.
    execute(
        "UPDATE undertone.chunks SET characters = 1000, scored = 10, reused = 0,"
        " seconds = CASE number WHEN 1 THEN 2 ELSE 4 END,"
        " finished_at = now() + number * interval '2 seconds' WHERE run_id = %s",
        (run.id,),
    )
    assert bench.store.ask(scoring.SQL.speed, model_id=bench.model.model_id) == (40, 4000, pytest.approx(8))


def test_the_clock_of_watches_goes_to_the_store_of_its_app(bench: scored.Bench) -> None:
    one, other = tasks.make_app(bench.store.address), tasks.make_app(bench.store.address)
    for app in (one, other):
        (clock,) = app.periodic_registry.periodic_tasks.values()
        assert clock.task.blueprint is app
