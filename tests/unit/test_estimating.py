"""What a plan promises: how much work a run would be, counted before it is started, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit import scored
from undertone import database, estimating, scoring, survey

Execute = scored.Execute


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def look(bench: scored.Bench, relation: str, column: str = "body", **options: Any) -> estimating.Plan:
    looking = {name: options.pop(name) for name in ("measure", "seconds", "most") if name in options}
    wish = bench.wish(relation, column, **options)
    return estimating.look(bench.reader, bench.store, wish, place="here", **{"most": 1000, **looking})


def fill(execute: Execute) -> None:
    """Ten rows: six of 10 characters, one of 2,000, three with nothing to read."""
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text, kind text DEFAULT 'x')")
    execute(
        "INSERT INTO texts SELECT n, CASE WHEN n <= 6 THEN 'good ' || 10000 + n WHEN n = 7 THEN repeat('g', 2000)"
        " WHEN n = 8 THEN '' WHEN n = 9 THEN e' \\n\\t' END FROM generate_series(1, 10) AS n"
    )


def counts(plan: estimating.Plan) -> tuple[int, int, int, int, int]:
    return plan.rows, plan.unchanged, plan.empty, plan.todo, plan.characters


def test_of_texts_that_have_no_scores_all_are_to_be_done(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    plan = look(bench, "texts", context=["kind"])
    assert counts(plan) == (10, 0, 3, 10, 6 * 10 + 1000)
    assert (plan.exact, plan.seconds, plan.key, plan.context) == (True, None, ("id",), ("kind",))
    assert counts(look(bench, "texts", condition="id > 6")) == (4, 0, 3, 4, 1000)
    assert counts(look(bench, "texts", "{kind}{body}", template=True)) == (10, 0, 0, 10, 6 * 11 + 1000 + 3)


def test_what_is_scored_and_unchanged_is_told(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    bench.run("texts")
    assert counts(look(bench, "texts")) == (10, 10, 0, 0, 0)
    assert look(bench, "texts").seconds == 0.0
    execute(
        "UPDATE texts SET body = 'changed' WHERE id = 1; UPDATE texts SET body = NULL WHERE id = 2;"
        " INSERT INTO texts VALUES (11, 'new'); DELETE FROM texts WHERE id = 10"
    )
    plan = look(bench, "texts")
    assert (counts(plan), plan.exact) == ((10, 7, 1, 3, 10), True)
    assert counts(look(bench, "texts", condition="id > 2")) == (8, 7, 0, 1, 3)
    assert look(bench, "texts", model="other").unchanged == 0
    assert (plan.todo, plan.unchanged) == ((run := bench.run("texts")).scored + run.empty, run.unchanged)


def test_what_more_context_costs_is_told(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    bench.run("texts", context=["kind"])
    execute("UPDATE texts SET kind = 'y' WHERE id = 3")
    assert look(bench, "texts", context=["kind"]).todo == 1
    assert look(bench, "texts", context=[]).todo == 0, "what nobody asks for is not compared"
    execute("ALTER TABLE texts ADD more int DEFAULT 1")
    plan = look(bench, "texts", context=["kind", "more"])
    assert (plan.rows, plan.todo, plan.exact) == (10, 10, True), "all are written anew"


def test_nothing_is_written(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    before = scored.fingerprint(execute)
    look(bench, "texts", measure=lambda texts: 1.0)
    assert scored.fingerprint(execute) == before
    assert bench.store.ask(scoring.sources) == []
    run = bench.run("texts")
    everything = "SELECT s.*, s.xmin::text FROM scores.texts AS s ORDER BY id"
    scores = execute(everything)
    execute("UPDATE texts SET id = 100 WHERE id = 1")
    look(bench, "texts")
    assert execute(everything) == scores, "nothing is marked as gone"
    assert [one.id for one in bench.store.ask(scoring.runs)] == [run.id]


def test_how_long_it_takes_is_measured_where_no_run_has_shown_it(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    given: list[str] = []

    def measure(texts: Any) -> float:
        given.extend(texts)
        return 2.0

    plan = look(bench, "texts", measure=measure)
    assert sorted(map(len, given)) == [3, 10, 10, 10, 10, 10, 10, 1000]
    assert plan.seconds == pytest.approx(1060 / (1063 / 2.0))
    execute("UPDATE texts SET body = NULL")
    assert look(bench, "texts", measure=measure).seconds == 0.0


def test_what_runs_have_shown_is_used_and_more_workers_take_less(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    bench.run("texts")
    execute("UPDATE undertone.chunks SET characters = 500, seconds = 5; UPDATE texts SET body = body || '!'")

    def never(texts: Any) -> float:
        raise AssertionError("a run has shown it")

    def plan() -> float | None:
        return look(bench, "texts", measure=never).seconds

    assert plan() == pytest.approx((6 * 11 + 1000 + 2) / 100)
    with bench.store.lend() as connection:
        for name in ("a", "b"):
            scoring.SQL.show_worker(
                connection, name=name, queues=["scoring"], threads=1, device="cpu", engine="", doing=""
            )
        connection.commit()
    assert plan() == pytest.approx((6 * 11 + 1000 + 2) / 200)


def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time for a survey."""
    original = survey.Survey.take

    def take(self: survey.Survey, reader: Any, go_on: Callable[[int], object], **options: Any) -> survey.Totals:
        monkeypatch.setattr(estimating.time, "monotonic", lambda: float("inf"))
        try:
            return original(self, reader, go_on, **options)
        finally:
            monkeypatch.undo()

    monkeypatch.setattr(survey.Survey, "take", take)


