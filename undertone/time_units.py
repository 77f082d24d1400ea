"""Seconds to centuries: which of them suits a span of time, where one begins and the next one, what people call it."""

from __future__ import annotations

import datetime
import zoneinfo

# From which span in seconds on, and what a bin is then.
DAY = 86_400
UNITS = (
    ("century", 1_000 * 366 * DAY),
    ("decade", 100 * 366 * DAY),
    ("year", 12 * 366 * DAY),
    ("quarter", 4 * 366 * DAY),
    ("month", 366 * DAY),
    ("week", 60 * DAY),
    ("day", 3 * DAY),
    ("hour", 5_400),
    ("minute", 90),
    ("second", 0),
)


def choose(seconds: float, least: str) -> str:
    """What to cut a span of so many seconds into; nothing shorter than `least`."""
    return next(unit for unit, longest in UNITS if seconds >= longest or unit == least)


def back(moment: datetime.datetime) -> datetime.datetime:
    """A microsecond earlier, with the offset that holds then."""
    utc = moment.astimezone(datetime.UTC) - datetime.timedelta(microseconds=1)
    return utc.astimezone(moment.tzinfo)


def floor(moment: datetime.datetime, unit: str) -> datetime.datetime:
    """Where the one begins that a moment is in."""
    moment = moment.replace(microsecond=0)
    if unit != "second":
        moment = moment.replace(second=0)
    if unit not in ("second", "minute"):
        moment = moment.replace(minute=0)
    if unit in ("second", "minute", "hour"):
        return moment
    moment = moment.replace(hour=0, fold=0)
    if unit == "week":
        return moment - datetime.timedelta(days=moment.weekday())
    if unit == "day":
        return moment
    year = {"decade": moment.year // 10 * 10, "century": moment.year // 100 * 100}.get(unit, moment.year)
    month = {"month": moment.month, "quarter": (moment.month - 1) // 3 * 3 + 1}.get(unit, 1)
    return moment.replace(year=max(year, 1), month=month, day=1)


def following(moment: datetime.datetime, unit: str) -> datetime.datetime:
    """Where the next one begins; the last of all is in 9999."""
    seconds = {"second": 1, "minute": 60, "hour": 3600}.get(unit)
    if seconds and moment.tzinfo is not None:
        # An hour later, whatever the clock says.
        return (moment.astimezone(datetime.UTC) + datetime.timedelta(seconds=seconds)).astimezone(moment.tzinfo)
    if seconds:
        return moment + datetime.timedelta(seconds=seconds)
    if unit in ("day", "week"):
        return moment + datetime.timedelta(days=1 if unit == "day" else 7)
    months = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200}[unit]
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if unit in ("decade", "century"):
        year -= year % (10 if unit == "decade" else 100)  # from year 1 to year 10
    if year > 9999:
        return datetime.datetime(9999, 12, 31, tzinfo=moment.tzinfo)
    return moment.replace(year=year, month=month + 1)


def called(moment: datetime.datetime, unit: str) -> str:
    """What people call the time that begins here."""
    day = moment.date().isoformat()
    if unit in ("second", "minute", "hour"):
        return f"{day} {moment:%H:%M:%S}" if unit == "second" else f"{day} {moment:%H:%M}"
    return {
        "week": f"week of {day}",
        "month": day[:7],
        "quarter": f"{day[:4]} Q{(moment.month + 2) // 3}",
        "year": day[:4],
        "decade": f"{day[:3]}0s",
        "century": f"{day[:2]}00s",
    }.get(unit, day)


def read(text: str, place: datetime.tzinfo | None) -> datetime.datetime:
    """A time as PostgreSQL writes it in ISO style; in this zone, if one is given."""
    found = datetime.datetime.fromisoformat(text)
    return found.astimezone(place) if place is not None else found


def zone(name: str | None) -> datetime.tzinfo:
    """The zone of an IANA name; UTC where there is no such one."""
    try:
        return zoneinfo.ZoneInfo(name or "UTC")
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return datetime.UTC
