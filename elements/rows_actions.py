"""What else can be done with the rows that somebody looks at: as SQL, as a link, as a file."""

from __future__ import annotations

import re

import streamlit as st

from elements import download, messages, place, sql_draft, visitor
from resources import page_files
from undertone import asking, catalog, errors, export, looks, sharing

SQL = "pages/sql.py"
CAME = "This statement selects the rows that you looked at on Tables. Read it, then run it."


def show(look: looks.Look, relation: catalog.Relation, asked: page_files.Shown | None) -> None:
    """The buttons. `asked` is what is on the page, if anything is."""
    _as_sql(look, relation)
    link = st.popover("Link", icon=":material/link:", key="tables_link", type="tertiary", on_change="rerun")
    if link.open:
        with link:
            st.caption("It opens what you look at: table, filters, order, columns, place. It holds no rows.")
            st.code(place.address(look), language=None, wrap_lines=True)
    panel = st.popover(
        "Download", icon=":material/download:", key="tables_download", type="tertiary", on_change="rerun"
    )
    if panel.open:
        with panel:
            _download(look, relation, asked)


def file_name(relation: catalog.Relation) -> str:
    """What a file with rows of a relation is called, without its suffix."""
    return re.sub(r"[^\w-]+", "_", relation.name).strip("_")[:60] or "rows"


def _as_sql(look: looks.Look, relation: catalog.Relation) -> None:
    """To SQL; where the rows cannot be asked for, they say so themselves."""
    label, icon = "Open as SQL", ":material/terminal:"
    try:
        written = page_files.get_statement(relation, look.at(looks.FIRST), st.context.timezone)
    except errors.UndertoneError:
        st.button(label, icon=icon, key="tables_as_sql", type="tertiary", disabled=True)
        return
    try:
        st.page_link(SQL, label=label, icon=icon, query_params=place.statement_parameters(written), width="content")
    except sharing.SharingError:  # too long for an address
        if st.button(label, icon=icon, key="tables_as_sql", type="tertiary"):
            sql_draft.put(written, target="data", notice=CAME)
            st.switch_page(SQL)


def _download(look: looks.Look, relation: catalog.Relation, asked: page_files.Shown | None) -> None:
    choices = {"page": "This page", "all": "All matching rows" if look.where or look.search else "All rows"}
    which = st.segmented_control(
        "Rows",
        list(choices),
        default="page",
        required=True,
        format_func=choices.__getitem__,
        key="tables_download_which",
        label_visibility="collapsed",
    )
    if which == "all":
        try:
            written = page_files.get_statement(relation, look.at(looks.FIRST), st.context.timezone)
            question = asking.Question(written, who=visitor.who())
        except errors.UndertoneError as error:
            messages.error(error)
            return
        download.show(question, key="tables_download_all", name=file_name(relation), every=True)
    elif asked is None or not asked.page.rows:
        st.caption("There are no rows on this page.")
    else:
        _page(relation, asked)


def _page(relation: catalog.Relation, asked: page_files.Shown) -> None:
    st.caption("The rows and columns of this page, with all of their values.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = download.choose_format("tables_download_format")
        format = export.FORMATS[chosen]
        st.download_button(
            f"Save {format.label} file",
            page_files.writing(asked, chosen),
            f"{file_name(relation)}{format.suffix}",
            format.mime,
            icon=":material/download:",
            key="tables_download_save",
            type="primary",
            on_click="ignore",
        )
