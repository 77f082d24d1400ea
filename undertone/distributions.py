"""How numbers or times are spread, reckoned from what ANALYZE keeps: common values with their shares, and bounds.

Between two neighbouring bounds lie equally many of the values that are not common ones. So a share of the rows, a mean
and bins can be told without reading a row; they are estimates, as good as the sample that ANALYZE took.
"""

from __future__ import annotations

import bisect
import datetime
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from undertone import histograms, relations

LARGEST = {"real": 1e30}


@dataclass(frozen=True)
class Distribution:
    """Common values, and the bounds between which all the others lie; shares of all that is known add up to 1."""

    common: tuple[float, ...]  # in ascending order
    sums: tuple[float, ...]  # of the shares of those before each of them, and at last of all
    bounds: tuple[float, ...]
    rest: float  # the share of what is between the bounds
    texts: tuple[str, ...]  # of common values and bounds, in ascending order
    reached: tuple[float, ...]  # the share of the values up to each of them

    def quantile(self, share: float) -> str:
        """A known value up to which about this share of the values lies."""
        return self.texts[min(bisect.bisect_left(self.reached, share - 1e-9), len(self.texts) - 1)]

    def mean(self) -> float:
        """The mean, about: what is between two bounds is taken to be in their middle."""
        shares = (after - before for before, after in itertools.pairwise(self.sums))
        total = sum(value * share for value, share in zip(self.common, shares, strict=True))
        if len(self.bounds) > 1:
            part = self.rest / (len(self.bounds) - 1)
            total += sum(low / 2 * part + high / 2 * part for low, high in itertools.pairwise(self.bounds))
        return total

    def below(self, value: float) -> float:
        """The share of the values that are less than a value, about."""
        found = self.sums[bisect.bisect_left(self.common, value)]
        place = bisect.bisect_left(self.bounds, value)
        if not 0 < place < len(self.bounds):
            return found + (self.rest if place else 0.0)
        low, high = self.bounds[place - 1], self.bounds[place]
        return found + self.rest * (place - 1 + (value - low) / (high - low)) / (len(self.bounds) - 1)


def read(
    field: relations.Field, bounds: Sequence[str], common: Iterable[tuple[str, float]], filled: float
) -> Distribution | None:
    """The distribution of a column of numbers or times; None where nothing is known.

    `filled` is the share of the rows that have a value; those of the common values are of all rows, too. Infinity, NaN
    and times that no calendar here has are left out.
    """
    points = sorted((value, text, share) for text, share in common if (value := number(field, text)) is not None)
    edges = [(value, text) for text in bounds if (value := number(field, text)) is not None]
    rest = max(0.0, filled - sum(share for *_, share in points)) if len(edges) > 1 else 0.0
    total = rest + sum(share for *_, share in points)
    if not total:
        return None
    part = rest / max(len(edges) - 1, 1)
    steps = [(value, text, part if place else 0.0) for place, (value, text) in enumerate(edges)] if rest else []
    known = sorted([*points, *steps])
    return Distribution(
        tuple(value for value, *_ in points),
        (0.0, *itertools.accumulate(share / total for *_, share in points)),
        tuple(value for value, *_ in steps),
        rest / total,
        tuple(text for _, text, _ in known),
        tuple(itertools.accumulate(share / total for *_, share in known)),
    )


def number(field: relations.Field, text: str) -> float | None:
    """A value as a number that can be reckoned with, times as seconds; None for one that cannot."""
    try:
        if field.column.category == "number":
            value = float(text)
            return value if abs(value) <= LARGEST.get(field.base, 1e300) else None
        if not histograms.LIMITS[0] <= text[:10] <= histograms.LIMITS[1]:
            return None
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp()
