"""The rows of a relation: a page of them, the way to the others, in which order, which columns, one value in full.

    rows.show(look, relation, fields, key)      beside it: filters.show(look, relation, fields), above

What shows rows is a fragment, so that a step to another page makes nothing anew but them; all else that a click changes
makes the page again.
"""

from __future__ import annotations

import dataclasses
import zoneinfo
from collections.abc import Sequence

import streamlit as st

from elements import (
    columns,
    grid,
    messages,
    place,
    row_cells,
    rows_actions,
    rows_pager,
    rows_value,
    sorts,
    waiting,
)
from resources import browsing, database, jobs, page_files
from undertone import catalog, errors, looks, outlook, relations

JOB, ACCEPTED, AGAIN = "tables_page", "tables_accepted", "tables_read_again"
SHOWN = "tables_shown"  # what is on the page, for those who save it
SMALL_KINDS = ("table", "materialised view", "partitioned table")


def show(look: looks.Look, relation: catalog.Relation, fields: Sequence[relations.Field], key: Sequence[str]) -> None:
    """Sort, columns, what else can be done with the rows; the rows; the way to others; a value that was clicked."""
    if not fields:
        what = "columns" if relation.kind == "table" else f"columns that this account may read: it is a {relation.kind}"
        messages.empty(f"This table has no {what}.", icon=":material/view_column:")
        return
    st.fragment(_tools)(look, relation, tuple(fields))
    st.fragment(_page)(look, relation, tuple(fields), tuple(key))


def _tools(look: looks.Look, relation: catalog.Relation, fields: tuple[relations.Field, ...]) -> None:
    now = _now(look)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tables_tools"):
        sorts.popover(now, fields)
        columns.popover(now, fields)
        st.space("stretch")
        rows_actions.show(now, relation, _shown(now, relation, fields))
        st.button(
            "",
            icon=":material/refresh:",
            key="tables_refresh",
            type="tertiary",
            help="Read the rows anew; they are kept for a minute",
            on_click=_refresh,
            args=(relation, fields),
        )
    if trouble := columns.unknown(now, fields):
        st.warning(trouble, icon=":material/link_off:")
    columns.others(now, fields)


def _page(
    look: looks.Look, relation: catalog.Relation, fields: tuple[relations.Field, ...], key: tuple[str, ...]
) -> None:
    now = dataclasses.replace(_now(look), table=relation.label)
    zone = row_cells.zone(st.context.timezone)
    asked = _asked(now, relation, fields, zone)
    try:
        page = _answer(asked)
    except errors.UndertoneError as error:
        _failed(error, now, relation, fields)
        return
    if page is None:
        return
    st.session_state[SHOWN] = page_files.Shown(asked, page)
    if not page.rows:
        _empty(page, now, relation)
        rows_pager.show(asked.look, relation, page, asked.size, asked.zone)
        return
    identity = place.key("page", asked, page.start, page.end, len(page.rows))
    by_name = {field.column.name: field for field in fields}
    chosen = rows_value.chosen(identity)
    grid.show(
        grid.described(
            page,
            now,
            [by_name[column.name] for column in page.columns],
            key,
            zone,
            identity=identity,
            chosen=chosen,
        ),
        key="tables_grid",
        on_sorted=lambda number, more: _sort(page.columns[number].name, more=more),
        on_chosen=lambda row, column: rows_value.choose(identity, row, column),
    )
    rows_pager.show(asked.look, relation, page, asked.size, asked.zone)
    if chosen is not None:
        rows_value.show(now, relation, page, by_name[page.columns[chosen[1]].name], chosen, key)


def _shown(
    look: looks.Look, relation: catalog.Relation, fields: tuple[relations.Field, ...]
) -> page_files.Shown | None:
    """What is on the page; None before it is there."""
    zone = row_cells.zone(st.context.timezone)
    shown: page_files.Shown | None = st.session_state.get(SHOWN)
    asked = _asked(dataclasses.replace(look, table=relation.label), relation, fields, zone)
    return shown if shown is not None and shown.asked == asked else None


def _now(look: looks.Look) -> looks.Look:
    """The look as the address has it. One that is another but for its place makes the whole page anew."""
    now = place.now()
    other = now.at(looks.FIRST) != look.at(looks.FIRST)
    if st.session_state.pop(AGAIN, False) or other or place.TROUBLE in st.session_state:
        st.rerun()
    return now


