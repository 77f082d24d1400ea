"""What a watch promises: a source is kept up at its pace, once whoever looks, and one error is not its end."""

from __future__ import annotations

import concurrent.futures
import datetime
import threading
from typing import Any

import pytest

from tests.unit import scored
from undertone import database, scoring, watches

Execute = scored.Execute
Pace = watches.Pace
HOURLY = Pace(60)
UTC = datetime.UTC


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def fill(execute: Execute, rows: int = 3) -> None:
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text, title text DEFAULT 'good')")
    execute(f"INSERT INTO texts SELECT n, 'good ' || n FROM generate_series(1, {rows}) AS n")


def watch(bench: scored.Bench, column: str = "body", pace: Pace = HOURLY, **options: Any) -> watches.Watch:
    """A watch on a source that was scored once."""
    run = bench.run("texts", column, **options)
    return bench.store.ask(watches.put, run, bench.wish("texts", column, **options), pace)


def come(execute: Execute) -> None:
    """Let the time of all watches come."""
    execute("UPDATE undertone.watches SET next_at = now() - interval '1 s'")


def start(bench: scored.Bench) -> list[int]:
    return watches.start_due(bench.reader, bench.store, place="here")


def again(bench: scored.Bench, execute: Execute) -> scoring.Run:
    """The time comes, and the run is done."""
    come(execute)
    (number,) = start(bench)
    return bench.work(bench.store.ask(scoring.get, number))


def test_a_watch_is_started_by_workers_of_its_own_database_alone(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text)")
    watch(bench)
    come(execute)
    assert watches.start_due(bench.reader, bench.store, place="there") == []
    assert len(start(bench)) == 1


# --- paces


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        (Pace(1), "every minute"),
        (Pace(59), "every 59 minutes"),
        (Pace(60), "every hour"),
        (Pace(90), "every 90 minutes"),
        (Pace(180), "every 3 hours"),
        (Pace(1440), "every day"),
        (Pace(366 * 1440), "every 366 days"),
        (Pace(cron="0 2 * * *"), "cron 0 2 * * * (UTC)"),
    ],
)
def test_a_pace_in_words(pace: Pace, said: str) -> None:
    watches.check_pace(pace)
    assert str(pace) == said


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        (Pace(), "Say how often"),
        (Pace(5, "0 2 * * *"), "Say how often"),
        (Pace(0), "every 1 to 527,040 minutes"),
        (Pace(-5), "every 1 to 527,040 minutes"),
        (Pace(366 * 1440 + 1), "every 1 to 527,040 minutes"),
        *(
            (Pace(cron=line), "is no cron line; it has five fields, as in: 0 2 \\* \\* \\*")
            for line in ("", "@daily", "0 2 * *", "0 0 2 * * *", "60 * * * *", "* * * * 8", "so often as it can be")
        ),
        (Pace(cron="0 0 30 2 *"), "never comes"),
    ],
)
def test_what_is_no_pace_is_refused(pace: Pace, said: str) -> None:
    with pytest.raises(watches.WatchError, match=said):
        watches.check_pace(pace)


def test_a_cron_line_is_in_utc() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    after = datetime.datetime(2026, 3, 1, 7, 0, tzinfo=zone)  # 01:30 in UTC
    assert watches.following(Pace(cron="0 2 * * *"), after) == datetime.datetime(2026, 3, 1, 2, tzinfo=UTC)
    sharp = datetime.datetime(2026, 3, 1, 2, tzinfo=UTC)
    assert watches.following(Pace(cron="0 2 * * *"), sharp) == datetime.datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert watches.following(Pace(cron="30 6 * * mon-fri"), sharp) == datetime.datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    assert watches.following(Pace(90), sharp) == datetime.datetime(2026, 3, 1, 3, 30, tzinfo=UTC)


# --- watching


