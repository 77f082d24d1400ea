"""What writing promises: a known text is not read again, models stand side by side, a run can be undone."""

from __future__ import annotations

import concurrent.futures
from typing import Any

import pytest

from tests.unit import scored
from undertone import database, scores, scoring

Execute = scored.Execute


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def fill(execute: Execute, rows: int = 6, table: str = "texts") -> None:
    execute(f"CREATE TABLE {table} (id int PRIMARY KEY, body text, n int)")
    execute(f"INSERT INTO {table} SELECT n, 'text ' || n, n FROM generate_series(1, {rows}) AS n")


def say(execute: Execute, body: str, *ids: int) -> None:
    execute("UPDATE texts SET body = %s WHERE id = ANY (%s)", (body, list(ids)))


def all_of(bench: scored.Bench, source: scores.Source) -> list[tuple[Any, ...]]:
    """Everything that a table of scores holds."""
    kept = [column.stored for column in (*source.key, *source.context)]
    return bench.scores(source, *kept, *scores.RESULT)


# --- what is known


def test_a_text_that_the_model_has_read_in_another_source_is_not_read_again(
    bench: scored.Bench, execute: Execute
) -> None:
    fill(execute)
    fill(execute, table="others")
    execute(
        "UPDATE others SET body = NULL WHERE id = 6; INSERT INTO others VALUES (7, 'new'), (8, 'new'), (9, 'text 1')"
    )
    bench.run("texts")
    bench.model.calls.clear()
    run = bench.run("others", chunk_rows=100)
    assert (run.rows, run.scored, run.empty, run.reused) == (9, 8, 1, 6)
    assert bench.model.asked == [None, "new"], "each distinct text once"
    columns = ("label", "confidence", "probabilities", "truncated", "share_read", "model_id", "engine", "precision")
    (first, second) = (bench.scores(source, "id", *columns)[:5] for source in (bench.store.ask(scoring.sources)))
    assert first == second
    assert {row[0] for row in bench.scores(run.source, "run_id")} == {run.id}


