"""Scoring from database to database: a worker on an embedded server, both in a home of their own."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
from collections.abc import Iterator, Sequence

from psycopg2 import extras, sql

from tests import running
from undertone import scoring, services, settings

WAIT_SECONDS = 900.0
# From the start of the first chunk to the end of the last: neither starting, nor planning and cutting.
SPAN = (
    "SELECT sum(rows_read), extract(epoch FROM max(finished_at) - min(started_at))"
    " FROM undertone.chunks WHERE run_id = %s"
)


class Stored:
    """An embedded server with tables of texts, and a worker that scores them."""

    def __init__(self, home: running.Home, opened: services.Services, worker: subprocess.Popen[bytes]) -> None:
        self._home, self._opened, self._worker = home, opened, worker
        self._tables = 0
        self.chunk_rows = opened.settings.chunk_rows

    def rate(self, texts: Sequence[str]) -> float:
        """Rows a second of the worker, over a new table with these texts."""
        table = self._fill(texts)
        opened = self._opened
        run = scoring.start(
            opened.data,
            opened.store,
            f"public.{table}",
            "body",
            place=opened.place,
            model=opened.settings.model,
            chunk_rows=self.chunk_rows,
            context=(),
        )
        running.wait_until(lambda: self._ended(run.id), "the run has ended", WAIT_SECONDS)
        with opened.store.lend() as connection, connection.cursor() as cursor:
            cursor.execute(SPAN, (run.id,))
            rows, seconds = cursor.fetchone()
        assert rows == len(texts), f"{rows} of {len(texts)} rows were read"
        return float(rows) / float(seconds)

    def _fill(self, texts: Sequence[str]) -> str:
        assert self._opened.owner is not None
        self._tables += 1
        name = f"texts_{self._tables}"
        with self._opened.owner.lend() as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE TABLE {} (id int PRIMARY KEY, body text)").format(sql.Identifier(name)))
            into = sql.SQL("INSERT INTO {} VALUES %s").format(sql.Identifier(name)).as_string(connection)
            extras.execute_values(cursor, into, list(enumerate(texts)), page_size=1000)
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))
            connection.commit()
        return name

    def _ended(self, run: int) -> bool:
        assert self._worker.poll() is None, f"the worker has ended: {(self._home.path / 'worker.log').read_text()}"
        found = self._opened.store.ask(scoring.get, run)
        assert found.state in ("planned", "running", "finished"), f"the run is {found.state}: {found.error}"
        return found.ended


@contextlib.contextmanager
def stored(cache: pathlib.Path, chunk_rows: int = 0) -> Iterator[Stored]:
    """A new server and its worker; `cache` has the converted model. `chunk_rows` 0: what the setting says."""
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(running.home())
        options = {"chunk_rows": chunk_rows} if chunk_rows else {}
        chosen = settings.load_settings(home=home.path, demo=False, **options)
        opened = stack.enter_context(contextlib.closing(services.open_services(chosen)))
        if opened.owner is None:
            raise SystemExit("This measures the embedded server: leave DATABASE_URL and STORE_URL empty.")
        log = stack.enter_context((home.path / "worker.log").open("wb"))
        worker = subprocess.Popen(
            [sys.executable, "-m", "undertone", "worker"],
            cwd=running.ROOT,
            env=home.environment | {"UNDERTONE_DEMO": "false", "UNDERTONE_MODEL_CACHE": str(cache)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        stack.callback(_end, worker)
        yield Stored(home, opened, worker)


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(60)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
