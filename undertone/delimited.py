"""CSV and TSV files: records of cells exactly as they stand, each with the number of the line it begins on."""

from __future__ import annotations

import contextlib
import csv
import itertools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

from undertone import files

CELL_LIMIT = 64 * 2**20  # characters: what a quote that is never closed may swallow before it is called an error
SAMPLE = 2**18  # characters looked at for the delimiter
Record = tuple[int, int, list[str | None]]  # the line it begins on, its length in characters, its cells


class Delimited:
    """A CSV or TSV file: its delimiter, whether quotes quote, its header, and its records.

    CSV is read strictly as RFC 4180 has it, with the delimiter (comma, semicolon, tab or |) that fits the first lines
    best; Excel's `sep=;` is obeyed. Text after a closing quote, a quote never closed, and a record with more or fewer
    fields than the header are errors. Between tabs a quote may be just a character: see `_tabs_quote`. Blank lines are
    skipped.
    """

    def __init__(self, file: files.File) -> None:
        if csv.field_size_limit() < CELL_LIMIT:
            csv.field_size_limit(CELL_LIMIT)  # the module's own limit, 128 KiB, is the process's
        self.file = file
        self._skip = 0
        sample = _sample(file)
        told = re.fullmatch(r"sep=([,;|\t])\s*", sample[0], re.IGNORECASE) if sample else None
        if told:
            self._skip, self.delimiter = 1, told[1]
        else:
            self.delimiter = "\t" if file.kind == "tsv" else _sniff(sample)
        self.quoting = csv.QUOTE_MINIMAL
        if self.delimiter == "\t" and any('"' in line for line in files.lines(file)) and not self._tabs_quote():
            self.quoting = csv.QUOTE_NONE
        header = next(self._split(self.quoting, None), None)
        if header is None:
            raise file.error("the file is empty.")
        self.names = [name.strip() if name else "" for name in header[2]]

    def records(self, tick: files.Tick | None = None) -> Iterator[Record]:
        """Each record after the header: the line it begins on, and its cells; an empty cell without quotes is None."""
        return itertools.islice(self._split(self.quoting, tick), 1, None)

    def _split(self, quoting: int, tick: files.Tick | None) -> Iterator[Record]:
        taken: list[str] = []  # the lines of the record being read

        def feed() -> Iterator[str]:
            for line in itertools.islice(files.lines(self.file, tick), self._skip, None):
                taken.append(line)
                yield line

        reader = csv.reader(feed(), delimiter=self.delimiter, quoting=cast(Any, quoting), strict=True)
        width = 0
        while True:
            taken.clear()
            line = self._skip + reader.line_num + 1
            try:
                cells: list[str | None] = list(next(reader))
            except StopIteration:
                return
            except csv.Error as error:
                raise self._broken(str(error), line, self._skip + reader.line_num) from None
            if not cells:
                continue
            width = width or len(cells)
            if len(cells) != width:
                raise self.file.error(
                    f"{_fields(len(cells))} where the header has {width:,} (delimiter {_shown(self.delimiter)}).", line
                )
            if "" in cells:
                self._empty(cells, "".join(taken), quoting)
            yield line, sum(map(len, taken)), cells

    def _empty(self, cells: list[str | None], raw: str, quoting: int) -> None:
        """Make None of the empty cells that stand without quotes; the csv module of Python 3.11 does not tell."""
        quoted: Sequence[bool] = ()
        if quoting != csv.QUOTE_NONE and '""' in raw:
            delimiter = re.escape(self.delimiter)
            cell = rf'("[^"]*(?:""[^"]*)*"|[^{delimiter}\r\n]*)(?:{delimiter}|\r|\n|$)'
            quoted = [match[1] == '""' for match in itertools.islice(re.finditer(cell, raw), len(cells))]
        for index, value in enumerate(cells):
            if value == "" and not (quoted and quoted[index]):
                cells[index] = None

    def _broken(self, reason: str, first: int, last: int) -> files.LoadError:
        began = "" if first == last else f" of the record that begins on line {first:,}"
        if "unexpected end of data" in reason:
            return self.file.error('a field of this record opens with a quote (") that is never closed.', first)
        if "expected after" in reason:
            return self.file.error(
                f'text follows a closing quote (") in a field{began}. A quote within a quoted field must be doubled.',
                last,
            )
        if "field limit" in reason:
            return self.file.error(
                f"a cell has more than {CELL_LIMIT:,} characters; is there a quote that is never closed?", first
            )
        if "new-line" in reason:
            return self.file.error("a carriage return stands in a field without quotes.", last)
        return self.file.error(f"{reason}.", last)

    def _tabs_quote(self) -> bool:
        """Whether quotes quote in this file with tabs: some programs write TSV like CSV, others know no quoting at all.

        Where only one reading gives every record as many fields as the header, that one; where neither does, the one
        that gets further, so that the line it stops at is the one to blame. Where both do, quotes are characters,
        unless the file looks written by a program that quotes: every cell with a quote in it is properly quoted, and
        either the header is or a quote within is doubled.
        """
        quoted, literal = self._readable(csv.QUOTE_MINIMAL), self._readable(csv.QUOTE_NONE)
        if quoted != literal or quoted < math.inf:
            return quoted > literal
        doubled = heading = False
        for number, line in enumerate(files.lines(self.file)):
            cells = [cell for cell in line.rstrip("\r\n").split("\t") if '"' in cell]
            if not all(re.fullmatch(r'"[^"]*(?:""[^"]*)*"', cell) for cell in cells):
                return False
            heading = heading or (number == self._skip and bool(cells))
            doubled = doubled or any('""' in cell[1:-1] for cell in cells)
        return heading or doubled

    def _readable(self, quoting: int) -> float:
        """The line at which a reading fails; infinity when it does not."""
        try:
            for _ in self._split(quoting, None):
                pass
        except files.LoadError as error:
            return error.line or 0
        return math.inf


def _sample(file: files.File) -> list[str]:
    found, size = [], 0
    for line in files.lines(file):
        found.append(line)
        size += len(line)
        if size > SAMPLE:
            break
    return found


def _sniff(sample: Sequence[str]) -> str:
    """The delimiter by which most of the first records have as many fields, more than one, as the header."""
    best, delimiter = (0.0, 0), ","
    for candidate in ",;\t|":
        with contextlib.suppress(csv.Error):
            counts = [len(cells) for cells in csv.reader(sample, delimiter=candidate) if cells]
            if counts and counts[0] > 1:
                score = (sum(count == counts[0] for count in counts) / len(counts), counts[0])
                if score > best:
                    best, delimiter = score, candidate
    return delimiter


def _fields(count: int) -> str:
    return f"{count:,} field{'' if count == 1 else 's'}"


def _shown(delimiter: str) -> str:
    return "tab" if delimiter == "\t" else delimiter
