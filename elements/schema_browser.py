"""The relations and columns that can be asked: searched, inserted with a click, looked into."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from elements import messages, sql_draft
from undertone import names, names_for_editor, units

MOST_DRAWN = 30
HEIGHT = sql_draft.SIDE_HEIGHT
MOST_COLUMNS = 300
OPEN = "sql_schema_open"


@st.fragment
def show(found: names_for_editor.CatalogNames, preview: Callable[[str], None]) -> None:
    """The browser. `preview` asks a statement; it is called before the page is made again."""
    sql_draft.refresh()
    words = st.text_input(
        "Search tables and columns",
        key="sql_schema_search",
        placeholder="Search tables and columns",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    relations = found.relations(words)
    if not relations:
        st.caption("Nothing is called so." if words else "There is no table that this account may read.")
        return
    opened = st.session_state.get(OPEN)
    with st.container(height=HEIGHT, border=False, gap=None):
        for schema, relation in relations[:MOST_DRAWN]:
            is_open = (schema, relation) == opened
            st.button(
                messages.plain(names_for_editor.written(schema, relation)),
                key=f"sql_relation_{schema}.{relation}",
                type="tertiary",
                icon=":material/expand_more:" if is_open else ":material/chevron_right:",
                on_click=_toggle,
                args=(schema, relation),
            )
            if is_open:
                _relation(schema, relation, found.schemas[schema][relation], preview)
        if len(relations) > MOST_DRAWN:
            st.caption(f"and {units.count(len(relations) - MOST_DRAWN, 'more table')}: search to see them")
        if not found.complete:
            st.caption("There are more columns than are listed here.")


def _relation(schema: str, relation: str, columns: tuple[tuple[str, str], ...], preview: Callable[[str], None]) -> None:
    name = names_for_editor.written(schema, relation)
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Insert",
            key="sql_schema_insert",
            icon=":material/keyboard_return:",
            help="Its name, where the cursor is",
            on_click=sql_draft.insert,
            args=(name,),
        )
        st.button(
            "Preview",
            key="sql_schema_preview",
            icon=":material/preview:",
            help="Ask for ten of its rows",
            on_click=preview,
            args=(names_for_editor.preview(schema, relation),),
        )
    types = dict(columns[:MOST_COLUMNS])
    key = f"sql_columns_{schema}.{relation}"
    st.pills(
        "Columns; a click inserts one",
        list(types),
        format_func=lambda column: f"{messages.plain(column)} :small[:gray[{messages.plain(types[column])}]]",
        key=key,
        on_change=_insert_column,
        args=(key,),
        label_visibility="collapsed",
    )


def _toggle(schema: str, relation: str) -> None:
    st.session_state[OPEN] = None if st.session_state.get(OPEN) == (schema, relation) else (schema, relation)


def _insert_column(key: str) -> None:
    if (column := st.session_state.get(key)) is not None:
        sql_draft.insert(names.quoted(column))
        st.session_state[key] = None
