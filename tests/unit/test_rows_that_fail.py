"""A row that cannot be read, classified or written costs itself alone: it is listed with its key and reason."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator

import psycopg2
import pytest
import sqlalchemy

from tests import running, servers
from tests.faults import wire
from tests.unit import scored
from undertone import (
    adapter,
    chunks,
    classifier,
    cutting,
    database,
    embedded,
    scoring,
    source_rows,
    tasks,
    watch,
    worker,
)

GRANT = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC"


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def fill(execute: scored.Execute, rows: int = 60) -> None:
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text, n int)")
    execute(f"INSERT INTO texts SELECT n, 'good text ' || n, n FROM generate_series(1, {rows}) AS n")


def failures(bench: scored.Bench, run: scoring.Run) -> dict[tuple[str | None, ...], str]:
    return {row.key: row.reason for row in bench.store.ask(scoring.failed_rows, run.id)}


def retry(bench: scored.Bench, run: scoring.Run) -> scoring.Run:
    """Do again what has failed, as workers do."""
    assert bench.change(run, "retry").state == "running"
    for number in range(1, run.chunks + 1):
        bench.score(run, number)
    return bench.get(run)


def check(run: scoring.Run, **counts: int) -> None:
    """The run has ended and every row of it is accounted for."""
    assert run.state == "finished"
    assert run.rows == run.rows_total == run.scored + run.unchanged + run.empty + run.failed
    assert {name: getattr(run, name) for name in counts} == counts


def test_a_view_that_divides_by_zero_at_some_rows(bench: scored.Bench, execute: scored.Execute) -> None:
    fill(execute)
    execute("CREATE VIEW shares AS SELECT id, body || ' ' || 100 / n AS body FROM texts")
    execute("UPDATE texts SET n = 0 WHERE id IN (1, 17, 18, 60)")
    run = bench.run("shares", key=["id"], chunk_rows=25)
    check(run, scored=56, failed=4, chunks=3, chunks_done=3)
    assert failures(bench, run) == {(key,): "division by zero" for key in ("1", "17", "18", "60")}
    assert "retry" in run.actions
    # Mended, and done again: these rows alone are classified.
    execute("UPDATE texts SET n = 1 WHERE id IN (1, 17)")
    bench.model.calls.clear()
    check(retry(bench, run), scored=58, failed=2)
    assert failures(bench, run) == {(key,): "division by zero" for key in ("18", "60")}
    assert len(bench.model.asked) == 2
    execute("UPDATE texts SET n = 1")
    check(retry(bench, run), scored=60, failed=0)
    assert (failures(bench, run), bench.get(run).actions) == ({}, ("undo",))
    assert len(bench.scores(run.source, "id")) == 60


def test_a_run_over_few_changes_of_which_one_is_broken(bench: scored.Bench, execute: scored.Execute) -> None:
    """Chunks are lists of keys where changes lie far apart; a row breaks after the survey."""
    fill(execute, 400)
    execute("CREATE VIEW shares AS SELECT id, body || ' ' || 100 / n AS body FROM texts")
    bench.run("shares", key=["id"])
    execute("UPDATE texts SET n = 10 WHERE id % 40 = 0")
    run = bench.plan("shares", key=["id"], chunk_rows=4)
    assert bench.cut(run) == 3
    ((lists,),) = execute(f"SELECT count(keys) FROM undertone.chunks WHERE run_id = {run.id}")
    assert int(str(lists)) >= 2
    execute("UPDATE texts SET n = 0 WHERE id = 80")
    for number in (1, 2, 3):
        assert bench.score(run, number)
    ended = bench.get(run)
    check(ended, scored=9, failed=1, unchanged=390)
    assert failures(bench, run) == {("80",): "division by zero"}
    execute("UPDATE texts SET n = 10")
    check(retry(bench, ended), scored=10, failed=0, unchanged=390)


@pytest.mark.parametrize("broken", ["a few", "a half", "all but one"])
def test_however_many_rows_are_broken(bench: scored.Bench, execute: scored.Execute, broken: str) -> None:
    fill(execute)
    execute("CREATE VIEW shares AS SELECT id, body || ' ' || 100 / n AS body FROM texts")
    execute(
        "UPDATE texts SET n = 0 WHERE "
        + {"a few": "id % 20 = 0", "a half": "id % 2 = 0", "all but one": "id > 1"}[broken]
    )
    ((number,),) = execute("SELECT count(*) FROM texts WHERE n = 0")
    run = bench.run("shares", key=["id"], chunk_rows=1000)
    check(run, scored=60 - int(str(number)), failed=int(str(number)))


def test_texts_that_the_model_breaks_on(bench: scored.Bench, execute: scored.Execute) -> None:
    class Breaks(scored.Fake):
        def _one(self, text: object) -> classifier.Prediction:
            if "secret" in str(text):
                raise ValueError(f"cannot read {text}")
            if "model error" in str(text):
                raise adapter.ModelError("it has no head")
            return super()._one(text)

    fill(execute)
    execute("UPDATE texts SET body = 'a secret' WHERE id IN (5, 6, 50)")
    execute("UPDATE texts SET body = 'a model error' WHERE id = 33")
    bench.model = Breaks()
    run = bench.run("texts", chunk_rows=25)
    check(run, scored=56, failed=4)
    unforeseen = "the model failed at it: ValueError"  # an error that nobody foresaw may hold somebody's text
    assert failures(bench, run) == {
        ("5",): unforeseen,
        ("6",): unforeseen,
        ("50",): unforeseen,
        ("33",): "the model failed at it: it has no head",
    }
    bench.model = scored.Fake()
    check(retry(bench, run), scored=60, failed=0)


def test_a_model_that_is_broken_is_no_fault_of_the_rows(bench: scored.Bench, execute: scored.Execute) -> None:
    class Broken(scored.Fake):
        def _one(self, text: object) -> classifier.Prediction:
            raise ValueError("not today")

    fill(execute)
    bench.model = Broken()
    run = bench.plan("texts")
    assert bench.cut(run) == 1
    with pytest.raises(ValueError, match="not today"):
        bench.score(run)
    assert (failures(bench, run), bench.get(run).state) == ({}, "running")


def test_values_that_the_store_does_not_take(bench: scored.Bench, execute: scored.Execute) -> None:
    """The context keeps the type that it had when the table of scores was made."""
    fill(execute)
    run = bench.run("texts", context=["n"])
    execute("ALTER TABLE texts ALTER COLUMN n TYPE bigint")
    execute("UPDATE texts SET n = 10000000000 WHERE id IN (7, 41)")
    again = bench.run("texts", chunk_rows=25, context=["n"])
    check(again, failed=2, reused=again.scored)
    reason = 'value "10000000000" is out of range for type integer'
    assert failures(bench, again) == {(key,): f"its score cannot be stored: {reason}" for key in ("7", "41")}
    execute("UPDATE texts SET n = 7 WHERE n > 100")
    ended = retry(bench, again)
    check(ended, failed=0)
    assert dict(bench.scores(run.source, "id", "n")) == {n: 7 if n == 41 else n for n in range(1, 61)}


def test_a_key_that_is_too_long_for_an_index(bench: scored.Bench, execute: scored.Execute) -> None:
    execute("CREATE TABLE loose (name text NOT NULL, body text)")
    execute("INSERT INTO loose SELECT 'name ' || n, 'good text ' || n FROM generate_series(1, 20) AS n")
    execute("INSERT INTO loose SELECT string_agg(md5(n::text), ''), 'good long' FROM generate_series(1, 500) AS n")
    run = bench.run("loose", key=["name"])
    check(run, scored=20, failed=1)
    ((key, reason),) = failures(bench, run).items()
    assert len(str(key[0])) == 500 * 32
    assert "index row" in reason


def test_a_key_that_is_not_one_any_more(bench: scored.Bench, execute: scored.Execute) -> None:
    """A view's key was looked at when the run was planned; then a key came twice."""
    fill(execute)
    execute("CREATE VIEW loose AS SELECT n AS id, body FROM texts")
    run = bench.plan("loose", key=["id"], chunk_rows=25)
    execute("UPDATE texts SET n = 3 WHERE id = 4")
    ended = bench.work(run)
    check(ended, scored=59, failed=1)
    assert failures(bench, run) == {("3",): "another row has the same key"}
    assert len(bench.scores(run.source, "id")) == 59


