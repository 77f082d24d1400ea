"""The head of a table's page: what it is called, what kind it is, how large, what somebody has written about it."""

from __future__ import annotations

import streamlit as st

from elements import facets, messages, place
from undertone import catalog, looks, units

PARTS = {"rows": "Rows", "profile": "Profile", "structure": "Structure"}


def show(look: looks.Look, relation: catalog.Relation) -> None:
    """Name, kind, rows and size in one line, and which part is shown; below it the comment."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(messages.plain(relation.label), width="content", anchor=False)
        st.caption(described(relation), width="content")
        st.space("stretch")
        if look.part == "rows" and not facets.are_open():
            facets.switch()
        part = st.segmented_control(
            "Part",
            looks.PARTS,
            default=look.part,
            format_func=PARTS.__getitem__,
            key=place.key("part", relation.label, look.part),
            label_visibility="collapsed",
            required=True,
        )
    if part is not None and part != look.part:
        place.go(look.among(part=part))
        st.rerun()
    if relation.comment:
        st.caption(messages.plain(relation.comment))


def described(relation: catalog.Relation) -> str:
    """Kind, rows and size, in words that are safe as Markdown."""
    parts = [relation.kind]
    if relation.rows is not None:
        parts.append(f"about {units.count(relation.rows, 'row')}")
    if relation.bytes is not None:
        parts.append(units.size(relation.bytes))
    return " · ".join(parts)
