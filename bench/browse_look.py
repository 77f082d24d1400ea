"""What else Tables does with a large table: the first look at it, the tree beside it, all of its rows as a file."""

from __future__ import annotations

import dataclasses
import pathlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench import console as measured
from bench import sides
from resources import downloads
from undertone import (
    asking,
    catalog,
    database,
    export,
    facet_proposals,
    facets,
    looks,
    outlook,
    paging,
    profiles,
    row_order,
    row_statement,
    services,
    settings,
    tree,
    tree_packing,
)

SIZE = 50
FEW = "SELECT * FROM {table} LIMIT 1000"


def first_look(pool: database.Database, table: str) -> Iterator[tuple[str, float]]:
    """What it takes to know nothing of a table and to show all of it, by the steps of the page, in seconds."""
    begun = time.perf_counter()
    relation = pool.ask(catalog.find, table)
    known = pool.ask(row_order.about, relation)
    page = pool.ask(paging.page, relation, size=SIZE, known=known)
    assert len(page.rows) == SIZE
    yield "rows", time.perf_counter() - begun
    sorts = [looks.Sort("note")]
    yield "what a sort will cost", measured.timed(lambda: pool.ask(outlook.outlook, relation, sorts=sorts, known=known))
    yield "profile of all columns", measured.timed(lambda: pool.ask(profiles.profile, relation, known.fields))
    begun = time.perf_counter()
    proposed = pool.ask(facet_proposals.propose, relation, known.fields)
    yield "which facets", time.perf_counter() - begun
    assert proposed
    for one in proposed:

        def ask(proposal: facet_proposals.Proposal = one) -> facets.Facet:
            return pool.ask(facets.facet, relation, known.fields, proposal.column, kind=proposal.kind)

        yield f"facet of {one.column}", measured.timed(ask)


def read_tree(pool: database.Database) -> bytes:
    """The tree as a browser gets it."""
    return tree_packing.pack(pool.ask(tree.read))


@dataclass(frozen=True)
class Written:
    """A file: its rows and bytes, the seconds that it took, and by how many bytes the process had grown at most."""

    rows: int
    size: int
    seconds: float
    growth: int


class Downloader:
    """The download of the page in a process of its own, whose memory is its own."""

    def __init__(self, home: str) -> None:
        self._services = services.open_services(settings.load_settings(home=home, demo=False))

    def write(self, table: str, format: str, folder: str) -> Written:
        """All rows of a table, in the order of the page."""
        opened = self._services
        path = pathlib.Path(folder) / f"all.{format}"
        statement = opened.data.ask(_statement, table)
        limits = downloads.limits_of(opened.settings, every=True)
        question = asking.Question(statement, who="bench", how=asking.DOWNLOAD)
        # What is loaded for the first file of a format is no growth by its rows.
        few = dataclasses.replace(question, statement=FEW.format(table=table))
        with asking.stream(opened, few, limits) as answer:
            export.write(answer, format, path)
        memory = measured.Memory()
        begun = time.perf_counter()
        with memory.watched("a download"), asking.stream(opened, question, limits) as answer:
            rows = export.write(answer, format, path, neutralise=opened.settings.neutralise_formulas)
        found = Written(rows, path.stat().st_size, time.perf_counter() - begun, memory.growth["a download"])
        path.unlink()
        return found

    def close(self) -> None:
        """Give back what was opened."""
        self._services.close()


def _statement(connection: database.Connection, table: str) -> str:
    relation = catalog.find(connection, table)
    known = row_order.about(connection, relation)
    return row_statement.statement(connection, relation, known.fields, looks.Look(table=table))


def download(home: pathlib.Path, table: str, format: str, folder: pathlib.Path) -> Written:
    """What it takes to write all rows of a table into a file."""
    apart = sides.Apart(Downloader, str(home))
    try:
        found: Written = apart.ask("write", table, format, str(folder))
        apart.ask("close")
        return found
    finally:
        apart.close()


def median_of(rounds: int, do: Callable[[], object]) -> list[float]:
    """Seconds of each of the rounds, the first one left out: it warms all up."""
    return [measured.timed(do) for _ in range(rounds + 1)][1:]