def test_bytes_that_are_no_text(server: servers.Postgresql, store_pool: database.Database) -> None:
    """A database without an encoding holds whatever was put into it."""
    with _ascii(server) as data:
        bench = scored.Bench(data, store_pool)
        run = bench.run("texts", chunk_rows=25)
        check(run, scored=58, failed=2)
        found = failures(bench, run)
        assert set(found) == {("9",), ("44",)}
        assert all("encoding" in reason for reason in found.values())


@contextlib.contextmanager
def _ascii(server: servers.Postgresql) -> Iterator[database.Database]:
    def execute(place: str, *statements: str) -> None:
        with contextlib.closing(psycopg2.connect(**server.dsn(database=place))) as connection:
            connection.autocommit = True
            for statement in statements:
                connection.cursor().execute(statement)

    execute(
        "postgres",
        "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
    )
    execute(
        "bytes",
        "CREATE TABLE texts (id int PRIMARY KEY, body text)",
        "INSERT INTO texts SELECT n, 'good text ' || n FROM generate_series(1, 60) AS n",
        r"UPDATE texts SET body = E'caf\351' WHERE id IN (9, 44)",
        GRANT,
    )
    address = sqlalchemy.URL.create(
        "postgresql+psycopg2", embedded.READER, host="127.0.0.1", port=server.dsn()["port"], database="bytes"
    )
    pool = database.Database(address, name="data", size=5, read_only=True)
    yield pool
    pool.close()
    execute("postgres", "DROP DATABASE bytes WITH (FORCE)")


