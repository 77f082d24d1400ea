"""How often a source is looked at: every so many minutes, hours or days, or by a cron line; with the next times."""

from __future__ import annotations

import datetime

import streamlit as st

from elements import messages
from undertone import watches

UNITS = {"minutes": 1, "hours": 60, "days": 24 * 60}
TIMES = 3
KINDS = {"every": "Every so often", "cron": "At set times"}


def choose(key: str, begin: watches.Pace | None = None) -> watches.Pace | None:
    """The inputs; the pace, None while it is none, which they say themselves. They begin with a pace that is there."""
    kind = st.segmented_control(
        "How often",
        list(KINDS),
        format_func=lambda name: KINDS[name],
        default="cron" if begin is not None and begin.cron is not None else "every",
        required=True,
        key=f"{key}_kind",
    )
    if kind == "every":
        number, unit = _parts(begin)
        left, right = st.columns(2)
        count = left.number_input(
            "Every", min_value=1, max_value=watches.MOST_MINUTES, value=number, key=f"{key}_every"
        )
        name = right.selectbox("Unit", list(UNITS), index=list(UNITS).index(unit), key=f"{key}_unit")
        pace = watches.Pace(every_minutes=int(count) * UNITS[name])
    else:
        line = st.text_input(
            "Cron line, in UTC",
            begin.cron if begin is not None and begin.cron else "0 2 * * *",
            key=f"{key}_cron",
            help="Five fields: minute, hour, day of the month, month, day of the week. `0 2 * * *` is every night at"
            " 2, `*/15 8-18 * * 1-5` every quarter of an hour on working days.",
        )
        pace = watches.Pace(cron=" ".join(line.split()))
    try:
        watches.check_pace(pace)
    except watches.WatchError as error:
        st.warning(messages.plain(error), icon=":material/schedule:")
        return None
    st.caption(messages.plain(f"The next times, in UTC: {', '.join(following(pace))}"))
    return pace


def following(pace: watches.Pace) -> list[str]:
    """The next times of a pace."""
    moment, found = datetime.datetime.now(datetime.UTC), []
    for _ in range(TIMES):
        moment = watches.following(pace, moment)
        found.append(f"{moment:%a %Y-%m-%d %H:%M}")
    return found


def _parts(pace: watches.Pace | None) -> tuple[int, str]:
    minutes = (pace.every_minutes if pace is not None else None) or 60
    unit = next(name for name in reversed(UNITS) if minutes % UNITS[name] == 0)
    return minutes // UNITS[unit], unit
