"""The list of runs: filtered, sorted by a click on a heading, one of them chosen. What is chosen is in the address."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Sequence

import streamlit as st

from elements import grids, messages, score_place
from resources import runs
from undertone import errors, listing, units

MOST = 200
LOOK_SECONDS = 3.0, 15.0  # while a run in the list is under way, and while none is
GRID, CHOSEN = "score_grid", "score_chosen"
ROWS, HEIGHT = 5, 184  # pixels: that many rows, so that the chosen run is seen below
NAMES = ("run", "source", "state", "rows", "done", "failed rows", "model", "planned", "took", "who")


def show() -> int | None:
    """The list; the number of the chosen run, None where there is none."""
    newest = runs.get_newest()
    if newest is None:
        messages.empty(
            "Runs will be listed here, with how far they are and what came out. Nothing has been scored yet."
        )
        if st.button("New run", type="primary", icon=":material/add:", key="score_first"):
            score_place.go("new")
        return None
    filters = _filters()
    lines, _ = runs.get_lines(**filters, most=MOST)
    # A click counts more than the address, which may be behind: a browser that looks again says where it was before.
    wanted = str(st.session_state.pop(CHOSEN, st.query_params.get("run", "")))
    if not wanted.isdecimal():
        wanted = str(lines[0].id if lines else newest)
    score_place.keep("run", wanted)
    seconds = LOOK_SECONDS[0] if any(line.under_way for line in lines) else LOOK_SECONDS[1]
    st.fragment(_grid, run_every=seconds)(filters, int(wanted))
    return int(wanted)


def _filters() -> dict[str, str | None]:
    """What the list is narrowed to."""
    sources = {source.name: source.title for source in runs.get_sources()}
    left, *others = st.columns([3, 3, 2, 3], gap="small")
    score_place.begin("score_filter_find", "find")
    words = left.text_input(
        "Search runs",
        key="score_filter_find",
        placeholder="Search",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    score_place.keep("find", words.strip())
    chosen: dict[str, str | None] = {"words": words.strip()}
    for column, (name, options, shown) in zip(
        others,
        (
            ("source", list(sources), "Any source"),
            ("state", list(listing.STATES), "Any state"),
            ("who", runs.get_people(), "Anybody"),
        ),
        strict=True,
    ):
        key = f"score_filter_{name}"
        score_place.begin(key, name, options)
        value = column.selectbox(
            name.capitalize(),
            options,
            index=None,
            key=key,
            placeholder=shown,
            label_visibility="collapsed",
            format_func=lambda option, titles=sources if name == "source" else {}: titles.get(option, option),
        )
        score_place.keep(name, value)
        chosen[name] = value
    return chosen


def _grid(filters: dict[str, str | None], chosen: int) -> None:
    try:
        lines, more = runs.get_lines(**filters, most=MOST)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    if not lines:
        messages.empty("No run is like that. Take a filter away to see others.", icon=":material/filter_alt_off:")
        return
    numbers = [line.id for line in lines]
    # Another list is another grid: a row keeps its place when a newer run comes above it, a run does not, and a browser
    # that has not seen the new list yet would choose by the old one's places.
    key = f"{GRID}_{hash(tuple(numbers))}"
    at = [numbers.index(chosen)] if chosen in numbers else []
    if CHOSEN not in st.session_state:
        grids.select(key, at)
    grids.show(
        NAMES,
        [_row(line) for line in lines],
        key=key,
        plain=("run",),
        selectable=True,
        on_select=functools.partial(_choose, key, numbers),
        height=HEIGHT if len(lines) > ROWS else None,
        missing="",
    )
    if CHOSEN in st.session_state:
        st.rerun()
    if more:
        st.caption(f"The newest {MOST:,}. There are older ones: search or filter to see them.")


def _choose(key: str, numbers: Sequence[int]) -> None:
    """Somebody clicked a row: note which run that is, and let the whole page show it."""
    for row in grids.selected(key):
        st.session_state[CHOSEN] = numbers[row]


def _row(line: listing.Line) -> tuple[object, ...]:
    return (
        line.id,
        line.title,
        line.shown_state,
        line.rows_total if line.rows_total is not None else line.surveyed or None,
        _done(line),
        line.failed or None,
        line.model,
        f"{line.created_at.astimezone():%Y-%m-%d %H:%M}",
        _took(line),
        line.who if line.watch is None else f"watch {line.watch}",
    )


def _done(line: listing.Line) -> str:
    if line.rows_total is None:
        return ""
    share = line.rows / line.rows_total if line.rows_total else 1.0
    return f"{int(share * 100)} %"  # never 100 before it is all


def _took(line: listing.Line) -> str:
    if line.started_at is None:
        return ""
    end = line.finished_at or datetime.datetime.now(datetime.UTC)
    return units.duration(max(0.0, (end - line.started_at).total_seconds()))
