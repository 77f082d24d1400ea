"""Whatever breaks in the middle of a run, its scores are in the end those of a run that nobody has disturbed.

The texts are on somebody's own server, which the worker reaches over a wire that can be cut, with an account that only
reads; the store is the embedded server. Every test scores the same rows, compares, and undoes its run.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import psycopg2
import pytest
from psycopg2 import sql

from tests import running, servers
from tests.faults import wire
from tests.unit import scored, texts_made
from undertone import database, embedded, errors, planning, postmaster, scoring, services, settings

ROWS, CHUNK_ROWS = 720, 15
SEED = 11
READER, PASSWORD = "only_reads", "a pass/word"
ROUNDING = 1e-2  # an engine rounds by what else is in a batch
PATIENCE = 150.0
Scores = dict[int, tuple[str | None, str, str, float | None]]  # id -> label, hash, model, confidence


@dataclass
class World:
    """A server with texts, the wire to it, a home with the store, and the workers that a test has started."""

    home: running.Home
    server: servers.Postgresql
    wire: wire.Wire
    opened: services.Services
    pool: database.Database  # on the store; unlike that of `opened` it starts no server that has died
    expected: Scores = field(default_factory=dict)
    workers: list[psutil.Popen] = field(default_factory=list)

    def data(self, statement: object, parameters: object = None) -> list[tuple[Any, ...]]:
        """A statement in the data, by its superuser."""
        with contextlib.closing(psycopg2.connect(**self.server.dsn(database="texts"))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []

    def store(self, statement: object, parameters: object = None) -> list[tuple[Any, ...]]:
        """A statement in the store, by its owner."""
        with self.pool.lend() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return rows

    def start_worker(self) -> psutil.Popen:
        """One more worker, as on another machine."""
        with (self.home.path / "workers.log").open("ab") as log:
            worker = psutil.Popen(
                [sys.executable, "-m", "undertone", "worker"],
                cwd=running.ROOT,
                env=self.home.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def start(self) -> scoring.Run:
        wish = planning.Wish("texts", "body", "default", CHUNK_ROWS, context=())
        return planning.start(self.opened.reader, self.pool, wish, place=self.opened.place)

    def get(self, run: scoring.Run) -> scoring.Run:
        """The run as it is now, as soon as the store can say so."""

        def look() -> scoring.Run | None:
            with contextlib.suppress(errors.UndertoneError):
                return self.pool.ask(scoring.get, run.id)
            return None

        found: scoring.Run = running.wait_until(look, "the store answers")
        return found

    def change(self, run: scoring.Run, action: str) -> scoring.Run:
        with self.pool.lend() as connection:
            return scoring.change(connection, run.id, action)

    def until(self, run: scoring.Run, true: Callable[[scoring.Run], object], what: str) -> scoring.Run:
        """Wait until something is so of a run."""
        found: scoring.Run = running.wait_until(lambda: (now := self.get(run)) and true(now) and now, what, PATIENCE)
        return found

    def until_under_way(self, run: scoring.Run, chunks: int = 2) -> None:
        found = self.until(run, lambda now: now.chunks_done >= chunks or now.ended, "the first chunks are done")
        assert found.state == "running", "it ended before it could be disturbed"

    def scores(self) -> Scores:
        rows = self.store("SELECT id, label, text_hash::text, model_id, confidence FROM scores.texts WHERE id > 0")
        return {row[0]: row[1:] for row in rows}

    def check(self, run: scoring.Run, state: str = "finished") -> scoring.Run:
        """The run ends with every row accounted for, and its scores are those of the undisturbed run; it is undone."""
        ended = self.until(run, lambda now: now.ended, "the run has ended")
        assert (ended.state, ended.rows, ended.rows_total, ended.failed) == (state, ROWS, ROWS, 0), ended.error
        assert (ended.scored + ended.empty, ended.chunks_done) == (ROWS, ended.chunks)
        found = self.scores()
        if self.expected:
            assert found.keys() == self.expected.keys()
            for id, (*exact, confidence) in found.items():
                *wanted, sure = self.expected[id]
                assert exact == wanted, f"row {id}"
                assert (confidence is None) == (sure is None)
                assert confidence is None or sure is None or abs(confidence - sure) < ROUNDING, f"row {id}"
        self.change(run, "undo")
        assert self.scores() == {}
        return ended

    def stop_workers(self) -> None:
        for worker in self.workers:
            with contextlib.suppress(psutil.Error):
                worker.send_signal(signal.SIGCONT)
                worker.terminate()
        psutil.wait_procs(self.workers, timeout=30, callback=None)
        for worker in self.workers:
            with contextlib.suppress(psutil.Error):
                worker.kill()
        self.workers.clear()


def _make_texts(server: servers.Postgresql) -> None:
    with contextlib.closing(psycopg2.connect(**server.dsn(database="postgres"))) as superuser:
        superuser.autocommit = True
        for statement in (
            "ALTER SYSTEM SET autovacuum = off",
            "SELECT pg_reload_conf()",
            "CREATE DATABASE texts",
        ):
            superuser.cursor().execute(statement)
    with contextlib.closing(psycopg2.connect(**server.dsn(database="texts"))) as superuser:
        with superuser.cursor() as cursor:
            cursor.execute("CREATE TABLE texts (id bigint PRIMARY KEY, body text)")
            for number, text in enumerate(texts_made.texts(ROWS), 1):
                # Long enough that a run lasts.
                body = " ".join([text] * 2) if text and text.strip() else text
                cursor.execute("INSERT INTO texts VALUES (%s, %s)", (number, body))
            cursor.execute("ANALYZE")
        superuser.commit()
    binaries = pathlib.Path(server.postgres).parent
    script = running.ROOT / "sql" / "reader_role.sql"
    command = [
        str(binaries / "psql"),
        "-X",
        "-q",
        "-v",
        f"role={READER}",
        "-f",
        str(script),
        server.url(database="texts"),
    ]
    subprocess.run(command, check=True, capture_output=True, env={})
    with contextlib.closing(psycopg2.connect(**server.dsn(database="texts"))) as superuser:
        superuser.autocommit = True
        superuser.cursor().execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(READER), sql.Literal(PASSWORD))
        )


@pytest.fixture(scope="module")
def world(engine: None) -> Iterator[World]:
    with running.home() as home, servers.Postgresql() as server:
        _make_texts(server)
        line = wire.Wire(server.dsn()["port"])
        address = f"postgresql://{READER}:a%20pass%2Fword@127.0.0.1:{line.port}/texts"
        home.environment |= {
            "DATABASE_URL": address,
            "UNDERTONE_THREADS": "1",
            "UNDERTONE_CHUNK_ROWS": str(CHUNK_ROWS),
            "UNDERTONE_CONNECT_SECONDS": "5",
        }
        chosen = settings.load_settings(home=home.path, database_url=address, connect_seconds=5)
        with contextlib.ExitStack() as stack:
            opened = stack.enter_context(contextlib.closing(services.open_services(chosen)))
            assert opened.server is not None
            pool = database.Database(opened.server.address(embedded.OWNER), name="store")
            stack.callback(pool.close)
            made = World(home, server, line, opened, pool)
            before = everything(made)
            made.start_worker()
            run = made.start()
            try:
                made.until(run, lambda now: now.ended, "the undisturbed run has ended")
                made.expected = made.scores()
                made.check(run)
                made.stop_workers()
                yield made
                # After all that has happened nothing on somebody's server is another than before.
                assert everything(made) == before
            finally:
                made.stop_workers()
                line.close()


def everything(world: World) -> list[tuple[Any, ...]]:
    """What is on the texts' server, how often it was written to, and the number of the next transaction that writes."""

    def execute(statement: object, parameters: object = None) -> list[tuple[Any, ...]]:
        return world.data(statement, parameters)

    return [*scored.fingerprint(execute), *world.data("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")]


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    world.wire.flow()
    world.stop_workers()
    log = world.home.path / "workers.log"
    print(log.read_text()[-8_000:])  # shown where a test has failed
    log.write_text("")
    for run in world.pool.ask(scoring.runs):
        if not run.ended:
            run = world.change(run, "cancel")
        if "undo" in run.actions:  # a test that has failed must not make the next one fail
            world.change(run, "undo")


