"""How the command line writes: tables for people, lines for programs, progress on stderr."""

from __future__ import annotations

import contextlib
import csv
import datetime
import itertools
import json
import sys
import time as clock
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import tabulate

from undertone import console, units
from undertone import names as naming

T = TypeVar("T")
CELL = 60  # characters of a value that a table for people shows
# PostgreSQL's types that come as numbers, and Arrow's for them; all others but boolean travel as text.
ARROW = {
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "oid": "uint32",
    "real": "float32",
    "double precision": "float64",
    "numeric": "string",
    "boolean": "bool",
}
_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[int] = ()) -> None:
    """A table for people; nothing but the header where there are no rows."""
    align = ["right" if index in right else "left" for index in range(len(header))]
    shown = [[_cell(value) for value in row] for row in rows]
    # tabulate would take a text that looks like a number for one, and drop its zeros.
    print(
        tabulate.tabulate(
            shown, [_cell(name) for name in header], "simple", colalign=align if shown else None, disable_numparse=True
        )
    )


def _cell(value: Any) -> str:
    text = " ".join(str("" if value is None else value).split())
    # A terminal obeys control characters; a stored text must not reach it as orders.
    text = "".join(letter if letter.isprintable() else "�" for letter in text)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def result(answer: console.Result, form: str) -> None:
    """The answer to a statement, on stdout."""
    names = [column.name for column in answer.columns]
    if form in ("json", "parquet"):
        names = naming.unique(names, "_{}")
    if form == "table":
        numbers = [i for i, c in enumerate(answer.columns) if c.type in ARROW and c.type != "boolean"]
        table(names, answer.rows, right=numbers)
    elif form in ("csv", "jsonl"):
        rows(answer.columns, [answer.rows], form)
    elif form == "json":
        print(json.dumps([_object(names, row) for row in answer.rows], ensure_ascii=False))
    else:
        _parquet(answer, names)


def rows(columns: Sequence[console.Column], batches: Iterable[Sequence[Sequence[object]]], form: str) -> int:
    """Rows on stdout as they come, as csv or jsonl; how many."""
    names = [column.name for column in columns]
    count = 0
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        for batch in batches:
            writer.writerows(batch)
            count += len(batch)
        return count
    names = naming.unique(names, "_{}")
    for batch in batches:
        for row in batch:
            print(line(_object(names, row)))
        count += len(batch)
    return count


def _object(names: Sequence[str], row: Sequence[object]) -> dict[str, object]:
    """A row as a JSON object. JSON has no NaN and no infinity: they travel as PostgreSQL's own to_json writes them."""
    return {
        name: _NOT_FINITE.get(str(value), value) if isinstance(value, float) else value
        for name, value in zip(names, row, strict=True)
    }


def _parquet(answer: console.Result, names: list[str]) -> None:
    import pyarrow
    import pyarrow.parquet

    columns = list(zip(*answer.rows, strict=True)) or [()] * len(names)
    arrays = []
    for column, values in zip(answer.columns, columns, strict=True):
        kind = ARROW.get(column.type, "string")
        arrays.append(pyarrow.array(values, type=pyarrow.type_for_alias(kind)))
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, names=names), sys.stdout.buffer)


def line(value: dict[str, Any]) -> str:
    """One line of JSON. A lone surrogate, which UTF-8 cannot hold, is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def harmless(text: str) -> str:
    """A text of several lines as stdout may have it: a terminal is given no orders, a file gets what is there."""
    if not sys.stdout.isatty():
        return text
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text)


def stdin_lines() -> Iterator[str]:
    """The lines of stdin without their ends; a byte that is not UTF-8 becomes the replacement character."""
    for raw in sys.stdin.buffer:
        yield raw.decode("utf-8", errors="replace").rstrip("\r\n")


def batches(values: Iterable[T], count: int) -> Iterator[list[T]]:
    """The values, `count` at a time."""
    iterator = iter(values)
    while batch := list(itertools.islice(iterator, count)):
        yield batch


def time(moment: datetime.datetime | None) -> str:
    """A moment in this machine's zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""


class Progress:
    """How far something is, on stderr: rewritten on a terminal, a line every ten seconds elsewhere."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._begun = clock.monotonic()
        self._terminal = sys.stderr.isatty()
        self._shown = -1.0 if self._terminal else 0.0

    def show(self, done: int, total: int) -> None:
        """`done` of `total`; a total of 0 is not known yet."""
        passed = clock.monotonic() - self._begun
        if passed - self._shown < (0.2 if self._terminal else 10.0):
            return
        self._shown = passed
        of = f" of {total:,}" if total else ""
        left = f", {units.duration((total - done) * passed / done)} left" if done and total else ""
        rate = f", {done / max(passed, 0.001):,.0f} a second" if done else ""
        text = f"{done:,}{of} {self._unit}{rate}{left}"
        print(
            f"\r\033[K{text}" if self._terminal else text,
            end="" if self._terminal else "\n",
            file=sys.stderr,
            flush=True,
        )

    def end(self) -> None:
        """Leave the line."""
        if self._terminal and self._shown >= 0:
            print(file=sys.stderr)


@contextlib.contextmanager
def progress(unit: str) -> Iterator[Progress]:
    """Progress whose line is left whatever happens, so that an error has one of its own."""
    shown = Progress(unit)
    try:
        yield shown
    finally:
        shown.end()
