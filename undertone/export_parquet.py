"""Parquet: numbers and truth by their types, moments and numeric where every value of the column fits.

Whether they do is known at the end only, and a file's types stand at its beginning. So those columns are written as
texts first, and a second pass over that file, a row group at a time, gives them their types.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from undertone import export, names, values

if TYPE_CHECKING:
    from undertone import console

GROUP_CELLS, GROUP_BYTES = 500_000, 16_000_000  # of one row group
DIGITS = 38  # of a decimal128
# Types whose values always fit.
PLAIN = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "oid": pa.uint32(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
}
# Types of which some values do not: infinity, BC, years after 9999, offsets with seconds.
MOMENTS = {
    "date": (pa.date32(), r"\d{4}-\d\d-\d\d"),
    "timestamp without time zone": (pa.timestamp("us"), r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?"),
    "timestamp with time zone": (
        pa.timestamp("us", "UTC"),
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?",
    ),
}
_NUMERIC = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")


def write(answer: export.Rows, file: BinaryIO, go_on: Callable[[int], object], folder: Path | None) -> int:
    """An answer as Parquet. Columns of one name are told apart: a, a_2. The types are in the fields' metadata, too."""
    columns = list(answer.columns)
    if not columns:
        raise export.ExportError("Parquet cannot hold an answer without columns; take another format.")
    guesses = {index: _Guess(column.type) for index, column in enumerate(columns) if _Guess.knows(column.type)}
    if not guesses:
        with pq.ParquetWriter(file, _schema(columns, {}), compression="zstd") as writer:
            return _first_pass(answer, writer, guesses, go_on)
    with tempfile.TemporaryFile(dir=folder, prefix=".", suffix=".part") as untyped:
        with pq.ParquetWriter(untyped, _schema(columns, {}), compression="zstd") as writer:
            rows = _first_pass(answer, writer, guesses, go_on)
        untyped.seek(0)
        schema = _schema(columns, {index: guess.type for index, guess in guesses.items()})
        with (
            pq.ParquetFile(untyped, pre_buffer=False) as source,
            pq.ParquetWriter(file, schema, compression="zstd") as writer,
        ):
            for group in range(source.num_row_groups):
                go_on(rows)
                _give_back()
                table = source.read_row_group(group, use_threads=False)
                arrays = [
                    guesses[index].convert(array) if index in guesses else array
                    for index, array in enumerate(table.columns)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return rows


def _schema(columns: Sequence[console.Column], types: dict[int, pa.DataType]) -> pa.Schema:
    return pa.schema(
        pa.field(name, types.get(index) or PLAIN.get(column.type, pa.string()), metadata={"postgresql": column.type})
        for index, (name, column) in enumerate(
            zip(names.unique([_whole(column.name) for column in columns], "_{}"), columns, strict=True)
        )
    )


def _first_pass(
    answer: export.Rows, writer: pq.ParquetWriter, guesses: dict[int, _Guess], go_on: Callable[[int], object]
) -> int:
    rows = 0
    for table in _groups(answer, writer.schema, go_on):
        for index, guess in guesses.items():
            guess.look(table.column(index))
        writer.write_table(table)
        rows += len(table)
        _give_back()
    return rows


def _give_back() -> None:
    """Give back what Arrow keeps for the next group: as much again as a group needs, in an app that has other work."""
    pa.default_memory_pool().release_unused()


def _groups(answer: export.Rows, schema: pa.Schema, go_on: Callable[[int], object]) -> Iterator[pa.Table]:
    """The answer in row groups of a bounded size; at least one, so that an empty answer has its columns."""
    kept: list[pa.RecordBatch] = []
    rows = done = size = 0
    for batch in answer:
        made = _record_batch(batch, schema)
        kept.append(made)
        rows += len(made)
        size += made.nbytes
        done += len(made)
        go_on(done)
        if rows * len(schema) >= GROUP_CELLS or size >= GROUP_BYTES:
            yield pa.Table.from_batches(kept, schema)
            kept, rows, size = [], 0, 0
    if kept or not done:
        yield pa.Table.from_batches(kept, schema)


def _record_batch(batch: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = batch.columns if isinstance(batch, values.Batch) else zip(*batch, strict=True)
    return pa.RecordBatch.from_arrays(
        [_array(column, field) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _array(column: Sequence[Any], field: pa.Field) -> pa.Array:
    try:
        return pa.array(column, field.type)
    except UnicodeEncodeError:
        return pa.array([_whole(value) if isinstance(value, str) else value for value in column], field.type)
    except pa.ArrowException as error:
        raise export.ExportError(f"The column {names.line(field.name)} does not fit into Parquet: {error}.") from error


def _whole(text: str) -> str:
    return text.encode(errors="replace").decode()


class _Guess:
    """What one column can be, by all of its values so far."""

    def __init__(self, postgresql: str) -> None:
        self._moment = MOMENTS.get(postgresql)
        self._fits = True
        self._before = self._after = 0  # digits of a numeric, before and after the point

    @staticmethod
    def knows(postgresql: str) -> bool:
        """Whether columns of this type may be more than texts."""
        return postgresql == "numeric" or postgresql in MOMENTS

    @property
    def type(self) -> pa.DataType:
        """Arrow's type for the column."""
        if not self._fits:
            return pa.string()
        return self._moment[0] if self._moment else pa.decimal128(max(1, self._before + self._after), self._after)

    def look(self, array: pa.ChunkedArray) -> None:
        """Take note of some more values."""
        if self._fits and self._moment:
            self._fits = pc.all(pc.match_substring_regex(array, f"^(?:{self._moment[1]})$")).as_py() is not False
            try:
                self.convert(array)
            except (pa.ArrowException, ValueError):
                self._fits = False
        elif self._fits:
            for text in array.unique().to_pylist():
                if text is not None and not self._measure(text):
                    self._fits = False
                    break

    def _measure(self, text: str) -> bool:
        matched = _NUMERIC.fullmatch(text)
        if matched is None:  # NaN, infinity
            return False
        self._before = max(self._before, len(matched[1].lstrip("0")))
        self._after = max(self._after, len(matched[2] or ""))
        return self._before + self._after <= DIGITS

    def convert(self, array: pa.ChunkedArray) -> pa.ChunkedArray:
        """The texts as values of `type`."""
        return array.cast(self.type)
