"""Undoing a run gives back what was there before, whatever ran before and after it."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg2 import sql

from tests.unit import scored
from undertone import database, scores, scoring


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def fill(execute: scored.Execute, rows: int = 40) -> None:
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text, kind text)")
    execute(f"INSERT INTO texts SELECT n, 'good text ' || n, 'kind ' || n % 3 FROM generate_series(1, {rows}) AS n")


def everything(bench: scored.Bench, run: scoring.Run) -> list[tuple[Any, ...]]:
    """Every column of every score."""
    with bench.store.lend() as connection:
        names = [row[0] for row in scores.SQL.column_names(connection, name=run.source.name)]
    return bench.scores(run.source, *names)


def kept(execute: scored.Execute, run: scoring.Run) -> object:
    """How many scores are kept for undoing."""
    return execute(sql.SQL("SELECT count(*) FROM {}").format(run.source.replaced))[0][0]


def test_the_first_run_leaves_nothing(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    run = bench.run("texts", chunk_rows=15)
    assert "undo" in run.actions
    undone = bench.change(run, "undo")
    assert (undone.undone_at is not None, undone.actions) == (True, ())
    assert everything(bench, run) == []
    # A new run does all of it; the model has seen the texts, but nobody remembers what it said.
    bench.model.calls.clear()
    again = bench.run("texts", chunk_rows=15)
    assert (again.scored, len(bench.model.asked)) == (40, 40)


def test_what_a_run_has_replaced_comes_back_to_the_letter(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    first = bench.run("texts", chunk_rows=15, context=["kind"])
    before = everything(bench, first)
    execute("UPDATE texts SET body = 'bad text' WHERE id % 4 = 0")  # another text
    execute("UPDATE texts SET kind = 'other' WHERE id % 4 = 1")  # another context
    execute("UPDATE texts SET body = ' ' WHERE id % 4 = 2")  # nothing to read any more
    execute("INSERT INTO texts VALUES (41, 'new', 'kind')")
    second = bench.run("texts", chunk_rows=15, context=["kind"])
    assert (second.scored, second.empty) == (21, 10)
    assert everything(bench, first) != before
    bench.change(second, "undo")
    assert everything(bench, first) == before
    assert kept(execute, first) == 0
    bench.change(first, "undo")
    assert everything(bench, first) == []


def test_the_first_is_undone_while_the_second_stands(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    zeroth = bench.run("texts")
    before = everything(bench, zeroth)
    execute("UPDATE texts SET body = 'bad text ' || id WHERE id <= 20")
    first = bench.run("texts")
    execute("UPDATE texts SET body = 'awful text ' || id WHERE id <= 10")
    second = bench.run("texts")
    standing = everything(bench, second)
    bench.change(first, "undo")
    runs = dict(bench.scores(second.source, "id", "run_id"))
    assert runs == {n: second.id if n <= 10 else zeroth.id for n in range(1, 41)}
    assert [row for row in everything(bench, second) if row[0] <= 10] == [row for row in standing if row[0] <= 10]
    # What the second had replaced is gone: behind it stands what was there before the first.
    bench.change(second, "undo")
    assert everything(bench, zeroth) == before
    assert kept(execute, zeroth) == 0


@pytest.mark.parametrize("order", ["the last first", "the first first"])
def test_three_runs_are_undone_in_any_order(bench: scored.Bench, execute: scored.Execute, order: str) -> None:
    fill(execute)
    runs = [bench.run("texts")]
    for number in (1, 2):
        execute(f"UPDATE texts SET body = 'bad {number} ' || id")
        runs.append(bench.run("texts"))
    left = list(reversed(runs)) if order == "the last first" else list(runs)
    while left:
        bench.change(left.pop(0), "undo")
        expected = max((run.id for run in left), default=None)
        assert {row[0] for row in bench.scores(runs[0].source, "run_id")} == ({expected} if expected else set())
    assert kept(execute, runs[0]) == 0


def test_rows_found_gone_are_there_again(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    first = bench.run("texts")
    before = everything(bench, first)
    execute("DELETE FROM texts WHERE id <= 5")
    second = bench.run("texts")
    assert (second.vanished, second.scored) == (5, 0)
    assert len(execute("SELECT id FROM scores.texts_current")) == 35
    bench.change(second, "undo")
    assert everything(bench, first) == before
    assert len(execute("SELECT id FROM scores.texts_current")) == 40


def test_rows_that_were_gone_and_came_back(bench: scored.Bench, execute: scored.Execute) -> None:
    """What said that they were gone is undone while what has scored them again stands."""
    fill(execute)
    first = bench.run("texts")
    before = everything(bench, first)
    execute("CREATE TABLE aside AS SELECT * FROM texts WHERE id <= 5; DELETE FROM texts WHERE id <= 5")
    second = bench.run("texts")
    execute("INSERT INTO texts SELECT * FROM aside")
    third = bench.run("texts")
    assert (second.vanished, third.scored, third.reused, third.vanished) == (5, 5, 5, 0)
    bench.change(second, "undo")
    bench.change(third, "undo")
    assert everything(bench, first) == before, "a run that was undone still says that rows are gone"


def test_a_cancelled_run_is_undone_as_far_as_it_came(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    first = bench.run("texts")
    before = everything(bench, first)
    execute("UPDATE texts SET body = 'bad text ' || id")
    second = bench.plan("texts", chunk_rows=15)
    assert bench.cut(second) == 3
    assert bench.score(second, 2)
    with pytest.raises(scoring.ScoringError, match="cancel it before it is undone"):
        bench.change(second, "undo")
    assert bench.change(second, "cancel").actions == ("undo",)
    assert len(bench.scores(first.source, "run_id")) == 40
    assert sum(row[0] == second.id for row in bench.scores(first.source, "run_id")) == 15
    assert not bench.score(second, 1), "a cancelled run goes on"
    bench.change(second, "undo")
    assert everything(bench, first) == before


def test_a_run_of_another_model_is_undone_alone(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    first = bench.run("texts")
    before = everything(bench, first)
    bench.model = scored.Fake("other@1")
    other = bench.run("texts", model="other")
    assert len(everything(bench, first)) == 80
    bench.change(other, "undo")
    assert everything(bench, first) == before


def test_nothing_is_undone_while_a_run_of_the_same_texts_is_under_way(
    bench: scored.Bench, execute: scored.Execute
) -> None:
    fill(execute)
    first = bench.run("texts")
    execute("UPDATE texts SET body = 'bad'")
    second = bench.plan("texts")
    with pytest.raises(scoring.ScoringError, match=f"Run {second.id} of the same texts has not ended"):
        bench.change(first, "undo")
    bench.work(second)
    bench.change(first, "undo")
    with pytest.raises(scoring.ScoringError, match="was undone"):
        bench.change(first, "undo")
    assert len(bench.scores(first.source, "run_id")) == 40


def test_a_chunk_tried_again_does_not_lose_what_it_had_replaced(bench: scored.Bench, execute: scored.Execute) -> None:
    """A run writes a row, then, retried, writes it again; what it had replaced first is what comes back."""
    fill(execute)
    first = bench.run("texts")
    before = everything(bench, first)
    execute("UPDATE texts SET body = 'bad text ' || id")
    second = bench.plan("texts")
    bench.cut(second)
    bench.score(second)
    execute("UPDATE texts SET body = 'worse text ' || id")
    # As `retry` does where rows have failed.
    execute("UPDATE undertone.chunks SET failed = 1 WHERE run_id = %s", (second.id,))
    assert bench.change(second, "retry").state == "running"
    assert bench.score(second)
    ended = bench.get(second)
    assert (ended.state, ended.rows, ended.scored) == ("finished", 40, 40)
    assert bench.scores(first.source, "run_id") == [(second.id,)] * 40
    bench.change(second, "undo")
    assert everything(bench, first) == before


def test_a_retry_that_overtakes_a_later_run_is_undone_to_that_later_run(
    bench: scored.Bench, execute: scored.Execute
) -> None:
    fill(execute)
    first = bench.run("texts")
    execute("UPDATE texts SET body = 'bad text ' || id")
    second = bench.run("texts")
    later = everything(bench, second)
    execute("UPDATE texts SET body = 'worse text ' || id")
    execute("UPDATE undertone.chunks SET failed = 1 WHERE run_id = %s", (first.id,))
    bench.change(first, "retry")
    assert bench.score(first)
    assert bench.scores(first.source, "run_id") == [(first.id,)] * 40
    bench.change(first, "undo")
    assert everything(bench, first) == later
