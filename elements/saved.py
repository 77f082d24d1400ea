"""Saved queries: those that ship, and people's own; found, opened, saved, never overwritten unasked."""

from __future__ import annotations

import streamlit as st

from elements import messages, sql_draft, visitor
from resources import database
from undertone import charts, errors, library, parameters

MOST_DRAWN = 30
HEIGHT = sql_draft.SIDE_HEIGHT
MARK = ":material/bookmark:"
TOLD = "sql_saved_now"  # what the page tells as it is made again


@st.fragment
def show() -> None:
    """The list, newest of people's own first, with those that ship below."""
    sql_draft.refresh()
    left, right = st.columns([3, 2], gap="xsmall")
    words = left.text_input(
        "Search saved queries",
        key="sql_saved_search",
        placeholder="Search",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    try:
        found = [*database.get_store().ask(library.saved), *library.shipped()]
        removed = database.get_store().ask(library.removed)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    tags = sorted({tag for one in found for tag in one.tags})
    tag = right.selectbox("Tag", tags, index=None, placeholder="Tag", key="sql_saved_tag", label_visibility="collapsed")
    found = [one for one in found if _matches(one, words) and (tag is None or tag in one.tags)]
    if not found:
        st.caption("No saved query is like that." if words or tag else "Nothing is saved yet.")
    else:
        with st.container(height=HEIGHT, border=False, gap=None):
            for one in found[:MOST_DRAWN]:
                _entry(one)
            if len(found) > MOST_DRAWN:
                st.caption(f"and {len(found) - MOST_DRAWN:,} more: search to see them")
    if removed := [one for one in removed if _matches(one, words) and (tag is None or tag in one.tags)]:
        _removed(removed)


def _matches(one: library.Saved, words: str) -> bool:
    about = " ".join((one.name, one.description, *one.tags, one.statement)).casefold()
    return all(word in about for word in words.casefold().split())


def _entry(one: library.Saved) -> None:
    key = f"sql_saved_{'own' if one.id is not None else 'shipped'}_{one.id if one.id is not None else one.name}"
    left, right = st.columns([6, 1], gap=None, vertical_alignment="center")
    left.button(
        messages.plain(one.name),
        key=key,
        type="tertiary",
        icon=MARK if one.id is not None else ":material/menu_book:",
        help=messages.plain(one.description or "no description"),
        on_click=open_one,
        args=(one,),
    )
    if one.id is not None and right.button(
        "", icon=":material/more_horiz:", key=f"{key}_more", type="tertiary", help="Versions, delete"
    ):
        versions(one)
    about = [*([f"v{one.version} by {one.who}"] if one.id is not None else []), *one.tags]
    st.caption(messages.plain(" · ".join(about)))


def _removed(found: list[library.Saved]) -> None:
    """Those that were removed, the last first: a look into each, and the button that brings it back."""
    with st.popover(f"Removed ({len(found):,})", icon=":material/auto_delete:", type="tertiary"):
        for one in found[:MOST_DRAWN]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    messages.plain(one.name),
                    key=f"sql_removed_{one.id}",
                    type="tertiary",
                    icon=MARK,
                    help="Look at it in the editor",
                    on_click=open_one,
                    args=(one,),
                )
                st.space("stretch")
                if st.button("Restore", key=f"sql_restore_{one.id}", icon=":material/undo:"):
                    _restore(one)
            st.caption(messages.plain(f"removed by {one.who or 'somebody'}{_when(one)}"))
        if len(found) > MOST_DRAWN:
            st.caption(f"and {len(found) - MOST_DRAWN:,} more: search to see them")


def _restore(one: library.Saved) -> None:
    try:
        with database.get_store().lend() as connection:
            library.restore(connection, one, who=visitor.who(), length=database.get_settings().query_length)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    st.session_state[TOLD] = f"Restored: {one.name}"
    st.rerun()


def _when(one: library.Saved) -> str:
    return f" · {one.at.astimezone():%Y-%m-%d %H:%M}" if one.at else ""


def open_one(one: library.Saved) -> None:
    """Put it into the page; nothing is asked."""
    try:
        chart = None if one.chart is None else charts.Chart.from_dict(one.chart)
    except charts.ChartError:
        chart = None
    sql_draft.put(one.statement, values=one.parameters, chart=chart, target=one.target, saved=one)


@st.dialog("Versions", width="large")
def versions(one: library.Saved) -> None:
    """What it was before, and the button that removes it."""
    assert one.id is not None
    st.text(one.name)
    try:
        found = database.get_store().ask(library.versions, one.id)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    for version in found:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(f"Version {version.version}{_when(version)} · {version.who}")
                if st.button("Open", key=f"sql_version_{version.version}", icon=":material/file_open:"):
                    st.session_state["sql_open_next"] = version
                    st.rerun()
            st.code(version.statement, language="sql")
    sure = st.checkbox("I want to delete it for everybody", key="sql_delete_sure", help="Removed brings it back.")
    if st.button("Delete", icon=":material/delete:", key="sql_delete", disabled=not sure):
        try:
            _remove(found[0], visitor.who())
        except errors.UndertoneError as error:
            messages.error(error)
            return
        draft = sql_draft.get()
        if draft.saved is not None and draft.saved.id == one.id:
            draft.saved = None
        st.rerun()


def _remove(one: library.Saved, who: str) -> None:
    assert one.id is not None
    with database.get_store().lend() as connection:
        library.remove(connection, one.id, version=one.version, who=who)


def begin() -> None:
    """At the top of the page: open the version that was chosen in the dialog, tell what was saved."""
    if (version := st.session_state.pop("sql_open_next", None)) is not None:
        open_one(version)
    if (told := st.session_state.pop(TOLD, None)) is not None:
        st.toast(messages.plain(told), icon=":material/check:")


@st.dialog("Save this query")
def save(statement: str, values: dict[str, parameters.Value], chart: charts.Chart | None, target: str) -> None:
    """Ask for a name, and save it; as a new version only of the one that was opened, and only if that is chosen."""
    draft = sql_draft.get()
    old = draft.saved if draft.saved is not None and draft.saved.id is not None else None
    before = old or draft.saved
    name = st.text_input("Name", value=old.name if old else "", key="sql_save_name", max_chars=200)
    description = st.text_area("What it tells", value=before.description if before else "", key="sql_save_about")
    tags = st.text_input(
        "Tags, separated by commas", value=", ".join(before.tags) if before else "", key="sql_save_tags"
    )
    replace = old is not None and st.toggle(
        messages.plain(f"As a new version of {old.name} (now version {old.version})"),
        value=True,
        key="sql_save_replace",
    )
    st.caption("With the values of its parameters and its chart. Everybody who can open Undertone sees it.")
    if not st.button("Save", type="primary", key="sql_save", icon=MARK):
        return
    one = library.Saved(
        id=None,
        name=name.strip(),
        description=description.strip(),
        tags=tuple(dict.fromkeys(tag.strip() for tag in tags.split(",") if tag.strip())),
        statement=statement,
        parameters=dict(values),
        chart=chart.to_dict() if chart else None,
        target=target,
        version=old.version if replace and old else 1,
        who=visitor.who(),
        at=None,
    )
    try:
        with database.get_store().lend() as connection:
            draft.saved = library.save(
                connection,
                one,
                replace=old.id if replace and old else None,
                length=database.get_settings().query_length,
            )
    except errors.UndertoneError as error:
        messages.error(error)
        return
    st.session_state[TOLD] = f"Saved: {one.name}"
    st.rerun()
