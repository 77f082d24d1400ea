"""Sizes and durations in human units, the same words on a page and on a terminal."""

from __future__ import annotations


def size(count: int | None) -> str:
    """Bytes; empty for None."""
    if count is None:
        return ""
    number = float(count)
    for unit in ("B", "kB", "MB"):
        # Compared as it will be rounded: never 1000 kB.
        if number < 999.5:
            return f"{number:.1f} {unit}" if number < 9.95 and unit != "B" else f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB" if number < 9.95 else f"{number:,.0f} GB"


def duration(seconds: float | None) -> str:
    """Seconds; empty for None."""
    if seconds is None:
        return ""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)  # first, so that it is never 60 s
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(number: int, word: str) -> str:
    """How many of something: 1 row, 2,000 rows."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