def test_where_it_takes_too_long_it_is_estimated_and_says_so(
    bench: scored.Bench, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(execute)
    bench.run("texts")
    slowly(monkeypatch)
    plan = look(bench, "texts")
    assert (plan.rows, plan.unchanged, plan.todo, plan.exact) == (10, 0, 10, False), "nobody has looked"


def test_a_large_table_is_estimated_from_a_sample(
    bench: scored.Bench, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text)")
    execute("INSERT INTO texts SELECT n, CASE WHEN n % 2 = 0 THEN 'good' END FROM generate_series(1, 10000) AS n")
    execute("ANALYZE texts")
    original = estimating.source_rows.ask
    asked: list[str] = []

    def ask(reader: Any, selection: Any, statement: Any, seconds: float) -> Any:
        with bench.data.lend() as connection:
            asked.append(statement.as_string(connection))
        if "count(*)" in asked[-1] and "LIMIT" not in asked[-1]:
            raise database.DatabaseError("The data answered: canceling statement due to statement timeout")
        return original(reader, selection, statement, seconds)

    monkeypatch.setattr(estimating.source_rows, "ask", ask)
    plan = look(bench, "texts")
    assert counts(plan) == (10_000, 0, 5000, 10_000, 20_000)
    assert not plan.exact


def test_a_text_that_cannot_be_read_costs_the_plan_its_sizes_alone(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    execute("CREATE VIEW seen AS SELECT id, 'good ' || (6 / (5 - id)) AS body FROM texts")
    for condition in ("", "true"):
        plan = look(bench, "seen", key=["id"], condition=condition, measure=lambda texts: 1.0)
        assert (plan.rows, plan.todo, plan.exact, plan.seconds) == (10, 10, False, None)


def test_what_cannot_be_scored_is_told(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    with pytest.raises(scoring.ScoringError, match="texts has no column 'nothing'"):
        look(bench, "texts", "nothing")
    bench.run("texts")
    execute("ALTER TABLE texts ADD nr int; UPDATE texts SET nr = id")
    with pytest.raises(scoring.ScoringError, match="has been scored by the key id; its scores cannot take another"):
        look(bench, "texts", key=["nr"])
