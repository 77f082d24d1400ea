"""Files of JSON lines, or of one JSON array of objects: records of values as JSON spells them, each with its line."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from undertone import files

ARRAY_LIMIT = 256 * 2**20  # characters of a JSON array, which is read whole
NESTING = 100  # levels: well below what Python's stack can follow
Record = tuple[int, int, dict[str, Any]]  # the line it begins on, its length in characters, its values by name


class Number(str):
    """A JSON number as it was spelled: neither a float nor an int of Python's holds them all."""

    __slots__ = ()


class _Refused(ValueError):
    pass


def records(file: files.File, tick: files.Tick | None = None) -> Iterator[Record]:
    """Each object of a file of JSON lines, or (in a .json file only) of one array of objects, which is read whole.

    Numbers come as `Number`. Refused with the line: what is not JSON (NaN too), a value that is no object, a name twice
    in one object, and what PostgreSQL cannot hold: NUL and half a surrogate pair. Blank lines are skipped.
    """
    first = next((line for line in files.lines(file) if line.strip()), "")
    if file.name.lower().removesuffix(".gz").endswith(".json") and first.lstrip().startswith("["):
        yield from _array(file, tick)
        return
    number = 0

    def line(position: int | None) -> int:
        return number

    with _errors(file, line):
        for text in files.lines(file, tick):
            number += 1
            if text.strip():
                yield number, len(text), _row(file, _DECODER.decode(text), number, text)


def _array(file: files.File, tick: files.Tick | None) -> Iterator[Record]:
    parts, size = [], 0
    for part in files.lines(file, tick):
        parts.append(part)
        size += len(part)
        if size > ARRAY_LIMIT:
            raise file.error(
                f"an array of more than {ARRAY_LIMIT:,} characters; write it as JSON lines, one object a line."
            )
    text = "".join(parts)
    del parts
    number, counted, position = 1, 0, text.index("[") + 1

    def skip(start: int) -> int:
        return cast("re.Match[str]", _WHITE.match(text, start)).end()

    def line(where: int | None) -> int:
        return text.count("\n", 0, position if where is None else where) + 1

    with _errors(file, line):
        position = skip(position)
        more = text[position : position + 1] != "]"
        while more:
            value, after = _DECODER.raw_decode(text, position)
            number += text.count("\n", counted, position)
            counted = position
            yield number, after - position, _row(file, value, number, text[position:after])
            position = skip(after)
            more = text[position : position + 1] == ","
            if more:
                position = skip(position + 1)
        if text[position : position + 1] != "]":
            raise json.JSONDecodeError("Expecting ',' or ']'", text, position)
        if skip(position + 1) != len(text):
            raise json.JSONDecodeError("Extra data", text, skip(position + 1))


@contextlib.contextmanager
def _errors(file: files.File, line: Callable[[int | None], int]) -> Iterator[None]:
    try:
        yield
    except json.JSONDecodeError as error:
        raise file.error(f"not JSON: {error.msg} at column {error.colno:,}.", line(error.pos)) from None
    except _Refused as error:
        raise file.error(f"{error}.", line(None)) from None
    except RecursionError:
        raise file.error(f"JSON nested more than {NESTING} deep.", line(None)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused(f"the name {json.dumps(twice)} is there twice in one object")
    return value


def _constant(word: str) -> Any:
    raise _Refused(f"{word} is not a JSON value; write null")


_WHITE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=cast(Any, Number), parse_int=cast(Any, Number), parse_constant=_constant
)


def _row(file: files.File, value: Any, line: int, text: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise file.error("a row must be a JSON object, { … }.", line)
    if text.count("{") + text.count("[") > NESTING and _depth(value) > NESTING:
        raise RecursionError
    # Only an escape can bring these in: the lines were decoded strictly.
    if "\\u" in text and not all(map(_storable, _texts(value))):
        raise file.error("there is a \\u0000 or half a surrogate pair, which PostgreSQL cannot hold.", line)
    return value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        inner = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [child for children in inner for child in children]
    return depth


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def spelled(value: Any) -> str:
    """A value as JSON, its numbers as they were. Raises ValueError for what JSON has no word for: NaN, bytes."""
    if isinstance(value, Number | decimal.Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(name))}: {spelled(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(spelled, value)) + "]"
    if isinstance(value, datetime.date | datetime.time):
        value = value.isoformat()
    if not isinstance(value, str | int | float | None):
        raise ValueError(f"JSON has no word for {type(value).__name__}")
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
