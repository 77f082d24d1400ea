"""Which picture an answer makes: proposed from its columns, changed by a person, kept as a small dictionary.

Columns are named as `names.unique` tells them apart. What is drawn of them is `chart_data.py`'s business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from undertone import console, errors, names

KINDS = ("line", "bar", "area", "scatter", "histogram", "number")
NUMBERS = ("smallint", "integer", "bigint", "real", "double precision", "numeric")
TIMES = ("date", "timestamp without time zone", "timestamp with time zone")
CATEGORIES = 50  # bars that can be told apart
COLOURS = 10  # colours that can
SERIES = 8  # columns in one picture
LOOKED_AT = 10_000  # rows that a proposal looks at
_NAME = 500  # characters; PostgreSQL's own names have 63 bytes


class ChartError(errors.UndertoneError):
    """Something that is not a chart."""


@dataclass(frozen=True)
class Chart:
    """A kind of picture, and the columns in it: along the axis, up the axis, told apart by colour.

    `y` is empty for bars that count rows, and for a histogram, whose column is `x`.
    """

    kind: str
    x: str | None
    y: tuple[str, ...]
    color: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"kind": self.kind, "x": self.x, "y": list(self.y), "color": self.color}

    @classmethod
    def from_dict(cls, given: object) -> Chart:
        """The chart that `to_dict` gave, or that anybody wrote. Raises ChartError."""
        if not isinstance(given, dict):
            raise ChartError("This is no chart.")
        kind, x, y, color = (given.get(name) for name in ("kind", "x", "y", "color"))
        if not isinstance(kind, str) or kind not in KINDS:
            raise ChartError(f"A chart's kind is one of {', '.join(KINDS)}.")
        if not isinstance(y, (list, tuple)) or len(y) > SERIES or not all(map(_is_name, y)):
            raise ChartError(f"A chart's y is a list of at most {SERIES} columns.")
        if not (x is None or _is_name(x)) or not (color is None or _is_name(color)):
            raise ChartError("A chart's x and color are columns, or null.")
        return cls(kind, x, tuple(dict.fromkeys(y)), color)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _NAME and value.encode(errors="ignore").decode() == value


@dataclass(frozen=True)
class Shape:
    """What the columns of an answer can be in a chart, by name: each its place among the columns."""

    numbers: dict[str, int]
    times: dict[str, int]
    others: dict[str, int]

    @property
    def all(self) -> dict[str, int]:
        """Every column."""
        return dict(sorted((self.numbers | self.times | self.others).items(), key=lambda item: item[1]))


def shape(columns: Sequence[console.Column]) -> Shape:
    """What the columns can be."""
    found = Shape({}, {}, {})
    for index, (name, column) in enumerate(
        zip(names.unique([column.name for column in columns]), columns, strict=True)
    ):
        kind = found.numbers if column.type in NUMBERS else found.times if column.type in TIMES else found.others
        kind[name] = index
    return found


def fits(chart: Chart, columns: Sequence[console.Column]) -> bool:
    """Whether an answer with these columns has what the chart shows."""
    known = shape(columns)
    if not set(chart.y) <= known.numbers.keys() or not {chart.x, chart.color} <= {None, *known.all}:
        return False
    if chart.kind == "number":
        return bool(chart.y)
    if chart.kind == "histogram":
        return chart.x in known.numbers
    return chart.x is not None and bool(chart.y or chart.kind == "bar")


def propose(result: console.Result) -> Chart | None:
    """The chart that an answer most likely wants to be; None where no kind suggests itself."""
    rows = result.rows[:LOOKED_AT]
    known = shape(result.columns)
    numbers = [name for name in known.numbers if not _is_key(name)]
    if not rows or not known.all:
        return None
    if len(result.rows) == 1:
        return Chart("number", None, tuple(numbers[:4])) if 1 <= len(numbers) <= 4 else None
    categories = {name: count for name, index in known.others.items() if (count := _distinct(rows, index)) > 0}
    colors = [name for name, count in categories.items() if 1 < count <= COLOURS]
    if known.times and numbers:
        x = next(iter(known.times))
        repeated = _distinct(rows, known.times[x]) < len(rows)
        if colors and repeated:
            return Chart("line", x, (numbers[0],), colors[0])
        return Chart("line", x, _comparable(rows, known, numbers))
    few = [name for name, count in categories.items() if 1 < count <= CATEGORIES]
    if numbers and few and (len(numbers) == 1 or categories[max(few, key=categories.__getitem__)] == len(rows)):
        x = max(few, key=categories.__getitem__)
        if categories[x] == len(rows):
            return Chart("bar", x, _comparable(rows, known, numbers))
        return Chart("bar", x, (numbers[0],), next((name for name in colors if name != x), None))
    if categories and len(numbers) == 1:
        return None  # too many bars, or a single one
    if len(numbers) >= 2:
        first = known.numbers[numbers[0]]
        if result.columns[first].type in NUMBERS[:3] and _distinct(rows, first) == len(rows) <= CATEGORIES:
            return Chart("bar", numbers[0], _comparable(rows, known, numbers[1:]))
        return Chart("scatter", numbers[0], (numbers[1],), colors[0] if colors else None)
    if numbers:
        return Chart("histogram", numbers[0], ())
    counted = [name for name, count in categories.items() if count <= CATEGORIES and 2 * count <= len(rows)]
    return Chart("bar", counted[0], ()) if counted else None


def _is_key(name: str) -> bool:
    return name.lower() == "id" or name.lower().endswith(("_id", " id"))


def _distinct(rows: Sequence[tuple[Any, ...]], index: int) -> int:
    return len({row[index] for row in rows})


def _comparable(rows: Sequence[tuple[Any, ...]], known: Shape, among: Sequence[str]) -> tuple[str, ...]:
    """The first of some columns of numbers, and those of about its size, which can share its axis."""
    sizes = {}
    for name in among[:SERIES]:
        values = [abs(value) for row in rows if (value := number(row[known.numbers[name]])) is not None]
        sizes[name] = max(values, default=0.0)
    size = sizes[among[0]]
    return tuple(name for name in sizes if name == among[0] or (size and 0.05 <= sizes[name] / size <= 20))


def number(value: object) -> float | None:
    """A finite number; None for all else."""
    try:
        found = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