def _asked(
    look: looks.Look, relation: catalog.Relation, fields: tuple[relations.Field, ...], zone: zoneinfo.ZoneInfo
) -> page_files.Asked:
    names = columns.chosen(look, fields)
    whole = names == tuple(field.column.name for field in fields)
    look = browsing.of_page(dataclasses.replace(look, columns=None if whole else names))
    return page_files.Asked(relation, look, zone.key, database.get_settings().page_rows)


def _answer(asked: page_files.Asked) -> catalog.Page | None:
    """The page, or None while it is not there: it takes long, and somebody has to want that first."""
    look = asked.look
    job = jobs.find(JOB, asked)  # one about other rows is stopped: nobody waits for it any more
    if look.sorts or look.where or look.search.strip() or asked.relation.kind not in SMALL_KINDS:
        expected = browsing.get_outlook(asked.relation, look.at(looks.FIRST), asked.zone, asked.size)
        if expected.slow:
            return _slow(asked, expected, job)
    return browsing.get_page(asked.relation, look, asked.zone, asked.size)


def _slow(
    asked: page_files.Asked, expected: outlook.Outlook, job: jobs.Job[catalog.Page] | None
) -> catalog.Page | None:
    order = place.key("accepted", dataclasses.replace(asked, look=asked.look.at(looks.FIRST)))
    if job is None:
        whole = expected.sorted or not expected.filtered
        if whole and order not in st.session_state.get(ACCEPTED, ()):
            st.warning(messages.plain(expected.words), icon=":material/hourglass_top:")
            what = "Sort anyway" if asked.look.sorts else "Show anyway"
            with st.container(horizontal=True):
                st.button(what, icon=":material/play_arrow:", key="tables_anyway", on_click=_accept, args=(order,))
                if asked.look.sorts:
                    st.button("Do not sort", key="tables_unsorted", on_click=_unsort)
            return None
        seconds = database.get_settings().query_seconds if whole else browsing.PAGE_SECONDS
        job = jobs.start(JOB, asked, browsing.read_page, asked.relation, asked.look, asked.zone, asked.size, seconds)
    if not waiting.wait(job, expected.words.rstrip(".") or "Reading rows", key=JOB):
        return None
    if job.error is not None:
        raise job.error
    return job.result


def _accept(order: str) -> None:
    st.session_state[ACCEPTED] = {*st.session_state.get(ACCEPTED, ()), order}


def _unsort() -> None:
    place.go(place.now().among(sorts=()))


def _sort(column: str, *, more: bool) -> None:
    look = place.now()
    place.go(look.among(sorts=sorts.clicked(look.sorts, column, more=more)))


def _failed(
    error: errors.UndertoneError,
    look: looks.Look,
    relation: catalog.Relation,
    fields: tuple[relations.Field, ...],
) -> None:
    if isinstance(error, jobs.JobCancelled):
        st.info("It was cancelled.", icon=":material/stop_circle:")
    else:
        messages.error(error)
    with st.container(horizontal=True):
        st.button(
            "Try again", icon=":material/refresh:", key="tables_again", on_click=_refresh, args=(relation, fields)
        )
        if look != looks.Look(look.table):
            st.button("All rows, as they are", key="tables_plain", on_click=place.go, args=(looks.Look(look.table),))


def _empty(page: catalog.Page, look: looks.Look, relation: catalog.Relation) -> None:
    if page.stopped is not None:
        return  # the pager says so
    if look.where or look.search.strip():
        messages.empty("No row matches.", icon=":material/filter_alt_off:")
        st.button(
            "Clear filters",
            icon=":material/filter_alt_off:",
            key="tables_clear_filters",
            on_click=lambda: place.go(place.now().among(where=looks.Look().where, search="")),
        )
    else:
        messages.empty(f"This {relation.kind} has no rows." if page.first else "There are no more rows.")


def _refresh(relation: catalog.Relation, fields: tuple[relations.Field, ...]) -> None:
    """Read this page anew, and what there is to know of its relation; what others look at stays as it is."""
    look = dataclasses.replace(place.now(), table=relation.label)
    asked = _asked(look, relation, fields, row_cells.zone(st.context.timezone))
    browsing.get_page.clear(relation, asked.look, asked.zone, asked.size)
    browsing.get_outlook.clear(relation, asked.look.at(looks.FIRST), asked.zone, asked.size)
    browsing.get_about.clear(relation)
    for name in {place.now().table, relation.label}:
        browsing.get_relation.clear(name)
    jobs.forget(JOB)
    st.session_state[AGAIN] = True
