"""One value of the rows, in full, below them: what a click on a cell shows, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from elements import messages, place, row_values
from resources import rows as answers
from undertone import catalog, conditions, errors, export_text, looks, reading, relations, rows

CHOSEN = "tables_chosen"
MOST = 500  # characters of a value that one filters by


def choose(identity: str, row: int, column: int) -> None:
    """Show this value of a page with the rows; a second click hides it."""
    chosen = (identity, row, column)
    st.session_state[CHOSEN] = None if st.session_state.get(CHOSEN) == chosen else chosen


def chosen(identity: str) -> tuple[int, int] | None:
    """The row and the column that are chosen on this page."""
    kept = st.session_state.get(CHOSEN)
    return (kept[1], kept[2]) if kept is not None and kept[0] == identity else None


def show(
    look: looks.Look,
    relation: catalog.Relation,
    page: catalog.Page,
    field: relations.Field,
    at: tuple[int, int],
    key: Sequence[str],
) -> None:
    """The value at a row and a column of a page, whole where the row can be found again."""
    number, column = at
    row_key = page.keys[number] if page.keys is not None else None
    try:
        cell = _cell(relation, row_key, field, page.rows[number][column])
    except errors.UndertoneError as error:
        messages.error(error)
        return
    with st.container(border=True, key="tables_value", gap="small"):
        row_values.show(rows.Row(relation, tuple(key), row_key or (), (cell,)), (), key="tables_value_text")
        if row_key is None:
            more = " This is only the beginning of the value; Download has all of it." if cell.is_cut else ""
            st.caption(f"The rows have no pages of their own: this {relation.kind} has no key to find one by.{more}")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if (condition := condition_of(cell)) is not None and condition.operator in conditions.operators(field):
                st.button(
                    "Only rows with this value",
                    icon=":material/filter_alt:",
                    key="tables_value_filter",
                    on_click=lambda: place.go(place.now().narrowed(condition)),
                )
            if row_key is not None:
                st.page_link(
                    "pages/row.py",
                    label="Open row",
                    icon=":material/table_rows:",
                    query_params=looks.row_parameters(relation.label, row_key),
                )
            st.button("Close", icon=":material/close:", key="tables_value_close", on_click=_close)


def condition_of(cell: rows.Cell) -> conditions.Condition | None:
    """What is true of the rows that have this value; None where no filter can hold it."""
    if cell.value is None:
        return conditions.Condition(cell.name, "null")
    text = cell.text or ""
    if cell.is_cut or len(text) > MOST:
        return None
    return conditions.Condition(cell.name, "eq", (text,))


def _cell(
    relation: catalog.Relation, row_key: tuple[str, ...] | None, field: relations.Field, value: object
) -> rows.Cell:
    if row_key is not None:
        found = answers.get_row(relation, row_key).cells
        return next(cell for cell in found if cell.name == field.column.name)
    if value is None or field.column.category == "number":
        return rows.Cell(field, value, None)
    text = export_text.plain(value)
    if bytes_cut := reading.CUT_BYTES.fullmatch(text):
        return rows.Cell(field, bytes_cut[1], int(bytes_cut[2]), is_cut=True)
    if reading.is_cut(text):
        return rows.Cell(field, text.removesuffix(reading.MARK), None, is_cut=True)
    return rows.Cell(field, text, len(text) // 2 - 1 if field.base == "bytea" else len(text))


def _close() -> None:
    st.session_state[CHOSEN] = None
