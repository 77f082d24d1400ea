"""The operators of conditions: what they are called, how many values they take, and which of them fit a column.

How they read a column and its values:

- `eq` and the comparisons compare as the column's own type does, exactly; types without an order go by their text.
- `contains`, `starts`, `ends`, `lacks` and `regex` ignore case and read any type's text. `%` and `_` are only letters;
  a pattern that begins with `(?c)` minds case.
- `ne`, `notin` and `lacks` keep rows without a value: "is not open" is true of a row that says nothing. All the others
  but `null` leave them out. An empty text is a value.
- A day alone, as 2026-03-01, is the whole day where a column has times: `eq` is any time on it, `le` and the second
  value of `between` include it, `gt` begins after it (`condition_times.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from undertone import errors, relations

UNITS = ("minutes", "hours", "days", "weeks", "months", "years")  # of "last"
DAY_UNITS = UNITS[2:]  # of "last" where a column has days alone
MANY = 1_000  # values of one condition


class ConditionError(errors.UndertoneError):
    """A condition that does not fit its column, or a link that holds none."""


@dataclass(frozen=True)
class Operator:
    """An operator, in words that stand between a column and values, and how many values it takes: `least` to `most`.

    `values` says what they are: "" none; "typed" of the column's type; "element" of an array's; "text" any text;
    "pattern" a regular expression; "span" a whole number and one of UNITS; "path" a JSON path.
    """

    words: str
    values: str = "typed"
    least: int = 1
    most: int = 1
    sign: str = ""  # how the command line may write it, too


OPERATORS: dict[str, Operator] = {
    "eq": Operator("is", sign="="),
    "ne": Operator("is not", sign="<>"),
    "lt": Operator("is less than", sign="<"),
    "le": Operator("is at most", sign="<="),
    "gt": Operator("is more than", sign=">"),
    "ge": Operator("is at least", sign=">="),
    "between": Operator("is between", least=2, most=2),
    "in": Operator("is one of", most=MANY),
    "notin": Operator("is none of", most=MANY),
    "contains": Operator("contains", "text"),
    "lacks": Operator("does not contain", "text"),
    "starts": Operator("starts with", "text"),
    "ends": Operator("ends with", "text"),
    "regex": Operator("matches", "pattern", sign="~"),
    "null": Operator("has no value", "", 0, 0),
    "notnull": Operator("has a value", "", 0, 0),
    "empty": Operator("is empty", "", 0, 0),
    "last": Operator("is in the last", "span", 2, 2),
    "path": Operator("has the JSON path", "path"),
    "haskey": Operator("has the key", "text"),
    "has": Operator("has the element", "element"),
    "hasall": Operator("has all of", "element", most=MANY),
}

_EQUAL = ("eq", "ne", "in", "notin")
_ORDER = ("lt", "le", "gt", "ge", "between")
_TEXT = ("contains", "lacks", "starts", "ends", "regex")
_NULL = ("null", "notnull")


def operators(field: relations.Field) -> tuple[str, ...]:
    """The operators that fit a column, the likeliest first."""
    category = field.column.category
    if field.base.endswith("[]"):
        return (*(("has", "hasall", *_EQUAL) if field.sortable else _EQUAL), "contains", "lacks", "empty", *_NULL)
    if category == "text":
        return ("contains", "eq", "ne", "in", "notin", "starts", "ends", "lacks", "regex", "empty", *_NULL, *_ORDER)
    if category == "boolean":
        return ("eq", "ne", *_NULL)
    if category == "time":
        return ("last", "between", "ge", "le", "gt", "lt", *_EQUAL, *_NULL)
    if category == "json":
        return ("contains", "lacks", "path", "haskey", "eq", "ne", "regex", *_NULL)
    if category == "bytes":
        return ("eq", "ne", "in", "notin", "empty", *_NULL)
    ordered = _ORDER if field.sortable else ()
    if category == "number":
        return ("eq", "between", "ge", "le", "gt", "lt", "ne", "in", "notin", *_NULL, "contains", "starts")
    return (*_EQUAL, *ordered, *_TEXT, *_NULL)


def check(column: str, operator: str, values: tuple[str, ...]) -> None:
    """Raises ConditionError where there is no such operator, or it takes another number of values."""
    if operator not in OPERATORS:
        raise ConditionError(f"There is no operator “{operator[:20]}”; there are: {', '.join(OPERATORS)}.")
    known = OPERATORS[operator]
    if not known.least <= len(values) <= known.most:
        wanted = {(0, 0): "no value", (1, 1): "one value", (2, 2): "two values"}.get(
            (known.least, known.most), f"1 to {known.most:,} values"
        )
        raise ConditionError(f"{column[:63]}: “{known.words}” takes {wanted}, not {len(values):,}.")
