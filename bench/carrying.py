"""Workers whose model sleeps, on one store: what that store carries. `bench.simulated` is what each of them does."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import psutil
from psycopg2 import sql

from tests import running
from undertone import database, embedded, engines, planning, postmaster, scoring, services, settings

CONNECTIONS = 1_200  # that the simulation's server takes; a hundred workers need more than the embedded one has
CHUNK_ROWS = 1_000
# A table of texts like short reviews, made where it lies.
FILL = """
CREATE TABLE {} AS
SELECT n AS id, md5(n::text || {salt}) || ' the parcel came late and the box was torn, but the shop answered within a '
    || 'day and sent another one: ' || md5((-n)::text) AS body
FROM generate_series(1, {rows}) AS n
"""
CHUNKS = (
    "SELECT worker, extract(epoch FROM started_at), extract(epoch FROM finished_at), rows_read"
    " FROM undertone.chunks WHERE run_id = %s AND state = 'done' ORDER BY finished_at"
)
CONNECTED = (
    "SELECT count(*), count(*) FILTER (WHERE usename = %s) FROM pg_stat_activity WHERE backend_type = 'client backend'"
)
WAITS = (
    "SELECT coalesce(wait_event_type || ':' || wait_event, 'running') FROM pg_stat_activity"
    " WHERE state = 'active' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@dataclass(frozen=True)
class Carried:
    """What one store did for so many workers. Shares of the machine: 1 is all of its processors."""

    workers: int
    chunks: float
    """A second; so are the rows."""
    rows: float
    server: float
    simulated: float
    connections: int
    """Of all; so many of them are to the data."""
    data_connections: int
    log_bytes: float
    """Of the write-ahead log, a row."""
    planning: float
    """Seconds from planning to the first chunk: survey and cutting."""
    planned_rows: int
    waits: tuple[tuple[str, float], ...]
    """What the server's processes were at, in the mean how many."""


def done_between(chunks: Sequence[tuple[str, float, float, int]], begin: float, end: float) -> tuple[float, float]:
    """Chunks and rows done between two moments, of chunks as (worker, started, finished, rows).

    A worker's chunks end one after the other; what lies across a moment counts by its share. So twenty chunks of one
    worker are not nineteen or twenty-one by chance.
    """
    chunk_count = row_count = 0.0
    for name in {chunk[0] for chunk in chunks}:
        own = sorted((chunk for chunk in chunks if chunk[0] == name), key=lambda chunk: chunk[2])
        times = [own[0][1], *(chunk[2] for chunk in own)]
        for total, counts in ((0, [1] * len(own)), (1, [chunk[3] for chunk in own])):
            before, after = np.interp([begin, end], times, np.concatenate([[0], np.cumsum(counts)]))
            if total:
                row_count += float(after - before)
            else:
                chunk_count += float(after - before)
    return chunk_count, row_count


