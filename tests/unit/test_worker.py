"""What workers promise: a run is done whoever dies meanwhile, nothing is lost and nothing doubled."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import datetime
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psutil
import psycopg2
import pytest
import sqlalchemy

from tests import ground
from tests.unit import scored
from undertone import (
    classifier,
    console,
    database,
    embedded,
    local_worker,
    scoring,
    services,
    settings,
    tasks,
    watches,
    worker,
)

ROOT = pathlib.Path(__file__).parent.parent.parent
PATIENCE = 120.0
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool, place=services.place_of(data_pool.address))


@pytest.fixture
def home(engine: None) -> Iterator[pathlib.Path]:
    path = ground.new("home")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start(place: Callable[[str], sqlalchemy.URL], home: pathlib.Path) -> Iterator[Start]:
    """Start a worker on the test's database, as a process of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def url(role: str) -> str:
        return place(role).set(drivername="postgresql", password="any").render_as_string(hide_password=False)

    def run(*options: str, **environment: str) -> subprocess.Popen[bytes]:
        own = {"DATABASE_URL": url(embedded.READER), "STORE_URL": url(embedded.OWNER), "UNDERTONE_THREADS": "1"}
        child = subprocess.Popen(
            [sys.executable, "-m", "undertone", "worker", *options],
            cwd=ROOT,
            env={**os.environ, "UNDERTONE_HOME": str(home), **own, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started.append(child)
        return child

    yield run
    for child in started:
        if child.poll() is None:
            child.kill()
        said, _ = child.communicate()
        print(f"worker {child.pid} said:\n{said.decode()}")  # shown where a test has failed


def wait(condition: Callable[[], Any], what: str) -> Any:
    """What the condition says as soon as that is something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)
    return found


def fill(execute: scored.Execute, rows: int, body: str = "'good text ' || n") -> None:
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text)")
    execute(f"INSERT INTO texts SELECT n, {body} FROM generate_series(1, {rows}) AS n")


def queue(execute: scored.Execute) -> list[tuple[object, ...]]:
    """The jobs of runs."""
    return execute(
        "SELECT task_name, status, attempts FROM undertone.procrastinate_jobs"
        " WHERE task_name <> 'start_due_runs' ORDER BY id"
    )


def serve(
    bench: scored.Bench, until: Callable[[tasks.Bench], object], *, queues: Sequence[str] = (tasks.QUEUE,)
) -> None:
    """Be a worker, in this process and with the bench's classifier, until something is so."""
    own = tasks.Bench(bench.reader, bench.store, load=lambda _: bench.model, place=bench.place, name="in the test")

    def watch() -> None:
        with contextlib.suppress(AssertionError):
            wait(lambda: own.stopping.is_set() or until(own), "the worker's end")
        own.stopping.set()

    watching = threading.Thread(target=watch)
    watching.start()
    asyncio.run(worker._serve(bench.store, own, None, queues))
    watching.join()


# --- in this process


def test_a_worker_does_a_run_from_its_plan_to_its_end(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, 25)
    run = bench.plan("texts", chunk_rows=4)
    serve(bench, lambda _: bench.get(run).ended)
    ended = bench.get(run)
    assert (ended.state, ended.rows, ended.scored, ended.chunks_done) == ("finished", 25, 25, 7)
    assert sorted(bench.model.asked) == sorted(f"good text {n}" for n in range(1, 26)), "each once"
    assert queue(execute) == []
    workers = execute("SELECT DISTINCT worker FROM undertone.chunks")
    assert workers == [("in the test",)]


def test_one_chunk_is_read_or_written_while_the_model_works_on_another(
    bench: scored.Bench, execute: scored.Execute
) -> None:
    fill(execute, 8)
    run = bench.plan("texts", chunk_rows=2)
    meeting = threading.Barrier(worker.SIDE_BY_SIDE, timeout=PATIENCE)
    bench.model.before = lambda call: meeting.wait()  # nobody passes alone
    serve(bench, lambda _: bench.get(run).ended)
    ended = bench.get(run)
    assert (ended.state, ended.rows, ended.chunks_done) == ("finished", 8, 4)
    assert sorted(bench.model.asked) == sorted(f"good text {n}" for n in range(1, 9)), "each once"


def test_a_model_is_loaded_once_though_two_chunks_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def slowly(chosen: settings.Settings, model: str) -> object:
        loaded.append(model)
        time.sleep(0.2)
        return object()

    monkeypatch.setattr(classifier, "from_settings", slowly)
    load = worker._loader(settings.Settings())
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(load, ["one", "other", "one", "other"]))
    assert sorted(loaded) == ["one", "other"]
    assert found[:2] == found[2:]


def test_what_fails_for_good_is_given_up_and_the_rest_is_done(
    bench: scored.Bench, execute: scored.Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "ATTEMPTS", 1)
    fill(execute, 9)
    run = bench.plan("texts", chunk_rows=3)
    execute("ALTER TABLE scores.texts ADD CONSTRAINT never CHECK (id <> 5)")
    serve(bench, lambda _: bench.get(run).ended)
    failed = bench.get(run)
    assert (failed.state, failed.rows, failed.chunks_done, failed.chunks_failed) == ("failed", 6, 2, 1)
    said = 'The store answered: new row for relation "texts" violates check constraint "never"'
    assert failed.error == f"1 of 3 chunks failed; the last: {said}"
    assert bench.store.ask(scoring.chunk_errors, run.id) == [(2, said)]
    execute("ALTER TABLE scores.texts DROP CONSTRAINT never")
    bench.change(run, "retry")
    serve(bench, lambda _: bench.get(run).ended)
    done = bench.get(run)
    assert (done.state, done.error, done.rows, done.scored) == ("finished", None, 9, 9)


def test_a_database_that_is_down_is_waited_for_and_costs_nothing(
    bench: scored.Bench, execute: scored.Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "ATTEMPTS", 1)
    fill(execute, 9)
    run = bench.plan("texts", chunk_rows=3)
    said: list[str | None] = []

    def back(_: tasks.Bench) -> bool:
        said.append(bench.get(run).error)
        if said[-1]:
            down.undo()
        return bench.get(run).ended

    def refuse() -> None:
        raise psycopg2.OperationalError("connection refused")

    with pytest.MonkeyPatch.context() as down:
        down.setattr(bench.data, "_connect_once", refuse)
        bench.data.close()
        serve(bench, back)
    ended = bench.get(run)
    assert (ended.state, ended.error, ended.scored, ended.chunks_failed) == ("finished", None, 9, 0)
    waited = next(filter(None, said))
    assert waited.startswith("The data cannot be reached")
    assert waited.endswith("The run waits, and goes on by itself.")


def test_a_row_that_cannot_be_read_costs_itself_and_is_done_when_it_can(
    bench: scored.Bench, execute: scored.Execute
) -> None:
    fill(execute, 9)
    execute("CREATE VIEW seen AS SELECT id, 'good ' || (6 / (5 - id)) AS body FROM texts")
    run = bench.plan("seen", key=["id"], chunk_rows=3)
    serve(bench, lambda _: bench.get(run).ended)
    ended = bench.get(run)
    assert (ended.state, ended.rows, ended.scored, ended.failed, ended.chunks_done) == ("finished", 9, 8, 1, 3)
    assert [(row.key, row.reason) for row in bench.store.ask(scoring.failed_rows, run.id)] == [
        (("5",), "division by zero")
    ]
    execute("CREATE OR REPLACE VIEW seen AS SELECT id, 'good' AS body FROM texts")
    bench.change(run, "retry")
    serve(bench, lambda _: bench.get(run).ended)
    done = bench.get(run)
    assert (done.state, done.rows, done.scored + done.unchanged, done.failed) == ("finished", 9, 9, 0)


def test_a_cut_that_fails_for_good_ends_the_run(
    bench: scored.Bench, execute: scored.Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "ATTEMPTS", 1)
    fill(execute, 9)
    run = bench.plan("texts")
    execute("DROP TABLE texts")
    serve(bench, lambda _: bench.get(run).ended)
    assert (bench.get(run).state, bench.get(run).rows_total) == ("failed", None)
    assert bench.get(run).error == 'The data answered: relation "public.texts" does not exist'


def test_an_unforeseen_error_is_recorded_without_anybodys_text(
    bench: scored.Bench, execute: scored.Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "ATTEMPTS", 1)
    fill(execute, 1, body="'my secret'")

    def explode(call: int) -> None:
        raise RuntimeError(f"cannot read {bench.model.asked}")

    bench.model.before = explode
    run = bench.plan("texts")
    serve(bench, lambda _: bench.get(run).ended)
    assert bench.get(run).error == "1 of 1 chunks failed; the last: unforeseen: RuntimeError"


def test_what_will_not_pass_is_not_tried_again(bench: scored.Bench, execute: scored.Execute) -> None:
    """A model that is not there, a column that is gone: waiting helps nobody."""
    fill(execute, 3)
    run = bench.plan("texts")

    def refuse(call: int) -> None:
        raise classifier.ModelError("There is no such model")

    bench.model.before = refuse
    serve(bench, lambda _: bench.get(run).ended)
    assert bench.get(run).state == "failed"
    assert "There is no such model" in (bench.get(run).error or "")
    assert execute("SELECT failures FROM undertone.chunks") == [(1,)]


def test_what_fails_once_is_tried_again_after_a_while(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, 3)
    run = bench.plan("texts")

    def explode(call: int) -> None:
        if call == 1:
            raise database.DatabaseError("once")

    bench.model.before = explode
    delays: list[tuple[object, ...]] = []

    def ended(_: tasks.Bench) -> bool:
        delays.extend(
            execute("SELECT attempts FROM undertone.procrastinate_jobs WHERE status = 'todo' AND scheduled_at > now()")
        )
        return bench.get(run).ended

    serve(bench, ended)
    assert bench.get(run).state == "finished"
    assert set(delays) == {(1,)}


def test_an_interrupted_job_goes_straight_back_into_the_queue(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, 5 * scored.SLICE)
    run = bench.plan("texts", chunk_rows=1000)
    stopped = threading.Event()
    bench.model.before = lambda call: stopped.wait(PATIENCE)

    def stop(own: tasks.Bench) -> bool:
        if bench.model.calls:
            own.stopping.set()
            stopped.set()
        return own.stopping.is_set()

    serve(bench, stop)
    assert len(bench.model.calls) == 1
    assert (bench.get(run).state, bench.get(run).rows) == ("running", 0)
    assert queue(execute) == [("score_chunk", "todo", 1)]
    assert execute("SELECT scheduled_at <= now() FROM undertone.procrastinate_jobs") == [(True,)]
    serve(bench, lambda _: bench.get(run).ended)
    assert (bench.get(run).state, bench.get(run).scored) == ("finished", 5 * scored.SLICE)


def test_what_keeps_killing_its_workers_is_given_up(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, 4)
    run = bench.plan("texts", chunk_rows=2)
    bench.cut(run)
    ago = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
    of_the_dead = "status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)"
    for statement in (
        ago,
        f"UPDATE procrastinate_jobs SET {of_the_dead}, attempts = {worker.DEATHS} WHERE args ->> 'number' = '1'",
        f"UPDATE procrastinate_jobs SET {of_the_dead}, attempts = 1 WHERE args ->> 'number' = '2'",
        "DELETE FROM procrastinate_jobs WHERE task_name = 'cut_run'",
    ):
        execute(f"SET LOCAL search_path TO undertone; {statement}")
    # As a worker registers it removes those that are long dead, and with them the names at their jobs.
    serve(bench, lambda _: bench.get(run).ended)
    ended = bench.get(run)
    assert (ended.state, ended.rows, ended.chunks_done, ended.chunks_failed) == ("failed", 2, 1, 1)
    assert ended.error == f"1 of 2 chunks failed; the last: the worker died at this {worker.DEATHS} times"


def test_a_worker_of_another_queue_leaves_a_run_alone(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, 6)
    execute("ALTER TABLE texts ADD other text DEFAULT 'good'")
    ours = bench.plan("texts", chunk_rows=2, queue="gpu")
    theirs = bench.plan("texts", "other", chunk_rows=2)
    serve(bench, lambda _: bench.get(ours).ended, queues=["gpu"])
    assert (bench.get(ours).state, bench.get(ours).scored) == ("finished", 6)
    assert (bench.get(theirs).state, bench.get(theirs).rows_total) == ("planned", None)
    assert execute("SELECT queue_name FROM undertone.procrastinate_jobs WHERE task_name = 'cut_run'") == [("scoring",)]
    serve(bench, lambda _: bench.get(theirs).ended, queues=["gpu", "scoring"])
    assert bench.get(theirs).state == "finished"


def test_a_worker_says_what_it_does_and_leaves_when_it_goes(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, 2 * scored.SLICE)
    run = bench.plan("texts", chunk_rows=1000)
    shown = threading.Event()
    bench.model.before = lambda call: shown.wait(PATIENCE)

    def seen(_: tasks.Bench) -> bool:
        for found in bench.store.ask(scoring.workers):
            if found.doing == f"run {run.id}, chunk 1":
                assert (found.name, found.queues, found.threads) == ("in the test", ("scoring",), 1)
                assert (found.device, found.engine) == ("cpu", "fake exact")
                shown.set()
        return bench.get(run).ended

    serve(bench, seen)
    assert shown.is_set()
    assert bench.get(run).state == "finished"
    assert bench.store.ask(scoring.workers) == []


def test_that_the_lane_is_busy_or_the_server_goes_passes() -> None:
    """A condition is asked through the lane; that its slots are taken for a while fails no run."""
    error = console.StatementLimited("All slots are busy")
    assert tasks._may_pass(error)
    assert tasks._may_pass(console.StatementCancelled("stopped by somebody"))
    assert tasks._may_pass(console.StatementFailed("shutting down", sqlstate="57P01"))
    assert not tasks._may_pass(console.StatementFailed("no such column", sqlstate="42703"))
    assert not tasks._may_pass(console.StatementRefused("writes"))


def test_a_watch_that_is_due_is_run_by_the_worker(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute, 3)
    wish = bench.wish("texts")
    first = bench.run("texts")
    watch = bench.store.ask(watches.put, first, wish, watches.Pace(every_minutes=60))
    execute("UPDATE undertone.watches SET next_at = now() - interval '1 s'; INSERT INTO texts VALUES (4, 'good')")
    with bench.store.lend() as connection, connection.cursor() as cursor:
        # The clock's own job, without waiting for the full minute.
        cursor.execute("SET LOCAL search_path TO undertone")
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('house', 'start_due_runs', %s)",
            ('{"timestamp": 0}',),
        )
        connection.commit()
    serve(bench, lambda _: (runs := bench.store.ask(scoring.runs))[0].id != first.id and runs[0].ended)
    run = bench.store.ask(scoring.runs)[0]
    assert run.watch == watch.id
    assert (run.state, run.rows, run.scored, run.unchanged) == ("finished", 4, 1, 3)


