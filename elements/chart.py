"""A picture of an answer: the kind is proposed, and changed by the person who looks."""

from __future__ import annotations

import zlib

import altair as alt
import pandas as pd
import streamlit as st

from elements import labels, messages
from undertone import chart_data, charts, console, units

ICONS = {
    "line": "show_chart",
    "bar": "bar_chart",
    "area": "area_chart",
    "scatter": "scatter_plot",
    "histogram": "equalizer",
    "number": "123",
}
HEIGHT = 380
# The app's own colours, for what no colour tells apart; then such as most colour-blind people tell apart.
PRIMARY = {"light": "#2f6f8f", "dark": "#6fb3d2"}
PALETTE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999933", "#8f6bb3", "#8a9299", "#44aa99"]


def edit(result: console.Result, chosen: charts.Chart | None, *, key: str) -> charts.Chart | None:
    """Widgets to choose a chart, and the chart. Returns what is chosen now; None for no chart.

    `chosen` is where the widgets begin, if it fits the answer, else the proposal is.
    """
    known = charts.shape(result.columns)
    if not result.rows or not known.all:
        messages.empty("An answer with rows will be drawn here.")
        return chosen
    begin = chosen if chosen is not None and charts.fits(chosen, result.columns) else charts.propose(result)
    # Other columns are other widgets: what was chosen for one answer means nothing in the next.
    key = f"{key}_{zlib.crc32(repr(result.columns).encode(errors='replace')):08x}"
    chart = _choose(known, begin, key)
    if chart is None:
        messages.empty("Choose a kind of chart: no kind suggests itself for these columns.")
        return None
    if not charts.fits(chart, result.columns):
        messages.empty("Choose the columns that the chart shows.")
        return None
    if chart.kind == "number":
        _number(result, chart, known)
    else:
        _draw(chart_data.prepare(result, chart), chart)
    return chart


def _choose(known: charts.Shape, begin: charts.Chart | None, key: str) -> charts.Chart | None:
    kinds = [kind for kind in charts.KINDS if known.numbers or kind == "bar"]
    kind = st.segmented_control(
        "Chart",
        kinds,
        default=begin.kind if begin else None,
        format_func=lambda name: f":material/{ICONS[name]}: {name.capitalize()}",
        key=f"{key}_kind",
        label_visibility="collapsed",
    )
    if kind is None:
        return None
    begin = begin or charts.Chart(kind, None, ())
    key = f"{key}_{kind}"
    if kind == "number":
        return charts.Chart(kind, None, _several("Numbers", known, begin.y, key))
    left, middle, right = st.columns(3)
    if kind == "histogram":
        x = _one(left, "Values", list(known.numbers), begin.x, f"{key}_x")
        return charts.Chart(kind, x, ())
    x = _one(left, "Along", list(known.all), begin.x, f"{key}_x")
    with middle:
        y = _several("Up, or empty to count rows" if kind == "bar" else "Up", known, begin.y, key, but=x)
    others = [name for name in known.all if name != x and name not in y]
    color = None
    if len(y) > 1:
        right.selectbox("Colour", ["the columns"], disabled=True, key=f"{key}_colours")
    else:
        color = _one(right, "Colour", [None, *others], begin.color, f"{key}_color")
    return charts.Chart(kind, x, y, color)


def _one(
    place: st.delta_generator.DeltaGenerator,
    label: str,
    names: list[str | None] | list[str],
    name: str | None,
    key: str,
) -> str | None:
    index = names.index(name) if name in names else 0
    return place.selectbox(label, names, index=index, format_func=lambda one: one or "none", key=key)


def _several(
    label: str, known: charts.Shape, begin: tuple[str, ...], key: str, but: str | None = None
) -> tuple[str, ...]:
    among = [name for name in known.numbers if name != but]
    default = [name for name in begin if name in among] or ([] if "count" in label else among[:1])
    found = st.multiselect(label, among, default=default, max_selections=charts.SERIES, key=f"{key}_y")
    return tuple(found)


def _number(result: console.Result, chart: charts.Chart, known: charts.Shape) -> None:
    for place, name in zip(st.columns(max(4, len(chart.y))), chart.y, strict=False):
        value = result.rows[0][known.numbers[name]]
        found = charts.number(value)
        text = "null" if value is None else str(value) if found is None else _shown(value)
        place.metric(messages.plain(name), text)
    if len(result.rows) > 1:
        st.caption(f"The first of {units.count(len(result.rows), 'row')}.")


