"""A file that somebody brings: what it is by its name, and the numbered lines of the text ones.

files        what the file is; its lines, decoded
delimited    CSV and TSV: records of cells
json_lines   JSON lines, or one JSON array: records of values
inference    the type of a column from all of its text
sources      all of these, and Parquet, as columns ready for COPY
load         the table, in one transaction
"""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import gzip
import io
import pathlib
import re
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from undertone import errors

Tick = Callable[[int], None]  # called now and then with the number of bytes read
KINDS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "json", ".ndjson": "json", ".json": "json",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class LoadError(errors.UndertoneError):
    """A file that cannot become a table; where one line is to blame, `line` is its number, and in the message."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclasses.dataclass(frozen=True)
class File:
    """A file, the name a person knows it by, and how it is read: csv, tsv, json or parquet, perhaps under gzip."""

    path: pathlib.Path
    name: str
    stem: str
    kind: str
    packed: bool

    def error(self, message: str, line: int | None = None) -> LoadError:
        """A LoadError that says which file, and which of its lines."""
        return LoadError(f"{self.name}{f', line {line:,}' if line else ''}: {message}", line)


def identify(path: pathlib.Path, name: str | None = None) -> File:
    """What `path` is by its name's suffix. Raises LoadError where it is no file, or of no kind that is read here."""
    name = re.split(r"[/\\]", name or path.name)[-1].encode(errors="replace").decode()
    packed = name.lower().endswith(".gz")
    inner = pathlib.PurePath(name[:-3] if packed else name)
    file = File(path, name, inner.stem, KINDS.get(inner.suffix.lower(), ""), packed)
    if not file.kind or (packed and file.kind == "parquet"):
        raise file.error(
            "a file must end in .csv, .tsv, .jsonl, .json or .parquet (the text ones also with .gz behind)."
        )
    try:
        if not path.is_file():
            raise file.error("there is no such file." if not path.exists() else "this is not an ordinary file.")
        if not path.stat().st_size:
            raise file.error("the file is empty.")
    except OSError as error:
        raise file.error(f"cannot be read: {error.strerror}.") from error
    return file


# --- lines of text


def lines(file: File, tick: Tick | None = None) -> Iterator[str]:
    """The lines of a text file with their ends, in UTF-8, or in UTF-16 where a byte-order mark says so.

    A line ends with a line feed, as `wc -l` counts; with a carriage return where the file knows no line feed.
    Raises LoadError for bytes that are not such text, for a NUL character, and for a broken gzip file.
    """
    number = 0
    try:
        with _opened(file) as (stream, raw):
            head = stream.read(65536)
            mark, encoding = _encoding(head)
            end = "\n" if b"\n" in head else ""
            stream.seek(len(mark))
            for line in io.TextIOWrapper(stream, encoding=encoding, newline=end):
                number += 1
                if "\0" in line:
                    raise file.error(
                        "a NUL character, which PostgreSQL cannot hold. Where the file is UTF-16, save it as UTF-8.",
                        number,
                    )
                yield line
                if tick and not number % 1000:
                    tick(raw.tell())
    except UnicodeDecodeError:
        raise _undecodable(file) from None
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise file.error(f"the gzip file is broken after line {number:,}: {error}") from error
    except OSError as error:
        raise file.error(f"cannot be read: {error.strerror or error}.") from error


@contextlib.contextmanager
def _opened(file: File) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The bytes of a file, unpacked, and the stream below, whose position is the progress."""
    with file.path.open("rb") as raw:
        yield cast(BinaryIO, gzip.GzipFile(fileobj=raw) if file.packed else raw), raw


def _encoding(head: bytes) -> tuple[bytes, str]:
    return next(((mark, encoding) for mark, encoding in MARKS if head.startswith(mark)), (b"", "utf-8"))


def _undecodable(file: File) -> LoadError:
    """Find the first byte that is not text: the decoder itself only knows its place in a block."""
    fed = count = 0
    with _opened(file) as (stream, _):
        mark, encoding = _encoding(stream.read(4))
        stream.seek(len(mark))
        decoder = codecs.getincrementaldecoder(encoding)()
        while True:
            block = stream.read(2**16)
            fed += len(block)
            try:
                count += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(encoding)
                place = len(mark) + fed - len(error.object) + error.start
                kind = encoding.upper()[:6].rstrip("-")
                return file.error(
                    f"byte 0x{error.object[error.start]:02X} at offset {place:,} is not {kind} text. "
                    'Save the file as UTF-8 (in Excel: "CSV UTF-8").',
                    count + good.count("\n") + 1,
                )
            if not block:
                return file.error("the file changed while it was read; try again.")