def test_the_account_only_reads_and_the_store_is_another_server(world: World) -> None:
    assert not world.opened.one_database
    with world.opened.data.lend() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW default_transaction_read_only")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("UPDATE texts SET body = ''")
        connection.rollback()
    assert world.data("SELECT count(*) FROM pg_namespace WHERE nspname IN ('undertone', 'scores')") == [(0,)]
    labels = [label for label, *_ in world.expected.values()]
    assert (len(labels), len(set(labels))) == (ROWS, 4)  # three labels, and none
    assert labels.count(None) == sum(not (text or "").strip() for text in texts_made.texts(ROWS))


def test_the_connection_to_the_data_is_cut_in_the_middle_of_an_answer(world: World) -> None:
    chance = random.Random(SEED)
    world.start_worker()
    run = world.start()
    world.until(run, lambda now: now.state == "running", "the run is cut into chunks")
    for _ in range(8):
        # A chunk is some five thousand bytes.
        cuts = world.wire.cuts
        world.wire.cut_after(chance.randint(1, 12_000))
        running.wait_until(lambda cuts=cuts: world.wire.cuts > cuts or world.get(run).ended, "the wire is cut")
    assert world.wire.cuts >= 8
    # The server itself throws them out as well.
    for _ in range(5):
        world.data("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (READER,))
        time.sleep(chance.random())
    world.check(run)


def test_the_connection_to_the_data_is_cut_in_the_survey(world: World) -> None:
    world.wire.cut_after(20_000)  # in the midst of the hashes
    world.start_worker()
    run = world.start()
    world.check(run)
    assert world.wire.cuts


def test_the_way_to_the_data_stalls(world: World) -> None:
    world.start_worker()
    run = world.start()
    for seconds in (3, 6):
        world.until_under_way(run)
        world.wire.stall()
        time.sleep(seconds)
        world.wire.flow()
    world.until_under_way(run, 6)
    world.wire.stall()
    time.sleep(4)
    world.wire.cut()
    world.wire.flow()
    world.check(run)


def test_the_stores_server_is_restarted(world: World) -> None:
    assert world.opened.server is not None
    world.start_worker()
    run = world.start()
    for chunks, how in ((2, signal.SIGINT), (8, signal.SIGQUIT), (16, signal.SIGINT)):
        world.until_under_way(run, chunks)
        pid = postmaster.running_pid(world.opened.server.data)
        assert pid is not None
        os.kill(pid, how)
        running.wait_until(
            lambda pid=pid: postmaster.running_pid(world.opened.server.data) not in (pid, None),
            "somebody has started it again",
        )
    world.check(run)


def test_the_stores_disk_is_full(world: World) -> None:
    """The file of the scores can grow no more: as root and as anybody, on every file system."""
    world.start_worker()
    run = world.start()
    world.until_under_way(run)
    world.change(run, "pause")
    # Not below a segment of the write-ahead log, or the server itself could not go on. Rows smaller than a score leave
    # no room for one.
    world.store("ALTER TABLE scores.texts SET (autovacuum_enabled = off)")
    world.store(
        "INSERT INTO scores.texts (id, model, run_id, reason)"
        " SELECT -n, 'padding', 0, repeat('x', 80) FROM generate_series(1, 130000) AS n"
    )
    ((size,),) = world.store("SELECT pg_relation_size('scores.texts')")
    assert size > 17_000_000
    limit_files(world, size)
    try:
        world.change(run, "resume")
        failed = "SELECT sum(failures) FROM undertone.chunks WHERE run_id = %s"
        running.wait_until(lambda: world.store(failed, (run.id,))[0][0] >= 3, "chunks cannot be written")
        assert "File too large" in (world.home.path / "workers.log").read_text()
        assert world.get(run).state == "running"
        assert len(world.scores()) < ROWS
    finally:
        limit_files(world, None)
    if world.until(run, lambda now: now.ended, "the run has ended").state == "failed":
        world.change(run, "retry")  # for chunks that were given up meanwhile
    world.check(run)
    world.store("DELETE FROM scores.texts WHERE id < 0")
    world.store("ALTER TABLE scores.texts RESET (autovacuum_enabled)")


def limit_files(world: World, size: int | None) -> None:
    """Let the store's server write no file beyond a size; None: as large as it likes."""
    assert world.opened.server is not None
    server = psutil.Process(postmaster.running_pid(world.opened.server.data))
    for process in (server, *server.children()):
        # As the server's account, which may do so to itself; root in a container may not. Part of util-linux.
        command = ["prlimit", f"--pid={process.pid}", f"--fsize={'unlimited' if size is None else size}:"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, **world.opened.server.account.popen)
        assert done.returncode == 0 or not process.is_running(), done.stderr


def in_hand(world: World) -> set[int]:
    """Numbers of the chunks that workers have in hand."""
    rows = world.store("SELECT (args ->> 'number')::int FROM undertone.procrastinate_jobs WHERE status = 'doing'")
    return {number for (number,) in rows if number is not None}


def until_taken_over(world: World, run: scoring.Run, chunks: set[int]) -> None:
    """Wait until chunks are done whose worker was stopped just now: within a minute."""
    done = "SELECT count(*) FROM undertone.chunks WHERE run_id = %s AND number = ANY (%s) AND state = 'done'"
    assert chunks
    running.wait_until(
        lambda: world.store(done, (run.id, list(chunks))) == [(len(chunks),)], "another has done what it had", 60
    )


def test_a_worker_stops_in_the_middle_of_a_chunk_and_wakes_when_another_has_done_it(world: World) -> None:
    first = world.start_worker()
    run = world.start()
    world.until_under_way(run)
    running.wait_until(lambda: len(in_hand(world)) == 2, "it has two chunks in hand")
    first.send_signal(signal.SIGSTOP)
    held = in_hand(world)
    second = world.start_worker()
    until_taken_over(world, run, held)
    world.until(run, lambda now: now.ended, "the run has ended")
    written = "SELECT id, run_id, scored_at FROM scores.texts ORDER BY id"
    records = "SELECT number, worker, finished_at FROM undertone.chunks WHERE run_id = %s ORDER BY number"
    before = world.store(written), world.store(records, (run.id,))
    first.send_signal(signal.SIGCONT)
    seen = "SELECT 1 FROM undertone.workers WHERE name LIKE %s AND seen_at > now() - interval '2 s'"
    running.wait_until(lambda: world.store(seen, (f"%:{first.pid}",)), "it is awake")
    time.sleep(2)
    assert (world.store(written), world.store(records, (run.id,))) == before, "a chunk was written by whom had lost it"
    by = {number: name for number, name, _ in before[1]}
    # It may have written one of the two between the stop and the look, and been stopped with the other.
    assert any(by[number].endswith(f":{second.pid}") for number in held)
    world.check(run)
    # It is none the worse for it: alone, it does the next run.
    second.kill()
    world.check(world.start())


def test_a_worker_stops_while_it_writes(world: World) -> None:
    """What it holds in the store must not keep another from doing the chunk."""
    world.store(
        "CREATE FUNCTION scores.dawdle() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$"
    )
    world.store("CREATE TRIGGER dawdle AFTER INSERT ON scores.texts EXECUTE FUNCTION scores.dawdle()")
    first = world.start_worker()
    try:
        run = world.start()
        sleeping = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        running.wait_until(lambda: world.store(sleeping), "it writes")
        first.send_signal(signal.SIGSTOP)
        held = in_hand(world)
        world.start_worker()
        until_taken_over(world, run, held)
    finally:
        first.send_signal(signal.SIGCONT)
        world.store("DROP FUNCTION scores.dawdle() CASCADE")
    world.check(run)


def test_ten_kills_at_random_moments(world: World) -> None:
    """The worker, the server and the app, in no order; the app is started again, as a supervisor would.

    Nobody else is there to start the server or the worker: those that are left see to it.
    """
    chance = random.Random(SEED)
    victims = ["worker"] * 4 + ["server"] * 4 + ["app"] * 2
    chance.shuffle(victims)
    with contextlib.ExitStack() as stack:
        app = stack.enter_context(running.app(world.home))
        run = world.start()
        for victim in victims:
            done = world.get(run).chunks_done
            time.sleep(chance.uniform(0, 3))
            found = world.until(run, lambda now, done=done: now.chunks_done > done or now.ended, "it goes on")
            if found.ended:
                world.check(run)
                run = world.start()
                found = world.until(run, lambda now: now.chunks_done > 0, "it is under way")
            assert found.state == "running"
            if victim == "app":
                app.process.kill()
                app.process.wait()
                app = stack.enter_context(running.app(world.home))
                continue
            words = ("undertone", "worker") if victim == "worker" else ("bin/postgres", "-D")
            victims_now = running.wait_until(lambda words=words: world.home.processes(*words), f"there is a {victim}")
            for process in victims_now:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        world.check(run)
