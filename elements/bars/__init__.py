"""Bars: values with how many rows have them, and histograms, small enough to have many on a page. Clicks pick some.

All that comes from a database goes to the browser as JSON and becomes text nodes there. The program is bars.js.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from elements import highlights

FOLDER = pathlib.Path(__file__).parent
NO_VALUE, EMPTY = "no value", "empty text"


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


_mount = st.components.v2.component(
    "undertone_bars", html='<div class="bars"></div>', css=_read("bars.css"), js=_read("bars.js")
)


@dataclass(frozen=True)
class Bar:
    """A value, or a bin; `share` is of all rows, `amount` how that is said. `text` None: no value.

    `is_bin`: a part of a histogram, not a line of its own. `number` is what a click says.
    """

    text: str | None
    share: float
    amount: str
    number: int = 0
    is_bin: bool = False
    is_chosen: bool = False
    is_clickable: bool = False


@dataclass(frozen=True)
class Picture:
    """Bars with what stands around them."""

    bars: Sequence[Bar]
    title: str | None = None
    note: str = ""  # beside the title
    foot: str = ""
    unit: str = ""  # of bins, between the ends of their scale
    low: str = ""
    high: str = ""
    is_clickable: bool = False
    is_cleared: bool = True  # there is nothing that a click could clear
    is_tall: bool = False


def show(
    picture: Picture,
    *,
    key: str,
    on_picked: Callable[[int, int], None] | None = None,
    on_cleared: Callable[[], None] | None = None,
) -> None:
    """Show bars. `on_picked` is called, before the page is made anew, with the first and the last number."""
    known = {bar.number for bar in picture.bars if bar.is_clickable}

    def picked() -> None:
        said = dict(st.session_state.get(key) or {}).get("picked")
        # It comes from the browser: it is only numbers of ours.
        first, last = (said.get("first"), said.get("last")) if isinstance(said, dict) else (None, None)
        if on_picked is not None and isinstance(first, int) and isinstance(last, int) and {first, last} <= known:
            on_picked(first, last)

    def cleared() -> None:
        if on_cleared is not None:
            on_cleared()

    _mount(key=key, data=described(picture), on_picked_change=picked, on_cleared_change=cleared)


def described(picture: Picture) -> dict[str, Any]:
    """What the browser gets."""
    return {
        "title": None if picture.title is None else highlights.whole(picture.title),
        "note": picture.note,
        "foot": picture.foot,
        "unit": picture.unit,
        "low": picture.low,
        "high": picture.high,
        "clickable": picture.is_clickable,
        "clear": not picture.is_cleared,
        "tall": picture.is_tall,
        "bins": [_bar(bar) for bar in picture.bars if bar.is_bin],
        "rows": [_bar(bar) for bar in picture.bars if not bar.is_bin],
    }


def _bar(bar: Bar) -> dict[str, Any]:
    text = NO_VALUE if bar.text is None else highlights.whole(bar.text)
    blank = not text.strip()
    return {
        "text": (EMPTY if not text else f"“{text}”") if blank else text,
        "quiet": bar.text is None or blank,
        "share": bar.share,
        "amount": bar.amount,
        "number": bar.number,
        "chosen": bar.is_chosen,
        "clickable": bar.is_clickable,
    }
