"""CSV and JSON lines, a column of a batch at a time: what a value needs is found out for all of them at once.

csv.writer of Python 3.11 cannot tell null from an empty text, and json.dumps of a row a time takes four times as long.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from undertone import formulas, names

if TYPE_CHECKING:
    from undertone import export

_QUOTE = '"'
_QUOTED = re.compile('[,"\\r\\n]')
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_TRUTH = {True: "true", False: "false"}
_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}  # as PostgreSQL writes them

Encode = Callable[[Sequence[Any]], Sequence[str]]


def write_csv(answer: export.Rows, file: BinaryIO, go_on: Callable[[int], object], *, neutralise: bool) -> int:
    """RFC 4180 in UTF-8 with the mark that spreadsheets want. Null is nothing, an empty text `""`, as for COPY."""
    header = [column.name for column in answer.columns]
    guarded = [neutralise and column.type not in formulas.HARMLESS for column in answer.columns]
    if neutralise:
        header = [formulas.harmless(name) for name in header]
    file.write(b"\xef\xbb\xbf" + _lines([",".join(_csv_texts(header))], "\r\n"))
    rows = 0
    for batch in answer:
        columns = [_csv(values, guard) for values, guard in zip(_columns(batch), guarded, strict=False)]
        lines = list(map(",".join, zip(*columns, strict=True))) if columns else [""] * len(batch)
        file.write(_lines(lines, "\r\n"))
        rows += len(batch)
        go_on(rows)
    return rows


def write_json_lines(answer: export.Rows, file: BinaryIO, go_on: Callable[[int], object]) -> int:
    """An object a line, in UTF-8. Columns of one name are told apart: a, a_2."""
    keys = names.unique([column.name for column in answer.columns], "_{}")
    form = "{" + ", ".join(f"{_json_text(key)}: ".replace("%", "%%") + "%s" for key in keys) + "}"
    encoders = [
        {"json": _json_values, "jsonb": _json_values, "numeric": _json_numbers}.get(column.type, _json)
        for column in answer.columns
    ]
    rows = 0
    for batch in answer:
        columns = [encode(values) for values, encode in zip(_columns(batch), encoders, strict=False)]
        lines = list(map(form.__mod__, zip(*columns, strict=True))) if columns else ["{}"] * len(batch)
        # Half a character that lost its other half stands in a string for sure, where JSON has an escape for it.
        file.write(_lines(lines, "\n", errors="backslashreplace"))
        rows += len(batch)
        go_on(rows)
    return rows


def _columns(batch: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*batch, strict=True))


def _lines(lines: list[str], end: str, errors: str = "replace") -> bytes:
    lines.append("")
    return end.join(lines).encode(errors=errors)


def _kinds(values: Sequence[Any]) -> set[type]:
    return set(map(type, values))


def _csv(values: Sequence[Any], guard: bool) -> Sequence[str]:
    """A column of a batch as fields."""
    kinds = _kinds(values)
    if type(None) in kinds:
        return _around_nulls(values, lambda present: _csv(present, guard), "")
    if kinds == {str}:
        return _csv_texts(formulas.harmless_all(values) if guard else values)
    if str in kinds:  # no answer of PostgreSQL's
        return [_csv([value], guard)[0] for value in values]
    return _plain(values, kinds)


def _plain(values: Sequence[Any], kinds: set[type]) -> Sequence[str]:
    """Numbers and truth as PostgreSQL writes them."""
    if kinds == {int}:
        return list(map(str, values))
    if kinds == {bool}:
        return list(map(_TRUTH.__getitem__, values))
    if kinds == {float} and all(map(math.isfinite, values)):
        return list(map(str.removesuffix, map(repr, values), itertools.repeat(".0")))
    return [plain(value) for value in values]


def plain(value: object) -> str:
    """A value that is not null, as PostgreSQL writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = repr(value).removesuffix(".0")
        return _NOT_FINITE.get(text, text)
    return str(value)


def _around_nulls(values: Sequence[Any], encode: Encode, null: str) -> Sequence[str]:
    present = [value for value in values if value is not None]
    texts = iter(encode(present) if present else ())
    return [null if value is None else next(texts) for value in values]


def _csv_texts(texts: Sequence[Any]) -> Sequence[str]:
    whole = "".join(texts)
    if '"' in whole:
        texts = [f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if _QUOTED.search(text) else text for text in texts]
    elif "," in whole or "\n" in whole or "\r" in whole:
        texts = [f'"{text}"' if "," in text or "\n" in text or "\r" in text else text for text in texts]
    return texts if all(texts) else [text or '""' for text in texts]


_json_text = json.encoder.encode_basestring


def _json(values: Sequence[Any]) -> Sequence[str]:
    """A column of a batch as JSON."""
    kinds = _kinds(values)
    if type(None) in kinds:
        return _around_nulls(values, _json, "null")
    if kinds == {str}:
        return list(map(_json_text, values))
    if str in kinds:
        return [_json_value(value) for value in values]
    # JSON has no NaN and no infinity: they travel as to_json writes them.
    return [f'"{text}"' if text[-1] in "Ny" else text for text in _plain(values, kinds)]


def _json_value(value: Any) -> str:
    return _json([value])[0]


def _json_values(values: Sequence[Any]) -> Sequence[str]:
    # Untouched but for the ends of its lines, which JSON has between its tokens only.
    return [
        value.replace("\r", " ").replace("\n", " ") if isinstance(value, str) else _json_value(value)
        for value in values
    ]


def _json_numbers(values: Sequence[Any]) -> Sequence[str]:
    matches = _JSON_NUMBER.fullmatch
    return [value if isinstance(value, str) and matches(value) else _json_value(value) for value in values]
