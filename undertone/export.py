"""Answers as files for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

# A spreadsheet takes a text that begins with one of these for a formula and runs it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as CSV, UTF-8 with the mark that spreadsheets want; formulas are neutralised by an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_harmless(name) for name in names])
    writer.writerows([_harmless(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", errors="replace")


def _harmless(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(FORMULA):
        return value
    try:
        float(value)  # a number may be negative
    except ValueError:
        return f"'{value}"
    return value