def test_what_another_model_said_is_not_taken_over(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    bench.run("texts")
    bench.model = scored.Fake("fake@2", precision="int8")
    run = bench.run("texts")
    assert (run.scored, run.reused, run.unchanged) == (6, 0, 0), "the same name, other weights"
    assert bench.scores(run.source, "model_id", "precision") == [("fake@2", "int8")] * 6


def test_a_source_whose_table_was_dropped_is_no_hindrance(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    fill(execute, table="others")
    bench.run("texts")
    execute("DROP TABLE scores.texts CASCADE")
    assert bench.run("others").reused == 0


# --- models side by side


def test_models_stand_side_by_side_and_one_is_the_current_one(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    first = bench.run("texts")
    bench.model = scored.Fake("other@1")
    second = bench.run("texts", model="other")
    assert second.source.id == first.source.id
    assert (second.scored, second.unchanged) == (6, 0)
    lines = bench.store.ask(scores.models, first.source)
    assert [(line.model, line.rows) for line in lines] == [("default", 6), ("other", 6)]
    view = "SELECT DISTINCT model, model_id, count(*) OVER () FROM scores.texts_current"
    assert execute(view) == [("default", "fake@1", 6)], "the first one, until somebody says otherwise"
    assert bench.store.ask(scores.summary, second.source).rows == 6

    changed = bench.store.ask(scoring.make_current, first.source, "other")
    assert changed.current_model == "other"
    assert execute(view) == [("other", "other@1", 6)]
    bench.model = scored.Fake("fake@1")
    assert bench.run("texts").unchanged == 6, "each model has its own"
    assert execute(view) == [("other", "other@1", 6)], "a run changes nothing about it"
    assert "other" in str(execute("SELECT obj_description('scores.texts_current'::regclass)"))


def test_a_current_model_that_has_said_nothing_gives_way(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    wrong = bench.plan("texts", model="wrong")
    bench.change(wrong, "cancel")
    right = bench.run("texts", model="right")
    assert right.source.current_model == "right"
    assert execute("SELECT DISTINCT model FROM scores.texts_current") == [("right",)]
    assert bench.run("texts", model="wrong").source.current_model == "right"


def test_a_model_without_scores_cannot_be_the_current_one(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    run = bench.run("texts")
    with pytest.raises(scoring.ScoringError, match="texts · body has no scores of nobody; it has: default"):
        bench.store.ask(scoring.make_current, run.source, "nobody")
    assert bench.store.ask(scoring.get_source, run.source.id).current_model == "default"


def test_the_view_has_what_the_table_has_but_for_what_is_gone(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    run = bench.run("texts", context=["n"])
    columns = [
        row[0]
        for row in execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'scores.texts'::regclass AND attnum > 0 ORDER BY attnum"
        )
    ]
    shown = [
        row[0]
        for row in execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'scores.texts_current'::regclass"
            " AND attnum > 0 ORDER BY attnum"
        )
    ]
    assert shown == [name for name in columns if name not in scores.GONE]
    assert run.source.current == "scores.texts_current"
    more = bench.run("texts", context=["n", "id"])
    assert more.source.view_name == "texts_current"
    execute("ALTER TABLE texts ADD mood text DEFAULT 'fine'")
    bench.run("texts", context=["n", "mood"])
    assert execute("SELECT DISTINCT mood FROM scores.texts_current") == [("fine",)]
    with bench.data.lend() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM scores.texts_current")  # who only reads may
        assert cursor.fetchone() == (6,)


def test_who_reads_the_view_keeps_nobody_from_planning(bench: scored.Bench, execute: Execute) -> None:
    """As an export does, for minutes."""
    fill(execute)
    bench.run("texts", context=["n"])
    with concurrent.futures.ThreadPoolExecutor(1) as pool, bench.data.lend() as connection:
        connection.cursor().execute("SELECT count(*) FROM scores.texts_current")
        planned = pool.submit(bench.plan, "texts", context=["n"])
        try:
            assert planned.result(timeout=60).state == "planned"
        finally:
            connection.rollback()  # or the other would wait for it for ever


def test_the_view_of_a_hostile_name_is_its_own(bench: scored.Bench, execute: Execute) -> None:
    odd = 'it\'s 100% "odd" {x} 評'
    long = "x" * 63
    for name in (odd, long, long[:62] + "y", "texts", "texts_current"):
        quoted = '"' + name.replace('"', '""') + '"'
        execute(f"CREATE TABLE {quoted.replace('%', '%%')} (id int PRIMARY KEY, body text)", ())
        execute(f"INSERT INTO {quoted.replace('%', '%%')} VALUES (1, 'good')", ())
    sources = [bench.run(name).source for name in (odd, long, long[:62] + "y", "texts", "texts_current")]
    views = [source.view_name for source in sources]
    assert views[0] == odd + "_current"
    assert views[1] == "x" * 55 + "_current"
    assert views[2] != views[1]
    assert views[3] == "texts_current"
    assert sources[4].name != "texts_current", "the view of another has that name"
    assert len({*views, *(source.name for source in sources)}) == 10
    for source in sources:
        assert execute(f"SELECT label FROM {source.current.replace('%', '%%')}", ()) == [("POSITIVE",)]


# --- undoing


def test_undoing_the_first_run_leaves_nothing(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    run = bench.run("texts", context=["n"])
    undone = bench.change(run, "undo")
    assert (undone.state, undone.undone_at is not None) == ("finished", True)
    assert all_of(bench, run.source) == []
    assert bench.run("texts", context=["n"]).scored == 6, "and it can be done anew"


def test_undoing_brings_back_exactly_what_was_replaced(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    first = bench.run("texts", context=["n"])
    before = all_of(bench, first.source)
    say(execute, "good", 2, 3)
    execute("INSERT INTO texts VALUES (7, 'new', 7); DELETE FROM texts WHERE id IN (1, 4)")
    second = bench.run("texts", context=["n"], chunk_rows=2)
    assert (second.scored, second.vanished) == (3, 2)
    assert all_of(bench, first.source) != before
    bench.change(second, "undo")
    assert all_of(bench, first.source) == before
    assert execute(f"SELECT count(*) FROM undertone.replaced_{first.source.id}") == [(0,)]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 1, 3), (2, 3, 1), (1, 3, 2), (3, 1, 2)])
def test_three_runs_can_be_undone_in_any_order(bench: scored.Bench, execute: Execute, order: tuple[int, ...]) -> None:
    fill(execute)
    runs: list[scoring.Run] = []
    says: list[dict[int, int]] = []
    # Rows that all have written, that some have, and that one has.
    for number, ids in enumerate([(), (1, 2, 3, 4), (2, 3, 5), (3, 4, 5, 6)]):
        say(execute, f"said {number}", *ids)
        runs.append(bench.run("texts", chunk_rows=2))
        says.append(dict.fromkeys(ids or range(1, 7), runs[-1].id))
    standing = [0, 1, 2, 3]
    for number in order:
        bench.change(runs[number], "undo")
        standing.remove(number)
        expected: dict[int, int] = {}
        for one in standing:
            expected |= says[one]
        assert dict(bench.scores(runs[0].source, "id", "run_id")) == expected
    assert bench.scores(runs[0].source, "id", "run_id") == [(key, runs[0].id) for key in range(1, 7)]
    bench.change(runs[0], "undo")
    assert all_of(bench, runs[0].source) == []
    assert execute(f"SELECT count(*) FROM undertone.replaced_{runs[0].source.id}") == [(0,)]


def test_a_run_that_wrote_a_row_twice_with_another_between_is_undone_as_well(
    bench: scored.Bench, execute: Execute
) -> None:
    """A row failed, so the run is tried again after a later one, and finds a text that is newer still."""
    fill(execute, 2)
    zero = bench.run("texts")
    say(execute, "one", 1)
    say(execute, "broken", 2)

    def explode(call: int) -> None:
        if "broken" in bench.model.calls[-1]:
            raise RuntimeError

    bench.model.before = explode
    first = bench.run("texts")
    assert (first.scored, first.failed) == (1, 1)
    say(execute, "two", 1)
    second = bench.run("texts", condition="id = 1")
    bench.model.before = lambda call: None
    say(execute, "three", 1)
    bench.change(first, "retry")
    assert bench.score(first, 1)
    assert bench.scores(zero.source, "id", "run_id") == [(1, first.id), (2, first.id)]

    bench.change(first, "undo")
    assert bench.scores(zero.source, "id", "run_id") == [(1, second.id), (2, zero.id)]
    bench.change(second, "undo")
    assert bench.scores(zero.source, "id", "run_id") == [(1, zero.id), (2, zero.id)]


def test_undoing_what_found_rows_gone_holds_for_what_was_replaced_since(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    first = bench.run("texts")
    before = all_of(bench, first.source)
    execute("DELETE FROM texts WHERE id = 3")
    second = bench.run("texts")
    execute("INSERT INTO texts VALUES (3, 'text 3')")
    third = bench.run("texts")
    assert (second.vanished, third.scored) == (1, 1)
    bench.change(second, "undo")
    bench.change(third, "undo")
    assert all_of(bench, first.source) == before


def test_undoing_in_one_model_leaves_the_other(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    bench.run("texts")
    bench.model = scored.Fake("other@1")
    other = bench.run("texts", model="other")
    say(execute, "good", 1)
    changed = bench.run("texts", model="other")
    bench.change(other, "undo")
    assert sorted(bench.scores(other.source, "id", "model", "run_id"))[:2] == [
        (1, "default", 1),
        (1, "other", changed.id),
    ]
    assert [line.rows for line in bench.store.ask(scores.models, other.source)] == [6, 1]


def test_what_was_cancelled_half_way_is_undone(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    first = bench.run("texts")
    before = all_of(bench, first.source)
    say(execute, "good", 1, 2, 3, 4)
    run = bench.plan("texts", chunk_rows=2)
    bench.cut(run)
    bench.score(run, 2)
    with pytest.raises(scoring.ScoringError, match=f"Run {run.id} is running; cancel it before it is undone"):
        bench.change(run, "undo")
    bench.change(run, "cancel")
    assert not bench.score(run, 1)
    bench.change(run, "undo")
    assert all_of(bench, first.source) == before


def test_a_run_is_undone_while_no_other_of_its_texts_is_under_way(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    first = bench.run("texts")
    second = bench.plan("texts")
    with pytest.raises(scoring.ScoringError, match=f"Run {second.id} of the same texts has not ended; wait for it or"):
        bench.change(first, "undo")
    assert len(all_of(bench, first.source)) == 6


def test_a_column_that_came_later_is_undone_too(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    first = bench.run("texts")
    second = bench.run("texts", context=["n"])
    assert second.scored == 6
    bench.change(second, "undo")
    assert bench.scores(first.source, "id", "run_id", "n") == [(key, first.id, None) for key in range(1, 7)]
