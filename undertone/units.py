"""Sizes and durations in human units, the same words on a page and on a terminal."""

from __future__ import annotations


def size(count: int | None) -> str:
    """Bytes; empty for None."""
    if count is None:
        return ""
    number = float(count)
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if number >= 10 or unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.0f} GB" if number >= 10 else f"{number:.1f} GB"


def duration(seconds: float | None) -> str:
    """Seconds; empty for None."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"
