"""Parquet files as columns: the types are the file's own; what PostgreSQL's type would change is kept as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from undertone import files, inference, sources


class ParquetSource(sources.Source):
    """Parquet: the types are the file's own; which of PostgreSQL's holds them is `postgresql_type`'s business."""

    def __init__(self, file: files.File) -> None:
        import pyarrow as pa
        import pyarrow.parquet

        super().__init__(file)
        try:
            with pyarrow.parquet.ParquetFile(file.path) as parquet:
                self._schema = parquet.schema_arrow
                self.size = parquet.metadata.num_rows
                groups = [parquet.metadata.row_group(group) for group in range(parquet.num_row_groups)]
        except (pa.ArrowException, OSError) as error:
            raise file.error(f"not a readable Parquet file: {_one_line(error)}") from error
        volume = sum(group.total_byte_size for group in groups) // max(self.size, 1) + 1
        self._rows = max(
            1,
            min(
                sources.BATCH_ROWS, sources.BATCH_CHARACTERS // volume, sources.BATCH_CELLS // max(len(self._schema), 1)
            ),
        )
        self.count(len(self._schema))
        if not len(self._schema):
            raise file.error("the file has no columns.")
        self.names = sources.unique_names(self._schema.names)

    def infer(self, tick: files.Tick) -> None:
        """See `Source`."""
        self.types = [postgresql_type(field.type) for field in self._schema]
        for name, type, field in zip(self.names, self.types, self._schema, strict=True):
            if not type:
                raise self.file.error(f'column "{name}" is of the type {field.type}, which cannot be loaded.')
        done = 0
        for batch in self._read(tick):
            for index, array in enumerate(batch.columns):
                if self.types[index] != "text" and not _fits(array, self.types[index]):
                    self.types[index] = "text"  # nanoseconds, or a year that PostgreSQL spells in another way
                elif self.types[index] == "text":
                    self._check_text(array, index, done)
            done += len(batch)

    def batches(self, tick: files.Tick) -> Iterator[list[Any]]:
        """See `Source`."""
        done = 0
        for batch in self._read(tick):
            arrays = []
            for index, array in enumerate(batch.columns):
                try:
                    arrays.append(_as_text(array, self.types[index]))
                except ValueError as error:  # Arrow's own errors are among them
                    raise self._misfit(index, done, len(batch), error) from error
            yield arrays
            done += len(batch)

    def place(self, row: int) -> str:
        """See `Source`."""
        return f"row {row:,}"

    def _read(self, tick: files.Tick) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet

        done = 0
        try:
            with pyarrow.parquet.ParquetFile(self.file.path) as parquet:
                for batch in parquet.iter_batches(batch_size=self._rows):
                    yield batch
                    done += len(batch)
                    tick(done)
        except (pa.ArrowException, OSError) as error:
            raise self.file.error(f"cannot be read after row {done:,}: {_one_line(error)}") from error

    def _check_text(self, array: Any, index: int, done: int) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        try:
            array.validate(full=True)
            text = _as_text(array, "text")
        except pa.ArrowException as error:
            raise self._misfit(index, done, len(array), error) from error
        nul = pc.index(pc.match_substring(text, "\0"), True).as_py()
        if nul >= 0:
            raise self.file.error(
                f'row {done + nul + 1:,}, column "{self.names[index]}": a NUL character, which PostgreSQL cannot hold.'
            )

    def _misfit(self, index: int, done: int, rows: int, error: Exception) -> files.LoadError:
        place = f'column "{self.names[index]}" in rows {done + 1:,} to {done + rows:,}'
        return self.file.error(f"{place}: {_one_line(error)}")


def postgresql_type(type: Any) -> str:
    """PostgreSQL's type for one of Arrow's; "" where there is none."""
    import pyarrow.types as types

    if types.is_dictionary(type):
        return postgresql_type(type.value_type)
    for name, tests in {
        "boolean": (types.is_boolean,),
        "numeric": (types.is_uint64, types.is_decimal),
        "bigint": (types.is_integer,),
        "double precision": (types.is_float64,),
        "real": (types.is_floating,),
        "date": (types.is_date,),
        "time without time zone": (types.is_time,),
        "text": (types.is_string, types.is_large_string, types.is_string_view, types.is_null),
        "bytea": (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view),
        "jsonb": (types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_struct, types.is_map),
    }.items():
        if any(test(type) for test in tests):
            return name
    if types.is_timestamp(type):
        return "timestamp with time zone" if type.tz else "timestamp without time zone"
    return ""


def _fits(array: Any, type: str) -> bool:
    import pyarrow as pa

    if type not in inference.MOMENTS and not type.startswith("time"):
        return True
    try:
        _as_text(array, type)
    except pa.ArrowInvalid:
        return False
    return type not in inference.MOMENTS or inference.in_calendar(_plain_values(array))


def _plain_values(array: Any) -> Any:
    import pyarrow.types as types

    return array.dictionary_decode() if types.is_dictionary(array.type) else array


def _as_text(array: Any, type: str) -> Any:
    """A column as PostgreSQL's input for `type`. Raises ValueError (pyarrow.ArrowInvalid is one) where it is none."""
    import pyarrow as pa

    array = _plain_values(array)
    exact = {
        "timestamp without time zone": pa.timestamp("us"),
        "timestamp with time zone": pa.timestamp("us", "UTC"),
        "time without time zone": pa.time64("us"),
    }.get(type)
    if type == "bytea":
        return sources.array([None if value is None else "\\x" + value.hex() for value in array.to_pylist()])
    if type == "jsonb":
        return sources.array([sources.nested(value) for value in array.to_pylist()])
    return (array.cast(exact) if exact else array).cast(pa.large_string())


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
