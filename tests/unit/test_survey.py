"""What a survey promises: what is new, changed or gone is found and nothing else is done; it can be stopped."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit import scored
from undertone import chunks, cutting, database, jobs, piping, scores, scoring, survey

Execute = scored.Execute


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def fill(execute: Execute, rows: int) -> None:
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text, kind text, at timestamptz)")
    execute(
        "INSERT INTO texts SELECT n, 'good text ' || n, 'kind ' || n % 3, timestamptz '2026-01-01' + n * interval '1 h'"
        f" FROM generate_series(1, {rows}) AS n; CREATE INDEX ON texts (at)"
    )


def chunks_of(execute: Execute, run: scoring.Run) -> list[tuple[object, ...]]:
    return execute(
        "SELECT after_key, last_key, keys, rows_planned FROM undertone.chunks WHERE run_id = %s ORDER BY number",
        (run.id,),
    )


def gone(bench: scored.Bench, source: scores.Source) -> list[int]:
    return [row[0] for row in bench.scores(source, "id", "vanished_at", "vanished_by") if row[1] is not None]


def test_what_is_new_changed_or_gone_is_done_and_nothing_else(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 100)
    first = bench.run("texts", context=["kind"], chunk_rows=40)
    before = {row[0]: row[1:] for row in bench.scores(first.source, "id", "run_id", "scored_at", "label")}
    execute(
        "UPDATE texts SET body = 'bad' WHERE id IN (3, 50); UPDATE texts SET kind = 'other' WHERE id = 70;"
        "INSERT INTO texts VALUES (0, 'new'), (1000, 'newer'); DELETE FROM texts WHERE id IN (10, 11, 100)"
    )
    second = bench.run("texts", context=["kind"], chunk_rows=40)
    assert (second.state, second.rows, second.unchanged, second.scored) == ("finished", 99, 94, 5)
    assert (second.reused, second.vanished, second.rows_total, second.surveyed) == (1, 3, 99, 99)
    after = {row[0]: row[1:] for row in bench.scores(first.source, "id", "run_id", "scored_at", "label")}
    assert {key for key in after if after[key] != before.get(key)} == {0, 3, 50, 70, 1000}
    assert gone(bench, first.source) == [10, 100, 11]
    assert execute("SELECT count(*) FROM scores.texts_current") == [(99,)], "the view has what is there"
    third = bench.run("texts", context=["kind"])
    assert (third.rows, third.unchanged, third.vanished, third.chunks) == (99, 99, 0, 0)


def test_a_row_that_comes_back_is_scored_and_no_longer_gone(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 5)
    run = bench.run("texts")
    execute("DELETE FROM texts WHERE id = 2")
    bench.run("texts")
    assert gone(bench, run.source) == [2]
    execute("INSERT INTO texts VALUES (2, 'good text 2')")
    bench.model.calls.clear()
    again = bench.run("texts")
    assert (again.scored, again.reused, again.unchanged) == (1, 1, 4)
    assert bench.model.asked == []
    assert gone(bench, run.source) == []
    assert execute("SELECT vanished_by FROM scores.texts WHERE id = 2") == [(None,)]


def test_what_lies_close_together_is_a_range_and_what_does_not_a_list(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 100)
    first = bench.run("texts", chunk_rows=40)
    assert chunks_of(execute, first) == [
        (None, ["40"], None, 40),
        (["40"], ["80"], None, 40),
        (["80"], ["100"], None, 20),
    ]
    # 1 to 10 with gaps of one, then 13 and 90.
    execute("UPDATE texts SET body = body || '!' WHERE id IN (1, 3, 4, 5, 6, 8, 9, 10) OR id IN (13, 90)")
    second = bench.plan("texts", chunk_rows=8)
    bench.cut(second)
    assert chunks_of(execute, second) == [(None, ["10"], None, 10), (None, None, [["13"], ["90"]], 2)]
    assert bench.get(second).unchanged == 88
    assert [bench.score(second, 1), bench.score(second, 2)] == [True, True]
    done = bench.get(second)
    assert (done.state, done.rows, done.scored, done.unchanged) == ("finished", 100, 10, 90)


def test_nothing_is_marked_gone_by_a_run_that_did_not_look_at_all(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 10)
    run = bench.run("texts")
    execute("DELETE FROM texts WHERE id IN (2, 9)")
    filtered = bench.run("texts", condition="id > 5")
    assert (filtered.rows, filtered.vanished) == (4, 0)
    newest = bench.run("texts", new_by="at", new_after="2026-01-01 09:00+00")
    assert (newest.rows, newest.vanished) == (1, 0)
    assert gone(bench, run.source) == []
    assert bench.run("texts").vanished == 2


def test_new_rows_are_told_by_a_time_and_those_that_come_late_are_not_missed(
    bench: scored.Bench, execute: Execute
) -> None:
    fill(execute, 24)
    run = bench.run("texts", new_by="at")
    assert (run.rows, run.scored, run.new_by) == (24, 24, "at")
    mark = execute("SELECT new_mark::timestamptz = (SELECT max(at) FROM texts) FROM undertone.runs")
    assert mark == [(True,)]
    # Written by transactions that began before the newest row and ended behind it; the last is too late.
    execute(
        "INSERT INTO texts VALUES (100, 'new', '', '2026-01-03'), (101, 'late', '', '2026-01-01 23:51+00'),"
        " (102, 'too late', '', '2026-01-01 23:40+00'); UPDATE texts SET body = 'changed' WHERE id = 1"
    )
    (mark,) = execute("SELECT new_mark FROM undertone.runs")[0]
    second = bench.run("texts", new_by="at", new_after=mark)
    assert (second.rows, second.scored, second.unchanged) == (3, 2, 1), "of the old ones the newest"
    assert sorted(map(str, bench.model.asked[24:])) == ["late", "new"]
    assert bench.run("texts").scored == 2, "who looks at all finds the others"


@pytest.mark.parametrize(
    ("type_", "last", "late"), [("bigint", "5000", 4001), ("numeric(12,0)", "5000", 4001), ("smallint", "5000", 4001)]
)
def test_new_rows_are_told_by_a_growing_number(
    bench: scored.Bench, execute: Execute, type_: str, last: str, late: int
) -> None:
    execute(f"CREATE TABLE texts (id int PRIMARY KEY, body text, n {type_} UNIQUE)")
    execute(f"INSERT INTO texts VALUES (1, 'one', 3000), (2, 'two', {late - 2}), (3, 'three', {last})")
    assert bench.run("texts", new_by="n").scored == 3
    assert execute("SELECT new_mark FROM undertone.runs") == [(last,)]
    execute(f"INSERT INTO texts VALUES (4, 'four', {late}), (5, 'five', 6000), (6, 'six', {late - 3})")
    run = bench.run("texts", new_by="n", new_after=last)
    assert (run.rows, run.scored) == (3, 2)


def test_a_text_that_cannot_be_hashed_does_not_cost_the_run(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 9)
    execute("CREATE VIEW seen AS SELECT id, 'good ' || (6 / (5 - id)) AS body FROM texts")
    for condition in ("", "true"):
        bench.model = scored.Fake(f"model {condition}")
        run = bench.run("seen", key=["id"], chunk_rows=4, condition=condition)
        assert (run.state, run.rows, run.scored, run.failed, run.error) == ("finished", 9, 8, 1, None)
        execute("DELETE FROM texts WHERE id = 9")
        again = bench.run("seen", key=["id"], condition=condition)
        assert (again.rows, again.unchanged, again.failed) == (8, 7, 1), "and what is scored is left"
        execute("INSERT INTO texts VALUES (9, '')")


def test_rows_are_known_to_be_gone_though_a_text_cannot_be_hashed(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 9)
    execute("CREATE VIEW seen AS SELECT id, 'good ' || (6 / (5 - id)) AS body FROM texts")
    bench.run("seen", key=["id"])
    execute("DELETE FROM texts WHERE id = 9")
    assert bench.run("seen", key=["id"]).vanished == 1
    assert execute("SELECT id FROM scores.seen WHERE vanished_at IS NOT NULL") == [(9,)]


def test_a_time_that_is_still_to_come_hides_no_row_before_it(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text, at timestamptz)")
    execute("CREATE INDEX ON texts (at); INSERT INTO texts VALUES (1, 'one', now()), (2, 'two', 'infinity')")
    assert bench.run("texts", new_by="at").scored == 2
    ((mark,),) = execute("SELECT new_mark FROM undertone.runs")
    execute("INSERT INTO texts VALUES (3, 'three', now())")
    assert bench.run("texts", new_by="at", new_after=mark).scored == 1


def test_a_worker_of_another_database_leaves_a_run_alone(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 3)
    run = bench.plan("texts")
    other = dataclasses.replace(bench.reader, place="there")
    with pytest.raises(jobs.Elsewhere, match="is about here, this worker reads there"):
        cutting.cut(other, bench.store, lambda _: bench.model, run.id)
    bench.cut(run)
    with pytest.raises(jobs.Elsewhere):
        chunks.score(other, bench.store, lambda _: bench.model, run.id, 1, worker="test")
    assert bench.model.asked == []
    assert bench.score(run)


def during(monkeypatch: pytest.MonkeyPatch, what: Callable[[], object], after: int = 1) -> list[int]:
    """Do something after so many looks of a survey; what the survey said of its rows."""
    said: list[int] = []
    original = survey.Survey.take

    def take(self: survey.Survey, reader: Any, go_on: Callable[[int], object], **options: Any) -> survey.Totals:
        def look(rows: int) -> object:
            said.append(rows)
            if len(said) == after:
                what()
            return go_on(rows)

        return original(self, reader, look, **options)

    monkeypatch.setattr(survey.Survey, "take", take)
    monkeypatch.setattr(piping, "BLOCK", 4096)
    monkeypatch.setattr(cutting, "NOTE_SECONDS", -1.0)
    return said


@pytest.mark.parametrize("condition", ["", "true"])
@pytest.mark.parametrize(("action", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_pause_and_cancel_take_effect_while_it_is_looked_through(
    bench: scored.Bench, execute: Execute, monkeypatch: pytest.MonkeyPatch, condition: str, action: str, state: str
) -> None:
    fill(execute, 5000)
    run = bench.plan("texts", condition=condition)
    said = during(monkeypatch, lambda: bench.change(run, action), after=3)
    assert bench.cut(run) == 0
    assert 0 < said[-1] < 4000, "not to its end"
    stopped = bench.get(run)
    assert (stopped.state, stopped.chunks, stopped.rows_total) == (state, 0, None)
    assert 0 < stopped.surveyed < 4000
    if action == "pause":
        assert bench.change(run, "resume").state == "planned"
        assert bench.work(run).scored == 5000


def test_a_worker_that_is_to_stop_leaves_a_survey(
    bench: scored.Bench, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(execute, 5000)
    run = bench.plan("texts")
    stopping = threading.Event()
    during(monkeypatch, stopping.set)
    with pytest.raises(jobs.Interrupted):
        cutting.cut(bench.reader, bench.store, lambda _: bench.model, run.id, stop=stopping.is_set)
    assert (bench.get(run).state, bench.get(run).chunks) == ("planned", 0)


def test_of_two_that_look_through_a_run_at_once_one_cuts_it(
    bench: scored.Bench, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a worker was taken for dead and wakes: the other has cut the run meanwhile, and scored some of it."""
    fill(execute, 500)
    run = bench.plan("texts", chunk_rows=100)
    other: list[int] = []

    def overtake() -> None:
        monkeypatch.undo()
        other.append(bench.cut(run))
        assert bench.score(run, 1)

    during(monkeypatch, overtake)
    assert bench.cut(run) == 0
    assert other == [5]
    assert (bench.get(run).state, bench.get(run).chunks, bench.get(run).scored) == ("running", 5, 100)