# --- processes of their own


def test_a_worker_that_is_told_to_stop_hands_its_job_to_another(
    bench: scored.Bench, execute: scored.Execute, start: Start
) -> None:
    fill(execute, 3000, body="repeat('a long and winding text, neither good nor bad, ', 30) || n")
    run = bench.plan("texts", chunk_rows=5000)
    first = start()
    wait(lambda: ("score_chunk", "doing", 0) in queue(execute), "a worker takes the chunk")
    wait(lambda: [one.doing for one in bench.store.ask(scoring.workers)] == [f"run {run.id}, chunk 1"], "it says so")
    first.send_signal(signal.SIGTERM)
    assert first.wait(PATIENCE) == 0
    assert (bench.get(run).state, bench.get(run).rows) == ("running", 0)
    assert queue(execute) == [("score_chunk", "todo", 1)]
    assert bench.store.ask(scoring.workers) == []

    execute("UPDATE texts SET body = 'good'")
    second = start()
    ended = wait(lambda: (found := bench.get(run)).ended and found, "another worker does it")
    assert (ended.state, ended.rows, ended.scored) == ("finished", 3000, 3000)
    assert execute("SELECT count(*), count(DISTINCT id) FROM scores.texts") == [(3000, 3000)]

    # It goes on after all of its connections to the store are cut (and those of this test's pool).
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
    assert execute(f"{cut} AND pid <> pg_backend_pid() AND usename = current_user") != [(0,)]
    execute("INSERT INTO texts VALUES (0, 'bad')")
    again = bench.plan("texts")
    ended = wait(lambda: (found := bench.get(again)).ended and found, "it works again")
    assert (ended.state, ended.rows, ended.unchanged) == ("finished", 3001, 3000)
    second.send_signal(signal.SIGINT)
    assert second.wait(PATIENCE) == 0


