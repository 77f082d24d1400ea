"""Scoring from database to database: workers on an embedded server, all in a home of their own."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
from collections.abc import Iterator, Sequence

import psutil
from psycopg2 import extras, sql

from tests import running
from undertone import planning, scoring, services, settings

WAIT_SECONDS = 900.0
# From the start of the first chunk to the end of the last: neither starting, nor planning and cutting.
SPAN = (
    "SELECT sum(rows_read), extract(epoch FROM max(finished_at) - min(started_at))"
    " FROM undertone.chunks WHERE run_id = %s"
)


class Stored:
    """An embedded server with tables of texts, and workers that score them."""

    def __init__(self, home: running.Home, opened: services.Services, workers: list[subprocess.Popen[bytes]]) -> None:
        self.home, self.opened, self.workers = home, opened, workers
        self._tables = 0
        self.chunk_rows = opened.settings.chunk_rows

    def rate(self, texts: Sequence[str], queue: str = planning.QUEUE) -> float:
        """Rows a second of the workers of a queue, over a new table with these texts."""
        opened = self.opened
        wish = planning.Wish(
            f"public.{self.fill(texts)}", "body", opened.settings.model, self.chunk_rows, context=(), queue=queue
        )
        run = planning.start(opened.reader, opened.store, wish, place=opened.place)
        running.wait_until(lambda: self._ended(run.id), "the run has ended", WAIT_SECONDS)
        with opened.store.lend() as connection, connection.cursor() as cursor:
            cursor.execute(SPAN, (run.id,))
            rows, seconds = cursor.fetchone()
            found = scoring.get(connection, run.id)
            assert (rows, found.reused) == (len(texts), 0), f"of {len(texts)} rows {rows} were read: {found}"
            # A text that the model has seen is not classified again.
            scoring.change(connection, run.id, "undo")
        return float(rows) / float(seconds)

    def fill(self, texts: Sequence[str]) -> str:
        """A new table with these texts; its name."""
        assert self.opened.owner is not None
        self._tables += 1
        name = f"texts_{self._tables}"
        with self.opened.owner.lend() as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE TABLE {} (id int PRIMARY KEY, body text)").format(sql.Identifier(name)))
            into = sql.SQL("INSERT INTO {} VALUES %s").format(sql.Identifier(name)).as_string(connection)
            extras.execute_values(cursor, into, list(enumerate(texts)), page_size=1000)
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))
            connection.commit()
        return name

    def _ended(self, run: int) -> bool:
        for number, worker in enumerate(self.workers):
            log = self.home.path / f"worker{number}.log"
            assert worker.poll() is None, f"a worker has ended: {log.read_text()}"
        found = self.opened.store.ask(scoring.get, run)
        assert found.state in ("planned", "running", "finished"), f"the run is {found.state}: {found.error}"
        return found.ended


@contextlib.contextmanager
def stored(cache: pathlib.Path, *options: Sequence[str], chunk_rows: int = 0, apart: bool = False) -> Iterator[Stored]:
    """A new server and a worker for each set of `options`, or one without any; `cache` has the converted model.

    `chunk_rows` 0: what the setting says. `apart`: each worker is held to a processor of its own, where the system can,
    as if it were on a machine of its own: else what one does besides computing runs on the other's processor.
    """
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(running.home())
        sizes = {"chunk_rows": chunk_rows} if chunk_rows else {}
        chosen = settings.load_settings(home=home.path, demo=False, **sizes)
        opened = stack.enter_context(contextlib.closing(services.open_services(chosen)))
        if opened.owner is None:
            raise SystemExit("This measures the embedded server: leave DATABASE_URL and STORE_URL empty.")
        workers = []
        for number, words in enumerate(options or [()]):
            log = stack.enter_context((home.path / f"worker{number}.log").open("wb"))
            worker = subprocess.Popen(
                [sys.executable, "-m", "undertone", "worker", *words],
                cwd=running.ROOT,
                env=home.environment | {"UNDERTONE_DEMO": "false", "UNDERTONE_MODEL_CACHE": str(cache)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            stack.callback(_end, worker)
            process = psutil.Process(worker.pid)
            if apart and hasattr(process, "cpu_affinity"):
                allowed = process.cpu_affinity()
                process.cpu_affinity([allowed[number % len(allowed)]])
            workers.append(worker)
        yield Stored(home, opened, workers)


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(60)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
