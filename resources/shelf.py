"""Answers that are kept for a while, for whoever asks the same again: all of them together within a budget.

Sessions hold an answer weakly, so that nobody can fill the memory by asking for large ones in many tabs: the one that
was used least lately is let go first.
"""

from __future__ import annotations

import collections
import itertools
import sys
import threading
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

BUDGET = 64_000_000  # bytes of the app's memory, estimated
SAMPLE = 200  # rows that are weighed


@dataclass(frozen=True, eq=False)
class Kept:
    """An answer, when it came and by which clock's reading, and about how many bytes it takes."""

    key: Hashable
    answer: Any
    bytes: int
    at: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> float:
        """Seconds since it came."""
        return time.monotonic() - self.at


class Shelf:
    """Answers by their question, the newest of each. Safe for many threads."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._kept: collections.OrderedDict[Hashable, Kept] = collections.OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: Hashable, answer: Any, size: int) -> Kept:
        """Keep an answer, and let others go until all of them fit; the newest stays whatever its size."""
        kept = Kept(key, answer, size)
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = kept
            total = sum(one.bytes for one in self._kept.values())
            while total > self._budget and len(self._kept) > 1:
                _, gone = self._kept.popitem(last=False)
                total -= gone.bytes
        return kept

    def find(self, key: Hashable, seconds: float) -> Kept | None:
        """The answer to a question, if it is not older than this."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.age > seconds:
                return None
            self._kept.move_to_end(key)
            return kept

    def touch(self, kept: Kept) -> None:
        """Somebody looks at it."""
        with self._lock:
            if self._kept.get(kept.key) is kept:
                self._kept.move_to_end(kept.key)

    def drop(self, kept: Kept) -> None:
        """Nobody needs it any more."""
        with self._lock:
            if self._kept.get(kept.key) is kept:
                del self._kept[kept.key]


def weigh(rows: Sequence[Sequence[object]]) -> int:
    """About how many bytes rows take, judged by some of them from all over."""
    step = max(1, len(rows) // SAMPLE)
    some = list(itertools.islice(rows, 0, None, step))
    size = sum(sys.getsizeof(row) + sum(map(sys.getsizeof, row)) for row in some)
    return size * len(rows) // max(1, len(some))


@st.cache_resource(show_spinner=False)
def get_shelf() -> Shelf:
    """The one shelf of this process."""
    return Shelf()