def _shown(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    whole, _, rest = str(value).partition(".")
    return f"{int(whole):,}.{rest}" if rest and whole.lstrip("-").isdigit() and len(str(value)) < 20 else f"{value}"


def _title(name: str) -> str:
    """A column's name on an axis or in a tooltip, where `image` and `title` would mean something to Vega's own."""
    name = " ".join(name.split()) or "column"
    name = name if len(name) <= chart_data.LONGEST else name[: chart_data.LONGEST - 1] + "…"
    return f"{name}\N{NO-BREAK SPACE}" if name in ("image", "title") else name


def _draw(data: chart_data.Data, chart: charts.Chart) -> None:
    if not len(data.points):
        messages.empty("There is no value in these columns that could be drawn.")
    else:
        st.altair_chart(picture(data, chart), height=HEIGHT)
    for sentence in data.said:
        st.caption(sentence)


def picture(data: chart_data.Data, chart: charts.Chart) -> alt.Chart:
    """The chart as Altair draws it."""
    tooltip = [_tooltip(name, data) for name in data.titles if name in data.points]
    if chart.kind == "histogram":
        x = alt.X("c0:Q", bin="binned", title=_title(data.titles["c0"]))
        bars = alt.Chart(data.points).mark_bar(color=_primary())
        return bars.encode(x=x, x2="end", y=alt.Y("c1:Q", title="rows"), tooltip=tooltip)
    colored = "c2" if "c2" in data.points else "c0" if chart.kind == "bar" and data.kinds["c0"] == "category" else ""
    points, order = _labelled(data.points, colored)
    encoding = {
        "x": _along(data, order if colored == "c0" else None),
        "y": alt.Y("c1:Q", title=_title(data.titles["c1"]), scale=alt.Scale(zero=chart.kind != "scatter")),
        "tooltip": tooltip,
    }
    if colored == "c2":
        encoding["color"] = alt.Color(
            "c2:N",
            scale=labels.scale(order) if order else alt.Scale(range=PALETTE),
            legend=alt.Legend(title=_title(data.titles["c2"]), labelLimit=220, symbolLimit=charts.COLOURS),
            sort=None,
        )
    elif order:
        encoding["color"] = alt.Color("c0:N", scale=labels.scale(order), legend=None)
    base = alt.Chart(points)
    if chart.kind == "scatter":
        return base.mark_point(filled=True, size=40, opacity=0.7, color=_primary()).encode(**encoding)
    if chart.kind == "line":
        return base.mark_line(point=len(points) <= 60, color=_primary()).encode(**encoding)
    if chart.kind == "area":
        return base.mark_area(opacity=0.7, color=_primary()).encode(**encoding)
    return base.mark_bar(color=_primary()).encode(**encoding)


def _labelled(points: pd.DataFrame, colored: str) -> tuple[pd.DataFrame, list[str]]:
    """Where colours tell labels apart: the points with the labels' signs, and the labels in their order."""
    found = set(points[colored]) if colored else set()
    if not found & labels.COLOURS.keys() or found - {*labels.COLOURS, chart_data.NULL}:
        return points, []
    order = [label for label in (*labels.COLOURS, chart_data.NULL) if label in found]
    return points.assign(**{colored: [labels.title(label) for label in points[colored]]}), order


def _tooltip(field: str, data: chart_data.Data) -> alt.Tooltip:
    title = _title(data.titles[field])
    if data.kinds[field] == "time":
        return alt.Tooltip(f"{field}:T", title=title, format="%Y-%m-%d %H:%M:%S")
    if data.kinds[field] == "number":
        return alt.Tooltip(f"{field}:Q", title=title, format=",.6~g")
    return alt.Tooltip(f"{field}:N", title=title)


def _along(data: chart_data.Data, order: list[str] | None) -> alt.X:
    title = _title(data.titles["c0"])
    if data.kinds["c0"] == "time":
        return alt.X("c0:T", title=title)
    if data.kinds["c0"] == "number":
        return alt.X("c0:Q", title=title, scale=alt.Scale(zero=False))
    angle = 0 if data.points["c0"].nunique() <= 8 else -45
    axis = alt.Axis(labelLimit=140, labelAngle=angle, labelOverlap=False)
    # In the order of the answer, which somebody may have asked for.
    return alt.X("c0:N", title=title, sort=[labels.title(label) for label in order] if order else None, axis=axis)


def _primary() -> str:
    return PRIMARY["dark" if st.context.theme.type == "dark" else "light"]
