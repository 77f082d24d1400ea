"""A link to what is on the page, for somebody else."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping

import streamlit as st

from elements import messages
from undertone import charts, parameters, sharing


@st.dialog("Share this query")
def show(statement: str, values: Mapping[str, parameters.Value], chart: charts.Chart | None, target: str) -> None:
    """The link, to be copied."""
    try:
        packed = sharing.pack(sharing.Shared(statement, values, chart.to_dict() if chart else None, target))
    except sharing.SharingError as error:
        messages.error(error)
        return
    st.caption(
        "It holds the statement, the values of its parameters and the chart, readable by whoever has it; no rows."
        " It opens this page and runs nothing."
    )
    st.code(f"{_page()}?{sharing.NAME}={packed}", language=None, wrap_lines=True)


def _page() -> str:
    """The address of this page, as the browser sees it, without what follows the question mark."""
    return urllib.parse.urlsplit(st.context.url or "")._replace(query="", fragment="").geturl()
