"""Figures of plans, in words that are short and never say more than the figure does."""

from __future__ import annotations

from undertone import units


def count(number: float) -> str:
    """How many; may be an average."""
    if number >= 1e15:
        return f"{number:.0e}"
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:,.1f}"


def percent(share: float) -> str:
    """A share from 0 to 1; only what is nothing or all is called so."""
    if 0 < share < 0.005:
        return "< 1 %"
    if 0.99 < share < 1:
        return f"{min(share, 0.9999):.2%}".replace("%", " %")
    return f"{share:.0%}".replace("%", " %")


def kilobytes(number: float) -> str:
    """PostgreSQL's kB, which are of 1,024 bytes."""
    return units.size(round(number * 1024))


def duration(seconds: float) -> str:
    """Seconds, down to thousandths of a millisecond."""
    if seconds >= 0.9995:
        return units.duration(seconds) if seconds >= 9.95 else f"{seconds:.2f} s"
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 99.5 else f"{milliseconds:.3g} ms"
