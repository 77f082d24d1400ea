"""Ways from a row to others: back to its table, to the rows beside it, to those that refer to it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence

import streamlit as st

from elements import messages, place
from resources import rows as answers
from undertone import errors, looks, references, relations, rows, units

MOST = 30  # foreign keys that are listed
SHORT = 60  # characters of a name or a key in a title
TABLES, SQL = "pages/tables.py", "pages/sql.py"


def back(label: str | None) -> None:
    """To the table, or to all tables."""
    name, parameters = "All tables", None
    with contextlib.suppress(errors.UndertoneError):  # what is too long for an address names no table
        parameters = looks.parameters(looks.Look(label)) or None
        name = name if label is None else f"All rows of {messages.plain(_short(label))}"
    st.page_link(TABLES, label=name, icon=":material/table:", query_params=parameters)


def beside(relation: relations.Relation, found: rows.Beside | None) -> None:
    """The buttons to the rows before and after, in the order of the key."""
    for name, icon, key in (
        ("Previous", "chevron_left", found and found.previous),
        ("Next", "chevron_right", found and found.next),
    ):
        st.button(
            name,
            icon=f":material/{icon}:",
            key=f"row_{name.lower()}",
            disabled=key is None,
            on_click=functools.partial(_go, relation.label, key or ()),
            help="In the order of the key" if found else "Finding it takes too long in this table",
        )


def as_sql(relation: relations.Relation, key: rows.Key) -> None:
    """To SQL, with the statement that selects the row; nothing where there is none that fits into an address."""
    with contextlib.suppress(errors.UndertoneError):
        parameters = place.statement_parameters(answers.get_statement(relation, key))
        st.page_link(SQL, label="Open as SQL", icon=":material/terminal:", query_params=parameters)


def _go(label: str, key: rows.Key) -> None:
    st.query_params.from_dict(looks.row_parameters(label, key))


def pointing(found: Sequence[references.Pointing]) -> None:
    """The rows that refer to this one, a link for each foreign key."""
    st.subheader("Rows that refer to it", anchor=False)
    if not found:
        st.caption("No table that this account may read has a foreign key to this one.")
        return
    for one in found[:MOST]:
        label = messages.plain(f"{_short(one.relation.label)} by {', '.join(one.columns)}")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if one.count == 0:
                st.caption(label, width="content")
            else:
                _link(label, one.look)
            st.caption(words(one), width="content")
    if len(found) > MOST:
        st.caption(f"and {units.count(len(found) - MOST, 'more foreign key')}")


def _link(label: str, look: looks.Look) -> None:
    try:
        parameters = looks.parameters(look)
    except errors.UndertoneError:  # too long for an address
        st.markdown(label, width="content")
        return
    st.page_link(TABLES, label=label, icon=":material/arrow_forward:", query_params=parameters, width="content")


def words(one: references.Pointing) -> str:
    """How many rows refer to a row."""
    if one.count is None:
        return "some or none: counting took too long"
    if one.more:
        return f"more than {one.count:,} rows"
    return "no row" if one.count == 0 else units.count(one.count, "row")


def title(row: rows.Row) -> str:
    """What to call a row: its table, and the values of its key."""
    return f"{_short(row.relation.label)} · {_short(', '.join(row.key))}"


def _short(text: str) -> str:
    return text if len(text) <= SHORT else text[:SHORT] + "…"
