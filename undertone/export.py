"""Answers as files for other programs: CSV, JSON lines, Parquet, Excel. They stream: memory stays flat at any size.

What a value looks like in each:

              CSV                  JSON lines            Parquet                     Excel
null          nothing              null                  null                        no cell
empty text    ""                   ""                    ""                          a cell without text
numbers       as PostgreSQL        numbers; NaN and      numbers; numeric decimal    numbers up to 15 digits,
              writes them          infinity as texts     where all fit, else text    else text
boolean       true, false          true, false           boolean                     TRUE, FALSE
date, time    text                 text                  date32, timestamp where     dates and times where Excel
                                                         all fit, else text          has them, else text
json, jsonb   text                 JSON values           text                        text
all others    text as PostgreSQL writes it: arrays `{1,2}`, composites `(1,a)`, bytes `\\x00ff`

In CSV, texts that a spreadsheet would run as formulas get an apostrophe (`formulas.py`); in Excel cells they are marked
as texts, and unchanged.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple, Protocol

from undertone import console, errors


class ExportError(errors.UndertoneError):
    """A file that cannot be written, or a format that cannot hold the answer."""


class Format(NamedTuple):
    """A kind of file: what a person calls it, how its name ends, its media type."""

    label: str
    suffix: str
    mime: str


FORMATS = {
    "csv": Format("CSV", ".csv", "text/csv"),
    "jsonl": Format("JSON lines", ".jsonl", "application/x-ndjson"),
    "parquet": Format("Parquet", ".parquet", "application/vnd.apache.parquet"),
    "xlsx": Format("Excel", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


class Rows(Protocol):
    """What can be exported: a `console.Answer` on its way, or anything that gives columns and batches of rows."""

    @property
    def columns(self) -> Sequence[console.Column]:
        """The columns, known before the first row."""

    def __iter__(self) -> Iterator[list[tuple[object, ...]]]:
        """The rows in batches."""


class Batches(NamedTuple):
    """Rows that are here already, such as those of a `console.Result`, as `write` takes them."""

    columns: Sequence[console.Column]
    batches: Sequence[list[tuple[object, ...]]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)


GoOn = Callable[[int], object]


def write(
    answer: Rows,
    format: str,
    path: pathlib.Path,
    *,
    neutralise: bool = True,
    go_on: GoOn = lambda rows: None,
) -> int:
    """Write an answer to `path`; returns the number of its rows.

    The file is there whole or not at all: it grows under another name beside `path`, of which nothing is left if this
    fails. `go_on` is called with the number of rows so far after each batch, and stops the export by raising.
    Raises ExportError, and what reading the answer raises.
    """
    growing = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with _explained(path):
            with growing.open("xb") as file:
                rows = dump(answer, format, file, neutralise=neutralise, go_on=go_on, folder=path.parent)
            growing.replace(path)
        return rows
    finally:
        growing.unlink(missing_ok=True)


def dump(
    answer: Rows,
    format: str,
    file: BinaryIO,
    *,
    neutralise: bool = True,
    go_on: GoOn = lambda rows: None,
    folder: pathlib.Path | None = None,
) -> int:
    """As `write`, to a file that is open already. `folder` is where Parquet and Excel keep what they need meanwhile."""
    if format not in FORMATS:
        raise ExportError(f"There is no format {format!r}; take one of {', '.join(FORMATS)}.")
    # Here, because the two last need libraries that take a while to import.
    if format == "parquet":
        from undertone import export_parquet

        return export_parquet.write(answer, file, go_on, folder)
    if format == "xlsx":
        from undertone import export_excel

        return export_excel.write(answer, file, go_on, folder, neutralise=neutralise)
    from undertone import export_text

    if format == "jsonl":
        return export_text.write_json_lines(answer, file, go_on)
    return export_text.write_csv(answer, file, go_on, neutralise=neutralise)


@contextlib.contextmanager
def _explained(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            why = "the disk is full; make room, or ask for fewer rows or columns"
        raise ExportError(f"The file {path.name} cannot be written: {why}.") from error
