"""What of a run has failed: chunks that were given up, and rows, each with why and a way to look at it."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence

import streamlit as st

from elements import grids, messages
from resources import browsing, runs
from undertone import errors, looks, scores, scoring, units

MOST = 1_000


def show(run: scoring.Run) -> None:
    """The errors."""
    if not run.failed and not run.chunks_failed:
        messages.empty(
            "Rows and chunks that cannot be scored will be listed here, each with the reason. There are none."
        )
        return
    if run.chunks_failed:
        st.subheader("Chunks that were given up", anchor=False)
        st.caption(
            "A chunk is a range of rows. Each was tried several times; the other chunks went on. Mend what the error"
            " says, then press Retry."
        )
        grids.show(("chunk", "error"), runs.get_chunk_errors(run.id), key=f"score_chunk_errors_{run.id}")
    if not run.failed:
        return
    st.subheader("Rows that could not be scored", anchor=False)
    st.caption(
        "A link opens the row, or where it has no page of its own, a statement for it on SQL, in a new tab. Retry"
        " tries the rows again."
    )
    found = runs.get_failed_rows(run, MOST)
    names = [kept.name for kept in run.source.key]
    table = _table(run.source)
    linked = bool(table) or any(statement for _, statement in found)
    rows = [
        (
            *row.key,
            row.reason,
            f"{row.at.astimezone():%Y-%m-%d %H:%M:%S}",
            *([row_link(table, row.key) if table else link(statement) if statement else None] if linked else []),
        )
        for row, statement in found
    ]
    headings = grids.unique([*names, "reason", "when", *(["row"] if linked else [])])
    grids.show(headings, rows, key=f"score_failed_rows_{run.id}", links=headings[-1:] if linked else (), missing="")
    if run.failed > len(found):
        st.caption(f"The first {units.count(len(found), 'row')} of {run.failed:,}.")


def _table(source: scores.Source) -> str | None:
    """The relation of a source, if its rows have pages of their own, which are found by its own key."""
    if not source.schema:
        return None
    try:
        relation = browsing.get_relation(source.address)
        key = browsing.get_about(relation).key
    except errors.UndertoneError:
        return None  # it is gone, and a statement says so, too
    return relation.label if key == tuple(kept.name for kept in source.key) else None


def row_link(table: str, key: Sequence[object]) -> str:
    """The address of a row's own page, from any page beside it."""
    parameters = looks.row_parameters(table, tuple(map(str, key)))
    return f"row?{urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)}"


def link(statement: str) -> str:
    """The address of the SQL page with a statement on it, from any page beside it."""
    return f"sql?{urllib.parse.urlencode({'statement': statement}, quote_via=urllib.parse.quote)}"
