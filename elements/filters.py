"""Which rows are shown: the search, the conditions, and how another one is added. All of it stands in the address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from elements import filter_form, messages, place
from resources import browsing
from undertone import catalog, conditions, errors, looks, relations

MATCH = {False: "All hold", True: "Any holds"}
LONG = 80  # characters of a condition that are shown


def show(look: looks.Look, relation: catalog.Relation, fields: Sequence[relations.Field]) -> None:
    """The search box, the way to filter by more, and what is filtered by: a click takes it away."""
    if fields:
        st.fragment(_bar)(look, relation, tuple(fields))


def _bar(look: looks.Look, relation: catalog.Relation, fields: tuple[relations.Field, ...]) -> None:
    now = place.now()
    if now.at(looks.FIRST) != look.at(looks.FIRST) or place.TROUBLE in st.session_state:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tables_filters"):
        key = place.key("search", relation.label, now.search)
        st.text_input(
            "Search",
            now.search,
            key=key,
            placeholder="Search these rows",
            icon=":material/search:",
            label_visibility="collapsed",
            on_change=_search,
            args=(key,),
            width=300,
        )
        filter_form.popover(relation, fields)
        if len(now.where.parts) > 1:
            _match(now.where)
        for number, part in enumerate(now.where.parts):
            _chip(number, part)
        if now.where or now.search:
            st.button(
                "Clear all",
                icon=":material/filter_alt_off:",
                key="tables_filters_clear",
                type="tertiary",
                on_click=_go,
                kwargs={"where": conditions.EVERY, "search": ""},
            )
    if now.search.strip():
        try:
            st.caption(f"Searched: {messages.plain(browsing.get_search(relation).words)}.")
        except errors.UndertoneError as error:
            messages.error(error)


def _match(where: conditions.Group) -> None:
    key = place.key("match", where.any)
    st.segmented_control(
        "Match",
        list(MATCH),
        default=where.any,
        required=True,
        format_func=MATCH.__getitem__,
        key=key,
        label_visibility="collapsed",
        on_change=_turn,
        args=(key,),
    )


def _chip(number: int, part: conditions.Condition | conditions.Group) -> None:
    words = f"({conditions.words(part)})" if isinstance(part, conditions.Group) else conditions.word(part)
    short = words if len(words) <= LONG else words[: LONG - 1] + "…"
    st.button(
        messages.plain(short),
        icon=":material/close:",
        icon_position="right",
        key=place.key("filter", number, part),
        help=messages.plain(f"No longer only rows where {words}"),
        on_click=_remove,
        args=(part,),
    )


def _go(**changes: object) -> None:
    place.go(place.now().among(**changes))


def _search(key: str) -> None:
    _go(search=str(st.session_state[key]))


def _turn(key: str) -> None:
    if (chosen := st.session_state[key]) is not None:
        _go(where=conditions.Group(place.now().where.parts, any=bool(chosen)))


def _remove(part: conditions.Condition | conditions.Group) -> None:
    where = place.now().where
    _go(where=conditions.Group(tuple(other for other in where.parts if other != part), where.any))
