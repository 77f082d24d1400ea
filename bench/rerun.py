"""The same run again: how fast it is found that nothing is to be done, and how soon a little that is has its chunks.

A table of short texts is scored by a worker of this process whose model answers at once. The yardstick is the plainest
pass over the same rows that could tell that nothing has changed: psql's COPY of every key and text to /dev/null, in
turn with the runs. It neither hashes nor sorts, nor looks at what is known of the rows, and it moves all the texts,
which the run leaves where they are.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from psycopg2 import sql

from bench import simulated
from tests import running
from undertone import chunks, cutting, embedded, planning, privileges, scores, scoring, services, settings

TABLE = "texts"
CHUNK_ROWS = 1_000
FILL = """
CREATE TABLE texts AS
SELECT n AS id, md5(n::text) || ' the parcel came late and the box was torn, but the shop answered within a day and '
    || 'sent another one: ' || md5((-n)::text) AS body
FROM generate_series(1, {rows}) AS n
"""
# Every hundredth row, far apart; new rows behind the last one.
UPDATE = "UPDATE texts SET body = body || ' again ' || {salt} WHERE id %% 100 = {rest}"
INSERT = """
INSERT INTO texts
SELECT n, md5(n::text) || ' new' FROM generate_series((SELECT max(id) + 1 FROM texts),
                                                      (SELECT max(id) + {rows} FROM texts)) AS n
"""
SIZES = "SELECT pg_table_size(%s::regclass), pg_indexes_size(%s::regclass)"
DELETE = "DELETE FROM texts WHERE id %% 100 = {rest}"


def say(*words: object) -> None:
    """Print at once."""
    print(*words, flush=True)


class Rerun:
    """A scored table on a server of its own."""

    def __init__(self, opened: services.Services, rows: int) -> None:
        self.opened, self.rows = opened, rows
        self.model = simulated.Asleep(0.0)
        self.execute(FILL, rows=rows)
        self.execute("ALTER TABLE texts ADD PRIMARY KEY (id)")
        self.execute("ANALYZE texts")

    def execute(self, statement: str, **values: object) -> int:
        """Change the data; how many rows that were."""
        assert self.opened.owner is not None
        with self.opened.owner.lend() as connection, connection.cursor() as cursor:
            parts = {name: sql.Literal(value) for name, value in values.items()}
            cursor.execute(sql.SQL(statement.replace("%%", "%")).format(**parts))
            connection.commit()
            return int(cursor.rowcount)

    def planned(self) -> tuple[scoring.Run, float]:
        """A run that is planned and cut, and how many seconds that took: what Start begins, to its first chunk."""
        opened = self.opened
        begun = time.perf_counter()
        wish = planning.Wish(f"public.{TABLE}", "body", "asleep", CHUNK_ROWS, context=())
        run = planning.start(opened.reader, opened.store, wish, place=opened.place)
        cutting.cut(opened.reader, opened.store, lambda _: self.model, run.id)
        seconds = time.perf_counter() - begun
        return opened.store.ask(scoring.get, run.id), seconds

    def worked(self, run: scoring.Run) -> scoring.Run:
        """The run, done."""
        opened = self.opened

        def score(number: int) -> None:
            chunks.score(opened.reader, opened.store, lambda _: self.model, run.id, number, worker="bench")

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(score, range(1, run.chunks + 1)))
        return opened.store.ask(scoring.get, run.id)

    def yardstick(self) -> float:
        """Seconds of the plainest pass."""
        assert self.opened.server is not None
        address = self.opened.server.address(embedded.READER)
        environment = {
            "PGHOST": str(address.query["host"]),
            "PGPORT": str(address.port),
            "PGUSER": str(address.username),
            "PGPASSWORD": str(address.password),
            "PGDATABASE": str(address.database),
        }
        command = [
            str(privileges.packaged_binaries() / "bin" / "psql"),
            "-qAtX",
            "-c",
            "COPY (SELECT id, body FROM texts) TO STDOUT",
        ]
        begun = time.perf_counter()
        subprocess.run(command, env=os.environ | environment, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - begun


@contextlib.contextmanager
def rerun(rows: int) -> Iterator[Rerun]:
    """A new server, and the table in it."""
    with running.home() as home:
        chosen = settings.load_settings(home=home.path, demo=False)
        with contextlib.closing(services.open_services(chosen)) as opened:
            if opened.owner is None:
                raise SystemExit("This measures the embedded server: leave DATABASE_URL and STORE_URL empty.")
            yield Rerun(opened, rows)


def room(place: Rerun, source: scores.Source) -> None:
    """How much disk the scores take."""
    with place.opened.store.lend() as connection, connection.cursor() as cursor:
        cursor.execute(SIZES, (source.table.as_string(connection),) * 2)
        table, indexes = cursor.fetchone()
    say(
        f"a score takes {table / place.rows:,.0f} bytes of disk, and its entries in indexes {indexes / place.rows:,.0f}"
    )


def little(place: Rerun) -> None:
    """After a hundredth was changed, added and taken away: exactly that is done."""
    changed = place.execute(UPDATE, salt="today", rest=7)
    gone = place.execute(DELETE, rest=13)
    added = place.execute(INSERT, rows=place.rows // 100)
    run, seconds = place.planned()
    planned = run.rows_total
    run = place.worked(run)
    say(
        f"{changed:,} rows updated, {added:,} inserted, {gone:,} deleted of {place.rows:,}: {run.chunks} chunks after"
        f" {seconds:.2f} s"
    )
    found = (run.state, run.scored, run.unchanged, run.vanished, run.failed)
    wanted = ("finished", changed + added, (planned or 0) - changed - added, gone, 0)
    assert found == wanted, f"{found} and not {wanted}"
    say(f"exactly these were done: {run.scored:,} scored, {run.vanished:,} marked as vanished, {run.unchanged:,} left")


def main(*arguments: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench rerun", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows and rounds: to see that it works")
    parser.add_argument("--rows", type=int, help="rows of the table")
    chosen = parser.parse_args(arguments)
    rows, rounds = (10_000, 2) if chosen.quick else (100_000, 7)
    rows = chosen.rows or rows
    with rerun(rows) as place:
        first, seconds = place.planned()
        say(f"the first run over {rows:,} rows has its {first.chunks} chunks after {seconds:.2f} s")
        begun = time.perf_counter()
        first = place.worked(first)
        assert (first.state, first.scored) == ("finished", rows), first
        say(f"scored, without a model's time: {rows / (time.perf_counter() - begun):,.0f} rows/s")
        room(place, first.source)
        ours, plain = [], []
        for number in range(rounds + 1):  # the first warms all up
            run, seconds = place.planned()
            assert (run.state, run.chunks, run.unchanged) == ("finished", 0, rows), run
            pass_seconds = place.yardstick()
            if number:
                ours.append(seconds)
                plain.append(pass_seconds)
        little(place)
    rate = rows / statistics.median(ours)
    spread = f"{rows / max(ours):,.0f} to {rows / min(ours):,.0f}"
    say(f"psql, COPY of keys and texts to /dev/null: {rows / statistics.median(plain):,.0f} rows/s")
    say(f"the same run again, nothing to do: {rate:,.0f} rows/s ({spread}; goal: at least 100,000)")
    say(f"the same run again / psql's COPY: {statistics.median(plain) / statistics.median(ours):.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