def test_a_way_to_the_data_that_stalls_for_ever(
    bench: scored.Bench, execute: scored.Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker does not wait for it for ever: the chunk fails, is done again, and is the same."""
    monkeypatch.setattr(source_rows, "READ_SECONDS", 1.0)
    monkeypatch.setattr(watch, "GRACE_SECONDS", 0.5)
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text)")
    execute("INSERT INTO texts SELECT n, repeat('good text ', 1000) || n FROM generate_series(1, 600) AS n")
    assert bench.data.address.port is not None
    line = wire.Wire(bench.data.address.port)
    address = bench.data.address.set(port=line.port)
    with contextlib.closing(line), contextlib.closing(database.Database(address, name="data", read_only=True)) as data:
        far = scored.Bench(data, bench.store, bench.model)
        run = far.plan("texts", chunk_rows=600)
        assert far.cut(run) == 1
        line.stall_after(2_000_000)
        with pytest.raises(database.ConnectionLost):
            far.score(run)
        assert far.get(run).rows == 0
        line.flow()
        assert far.score(run)
        check(far.get(run), scored=600)


# --- pause, cancel, resume, turns


def test_pausing_and_resuming_does_no_text_twice(bench: scored.Bench, execute: scored.Execute) -> None:
    """Paused in the middle of every chunk in turn; what a chunk had not written is all that is lost."""
    fill(execute, 300)
    run = bench.plan("texts", chunk_rows=100)
    assert bench.cut(run) == 3
    for number in (1, 2, 3):
        bench.model.calls.clear()
        bench.model.before = lambda call: bench.change(run, "pause") if call == 2 else None
        assert not bench.score(run, number)
        # One slice more at most: the one that was under way as somebody pressed Pause, and none after the look.
        assert bench.get(run).state == "paused"
        assert bench.get(run).rows == (number - 1) * 100
        assert not bench.score(run, number), "a paused run goes on"
        bench.model.before = lambda call: None
        bench.change(run, "resume")
        assert bench.score(run, number)
    ended = bench.get(run)
    assert (ended.state, ended.scored) == ("finished", 300)
    assert len(bench.scores(run.source, "id")) == 300


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_it_takes_effect_within_one_batch(
    bench: scored.Bench, execute: scored.Execute, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr(chunks, "LOOK_SECONDS", 0.0)
    fill(execute, 1000)
    run = bench.plan("texts", chunk_rows=1000)
    bench.cut(run)
    bench.model.before = lambda call: bench.change(run, action) if call == 3 else None
    assert not bench.score(run)
    assert len(bench.model.calls) == 3
    assert bench.scores(run.source, "id") == []


def test_a_run_is_paused_or_cancelled_while_it_is_surveyed(
    bench: scored.Bench, execute: scored.Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(execute)
    noted = chunks.SQL.note_surveyed
    monkeypatch.setattr(cutting, "NOTE_SECONDS", -1.0)

    def survey(run: scoring.Run, action: str) -> scoring.Run:
        """Cut a run while somebody does something to it."""

        def note(connection: database.Connection, **values: object) -> None:
            noted(connection, **values)
            connection.commit()
            if bench.get(run).state == "planned":
                bench.change(run, action)

        with monkeypatch.context() as patched:
            patched.setattr(chunks.SQL, "note_surveyed", note)
            assert bench.cut(run) == 0
        assert bench.get(run).chunks == 0
        return bench.get(run)

    cancelled = survey(bench.plan("texts"), "cancel")
    assert cancelled.state == "cancelled"
    paused = survey(bench.plan("texts"), "pause")
    assert (paused.state, bench.change(paused, "resume").state) == ("paused", "planned")
    assert bench.work(paused).scored == 60


@pytest.mark.parametrize("size", [5, 50])
def test_two_runs_take_turns(bench: scored.Bench, execute: scored.Execute, size: int) -> None:
    """A long run is under way when another is started: the other need not wait for the first to end."""
    for name in ("long", "short"):
        execute(f"CREATE TABLE {name} (id int PRIMARY KEY, body text)")
    execute(f"INSERT INTO long SELECT n, 'good ' || n FROM generate_series(1, {60 * size}) AS n")
    execute(f"INSERT INTO short SELECT n, 'bad ' || n FROM generate_series(1, {10 * size}) AS n")
    long = bench.plan("long", chunk_rows=size)
    serve(bench, lambda: bench.get(long).chunks_done >= 2)
    before = bench.get(long).chunks_done
    short = bench.plan("short", chunk_rows=size)
    serve(bench, lambda: bench.get(short).ended and bench.get(long).ended)
    order = [row[0] for row in execute("SELECT run_id FROM undertone.chunks ORDER BY finished_at")]
    assert len(order) == 70
    # What is in the queue already comes first, and what is put there while it is cut; from then on they alternate.
    first = order.index(short.id)
    assert first - before <= 2 * scoring.QUEUED
    last = len(order) - order[::-1].index(short.id)
    assert last - first <= 2 * 10 + scoring.QUEUED, f"the short run had to wait: {order}"


def serve(bench: scored.Bench, until: Callable[[], object]) -> None:
    """Be a worker, in this process, until something is so."""
    own = tasks.Bench(bench.reader, bench.store, load=lambda _: bench.model, name="in the test")

    def watch() -> None:
        with contextlib.suppress(AssertionError):
            running.wait_until(until, "the worker's end")
        own.stopping.set()

    watching = threading.Thread(target=watch)
    watching.start()
    asyncio.run(worker._serve(bench.store, own, None))
    watching.join()
