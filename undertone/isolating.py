"""Find what of many things is broken, by halves: one bad row of a thousand costs twenty attempts, not the thousand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
# So many broken one after the other, and none that is not: then it is not the rows.
HOPELESS = 50


@dataclass(frozen=True)
class Broken(Generic[T]):
    """A thing that was at fault, and what was wrong with it."""

    item: T
    reason: str


def isolate(
    items: Sequence[T],
    attempt: Callable[[Sequence[T]], object],
    fault: Callable[[BaseException], str | None],
) -> list[Broken[T]]:
    """Attempt all, and where that fails by the fault of some, halves of it, down to the single ones that are broken.

    `attempt` either does what it is given or raises and has done nothing. `fault` says what is wrong where an error
    comes from a single thing; None: it does not, and is raised. So is the error where nothing but broken things is
    found. What is attempted stays in order.
    """
    broken: list[Broken[T]] = []
    succeeded = False
    waiting = [items] if items else []
    while waiting:
        piece = waiting.pop()
        try:
            attempt(piece)
            succeeded = True
        except Exception as error:
            reason = fault(error)
            if reason is None:
                raise
            if len(piece) > 1:
                middle = len(piece) // 2
                waiting += [piece[middle:], piece[:middle]]
                continue
            broken.append(Broken(piece[0], reason))
            if not succeeded and len(broken) >= HOPELESS:
                raise
    return broken