class Simulation:
    """An embedded server, a table of texts, and workers that sleep."""

    def __init__(
        self, home: running.Home, opened: services.Services, watching: database.Connection, chunk_seconds: float
    ) -> None:
        self._home, self._opened, self._watching, self._chunk_seconds = home, opened, watching, chunk_seconds
        self._tables = 0

    def carry(self, workers: int, seconds: float) -> Carried:
        """Let so many workers be busy for so long."""
        chunk = self._chunk_seconds
        warm = max(3 * chunk, 5.0)
        rows = CHUNK_ROWS * max(20, round(workers * (warm + seconds + 6 * chunk) / chunk))
        table = self._fill(rows)
        opened = self._opened
        with self._working(workers) as processes:
            wish = planning.Wish(f"public.{table}", "body", "asleep", CHUNK_ROWS, context=())
            asked = time.monotonic()
            run = planning.start(opened.reader, opened.store, wish, place=opened.place)
            running.wait_until(
                lambda: opened.store.ask(scoring.get, run.id).chunks_done, "the first chunk is done", 600
            )
            planned = time.monotonic() - asked - chunk
            time.sleep(warm)
            begin, before, log = time.time(), self._busy(processes), self._log()
            waits = self._watch(seconds)
            end, after, log = time.time(), self._busy(processes), self._log() - log
            connections = self._connections()
            time.sleep(3 * chunk)
            with opened.store.lend() as connection, connection.cursor() as cursor:
                cursor.execute(CHUNKS, (run.id,))
                found = [(name, float(began), float(ended), int(rows)) for name, began, ended, rows in cursor]
                assert scoring.get(connection, run.id).state == "running", "the table was too small"
                scoring.change(connection, run.id, "cancel")
        chunks, rows_done = done_between(found, begin, end)
        span = end - begin
        server, simulated = ((new - old) / span / engines.processors() for new, old in zip(after, before, strict=True))
        return Carried(
            workers,
            chunks / span,
            rows_done / span,
            server,
            simulated,
            *connections,
            log / rows_done,
            planned,
            rows,
            waits,
        )

    def _fill(self, rows: int) -> str:
        assert self._opened.owner is not None
        self._tables += 1
        name = f"many_{self._tables}"
        with self._opened.owner.lend() as connection, connection.cursor() as cursor:
            table = sql.Identifier(name)
            salt, number = sql.Literal(name), sql.Literal(rows)
            cursor.execute(sql.SQL(FILL).format(table, salt=salt, rows=number))
            cursor.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (id)").format(table))
            cursor.execute(sql.SQL("ANALYZE {}").format(table))
            connection.commit()
        return name

    @contextlib.contextmanager
    def _working(self, workers: int) -> Iterator[list[psutil.Process]]:
        """The processes of so many workers, once all have said that they are there."""
        with (self._home.path / "workers.log").open("ab") as log:
            first = subprocess.Popen(
                [sys.executable, "-m", "bench.simulated", str(workers), str(self._chunk_seconds / CHUNK_ROWS)],
                cwd=running.ROOT,
                env=self._home.environment | {"UNDERTONE_DEMO": "false"},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        assert first.stdin is not None
        try:
            running.wait_until(
                lambda: first.poll() is not None or len(self._opened.store.ask(scoring.workers)) == workers,
                "all workers are there",
                300,
            )
            said = (self._home.path / "workers.log").read_text()
            assert first.poll() is None, f"the workers have ended: {said}"
            yield psutil.Process(first.pid).children()
        finally:
            first.stdin.close()
            _end(first)

    def _watch(self, seconds: float) -> tuple[tuple[str, float], ...]:
        """What the server's processes are at meanwhile."""
        deadline = time.monotonic() + seconds
        seen: Counter[str] = Counter()
        looks = 0
        with self._watching.cursor() as cursor:
            while time.monotonic() < deadline:
                cursor.execute(WAITS)
                seen.update(row[0] for row in cursor.fetchall())
                looks += 1
                time.sleep(0.2)
        return tuple((name, number / looks) for name, number in seen.most_common(5))

    def _busy(self, workers: list[psutil.Process]) -> tuple[float, float]:
        """Seconds of a processor that the server, and the simulated workers, have used so far."""
        assert self._opened.server is not None
        pid = postmaster.running_pid(self._opened.server.data)
        first = psutil.Process(pid)
        # Those that have ended are in their parent's account.
        ended = first.cpu_times()
        server = ended.children_user + ended.children_system + sum(map(_used, [first, *first.children()]))
        return server, sum(map(_used, workers))

    def _log(self) -> int:
        with self._opened.store.lend() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
            return int(cursor.fetchone()[0])

    def _connections(self) -> tuple[int, int]:
        with self._watching.cursor() as cursor:
            cursor.execute(CONNECTED, (embedded.READER,))
            found, to_data = cursor.fetchone()
            return int(found), int(to_data)


def _used(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def simulation(chunk_seconds: float) -> Iterator[Simulation]:
    """A new server that takes many connections."""
    embedded.OPTIONS["max_connections"] = CONNECTIONS
    with running.home() as home:
        chosen = settings.load_settings(home=home.path, demo=False)
        with contextlib.closing(services.open_services(chosen)) as opened:
            if opened.owner is None:
                raise SystemExit("This measures the embedded server: leave DATABASE_URL and STORE_URL empty.")
            assert opened.server is not None
            # Who else is connected, and at what, only the superuser is told.
            watching = opened.server._connect(embedded.SUPERUSER, embedded.DATABASE)
            with contextlib.closing(watching):
                watching.autocommit = True
                # Its limit is for one machine's processes.
                watching.cursor().execute(
                    sql.SQL("ALTER ROLE {} CONNECTION LIMIT -1").format(sql.Identifier(embedded.READER))
                )
                yield Simulation(home, opened, watching, chunk_seconds)
