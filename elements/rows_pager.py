"""From one page of rows to the next: the way there, and where in the rows somebody is. Nothing is counted unasked."""

from __future__ import annotations

import dataclasses

import streamlit as st

from elements import messages, place, waiting
from resources import browsing, jobs
from undertone import catalog, errors, looks, paging, units
from undertone import database as pools

JOB, NUMBERS = "tables_count", "tables_numbers"
MOST_NUMBERS = 1_000  # places of which a session remembers the number of the first row


def show(look: looks.Look, relation: catalog.Relation, page: catalog.Page, size: int, zone: str | None) -> None:
    """The buttons to other pages, which rows these are, of how many; where the time was up before a page was full."""
    if page.stopped is not None:
        _stopped(look, page)
    count = len(page.rows)
    number = 1 if page.first and count else _numbers().get(_place(look))
    before, after = (None, None) if number is None else (max(1, number - size), number + count)
    ahead = page.last or page.stopped is not None or page.end is None
    behind = page.first or page.start is None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tables_pager"):
        for name, icon, row, to, useless in (
            ("First", "first_page", 1, looks.FIRST, page.first),
            ("Previous", "chevron_left", before, looks.Place("before", page.start or ()), behind),
            ("Next", "chevron_right", after, looks.Place("after", page.end or ()), ahead),
            ("Last", "last_page", None, looks.LAST, page.last),
        ):
            st.button(
                name,
                icon=f":material/{icon}:",
                key=f"tables_{name.lower()}",
                on_click=_go,
                args=(look.at(to), row),
                disabled=useless,
            )
        shown = (
            units.count(count, "row") if number is None or not count else f"Rows {number:,} to {number + count - 1:,}"
        )
        job = _total(look, relation, page, shown, zone)
    if job is not None and not job.done:
        waiting.wait(job, "Counting the rows", key=JOB)
    elif job is not None and job.error is not None and not isinstance(job.error, jobs.JobCancelled):
        messages.error(job.error)


def _total(
    look: looks.Look, relation: catalog.Relation, page: catalog.Page, shown: str, zone: str | None
) -> jobs.Job[int] | None:
    """How many rows there are: about, or counted where somebody wanted that; what counts them, if it was asked."""
    narrowed = bool(look.where or look.search.strip())
    identity = (relation, look.where, look.search, zone)
    job = jobs.find(JOB, identity)
    matching = " that match" if narrowed else ""
    if page.first and page.last and page.stopped is None:
        st.caption(shown if page.rows else "")
    elif job is not None and job.done and job.error is None:
        st.caption(f"{shown} of {job.result:,}{matching}")
    else:
        about = "" if narrowed or relation.rows is None else f" of about {relation.rows:,}"
        st.caption(f"{shown}{about}")
        if job is None or job.done:
            st.button(
                "Count exactly",
                icon=":material/tag:",
                key="tables_count",
                type="tertiary",
                help="Counting reads all rows that match, which may take a while.",
                on_click=_count,
                args=(identity, relation, look, zone),
            )
    return job


def _stopped(look: looks.Look, page: catalog.Page) -> None:
    """Not all has been looked through: what was, and the way on from there."""
    back = look.place.kind in ("last", "before")
    on = looks.Place("before" if back else "after", page.stopped or ())
    seconds = f"{browsing.PAGE_SECONDS:g} s"
    found = units.count(len(page.rows), "row")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tables_stopped"):
        st.markdown(
            f":material/timer: Looked through {units.count(page.examined, 'row')} in {seconds}: {found} found.",
            width="content",
        )
        st.button(
            "Look on",
            icon=":material/search:",
            key="tables_look_on",
            on_click=_go,
            args=(look.at(on), None),
        )


def _go(look: looks.Look, number: int | None) -> None:
    """To another page; `number` is that of its first row, where it is known."""
    at = look.place
    place.go(place.now().at(at))
    numbers = _numbers()
    if number is not None:
        numbers[_place(look)] = number
        while len(numbers) > MOST_NUMBERS:
            numbers.pop(next(iter(numbers)))


def _numbers() -> dict[str, int]:
    found: dict[str, int] = st.session_state.setdefault(NUMBERS, {})
    return found


def _place(look: looks.Look) -> str:
    return place.key("place", dataclasses.replace(look, columns=None, pinned=()))


def _count(identity: object, relation: catalog.Relation, look: looks.Look, zone: str | None) -> None:
    try:
        jobs.start(JOB, identity, _counted, relation, look, zone)
    except errors.UndertoneError as error:
        st.session_state[place.TROUBLE] = str(error)


def _counted(connection: pools.Connection, relation: catalog.Relation, look: looks.Look, zone: str | None) -> int:
    return paging.count(connection, relation, browsing.get_where(relation, look, zone))
