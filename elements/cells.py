"""How the values of a page of rows are shown, a line each: numbers with all digits, times in the reader's zone, bytes.

A cell that goes to the browser is None for NULL, a str for what is shown as it is, or a dict: `text` is shown, `kind`
says how ("number", "true", "false", "time", "bytes", "cut"), `exact` is what a time is on the server. All of it becomes
text nodes there.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Any

from elements import highlights, row_cells
from undertone import export_text, reading, relations, units

SHOWN = 200  # characters of a cell; the browser shows the beginning of them, and all of it is a click away
DUMPED = 12  # bytes of a cell that are shown
INTEGERS = ("smallint", "integer", "bigint", "oid")
# Numbers that name something are not read in thousands.
NAMING = re.compile(r"(^|_)(id|year|no|nr|code|zip|oid)$", re.IGNORECASE)
WHOLE = re.compile(r"(-?)(\d+)(\.\d+)?")

Cell = str | dict[str, str] | None


def column(
    field: relations.Field, values: Sequence[object], zone: zoneinfo.ZoneInfo, *, naming: bool = False
) -> list[Cell]:
    """The cells of a column. `naming`: its numbers name something, as those of a key do."""
    form = _form(field, zone, naming or bool(NAMING.search(field.column.name)))
    return [None if value is None else form(value) for value in values]


def is_number(field: relations.Field) -> bool:
    """Whether a column stands at the right."""
    return field.base in row_cells.NUMBERS


def about(field: relations.Field, zone: zoneinfo.ZoneInfo) -> str:
    """What is to be known of a column, in lines: its type, in which zone its times are shown, its comment."""
    lines = [field.column.type]
    if field.base == "timestamp with time zone":
        lines.append(f"shown in {zone.key}")
    if field.column.comment:
        lines.append(field.column.comment)
    return "\n".join(map(highlights.whole, lines))


def _form(field: relations.Field, zone: zoneinfo.ZoneInfo, naming: bool) -> Callable[[Any], Cell]:
    if is_number(field):
        return _plain if naming else _number
    if field.base == "boolean":
        return _truth
    if field.base == "bytea":
        return _bytes
    if field.base == "timestamp with time zone":
        return lambda value: _moment(str(value), zone)
    return _text


def _plain(value: object) -> Cell:
    return {"text": export_text.plain(value), "kind": "number"}


def _number(value: object) -> Cell:
    """With all of its digits, in groups of three; what is written in another way is left as it is."""
    text = export_text.plain(value)
    if match := WHOLE.fullmatch(text):
        sign, whole, fraction = match.groups()
        grouped = f"{int(whole):,}" if len(whole) <= 4_000 and str(int(whole)) == whole else whole
        text = f"{sign}{grouped}{fraction or ''}"
    return {"text": text, "kind": "number"}


def _truth(value: object) -> Cell:
    return {"text": str(value).lower(), "kind": str(value).lower()} if isinstance(value, bool) else _text(value)


def _bytes(value: object) -> Cell:
    """Their number, and the first of them."""
    text = str(value)
    cut = reading.CUT_BYTES.fullmatch(text)
    count = int(cut[2]) if cut else len(text) // 2 - 1
    head = " ".join(text[place : place + 2] for place in range(2, 2 + 2 * min(count, DUMPED), 2))
    more = " …" if count > DUMPED else ""
    return {"text": f"{units.size(count)} · {head}{more}" if count else units.size(0), "kind": "bytes"}


def _moment(text: str, zone: zoneinfo.ZoneInfo) -> Cell:
    local = row_cells.moment(text, zone)
    if local is None:
        return text  # infinity, or years that no clock of ours has
    return {"text": local.rpartition(" ")[0], "kind": "time", "exact": text}


def _text(value: object) -> Cell:
    text = highlights.whole(value if isinstance(value, str) else export_text.plain(value))
    if len(text) <= SHOWN:
        return text
    return {"text": text[:SHOWN] + "…", "kind": "cut"}
