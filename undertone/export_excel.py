"""Excel: one sheet after another of an .xlsx file. Texts are written as texts, so that no program runs them."""

from __future__ import annotations

import datetime
import math
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import xlsxwriter
import xlsxwriter.worksheet

from undertone import export, export_text, formulas

if TYPE_CHECKING:
    from undertone import console

SHEET_ROWS, SHEET_COLUMNS = 1_048_576, 16_384  # Excel's own limits, the first with the header
CELL = 32_767  # characters of a cell, counted in UTF-16
EXACT = 10**15  # Excel keeps 15 digits of a number
FIRST_DAY = "1900-03-01"  # before it Excel counts a day that never was
_NUMERIC = re.compile(r"-?[0-9]{1,15}|(?=[-0-9.]{3,17}$)-?(?=.{3,16}$)[0-9]+\.[0-9]+")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?: [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?)?")
_DATES = ("date", "timestamp without time zone")


class _Sheet(xlsxwriter.worksheet.Worksheet):  # type: ignore[misc]
    """A sheet that takes no text for markup of its own: XlsxWriter would write `<r>…</r>` unescaped."""

    def _xml_rich_inline_string(self, string: str, attributes: Any) -> None:
        self._xml_inline_string(string, False, attributes)


def write(
    answer: export.Rows,
    file: BinaryIO,
    go_on: Callable[[int], object],
    folder: Path | None,
    *,
    neutralise: bool,
) -> int:
    """An answer as a workbook; what is beyond the rows of one sheet goes on the next."""
    columns = list(answer.columns)
    if len(columns) > SHEET_COLUMNS:
        raise export.ExportError(
            f"Excel holds {SHEET_COLUMNS:,} columns, and the answer has {len(columns):,}; take another format."
        )
    with tempfile.TemporaryDirectory(dir=folder, prefix=".", suffix=".part") as temporary:
        book = _Book(file, temporary, columns, neutralise=neutralise)
        rows = 0
        for batch in answer:
            for row in batch:
                book.add(row)
            rows += len(batch)
            go_on(rows)
        book.close()
    return rows


class _Book:
    def __init__(self, file: BinaryIO, folder: str, columns: list[console.Column], *, neutralise: bool) -> None:
        self._book = xlsxwriter.Workbook(
            file,
            {
                "constant_memory": True,
                "tmpdir": folder,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "use_zip64": True,
            },
        )
        self._columns = columns
        self._neutralise = neutralise
        self._header = self._book.add_format({"bold": True, "quote_prefix": True})
        # Somebody who edits the cell makes no formula of it either.
        self._text = self._book.add_format({"quote_prefix": True})
        self._forms = {
            "date": self._book.add_format({"num_format": "yyyy-mm-dd"}),
            "time": self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            "fraction": self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"}),
        }
        self._begin()

    def _begin(self) -> None:
        if sheets := self._book.worksheets():
            sheets[-1]._opt_close()  # one open file, not one a sheet
        self._sheet = self._book.add_worksheet(worksheet_class=_Sheet)
        self._sheet.freeze_panes(1, 0)
        for index, column in enumerate(self._columns):
            self._sheet.write_string(0, index, _cell(column.name), self._header)
        self._row = 1

    def add(self, row: tuple[object, ...]) -> None:
        """Write a row."""
        if self._row == SHEET_ROWS:
            self._begin()
        for index, value in enumerate(row):
            if isinstance(value, str):
                self._add_text(index, value)
            elif isinstance(value, bool):
                self._sheet.write_boolean(self._row, index, value)
            elif isinstance(value, (int, float)) and abs(value) < (EXACT if isinstance(value, int) else math.inf):
                self._sheet.write_number(self._row, index, value)  # but NaN
            elif value is not None:
                self._sheet.write_string(self._row, index, export_text.plain(value))
        self._row += 1

    def _add_text(self, index: int, text: str) -> None:
        type = self._columns[index].type
        if type == "numeric" and _NUMERIC.fullmatch(text):
            self._sheet.write_number(self._row, index, float(text))
        elif type in _DATES and (moment := _moment(text)):
            self._sheet.write_datetime(self._row, index, moment[0], self._forms[moment[1]])
        elif self._neutralise and type not in formulas.HARMLESS and formulas.is_formula(text):
            self._sheet.write_string(self._row, index, _cell(text), self._text)
        else:
            self._sheet.write_string(self._row, index, _cell(text))

    def close(self) -> None:
        """Write what is left."""
        self._book.close()


def _moment(text: str) -> tuple[datetime.datetime, str] | None:
    """A date or a timestamp that Excel has, and the form in which it is shown."""
    matched = _MOMENT.fullmatch(text)
    if matched is None or text < FIRST_DAY:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:  # 24:00
        return None
    return moment, "date" if len(text) == 10 else "fraction" if matched[2] else "time"


def _cell(text: str) -> str:
    """A text as a cell can hold it: cut, and said so, if it is too long; no halves of characters."""
    if len(text) > CELL // 2:  # it may have characters that count twice
        units = text.encode("utf-16-le", "replace")
        if len(units) > 2 * CELL:
            said = f"… (cut: {len(text):,} characters)"
            return units[: 2 * (CELL - len(said))].decode("utf-16-le", "ignore") + said
    return text if text.isascii() else text.encode(errors="replace").decode()