def test_a_watch_is_what_was_wished(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    options = {"context": ["title"], "condition": " id > 1\n", "queue": "gpu", "who": "ann", "chunk_rows": 2}
    made = watch(bench, pace=Pace(cron="0 2 * * *"), **options)
    assert (made.source.title, made.model, made.pace, made.active) == (
        "texts · body",
        "default",
        Pace(None, "0 2 * * *"),
        True,
    )
    assert (made.who, made.error, made.last_run, made.last_state) == ("ann", None, 1, "finished")
    assert made.next_at == watches.following(made.pace, datetime.datetime.now(UTC))
    assert (made.wish.context, made.wish.condition, made.wish.queue) == (("title",), "id > 1", "gpu")
    run = again(bench, execute)
    assert (run.condition, run.queue, run.who, run.watch, run.chunk_rows) == ("id > 1", "gpu", "ann", made.id, 2)
    assert [kept.name for kept in run.source.context] == ["title"]
    seen = bench.store.ask(watches.get, made.id)
    assert (seen.last_run, seen.last_state) == (run.id, "finished")


def test_new_changed_and_vanished_rows_are_kept_up(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    watch(bench)
    execute(
        "UPDATE texts SET body = 'bad' WHERE id = 1; DELETE FROM texts WHERE id = 2;"
        " INSERT INTO texts VALUES (9, 'new')"
    )
    run = again(bench, execute)
    assert (run.scored, run.unchanged, run.vanished) == (2, 1, 1)
    assert again(bench, execute).scored == 0


def test_before_its_time_nothing_is_done(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    watch(bench)
    assert start(bench) == []
    come(execute)
    assert len(start(bench)) == 1
    assert start(bench) == []
    (seen,) = bench.store.ask(watches.watches)
    wait = seen.next_at - datetime.datetime.now(UTC)
    assert datetime.timedelta(minutes=59) < wait <= datetime.timedelta(minutes=60)


def test_of_some_workers_that_look_at_once_one_plans_it(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    watch(bench)
    watch(bench, "title")
    come(execute)
    gate = threading.Barrier(4)

    def look() -> list[int]:
        gate.wait()
        return start(bench)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = [future.result() for future in [pool.submit(look) for _ in range(4)]]
    assert sum(map(len, found)) == 2
    assert len(bench.store.ask(scoring.runs)) == 4
    assert [one.error for one in bench.store.ask(watches.watches)] == [None, None]


def test_a_watch_that_rests_does_nothing_and_goes_on_from_then(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    made = watch(bench)
    bench.store.ask(watches.change, made.id, "pause")
    come(execute)
    assert start(bench) == []
    assert not bench.store.ask(watches.get, made.id).active
    bench.store.ask(watches.change, made.id, "resume")
    assert start(bench) == [], "what it has missed is not made up for"
    assert bench.store.ask(watches.get, made.id).next_at > datetime.datetime.now(UTC)
    assert len([again(bench, execute)]) == 1


def test_a_watch_that_is_removed_leaves_its_runs_and_scores(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    made = watch(bench)
    run = again(bench, execute)
    bench.store.ask(watches.change, made.id, "remove")
    assert bench.store.ask(watches.watches) == []
    assert bench.get(run).watch == made.id
    assert len(bench.scores(run.source, "id")) == 3
    with pytest.raises(watches.WatchError, match=f"There is no watch {made.id}; see all of them with: python -m"):
        bench.store.ask(watches.change, made.id, "pause")


def test_an_error_is_noted_and_the_others_go_on(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    execute("CREATE TABLE others (id int PRIMARY KEY, body text)")
    broken, fine = watch(bench), watch(bench, "title")
    execute("ALTER TABLE texts RENAME body TO words")
    come(execute)
    execute(f"UPDATE undertone.watches SET next_at = next_at - interval '1 h' WHERE id = {broken.id}")
    started = start(bench)
    assert [bench.store.ask(scoring.get, number).source.text_column for number in started] == ["title"]
    seen = bench.store.ask(watches.get, broken.id)
    assert seen.error == "texts has no column 'body'; it has: id, words, title"
    assert (seen.active, seen.next_at > datetime.datetime.now(UTC)) == (True, True)
    assert bench.store.ask(watches.get, fine.id).error is None
    for number in started:
        bench.work(bench.store.ask(scoring.get, number))
    execute("ALTER TABLE texts RENAME words TO body")
    bench.store.ask(watches.change, fine.id, "remove")
    assert again(bench, execute).state == "finished"
    assert bench.store.ask(watches.get, broken.id).error is None


def test_a_run_that_is_under_way_is_not_doubled(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    made = watch(bench)
    running = bench.plan("texts")
    come(execute)
    assert start(bench) == []
    assert f"Run {running.id} of texts · body has not ended" in (bench.store.ask(watches.get, made.id).error or "")
    bench.work(running)
    assert again(bench, execute).state == "finished"


def test_put_again_it_is_the_same_watch_at_another_pace(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    first = watch(bench)
    bench.store.ask(watches.change, first.id, "pause")
    second = watch(bench, pace=Pace(cron="0 2 * * *"))
    other = watch(bench, model="other")
    assert (second.id, second.pace, second.active) == (first.id, Pace(cron="0 2 * * *"), True)
    assert [one.id for one in bench.store.ask(watches.watches)] == [first.id, other.id]
    with pytest.raises(watches.WatchError):
        watch(bench, pace=Pace(0))
    assert bench.store.ask(watches.get, first.id).pace == second.pace


# --- new rows by a column


def new(bench: scored.Bench, execute: Execute, at: int) -> scoring.Run:
    """A row is added, and the watch run."""
    execute("INSERT INTO texts VALUES (%s, %s)", (at, f"new {at}"))
    return again(bench, execute)


def after(execute: Execute, run: scoring.Run) -> object:
    return execute("SELECT new_after FROM undertone.runs WHERE id = %s", (run.id,))[0][0]


def test_the_mark_moves_with_finished_runs_alone(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    watch(bench, new_by="id")
    first = new(bench, execute, 10_000)
    assert (after(execute, first), first.rows, first.scored) == ("3", 4, 1), "from where the run it was made of came to"
    second = new(bench, execute, 20_000)
    assert (after(execute, second), second.rows, second.scored) == ("10000", 2, 1)

    execute("INSERT INTO texts VALUES (30000, 'broken')")
    come(execute)
    (number,) = start(bench)
    failed = bench.store.ask(scoring.get, number)
    bench.cut(failed)
    bench.give_up(failed, 1)
    assert bench.get(failed).state == "failed"
    come(execute)
    (number,) = start(bench)
    cancelled = bench.store.ask(scoring.get, number)
    bench.cut(cancelled)
    bench.change(cancelled, "cancel")
    last = new(bench, execute, 40_000)
    assert [after(execute, run) for run in (failed, cancelled, last)] == ["20000"] * 3
    assert (last.rows, last.scored) == (3, 2)
    assert execute("SELECT count(*) FROM scores.texts_current") == [(7,)]


def test_rows_that_are_changed_or_gone_are_not_looked_for(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    watch(bench, new_by="id")
    new(bench, execute, 10_000)
    execute("UPDATE texts SET body = 'changed' WHERE id = 1; DELETE FROM texts WHERE id = 2")
    run = new(bench, execute, 20_000)
    assert (run.scored, run.vanished, run.rows) == (1, 0, 2)


@pytest.mark.parametrize("which", [0, 1])
def test_after_a_run_was_undone_all_rows_are_looked_at(bench: scored.Bench, execute: Execute, which: int) -> None:
    fill(execute)
    watch(bench, new_by="id")
    runs = [new(bench, execute, 10_000), new(bench, execute, 20_000)]
    bench.change(runs[which], "undo")
    run = new(bench, execute, 30_000)
    assert (after(execute, run), run.rows, run.scored) == (None, 6, 2)
    assert after(execute, new(bench, execute, 40_000)) == "30000"


def test_with_another_condition_all_rows_are_looked_at(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    watch(bench, new_by="id", condition="id > 2")
    old = new(bench, execute, 10_000)
    assert (after(execute, old), old.rows) == ("3", 2)
    bench.store.ask(watches.put, old, bench.wish("texts", new_by="id", condition="id > 1"), HOURLY)
    run = new(bench, execute, 20_000)
    assert (after(execute, run), run.rows, run.scored) == (None, 4, 2)


def test_a_run_that_looked_at_new_rows_alone_is_no_beginning(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    execute("INSERT INTO texts VALUES (5000, 'new')")
    some = bench.run("texts", new_by="id", new_after="5000")
    bench.store.ask(watches.put, some, bench.wish("texts", new_by="id"), HOURLY)
    run = new(bench, execute, 6000)
    assert (after(execute, run), run.rows, run.scored) == (None, 5, 4)


def test_what_a_person_runs_moves_no_mark(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    watch(bench, new_by="id")
    new(bench, execute, 10_000)
    execute("INSERT INTO texts VALUES (20000, 'new')")
    bench.run("texts", new_by="id", new_after="20000")
    run = new(bench, execute, 30_000)
    assert (after(execute, run), run.rows) == ("10000", 3)
