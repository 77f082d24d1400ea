"""A value of a row as its page shows it: text, number, time in the reader's zone, JSON, bytes, or nothing."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Iterator
from typing import Any

from elements import highlights, json_tree
from undertone import rows, units

DUMPED, WIDTH = 1_024, 8  # bytes that are shown; of them on a line
NUMBERS = ("smallint", "integer", "bigint", "oid", "real", "double precision", "numeric", "money")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?[-+]\d\d(:\d\d){0,2}")


def described(cell: rows.Cell, zone: zoneinfo.ZoneInfo) -> dict[str, Any]:
    """What a browser gets of a value.

    `kind` is "null", "empty", "number", "time", "json", "bytes" or "text"; `text` what is shown, `note` what is to be
    known of it besides, `exact` what a moment is on the server, `tree` JSON to fold.
    """
    base, text = cell.field.base, cell.text
    if text is None:
        return {"kind": "null", "text": "null"}
    if base == "bytea":
        note = units.size(cell.length)
        if (cell.length or 0) > DUMPED:
            note += f", the first {units.size(DUMPED)} of them"
        dumped = "\n".join(_dump(bytes.fromhex(text[2 : 2 + 2 * DUMPED])))
        return {"kind": "bytes", "text": dumped, "note": note}
    if text == "":
        return {"kind": "empty", "text": "empty text"}
    if base in NUMBERS:
        return {"kind": "number", "text": text}
    if base == "timestamp with time zone" and (local := moment(text, zone)):
        return {"kind": "time", "text": local, "exact": text}
    shown: dict[str, Any] = {"kind": "text", "text": highlights.whole(text)}
    if cell.field.column.category == "json":
        shown["kind"] = "json"
        if not cell.is_cut and (tree := json_tree.tree(text)):
            shown = {"kind": "json", "text": "", "tree": tree}
    if cell.is_cut:
        shown["note"] = f"the first {len(text):,} of {cell.length or 0:,} characters"
    elif len(text) >= 1_000:
        shown["note"] = units.count(len(text), "character")
    return shown


def moment(text: str, zone: zoneinfo.ZoneInfo) -> str | None:
    """A moment as the server writes it, in another zone; None for what no clock of ours shows: infinity, years BC."""
    if not MOMENT.fullmatch(text):
        return None
    try:
        local = datetime.datetime.fromisoformat(text).astimezone(zone)
    except (ValueError, OverflowError):
        return None
    whole, dot, fraction = local.replace(tzinfo=None).isoformat(" ").partition(".")
    return f"{whole}{dot}{fraction.rstrip('0')} {local:%Z}"


def zone(name: str | None) -> zoneinfo.ZoneInfo:
    """The zone of a browser, or UTC where it has none that is known here."""
    try:
        return zoneinfo.ZoneInfo(name or "UTC")
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return zoneinfo.ZoneInfo("UTC")


def _dump(data: bytes) -> Iterator[str]:
    """Bytes as hexdump shows them: place, hex, and the letters that are ASCII."""
    for start in range(0, len(data), WIDTH):
        part = data[start : start + WIDTH]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield f"{start:06x}  {part.hex(' '):{3 * WIDTH - 1}}  {letters}"
