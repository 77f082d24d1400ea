"""Labels and their colours: one each everywhere, apart for colour-blind people and by more than colour."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

# Okabe and Ito's colours, which most colour-blind people tell apart.
COLOURS = {"NEGATIVE": "#d55e00", "NEUTRAL": "#8a9299", "POSITIVE": "#0072b2"}
SIGNS = {"NEGATIVE": "−", "NEUTRAL": "○", "POSITIVE": "+"}
BADGES = {"NEGATIVE": "orange", "NEUTRAL": "grey", "POSITIVE": "blue"}
OTHERS = ["#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#999933", "#882255"]
NOTHING = "nothing to read"


def title(label: str | None) -> str:
    """A label with its sign, for places where colour is not seen."""
    if label is None:
        return NOTHING
    return f"{SIGNS[label]} {label}" if label in SIGNS else label


def scale(labels: list[str]) -> alt.Scale:
    """The colours of these labels, known ones first theirs."""
    others = iter(OTHERS * (len(labels) // len(OTHERS) + 1))
    colours = [COLOURS.get(label) or next(others) for label in labels]
    return alt.Scale(domain=[title(label) for label in labels], range=colours)


def bars(values: dict[str, float], *, axis: str, form: str) -> None:
    """A bar a label, in the model's order. `form` is the d3 format of the numbers."""
    labels = list(values)
    data = pd.DataFrame({"label": [title(label) for label in labels], "value": list(values.values())})
    order = list(data["label"])
    base = alt.Chart(data).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=240, ticks=False, domain=False)),
        x=alt.X("value:Q", title=axis, axis=alt.Axis(format=form, tickCount=5, grid=False)),
    )
    bar = base.mark_bar(height=18, cornerRadiusEnd=2).encode(
        color=alt.Color("label:N", scale=scale(labels), legend=None),
        tooltip=[alt.Tooltip("label:N", title="label"), alt.Tooltip("value:Q", title=axis, format=form)],
    )
    # Vega's text is black unless told; the theme of the page may be dark.
    ink = "#e6eaec" if st.context.theme.type == "dark" else "#1d2529"
    text = base.mark_text(align="left", dx=4, color=ink).encode(text=alt.Text("value:Q", format=form))
    st.altair_chart(bar + text, height=38 * len(labels) + 50)
