"""A page of rows as a table: a click on a heading sorts in the database, one on a cell shows all of its value.

Streamlit's own grid would sort, hide and search what is on the page alone, as if that were all there is. The program of
this one is grid.js beside it.
"""

from __future__ import annotations

import pathlib
import urllib.parse
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from elements import cells, highlights
from undertone import catalog, looks, relations

FOLDER = pathlib.Path(__file__).parent
HTML = '<div class="view"></div>'
DIRECTIONS = {False: "ascending", True: "descending"}


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


_mount = st.components.v2.component("undertone_grid", html=HTML, css=_read("grid.css"), js=_read("grid.js"))


def show(
    data: dict[str, Any],
    *,
    key: str,
    on_sorted: Callable[[int, bool], None],
    on_chosen: Callable[[int, int], None],
) -> None:
    """Show what `described` made.

    `on_sorted` is called with the number of a column, and whether it is meant beside what is sorted by; `on_chosen`
    with the numbers of a row and a column.
    """

    def said(name: str) -> dict[str, Any]:
        value = dict(st.session_state.get(key) or {}).get(name)
        return _checked(value, data)

    def sort() -> None:
        if "column" in (clicked := said("sorted")):
            on_sorted(clicked["column"], clicked.get("more") is True)

    def choose() -> None:
        if {"row", "column"} <= set(clicked := said("chosen")):
            on_chosen(clicked["row"], clicked["column"])

    _mount(data=data, key=key, on_sorted_change=sort, on_chosen_change=choose)


def _checked(value: Any, data: dict[str, Any]) -> dict[str, Any]:
    """What a browser says of this page; nothing where it is not about it, or is no number of a row or column here."""
    if not isinstance(value, dict) or value.get("page") != data["page"]:
        return {}
    for name, most in (("row", len(data["rows"])), ("column", len(data["columns"]))):
        if name in value and not (type(value[name]) is int and 0 <= value[name] < most):
            return {}
    return dict(value)


def described(
    page: catalog.Page,
    look: looks.Look,
    fields: Sequence[relations.Field],
    key: Sequence[str],
    zone: zoneinfo.ZoneInfo,
    *,
    identity: str,
    chosen: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """What the browser gets. `fields` are those of the page's columns, `identity` tells one page from another."""
    orders = {sort.column: (number, sort) for number, sort in enumerate(look.sorts, 1)}
    columns = []
    for field in fields:
        name = field.column.name
        column: dict[str, Any] = {"name": highlights.whole(name), "about": cells.about(field, zone)}
        if cells.is_number(field):
            column["right"] = True
        if name in key:
            column["key"] = True
        if name in orders:
            number, sort = orders[name]
            column["order"] = DIRECTIONS[sort.descending]
            if len(orders) > 1:
                column["place"] = number
        columns.append(column)
    values = list(zip(*page.rows, strict=True)) if page.rows else [()] * len(fields)
    shown = [
        cells.column(field, column, zone, naming=field.column.name in key)
        for field, column in zip(fields, values, strict=True)
    ]
    data: dict[str, Any] = {
        "page": identity,
        "label": f"Rows of {highlights.whole(look.table or '')}",
        "columns": columns,
        "rows": [list(row) for row in zip(*shown, strict=True)],
        "pinned": sum(field.column.name in look.pinned for field in fields),
        "openable": page.keys is not None,
    }
    if page.keys is not None and look.table is not None:
        data["links"] = [f"row?{urllib.parse.urlencode(looks.row_parameters(look.table, row))}" for row in page.keys]
    if chosen is not None:
        data["chosen"] = list(chosen)
    return data
