"""A file as columns: their names and PostgreSQL types from the whole of it, then batches of text for COPY.

Every file is read twice, the first time for the types. Between the two nothing is kept but a few facts a column: memory
does not grow with the file, except for a JSON array.
"""

from __future__ import annotations

import abc
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from undertone import delimited, files, inference, json_lines

BATCH_CHARACTERS, BATCH_ROWS, BATCH_CELLS = 4_000_000, 10_000, 500_000
COLUMN_LIMIT = 1600  # PostgreSQL's
NAME_BYTES = 63  # PostgreSQL's
RESERVED = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}  # names that every table has already


class Source(abc.ABC):
    """A file as columns: `names` and `types` are there once `infer` has read it; a tick counts towards `size`."""

    def __init__(self, file: files.File) -> None:
        self.file = file
        self.names: list[str] = []
        self.types: list[str] = []
        self.size = file.path.stat().st_size

    @abc.abstractmethod
    def infer(self, tick: files.Tick) -> None:
        """Read all of the file for its names and types. Raises LoadError for what cannot be loaded."""

    @abc.abstractmethod
    def batches(self, tick: files.Tick) -> Iterator[list[Any]]:
        """The rows, in order: for each batch one Arrow array of strings a column, as PostgreSQL reads its type."""

    @abc.abstractmethod
    def place(self, row: int) -> str:
        """Where the row with this number, from 1, is: its line, or the row itself where there are no lines."""

    def count(self, columns: int, line: int | None = None) -> None:
        """Refuse more columns than a table can have."""
        if columns > COLUMN_LIMIT:
            raise self.file.error(f"{columns:,} columns or more; PostgreSQL takes {COLUMN_LIMIT:,} in a table.", line)


class DelimitedSource(Source):
    """CSV and TSV: all is text, and the types are what the text holds."""

    def __init__(self, file: files.File) -> None:
        super().__init__(file)
        self._reader = delimited.Delimited(file)
        self.names = unique_names(self._reader.names)
        self.count(len(self.names), 1)

    def infer(self, tick: files.Tick) -> None:
        """See `Source`."""
        columns = [inference.Column() for _ in self.names]
        for rows in _batched(self._reader.records(tick), len(columns)):
            for column, values in zip(columns, zip(*rows, strict=True), strict=True):
                column.narrow(array(values))
        self.types = [column.type() for column in columns]

    def batches(self, tick: files.Tick) -> Iterator[list[Any]]:
        """See `Source`."""
        for rows in _batched(self._reader.records(tick), len(self.names)):
            columns = zip(*rows, strict=True)
            yield [inference.as_type(array(values), type) for values, type in zip(columns, self.types, strict=True)]

    def place(self, row: int) -> str:
        """See `Source`."""
        return _line(self._reader.records(), row)


class JsonSource(Source):
    """JSON lines: numbers, truth and text as JSON says; ISO dates and times from text; what is nested, as jsonb.

    There is a column for every name that any row has, in the order in which they appear. Where a column has text in
    some rows and numbers or truth in others, it is text, spelled as it was; where any value is nested, it is jsonb.
    """

    def infer(self, tick: files.Tick) -> None:
        """See `Source`."""
        columns: dict[str, tuple[inference.Column, set[type]]] = {}
        for rows in _batched(json_lines.records(self.file, tick), 1):
            for name in dict.fromkeys(itertools.chain.from_iterable(rows)):
                column, kinds = columns.setdefault(name, (inference.Column(), set()))
                self.count(len(columns))
                values = [row.get(name) for row in rows]
                kinds.update(map(type, values))
                if not kinds & {dict, list}:
                    column.narrow(array([_plain(value) for value in values]))
        if not columns:
            raise self.file.error("there is no row with a value in it.")
        self._keys = list(columns)
        self.names = unique_names(self._keys)
        self.types = [_json_type(column, kinds - {type(None)}) for column, kinds in columns.values()]

    def batches(self, tick: files.Tick) -> Iterator[list[Any]]:
        """See `Source`."""
        for rows in _batched(json_lines.records(self.file, tick), len(self._keys)):
            yield [
                inference.as_type(
                    array([nested(row.get(key)) if type == "jsonb" else _plain(row.get(key)) for row in rows]), type
                )
                for key, type in zip(self._keys, self.types, strict=True)
            ]

    def place(self, row: int) -> str:
        """See `Source`."""
        return _line(json_lines.records(self.file), row)


def unique_names(names: Sequence[str]) -> list[str]:
    """Column names for a header: as they are, but never empty, never twice, and no longer than PostgreSQL's 63 bytes.

    An empty name becomes column_3, a second `text` text_2.
    """
    found: list[str] = []
    taken = set(RESERVED)
    for number, name in enumerate(names, 1):
        name = cut(name or f"column_{number}")
        unique, copies = name, 1
        while unique in taken:
            copies += 1
            unique = cut(name, len(f"_{copies}")) + f"_{copies}"
        taken.add(unique)
        found.append(unique)
    return found


def cut(name: str, spare: int = 0) -> str:
    """`name` in at most 63 bytes less `spare`, and whole characters."""
    return name.encode()[: NAME_BYTES - spare].decode(errors="ignore")


def _batched(records: Iterator[tuple[int, int, Any]], width: int) -> Iterator[list[Any]]:
    limit = max(1, min(BATCH_ROWS, BATCH_CELLS // width))
    rows: list[Any] = []
    size = 0
    for _, length, row in records:
        rows.append(row)
        size += length
        if size >= BATCH_CHARACTERS or len(rows) >= limit:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _line(records: Iterator[tuple[int, int, Any]], row: int) -> str:
    return next((f"line {line:,}" for line, _, _ in itertools.islice(records, row - 1, None)), f"row {row:,}")


def array(values: Sequence[str | None]) -> Any:
    """An Arrow array of strings."""
    import pyarrow as pa

    return pa.array(values, pa.large_string())


def _plain(value: Any) -> str | None:
    """A JSON value as it is spelled in a column that is not jsonb."""
    if value is None:
        return None
    if isinstance(value, json_lines.Number):
        return re.sub(r"[eE](?=[0-9])", "e+", value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else None


def nested(value: Any) -> str | None:
    """A value as it is spelled in a column that is jsonb."""
    return None if value is None else json_lines.spelled(value)


def _json_type(column: inference.Column, kinds: set[type]) -> str:
    if kinds & {dict, list}:
        return "jsonb"
    among = {
        frozenset({bool}): frozenset({"boolean"}),
        frozenset({json_lines.Number}): inference.NUMBERS,
        frozenset({str}): inference.MOMENTS,
    }
    return column.type(among.get(frozenset(kinds), frozenset()))