def test_a_worker_that_is_killed_loses_its_job_to_another(
    bench: scored.Bench, execute: scored.Execute, start: Start
) -> None:
    fill(execute, 40)
    run = bench.plan("texts", chunk_rows=40)
    first = start()
    with bench.store.lend() as connection, connection.cursor() as cursor:
        wait(lambda: bench.get(run).state == "running", "the worker cuts the run")
        cursor.execute("SELECT FROM undertone.runs WHERE id = %s FOR UPDATE", (run.id,))
        blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'FOR SHARE'"
        wait(
            lambda: execute(f"{blocked} AND datname = current_database()") == [(1,)],
            "everything but the writing is done",
        )
        second = start()
        first.kill()
        first.wait()
        assert queue(execute) == [("score_chunk", "doing", 0)]
    ended = wait(lambda: (found := bench.get(run)).ended and found, "another worker does it")
    assert (ended.state, ended.rows, ended.scored, ended.chunks_done) == ("finished", 40, 40, 1)
    assert execute("SELECT count(*), count(DISTINCT id) FROM scores.texts") == [(40, 40)]
    (name,) = execute("SELECT worker FROM undertone.chunks")[0]
    assert str(name).endswith(f":{second.pid}")


# --- the local worker


def test_there_is_one_local_worker_for_a_home_and_it_is_started_again(home: pathlib.Path, start: Start) -> None:
    local = local_worker.LocalWorker(settings.Settings(home=home, demo=False))
    assert not local.alive
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNDERTONE_DEMO", "false")
        local.start()
        child = wait(lambda: local.alive and local._child, "the worker claims the home")
        refused = start("--local", DATABASE_URL="", STORE_URL="")
        said, _ = refused.communicate(timeout=PATIENCE)
        assert refused.returncode == 1
        assert said.decode() == f"A local worker is at work in {home} already\n"

        os.kill(child.pid, signal.SIGKILL)
        killed = datetime.datetime.now(datetime.UTC)
        wait(lambda: local._child is not child and local.alive, "another one is started")
        another = local._child
        assert another is not None
        with contextlib.closing(services.open_services(settings.Settings(home=home, demo=False))) as opened:
            wait(lambda: any(seen.last_seen > killed for seen in opened.store.ask(scoring.workers)), "it is at work")
        local.stop()
    assert another.poll() is not None
    assert not local.alive
    running = [process for process in psutil.process_iter() if home_of(process) == str(home)]
    assert running == []


def home_of(process: psutil.Process) -> str | None:
    with contextlib.suppress(psutil.Error, OSError):
        return process.environ().get("UNDERTONE_HOME")
    return None


def test_a_worker_of_somebody_else_is_left_alone(home: pathlib.Path) -> None:
    local = local_worker.LocalWorker(settings.Settings(home=home))
    with local_worker.claim(home):
        local.start()
        assert local.alive
        local.stop()
        assert local._child is None
        with pytest.raises(local_worker.WorkerError, match="A local worker is at work in"), local_worker.claim(home, 0):
            pass
    assert not local.alive


def test_looking_whether_there_is_a_worker_does_not_keep_one_from_starting(home: pathlib.Path) -> None:
    looking, seen = threading.Event(), threading.Event()

    def look() -> None:
        with local_worker.claim(home):
            looking.set()
            seen.wait(0.1)

    thread = threading.Thread(target=look)
    thread.start()
    looking.wait()
    with local_worker.claim(home):
        assert local_worker.claimed(home)
    thread.join()
    assert not local_worker.claimed(home)
