"""CSV and JSON lines, a column of a batch at a time: what a value needs is found out for all of them at once.

csv.writer of Python 3.11 cannot tell null from an empty text, and json.dumps of a row a time takes four times as long.
Numbers of an answer on its way are left as the server wrote them: to read them and write them again took a quarter of
the time of an export. The few that Python writes in another way (1e+15) are given Python's, so that a number looks the
same wherever it came from.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from undertone import console, formulas, names, values

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
    if neutralise:
        header = [formulas.harmless(name) for name in header]
    file.write(b"\xef\xbb\xbf" + _lines([",".join(_csv_texts(header))], "\r\n"))
    left = _left(answer)

    def encoder(place: int, type: str) -> Encode:
        guarded = neutralise and type not in formulas.HARMLESS
        texts = _written if place in left else _csv_guarded if guarded else _csv_texts
        return functools.partial(_encoded, texts=texts, others=_plain, null="")

    encoders = [encoder(place, column.type) for place, column in enumerate(answer.columns)]
    rows = 0
    for batch in answer:
        columns = _encoded_columns(batch, encoders)
        lines = list(map(",".join, zip(*columns, strict=True))) if columns else [""] * len(batch)
        file.write(_lines(lines, "\r\n"))
        rows += len(batch)
        go_on(rows)
    return rows


def write_json_lines(answer: export.Rows, file: BinaryIO, go_on: Callable[[int], object]) -> int:
    """An object a line, in UTF-8. Columns of one name are told apart: a, a_2."""
    keys = names.unique([column.name for column in answer.columns], "_{}")
    form = "{" + ", ".join(f"{_json_text(key)}: ".replace("%", "%%") + "%s" for key in keys) + "}"
    left = _left(answer)

    def encoder(place: int, type: str) -> Encode:
        special = {"json": _json_values, "jsonb": _json_values, "numeric": _json_numerics}
        texts = _json_written if place in left else special.get(type, _json_texts)
        return functools.partial(_encoded, texts=texts, others=_json_plain, null="null")

    encoders = [encoder(place, column.type) for place, column in enumerate(answer.columns)]
    rows = 0
    for batch in answer:
        columns = _encoded_columns(batch, encoders)
        lines = list(map(form.__mod__, zip(*columns, strict=True))) if columns else ["{}"] * len(batch)
        # Half a character that lost its other half stands in a string for sure, where JSON has an escape for it.
        file.write(_lines(lines, "\n", errors="backslashreplace"))
        rows += len(batch)
        go_on(rows)
    return rows


def _left(answer: export.Rows) -> frozenset[int]:
    """The places of the columns whose numbers come as texts, which this asks for where it can be had."""
    return answer.leave_numbers() if isinstance(answer, console.Answer) else frozenset()


def _encoded_columns(batch: Sequence[tuple[object, ...]], encoders: Sequence[Encode]) -> list[Sequence[str]]:
    columns = batch.columns if isinstance(batch, values.Batch) else zip(*batch, strict=True)
    return [encode(column) for encode, column in zip(encoders, columns, strict=False)]


def _lines(lines: list[str], end: str, errors: str = "replace") -> bytes:
    lines.append("")
    return end.join(lines).encode(errors=errors)


def _encoded(column: Sequence[Any], texts: Encode, others: Encode, null: str) -> Sequence[str]:
    """A column of a batch: `texts` of texts, `others` of numbers and truth, `null` for null."""
    try:
        "".join(column)  # the fastest way to find that all of them are texts
    except TypeError:
        pass
    else:
        return texts(column)
    kinds = set(map(type, column))
    if type(None) in kinds:
        present = [value for value in column if value is not None]
        encoded = iter(_encoded(present, texts, others, null))
        return [null if value is None else next(encoded) for value in column]
    if str in kinds:  # no answer of PostgreSQL's
        return [_encoded([value], texts, others, null)[0] for value in column]
    return others(column)


def _plain(numbers: Sequence[Any]) -> Sequence[str]:
    """Numbers and truth as PostgreSQL writes them."""
    kinds = set(map(type, numbers))
    if kinds == {int}:
        return list(map(str, numbers))
    if kinds == {bool}:
        return list(map(_TRUTH.__getitem__, numbers))
    if kinds == {float} and all(map(math.isfinite, numbers)):
        return list(map(str.removesuffix, map(repr, numbers), itertools.repeat(".0")))
    return [plain(value) for value in numbers]


def plain(value: object) -> str:
    """A value that is not null, as PostgreSQL writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = repr(value).removesuffix(".0")
        return _NOT_FINITE.get(text, text)
    return str(value)


def _written(numbers: Sequence[str]) -> Sequence[str]:
    """Numbers that the server wrote, as `plain` would have written them."""
    if "e" not in "".join(numbers):
        return numbers
    return [plain(float(text)) if "e" in text else text for text in numbers]


def _csv_guarded(texts: Sequence[Any]) -> Sequence[str]:
    return _csv_texts(formulas.harmless_all(texts))


def _csv_texts(texts: Sequence[Any]) -> Sequence[str]:
    whole = "".join(texts)
    if '"' in whole:
        texts = [f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if _QUOTED.search(text) else text for text in texts]
    elif "," in whole or "\n" in whole or "\r" in whole:
        texts = [f'"{text}"' if "," in text or "\n" in text or "\r" in text else text for text in texts]
    return texts if all(texts) else [text or '""' for text in texts]


_json_text = json.encoder.encode_basestring


def _json_texts(texts: Sequence[str]) -> Sequence[str]:
    return list(map(_json_text, texts))


def _json_plain(numbers: Sequence[Any]) -> Sequence[str]:
    return _json_finite(_plain(numbers))


def _json_written(numbers: Sequence[str]) -> Sequence[str]:
    return _json_finite(_written(numbers))


def _json_finite(numbers: Sequence[str]) -> Sequence[str]:
    """JSON has no NaN and no infinity: they travel as to_json writes them."""
    return [f'"{text}"' if text[-1] in "Ny" else text for text in numbers]


def _json_values(texts: Sequence[str]) -> Sequence[str]:
    # Untouched but for the ends of its lines, which JSON has between its tokens only.
    return [text.replace("\r", " ").replace("\n", " ") for text in texts]


def _json_numerics(texts: Sequence[str]) -> Sequence[str]:
    matches = _JSON_NUMBER.fullmatch
    return [text if matches(text) else _json_text(text) for text in texts]
