"""What planning, following and changing runs promises: clear refusals, free names, every state's own actions."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit import scored
from undertone import catalog, database, scores, scoring

TEXTS = "(id int PRIMARY KEY, body text, at timestamptz, kind text, stars int)"


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def fill(execute: scored.Execute, table: str = "reviews", rows: int = 10) -> None:
    execute(f"CREATE TABLE {table} {TEXTS}")
    execute(
        f"INSERT INTO {table} SELECT n, 'a good text number ' || n, now(), 'kind ' || n % 3, n % 5"
        f" FROM generate_series(1, {rows}) AS n"
    )


def jobs(execute: scored.Execute) -> list[tuple[object, ...]]:
    return execute("SELECT task_name, args FROM undertone.procrastinate_jobs WHERE status = 'todo' ORDER BY id")


def queue(execute: scored.Execute, statement: str) -> None:
    """Change the job queue, whose triggers name their tables without a schema."""
    execute(f"SET LOCAL search_path TO undertone; {statement}")


def columns_of(execute: scored.Execute, name: str) -> list[object]:
    statement = (
        "SELECT attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = attrelid"
        " WHERE relname = %s AND relnamespace = 'scores'::regnamespace AND attnum > 0 ORDER BY attnum"
    )
    return [row[0] for row in execute(statement, (name,))]


# --- planning


def test_a_plan_is_a_run_a_table_and_a_job(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    run = bench.plan("reviews", context=None, model="default", chunk_rows=7, place="there")
    assert (run.state, run.model, run.model_id, run.chunk_rows, run.rows_total) == ("planned", "default", None, 7, None)
    assert (run.rows, run.chunks, run.share, run.rate, run.seconds_left, run.ended) == (0, 0, 0.0, None, None, False)
    source = run.source
    assert (source.name, source.database, source.schema, source.relation) == ("reviews", "there", "public", "reviews")
    assert source.title == "reviews · body"
    assert source.key == (scores.Kept("id", "integer", "id", "integer"),)
    assert {kept.name for kept in source.context} == {"at", "kind", "stars"}, "proposed"
    assert jobs(execute) == [("cut_run", {"run": run.id})]
    assert columns_of(execute, "reviews")[0] == "id"


def test_the_context_is_what_was_asked_for(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    run = bench.plan("reviews", context=["stars", "id", "stars", "body", "kind"])
    assert [kept.name for kept in run.source.context] == ["stars", "kind"]
    assert columns_of(execute, "reviews") == ["id", "stars", "kind", *scores.RESULT]


REFUSED: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
    (("nowhere",), {}, 'no table or view "nowhere"'),
    (("secret",), {}, "may not read"),
    (("reviews", "text"), {}, "reviews has no column 'text'; it has: id, body, at, kind, stars"),
    (("reviews", "stars"), {}, "The column stars of reviews holds no text: it is integer"),
    (("reviews", "at"), {}, "holds no text: it is timestamp with time zone"),
    (("reviews",), {"key": ["nr"]}, "reviews has no column 'nr'"),
    (("reviews",), {"context": ["mood"]}, "reviews has no column 'mood'"),
    (("reviews",), {"key": ["kind"]}, "kind is the same in 7 rows of reviews"),
    (("reviews",), {"key": ["kind", "at"]}, "kind, at is the same in 7 rows of reviews"),
    (("reviews",), {"key": ["stars"]}, "stars is null in 1 rows of reviews"),
    (("reviews",), {"key": ["id", "stars"]}, "id, stars is null in 1 rows of reviews"),
    (("keyless",), {}, r"keyless has no primary key; name the columns .* \(--key COLUMN\)"),
]


def test_what_cannot_be_scored_is_refused_and_leaves_nothing(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    execute("UPDATE reviews SET stars = NULLIF(id, 1)")
    execute("CREATE VIEW keyless AS SELECT id, body FROM reviews; GRANT SELECT ON keyless TO PUBLIC")
    execute("CREATE TABLE secret (id int PRIMARY KEY, body text); REVOKE ALL ON secret FROM undertone_reader")
    for arguments, options, said in REFUSED:
        kind = scoring.ScoringError if arguments[0] in ("reviews", "keyless") else catalog.CatalogError
        with pytest.raises(kind, match=said) as caught:
            bench.plan(*arguments, **options)
        assert "\n" not in str(caught.value)
    assert bench.store.ask(scoring.runs) == []
    assert bench.store.ask(scoring.sources) == []
    assert jobs(execute) == []
    assert execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'scores'::regnamespace") == [(0,)]


def test_a_named_key_will_do_where_it_tells_rows_apart(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    execute("CREATE VIEW keyless AS SELECT id, body, stars, kind FROM reviews; GRANT SELECT ON keyless TO PUBLIC")
    for key, kept in ((["id", "id"], ["id"]), (["stars", "kind"], ["stars", "kind"])):
        run = bench.plan("keyless", key=key, place=str(key))
        assert [column.name for column in run.source.key] == kept
        assert bench.work(run).scored == 10


def test_sources_called_alike_get_names_of_their_own(bench: scored.Bench, execute: scored.Execute) -> None:
    long = "x" * 63
    for statement in (
        "CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO PUBLIC",
        "CREATE TABLE reviews (id int PRIMARY KEY, body text, title text)",
        "CREATE TABLE other.reviews (id int PRIMARY KEY, body text, title text)",
        'CREATE TABLE "Reviews" (id int PRIMARY KEY, body text)',
        "CREATE TABLE reviews_body (id int PRIMARY KEY, body text)",
        f"CREATE TABLE {long} (id int PRIMARY KEY, body text, {long} text)",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public, other TO PUBLIC",
        "CREATE TABLE scores.occupied (i int)",
        "CREATE TABLE occupied (id int PRIMARY KEY, body text)",
    ):
        execute(statement)
    plans = [
        (("reviews",), "here", "reviews"),
        (("reviews", "title"), "here", "reviews_title"),
        (("other.reviews",), "here", "reviews_body"),
        (("other.reviews", "title"), "here", "other_reviews_title"),
        (('"Reviews"',), "here", "Reviews"),
        (("public.reviews_body",), "here", "reviews_body_body"),
        (("reviews",), "elsewhere", "public_reviews_body"),
        (("reviews",), "a third", "public_reviews_body_2"),
        ((long,), "here", long),
        ((long, long), "here", ("public_" + long)[:63]),
        ((long,), "elsewhere", ("public_" + long)[:55] + "_2"),
        (("occupied",), "here", "occupied_body"),
    ]
    found = [bench.plan(*arguments, place=place).source for arguments, place, _ in plans]
    assert [source.name for source in found] == [name for _, _, name in plans]
    for source in found:
        assert columns_of(execute, source.name) == ["id", *scores.RESULT]
    assert [source.id for source in bench.store.ask(scoring.sources)] == [source.id for source in reversed(found)]


def test_columns_called_as_those_of_the_result_are_kept_under_other_names(
    bench: scored.Bench, execute: scored.Execute
) -> None:
    execute(
        "CREATE TABLE odd (run_id int, source_label text, label text, confidence real, xmin_ int, body text,"
        " PRIMARY KEY (run_id, label))"
    )
    execute("INSERT INTO odd VALUES (4, 'a', 'b', 0.5, 1, 'good')")
    execute("CREATE VIEW hidden AS SELECT run_id AS ctid, label AS tableoid, body FROM odd")
    run = bench.run("odd", context=["source_label", "confidence"])
    assert [kept.stored for kept in run.source.key] == ["source_run_id", "source_label"]
    assert [kept.stored for kept in run.source.context] == ["source_source_label", "source_confidence"]
    names = ["source_run_id", "source_label", "source_source_label", "source_confidence", "run_id", "label"]
    assert bench.scores(run.source, *names) == [(4, "b", "a", 0.5, run.id, "POSITIVE")]
    view = bench.run("hidden", key=["ctid"], context=["tableoid"])
    assert bench.scores(view.source, "source_ctid", "source_tableoid", "label") == [(4, "b", "POSITIVE")]


def test_a_second_run_brings_further_context(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, rows=2)
    first = bench.run("reviews", context=["stars"])
    second = bench.run("reviews", context=["kind"])
    assert second.source.id == first.source.id
    assert [kept.name for kept in second.source.context] == ["kind"]
    assert columns_of(execute, "reviews") == ["id", "stars", *scores.RESULT, "kind"]
    assert bench.scores(second.source, "id", "kind") == [(1, "kind 1"), (2, "kind 2")]
    both = bench.run("reviews", context=["stars", "kind"])
    assert bench.scores(both.source, "id", "stars", "kind") == [(1, 1, "kind 1"), (2, 2, "kind 2")]
    assert len(columns_of(execute, "reviews")) == 3 + len(scores.RESULT)


def test_scores_keep_their_key(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    execute("UPDATE reviews SET stars = id")
    bench.run("reviews")
    with pytest.raises(scoring.ScoringError, match="reviews · body has been scored by the key id; its scores cannot"):
        bench.plan("reviews", key=["stars"])


def test_texts_have_one_active_run_at_a_time(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    run = bench.plan("reviews")
    for step in (lambda: None, lambda: bench.cut(run), lambda: bench.change(run, "pause")):
        step()
        with pytest.raises(scoring.ScoringError, match=f"Run {run.id} of reviews · body has not ended; wait for it or"):
            bench.plan("reviews")
    assert bench.plan("reviews", "kind").state == "planned", "another column is other texts"
    assert bench.plan("reviews", place="elsewhere").state == "planned", "another database has other texts"
    bench.change(run, "cancel")
    assert bench.plan("reviews").state == "planned"


def test_of_many_who_start_at_once_one_succeeds(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    gate = threading.Barrier(4)

    def start() -> object:
        gate.wait()
        try:
            return bench.plan("reviews").state
        except scoring.ScoringError as error:
            return str(error)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = [future.result() for future in [pool.submit(start) for _ in range(4)]]
    assert found.count("planned") == 1
    assert sum("has not ended" in str(one) for one in found) == 3
    assert len(jobs(execute)) == 1


# --- changing


STATES = ["planned", "running", "paused", "cancelled", "failed", "finished"]


def test_every_state_has_its_actions_and_refuses_the_others(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    run = bench.plan("reviews", chunk_rows=5)
    bench.cut(run)
    allowed = {
        ("planned", "pause"): "paused",
        ("planned", "cancel"): "cancelled",
        ("running", "pause"): "paused",
        ("running", "cancel"): "cancelled",
        ("paused", "resume"): "running",
        ("paused", "cancel"): "cancelled",
        ("failed", "retry"): "running",
    }
    refused = {
        "planned": "It can pause or cancel.",
        "running": "It can pause or cancel.",
        "paused": "It can resume or cancel.",
        "failed": "It can retry or undo.",
        "cancelled": "It can undo.",
        "finished": "It can undo.",
    }
    undone = [(state, "undo") for state in ("failed", "cancelled", "finished")]
    for state in STATES:
        for action in ("pause", "resume", "cancel", "retry", "undo"):
            if (state, action) in undone:
                continue  # below
            execute("UPDATE undertone.runs SET state = %s, error = 'an old one', finished_at = NULL", (state,))
            if following := allowed.get((state, action)):
                changed = bench.change(run, action)
                assert (changed.state, changed.error) == (following, None), (state, action)
                assert (changed.finished_at is not None) == (following == "cancelled")
                continue
            with pytest.raises(scoring.ScoringError) as caught:
                bench.change(run, action)
            said = f"Run {run.id} is {state}: it cannot {action}. {refused[state]}"
            if action == "undo":
                said = f"Run {run.id} is {state}; cancel it before it is undone"
            assert str(caught.value) == said
            assert bench.get(run).state == state
    for state, action in undone:
        execute("UPDATE undertone.runs SET state = %s, undone_at = NULL", (state,))
        changed = bench.change(run, action)
        assert (changed.state, changed.actions, changed.undone_at is not None) == (state, (), True)
        for again in ("retry", "undo", "pause"):
            with pytest.raises(scoring.ScoringError, match=f"^Run {run.id} was undone; start a new one$"):
                bench.change(run, again)


def test_a_run_that_is_not_there(bench: scored.Bench) -> None:
    for question in (lambda: bench.store.ask(scoring.get, 999), lambda: bench.store.ask(scoring.change, 999, "pause")):
        with pytest.raises(
            scoring.ScoringError, match="There is no run 999; see all of them with: python -m undertone"
        ):
            question()


def test_a_run_paused_before_it_was_cut_is_cut_after_it(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    run = bench.plan("reviews")
    bench.change(run, "pause")
    assert bench.cut(run) == 0
    assert bench.get(run).chunks == 0
    assert bench.change(run, "resume").state == "planned"
    assert bench.work(run).state == "finished"


def test_a_cut_that_failed_is_tried_again(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    run = bench.plan("reviews")
    bench.give_up(run, 0, "the data is away")
    failed = bench.get(run)
    assert (failed.state, failed.error, failed.ended) == ("failed", "the data is away", True)
    queue(execute, "DELETE FROM procrastinate_jobs")
    assert bench.change(run, "retry").state == "planned"
    assert jobs(execute) == [("cut_run", {"run": run.id})]
    assert bench.work(run).state == "finished"


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_a_cut_that_fails_does_not_undo_what_somebody_decided(
    bench: scored.Bench, execute: scored.Execute, action: str
) -> None:
    fill(execute)
    run = bench.plan("reviews")
    state = bench.change(run, action).state
    bench.give_up(run, 0)
    assert (bench.get(run).state, bench.get(run).error) == (state, None)


def test_a_run_whose_last_chunk_failed_while_it_was_paused_ends_when_it_is_resumed(
    bench: scored.Bench, execute: scored.Execute
) -> None:
    fill(execute)
    run = bench.plan("reviews")
    bench.cut(run)
    bench.change(run, "pause")
    bench.give_up(run, 1, "it broke")
    assert bench.get(run).state == "paused"
    resumed = bench.change(run, "resume")
    assert (resumed.state, resumed.error) == ("failed", "1 of 1 chunks failed; the last: it broke")


def test_a_failed_run_waits_for_a_newer_one_of_the_same_texts(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    failed = bench.plan("reviews")
    bench.give_up(failed, 0)
    newer = bench.plan("reviews")
    with pytest.raises(scoring.ScoringError, match=f"Run {newer.id} of the same texts has not ended; wait for it or"):
        bench.change(failed, "retry")
    assert bench.get(failed).state == "failed"
    bench.work(newer)
    assert bench.change(failed, "retry").state == "planned"


# --- following


def test_counts_add_up_chunk_by_chunk(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, rows=10)
    execute("UPDATE reviews SET body = NULL WHERE id = 1; UPDATE reviews SET body = '' WHERE id = 5")
    execute("UPDATE reviews SET body = repeat('good ', 400) WHERE id IN (2, 3)")
    run = bench.plan("reviews", chunk_rows=4)
    bench.cut(run)
    cut = bench.get(run)
    assert (cut.state, cut.rows_total, cut.chunks, cut.chunks_done, cut.share) == ("running", 10, 3, 0, 0.0)
    assert cut.started_at is not None
    bench.score(run, 2)
    half = bench.get(run)
    assert (half.chunks_done, half.rows, half.scored, half.empty, half.truncated) == (1, 4, 3, 1, 0)
    assert half.share == pytest.approx(0.4)
    assert half.model_id == "fake@1"
    assert half.rate is not None
    assert half.rate > 0
    assert half.seconds_left == pytest.approx(6 / half.rate)
    bench.score(run, 1)
    bench.give_up(run, 3, "it broke")
    ended = bench.get(run)
    assert (ended.state, ended.error) == ("failed", "1 of 3 chunks failed; the last: it broke")
    assert (ended.chunks, ended.chunks_done, ended.chunks_failed) == (3, 2, 1)
    assert (ended.rows, ended.scored, ended.unchanged, ended.empty, ended.truncated) == (8, 6, 0, 2, 2)
    assert ended.finished_at is not None
    assert bench.store.ask(scoring.chunk_errors, run.id) == [(3, "it broke")]
    assert bench.change(run, "retry").chunks_failed == 0
    assert bench.store.ask(scoring.chunk_errors, run.id) == []
    bench.score(run, 3)
    done = bench.get(run)
    assert (done.state, done.error, done.rows, done.scored, done.empty, done.share) == ("finished", None, 10, 8, 2, 1.0)
    assert done.seconds_left is None


def test_runs_are_listed_the_newest_first(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, rows=3)
    assert bench.store.ask(scoring.runs) == []
    numbers = [bench.run("reviews").id for _ in range(3)]
    found = bench.store.ask(scoring.runs)
    assert [run.id for run in found] == numbers[::-1]
    assert [(run.rows, run.scored, run.unchanged) for run in found] == [(3, 0, 3), (3, 0, 3), (3, 3, 0)]
    assert [run.id for run in bench.store.ask(scoring.runs, most=1)] == numbers[-1:]


def test_the_source_that_was_scored_last_comes_first(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, rows=1)
    for column in ("body", "kind", "body"):
        bench.run("reviews", column)
    assert [source.text_column for source in bench.store.ask(scoring.sources)] == ["body", "kind"]


# --- the queue


def test_the_queue_gets_every_job_once_whoever_puts_it_there(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, rows=12)
    run = bench.plan("reviews", chunk_rows=1)
    waiting = bench.plan("reviews", "kind")
    bench.cut(run)
    queue(execute, "DELETE FROM procrastinate_jobs")  # whatever may have lost them
    gate = threading.Barrier(5)

    def enqueue() -> int:
        gate.wait()
        return scoring.enqueue(bench.store)

    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        added = [future.result() for future in [pool.submit(enqueue) for _ in range(5)]]
    assert sorted(added) == [0, 0, 0, 0, scoring.QUEUED + 1]
    assert jobs(execute) == [
        ("cut_run", {"run": waiting.id}),
        *(("score_chunk", {"run": run.id, "number": number}) for number in range(1, scoring.QUEUED + 1)),
    ]


def test_the_queue_gets_nothing_that_is_not_to_be_done(
    bench: scored.Bench, execute: scored.Execute, store_pool: database.Database
) -> None:
    fill(execute, rows=5)
    run = bench.plan("reviews", chunk_rows=1)
    bench.cut(run)
    bench.score(run, 1)
    bench.give_up(run, 2)

    def queued(prepare: Callable[[], object]) -> list[object]:
        queue(execute, "DELETE FROM procrastinate_jobs")
        prepare()
        scoring.enqueue(store_pool)
        return [args["number"] for _, args in jobs(execute)]  # type: ignore[index]

    def doing() -> None:
        scoring.enqueue(store_pool)
        queue(execute, "UPDATE procrastinate_jobs SET status = 'doing' WHERE (args ->> 'number')::int = 4")

    def lost() -> None:
        scoring.enqueue(store_pool)
        queue(execute, "UPDATE procrastinate_jobs SET status = 'failed'")

    assert queued(lambda: None) == [3, 4, 5]
    assert queued(doing) == [3, 5]
    assert queued(lost) == [3, 4, 5], "a job that is over though its chunk is not"
    assert queued(lambda: bench.change(run, "pause")) == []
    assert queued(lambda: bench.change(run, "resume")) == [3, 4, 5]
    assert queued(lambda: bench.change(run, "cancel")) == []


@pytest.mark.parametrize(("workers", "window"), [(0, 8), (2, 8), (3, 12)])
def test_a_run_has_a_few_chunks_in_the_queue_and_more_where_there_are_more_workers(
    bench: scored.Bench, execute: scored.Execute, workers: int, window: int
) -> None:
    fill(execute, rows=40)
    for _ in range(workers):
        queue(execute, "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    queue(execute, "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')")
    runs = [bench.plan("reviews", column, chunk_rows=1) for column in ("body", "kind")]
    for run in runs:
        bench.cut(run)
    queue(execute, "DELETE FROM procrastinate_jobs WHERE task_name = 'cut_run'")
    turns = [(run.id, number) for number in range(1, window + 1) for run in runs]
    assert sorted((int(str(args["run"])), args["number"]) for _, args in jobs(execute)) == sorted(turns)  # type: ignore[index]
    queue(execute, "DELETE FROM procrastinate_jobs")
    assert scoring.enqueue(bench.store) == 2 * window
    assert [(args["run"], args["number"]) for _, args in jobs(execute)] == turns, "the runs take turns"  # type: ignore[index]
    assert scoring.enqueue(bench.store) == 0


def test_the_queue_is_filled_up_as_chunks_end(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, rows=20)
    run = bench.plan("reviews", chunk_rows=1)
    bench.cut(run)

    def queued() -> list[object]:
        return [args["number"] for task, args in jobs(execute) if task == "score_chunk"]  # type: ignore[index]

    for number in range(1, 5):  # as a worker does
        queue(execute, f"DELETE FROM procrastinate_jobs WHERE args ->> 'number' = '{number}'")
        assert bench.score(run, number)
    assert queued() == [5, 6, 7, 8], "half is enough"
    queue(execute, "DELETE FROM procrastinate_jobs WHERE args ->> 'number' = '5'")
    assert bench.score(run, 5)
    assert queued() == list(range(6, 14))


def test_a_chunk_that_waits_to_be_tried_again_takes_no_place_in_the_queue(
    bench: scored.Bench, execute: scored.Execute
) -> None:
    fill(execute, rows=20)
    run = bench.plan("reviews", chunk_rows=1)
    bench.cut(run)
    queue(execute, "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '16 s'")
    assert scoring.enqueue(bench.store) == scoring.QUEUED
    assert [args.get("number") for _, args in jobs(execute)][-8:] == list(range(9, 17))  # type: ignore[attr-defined]


# --- workers


def show(bench: scored.Bench, name: str, doing: str = "waits for work") -> int:
    with bench.store.lend() as connection:
        number = scoring.SQL.show_worker(
            connection, name=name, queues=["scoring"], threads=2, device="cpu", engine="onnx int8", doing=doing
        )
        connection.commit()
        return int(number)


def test_workers_say_that_they_are_there_and_what_they_do(bench: scored.Bench, execute: scored.Execute) -> None:
    assert bench.store.ask(scoring.workers) == []
    fill(execute)
    run = bench.run("reviews", chunk_rows=5)
    for name in ("test", "b", "silent", "test"):
        show(bench, name, f"as {name}")
    execute("UPDATE undertone.workers SET seen_at = now() - interval '31 s' WHERE name = 'silent'")
    execute("UPDATE undertone.workers SET started_at = now() - interval '1 hour'")
    execute("UPDATE undertone.chunks SET finished_at = now() - interval '61 s' WHERE number = 1")
    found = bench.store.ask(scoring.workers)
    assert [(worker.name, worker.doing, worker.rows) for worker in found] == [("b", "as b", 0), ("test", "as test", 5)]
    assert found[1].rate == pytest.approx(5 / 60)
    assert (found[1].queues, found[1].threads, found[1].device, found[1].engine) == (
        ("scoring",),
        2,
        "cpu",
        "onnx int8",
    )
    assert run.chunks_done == 2
    with bench.store.lend() as connection:
        scoring.SQL.forget_worker(connection, name="test")
        connection.commit()
    assert [worker.name for worker in bench.store.ask(scoring.workers)] == ["b"]
