"""What the tests of scoring share: a classifier that counts, and a place to plan, cut and score runs in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from psycopg2 import sql

from undertone import chunks, classifier, console, cutting, database, jobs, planning, scores, scoring, source_rows

TEXT_CHARACTERS = 100_000  # that the fake takes
SLICE = 25  # texts that the fake reads without asking whether to go on
Execute = Callable[..., list[tuple[object, ...]]]


@dataclasses.dataclass
class Fake:
    """Not a model: says POSITIVE where the word good is, and remembers what it was asked, slice by slice."""

    model_id: str = "fake@1"
    calls: list[list[object]] = dataclasses.field(default_factory=list)
    before: Callable[[int], object] = lambda call: None  # called with the number of the slice, from 1
    text_characters: int = TEXT_CHARACTERS
    engine: str = "fake"
    precision: str = "exact"
    device: str = "cpu"
    threads: int = 1

    @property
    def asked(self) -> list[object]:
        """All texts that were classified."""
        return [text for call in self.calls for text in call]

    def classify(
        self, texts_: Sequence[object], go_on: Callable[[], None] = lambda: None
    ) -> list[classifier.Prediction]:
        for start in range(0, len(texts_), SLICE):
            if start:
                go_on()
            self.calls.append(list(texts_[start : start + SLICE]))
            self.before(len(self.calls))
        return [self._one(text) for text in texts_]

    def _one(self, text: object) -> classifier.Prediction:
        if not isinstance(text, str) or not text.strip():
            return classifier.Prediction(None, None, {}, False, "empty")
        share = min(1.0, 1000 / len(text))
        label = "POSITIVE" if "good" in text else "NEGATIVE"
        return classifier.Prediction(label, 0.75, {label: 0.75, "other": 0.25}, share < 1, None, share)


@dataclasses.dataclass
class Bench:
    """Two pools and a classifier."""

    data: database.Database
    store: database.Database
    model: Any = dataclasses.field(default_factory=Fake)
    # Not while a pool on the data is something that counts what is read.
    lane: database.Database | None = None

    place: str = "here"  # what sources call the data; a worker that is a process of its own looks at it

    @property
    def reader(self) -> source_rows.Reader:
        return source_rows.Reader(self.data, self.lane or self.data, console.Limits())

    def wish(self, relation: str, column: str = "body", *, chunk_rows: int = 200, **options: Any) -> planning.Wish:
        options = {"model": "default", "context": (), **options}
        for name in ("key", "context"):
            if options.get(name) is not None:
                options[name] = tuple(options[name])
        return planning.Wish(relation, column, chunk_rows=chunk_rows, **options)

    def plan(self, relation: str, column: str = "body", *, place: str = "", **options: Any) -> scoring.Run:
        wish = self.wish(relation, column, **options)
        return planning.start(self.reader, self.store, wish, place=place or self.place)

    def cut(self, run: scoring.Run) -> int:
        return cutting.cut(self.reader, self.store, lambda _: self.model, run.id)

    def score(self, run: scoring.Run, number: int = 1, *, model: Any = None, **options: Any) -> bool:
        used = model or self.model
        return chunks.score(self.reader, self.store, lambda _: used, run.id, number, worker="test", **options)

    def work(self, run: scoring.Run) -> scoring.Run:
        """Do a planned run to its end."""
        for number in range(1, self.cut(run) + 1):
            assert self.score(run, number)
        return self.get(run)

    def run(self, relation: str, column: str = "body", **options: Any) -> scoring.Run:
        """Plan a run and do it."""
        return self.work(self.plan(relation, column, **options))

    def get(self, run: scoring.Run) -> scoring.Run:
        return self.store.ask(scoring.get, run.id)

    def change(self, run: scoring.Run, action: str) -> scoring.Run:
        with self.store.lend() as connection:
            return scoring.change(connection, run.id, action)

    def give_up(self, run: scoring.Run, number: int, error: str = "it broke") -> None:
        jobs.give_up(self.store, run.id, number, worker="test", error=error)

    def scores(self, source: scores.Source, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of a table of scores, sorted by all that is asked for."""
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        with self.store.lend() as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT {} FROM {}").format(names, source.table))
            return sorted(cursor.fetchall(), key=repr)


def fingerprint(execute: Execute) -> list[tuple[object, ...]]:
    """Everything in a database that is not Undertone's own: what is there, and how often it was written to."""
    execute("SELECT pg_stat_force_next_flush()")
    rows = execute(
        "SELECT n.nspname, c.relname, c.relkind, c.relfilenode, c.relacl::text, c.relnatts,"
        " pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname NOT IN ('undertone', 'scores', 'pg_catalog', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp'"
        " ORDER BY 1, 2"
    )
    hashes = [
        execute(sql.SQL("SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} AS t").format(name))[0]
        for name in (sql.Identifier(str(row[0]), str(row[1])) for row in rows if row[2] == "r" and row[0] == "public")
    ]
    others = execute("SELECT nspname, nspowner, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1")
    return [
        *rows,
        *hashes,
        *others,
        *execute("SELECT count(*) FROM pg_proc"),
        *execute(
            "SELECT count(*) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE nspname = 'public'"
        ),
    ]