def test_a_survey_whose_connection_is_cut_writes_nothing(
    bench: scored.Bench, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has come so far must not pass for all there is: the rest would be taken for gone."""
    fill(execute, 20_000)
    first = bench.run("texts", chunk_rows=20_000)
    run = bench.plan("texts")
    kill = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE '%COPY%TO STDOUT%' AND pid <> pg_backend_pid()"
    )
    during(monkeypatch, lambda: _kill(bench, kill), after=2)
    with pytest.raises(database.DatabaseError):
        bench.cut(run)
    assert (bench.get(run).state, bench.get(run).chunks) == ("planned", 0)
    assert gone(bench, first.source) == []
    monkeypatch.undo()
    assert bench.work(run).unchanged == 20_000


def _kill(bench: scored.Bench, statement: str) -> None:
    with bench.data.lend() as connection, connection.cursor() as cursor:  # an account may end its own sessions
        cursor.execute(statement)
        assert cursor.fetchone() == (1,)


def test_how_far_it_is_can_be_seen(bench: scored.Bench, execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(execute, 3000)
    run = bench.plan("texts")
    seen: list[int] = []
    said = during(monkeypatch, lambda: seen.append(bench.get(run).surveyed), after=4)
    bench.cut(run)
    assert seen == [said[2]]
    assert said == sorted(said)
    assert said[-1] == bench.get(run).surveyed == 3000


def test_a_template_is_looked_through_by_what_it_joins(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 6)
    run = bench.run("texts", "{kind}: {body}", template=True)
    assert run.scored == 6
    execute("UPDATE texts SET kind = NULL WHERE id = 2; UPDATE texts SET at = now() WHERE id = 3")
    again = bench.run("texts", "{kind}: {body}", template=True)
    assert (again.scored, again.unchanged) == (1, 5)
    assert bench.model.asked[-1] == ": good text 2"
