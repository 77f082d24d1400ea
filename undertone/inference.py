"""The PostgreSQL type of a column from all of its text: the first type in `TYPES` that holds every value unchanged.

Arrow reads the values; the patterns keep it from reading more into them than is there. "00123", "+49 30 1234", "12E5"
and "1,5" are text: as numbers they would come back as something else. Only ISO dates and times are dates and times. A
number that a double cannot give back digit by digit is numeric. Cells that are empty, or blank, tell nothing and become
NULL in every type but text, and blanks around any other value than text are not part of it.
"""

from __future__ import annotations

import dataclasses
import decimal
import math
from typing import Any

INTEGER = r"^(0|-?[1-9][0-9]*)$"
# An exponent must have its sign, as every program writes it: 12E5 is somebody's article number.
DECIMAL = r"^-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-][0-9]{1,3})?$"
MOMENT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?$"
)
NUMERIC_DIGITS = 1000  # of the 16,383 behind the point that PostgreSQL takes
CALENDAR = (-62_135_596_800_000_000, 253_402_300_799_999_999)  # microseconds: the years 1 to 9999


@dataclasses.dataclass(frozen=True)
class Type:
    """A type of PostgreSQL, what its values look like, and how Arrow reads them (None: the look is enough)."""

    name: str
    pattern: str
    arrow: str | None = None


TYPES = (
    Type("boolean", "^(?i:true|false)$"),
    Type("bigint", INTEGER, "int64"),
    Type("numeric", INTEGER),
    Type("double precision", DECIMAL, "float64"),
    Type("numeric", DECIMAL),
    Type("date", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "date32"),
    Type("timestamp without time zone", MOMENT, "timestamp"),
    Type("timestamp with time zone", MOMENT, "timestamptz"),
)
NUMBERS = frozenset({"bigint", "numeric", "double precision"})
MOMENTS = frozenset({"date", "timestamp without time zone", "timestamp with time zone"})


class Column:
    """What a column can still be, narrowed by every batch of its text."""

    def __init__(self) -> None:
        self._possible = list(TYPES)
        self._seen = False

    def narrow(self, text: Any) -> None:
        """`text`: an Arrow array of strings, NULL where there is no value."""
        if not self._possible:
            return
        values = _trimmed(text).drop_null()
        if len(values):
            self._seen = True
            self._possible = [type for type in self._possible if _holds(type, values)]

    def type(self, among: frozenset[str] | None = None) -> str:
        """The name of the type; `among` leaves some to choose from. A column without any value is text."""
        names = (type.name for type in self._possible if among is None or type.name in among)
        return next(names, "text") if self._seen else "text"


def as_type(text: Any, type: str) -> Any:
    """An array of strings as PostgreSQL's input for `type`. Raises pyarrow.ArrowInvalid where it is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if type in ("text", "jsonb"):
        return text
    text = _trimmed(text)
    if type.startswith("timestamp"):
        return pc.cast(pc.cast(text, _arrow(type)), pa.large_string())
    return text


def in_calendar(moments: Any) -> bool:
    """Whether an array of dates or timestamps lies in the years 1 to 9999, which are spelled alike everywhere."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        ends = pc.min_max(moments.cast(pa.timestamp("us"), safe=False).cast(pa.int64())).as_py()
    except pa.ArrowInvalid:
        return False
    return ends["min"] is None or (CALENDAR[0] <= ends["min"] and ends["max"] <= CALENDAR[1])


def _trimmed(text: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim(text, " \t")
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)


def _arrow(type: str) -> Any:
    import pyarrow as pa

    return {
        "bigint": pa.int64(),
        "double precision": pa.float64(),
        "date": pa.date32(),
        "timestamp without time zone": pa.timestamp("us"),
        "timestamp with time zone": pa.timestamp("us", "UTC"),
    }[type]


def _holds(type: Type, values: Any) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pc.all(pc.match_substring_regex(values, type.pattern)).as_py():
        return False
    if type.name == "numeric":
        return bool(pc.max(pc.utf8_length(values)).as_py() <= NUMERIC_DIGITS)
    if type.arrow is None:
        return True
    try:
        read = pc.cast(values, _arrow(type.name))
    except pa.ArrowInvalid:
        return False
    if type.name == "double precision":
        # Fifteen digits always survive; where there are more, or an exponent near the ends, each is looked at.
        doubtful = pc.match_substring_regex(values, r"([0-9]\.?){16}|[eE][+-][0-9]{3}|[0-9]{309}")
        return all(map(_survives, values.filter(doubtful).to_pylist()))
    return in_calendar(read) if type.name in MOMENTS else True


def _survives(number: str) -> bool:
    value = float(number)
    return math.isfinite(value) and decimal.Decimal(number) == decimal.Decimal(repr(value))
