"""What a chart draws of an answer: columns c0, c1, … of numbers, moments and short texts, and what had to be left out.

Never a column's own name: to Vega-Lite a dot, a bracket or a colon in one is syntax.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from undertone import charts, console

POINTS = 5_000
BINS = 40
LARGEST = sys.float_info.max
LONGEST = 80  # characters of a text in a picture
NULL = "null"
OTHERS = "(others)"


@dataclass(frozen=True)
class Data:
    """Points to draw. `kinds` and `titles` by field; `said` is what was done to them, in sentences."""

    points: pd.DataFrame
    titles: dict[str, str]
    kinds: dict[str, str]  # "number", "time" or "category"
    said: tuple[str, ...]


def prepare(result: console.Result, chart: charts.Chart) -> Data:
    """The points of a chart that `fits` the answer. x is c0, y is c1, what colours tell apart is c2."""
    if chart.kind == "histogram":
        return _histogram(result, chart)
    known = charts.shape(result.columns)
    frame, said = pd.DataFrame(index=range(len(result.rows))), []
    assert chart.x is not None
    kind = "time" if chart.x in known.times else "number" if chart.x in known.numbers else "category"
    if chart.kind == "bar" and kind == "number":
        kind = "category"
    frame["c0"] = _values(result, known.all[chart.x], kind)
    titles = {"c0": chart.x, "c1": "rows"}
    if chart.color is not None:
        frame["c2"] = _values(result, known.all[chart.color], "category")
        titles["c2"] = chart.color
    if not chart.y:
        frame["c1"] = 1.0
    elif len(chart.y) == 1 or chart.color is not None:
        frame["c1"] = _values(result, known.numbers[chart.y[0]], "number")
        titles["c1"] = chart.y[0]
    else:
        series = {name: _values(result, known.numbers[name], "number") for name in chart.y}
        frame = pd.concat([frame.assign(c1=values, c2=_short(name)) for name, values in series.items()])
        titles |= {"c1": "value", "c2": "column"}
    whole = len(frame)
    frame = frame.dropna(subset=["c0", "c1"]).reset_index(drop=True)
    if lacking := whole - len(frame):
        said.append(f"{lacking:,} of {whole:,} values are not drawn: null, infinity, BC, or no number.")
    if "c2" in frame:
        frame = _few_colours(frame, said)
    if chart.kind == "bar":
        frame = _bars(frame, said)
    elif len(frame) > POINTS:
        said.append(f"{POINTS:,} of {len(frame):,} points are drawn, evenly taken.")
        if chart.kind in ("line", "area"):
            frame = frame.sort_values("c0", kind="stable")
        frame = frame.iloc[np.linspace(0, len(frame) - 1, POINTS).astype(int)].reset_index(drop=True)
    return Data(frame, titles, {"c0": kind, "c1": "number", "c2": "category"}, tuple(said))


def _values(result: console.Result, index: int, kind: str) -> pd.Series[Any]:
    values = [row[index] for row in result.rows]
    if kind == "number":
        return pd.Series([charts.number(value) for value in values], dtype="float64")
    if kind == "time":
        # The year alone decides whether a moment fits: pandas would take 44 BC for the year 44.
        texts = [value if isinstance(value, str) and not value.endswith("BC") else None for value in values]
        zone = result.columns[index].type == "timestamp with time zone"
        return pd.Series(pd.to_datetime(pd.Series(texts, dtype="object"), format="ISO8601", errors="coerce", utc=zone))
    return pd.Series([_text(value) for value in values], dtype="object")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return NULL if value is None else _short(str(value))


def _short(text: str) -> str:
    text = " ".join(text[: 4 * LONGEST].split()).encode(errors="replace").decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _bars(frame: pd.DataFrame, said: list[str]) -> pd.DataFrame:
    """A value a bar and colour; where one has several rows, their sum."""
    by = [name for name in ("c0", "c2") if name in frame]
    summed = frame.groupby(by, sort=False, as_index=False, dropna=False)["c1"].sum()
    if len(summed) < len(frame) and not (frame["c1"] == 1.0).all():
        said.append("Rows with the same place are added up.")
    sizes = summed.groupby("c0", sort=False, dropna=False)["c1"].sum().abs()
    if len(sizes) <= charts.CATEGORIES:
        return summed
    said.append(f"The {charts.CATEGORIES} largest of {len(sizes):,} bars are drawn.")
    kept = set(sizes.nlargest(charts.CATEGORIES).index)
    return summed[summed["c0"].isin(kept)].reset_index(drop=True)


def _few_colours(frame: pd.DataFrame, said: list[str]) -> pd.DataFrame:
    counts = frame["c2"].value_counts()
    if len(counts) <= charts.COLOURS:
        return frame
    said.append(f"The {charts.COLOURS - 1} most frequent of {len(counts):,} colours are drawn, all else as {OTHERS}.")
    kept = set(counts.index[: charts.COLOURS - 1])
    return frame.assign(c2=[value if value in kept else OTHERS for value in frame["c2"]])


def _histogram(result: console.Result, chart: charts.Chart) -> Data:
    assert chart.x is not None
    values = _values(result, charts.shape(result.columns).numbers[chart.x], "number")
    present = values.dropna().to_numpy()
    said = []
    if lacking := len(values) - len(present):
        said.append(f"{lacking:,} of {len(values):,} values are not drawn: null, infinity, or no number.")
    counts, edges = _bins(present)
    points = pd.DataFrame({"c0": edges[:-1], "end": edges[1:], "c1": counts})
    titles = {"c0": chart.x, "end": f"{chart.x}, below", "c1": "rows"}
    return Data(points, titles, dict.fromkeys(titles, "number"), tuple(said))


def _bins(values: np.ndarray[Any, Any]) -> tuple[Sequence[float], Sequence[float]]:
    """Counts, and edges that are round numbers."""
    if not len(values):
        return [], [0.0]
    low, high = float(values.min()), float(values.max())
    distinct = np.unique(values)
    if len(distinct) <= BINS and np.all(distinct == np.round(distinct)) and high - low < BINS:
        step = 1.0  # small whole numbers: a bar each
    else:
        parts = min(BINS, max(5, math.ceil(math.sqrt(len(values)))))
        rough = max(high / parts - low / parts, abs(high) * 1e-12, 1e-300)  # a difference may be too large for a float
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough)
    first = math.floor(low / step)
    edges = [
        min(max((first + number) * step, -LARGEST), LARGEST) for number in range(math.floor(high / step) - first + 2)
    ]
    counts, _ = np.histogram(values, bins=np.array(edges))
    return counts.tolist(), edges
