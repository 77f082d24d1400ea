"""What isolating promises: what is broken is found in few attempts, all else is done once and in order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from undertone import isolating


class Attempts:
    """Does numbers, unless one of them is broken."""

    def __init__(self, *broken: int) -> None:
        self.broken = set(broken)
        self.pieces: list[list[int]] = []
        self.done: list[int] = []

    def __call__(self, piece: Sequence[int]) -> None:
        self.pieces.append(list(piece))
        if found := self.broken & set(piece):
            raise ValueError(f"{len(found)} broken")
        self.done += piece


def fault(error: BaseException) -> str | None:
    return f"said {error}" if isinstance(error, ValueError) else None


def test_where_nothing_is_broken_there_is_one_attempt() -> None:
    attempts = Attempts()
    assert isolating.isolate(range(1000), attempts, fault) == []
    assert attempts.pieces == [list(range(1000))]


def test_where_there_is_nothing_there_is_no_attempt() -> None:
    attempts = Attempts()
    assert isolating.isolate([], attempts, fault) == []
    assert attempts.pieces == []


def test_one_of_a_thousand_is_found_in_some_twenty_attempts() -> None:
    for broken in (0, 1, 499, 500, 998, 999):
        attempts = Attempts(broken)
        assert isolating.isolate(range(1000), attempts, fault) == [isolating.Broken(broken, "said 1 broken")]
        assert attempts.done == [number for number in range(1000) if number != broken], "in order, each once"
        assert len(attempts.pieces) <= 21


def test_several_are_found_in_order() -> None:
    broken = (0, 3, 4, 17, 18, 19, 30)
    attempts = Attempts(*broken)
    assert [one.item for one in isolating.isolate(range(31), attempts, fault)] == list(broken)
    assert attempts.done == [number for number in range(31) if number not in broken]


def test_where_nothing_works_it_is_not_the_things() -> None:
    attempts = Attempts(*range(1000))
    with pytest.raises(ValueError, match="1 broken"):
        isolating.isolate(range(1000), attempts, fault)
    assert sum(len(piece) == 1 for piece in attempts.pieces) == isolating.HOPELESS


def test_a_few_that_are_all_broken_are_so() -> None:
    few = range(isolating.HOPELESS - 1)
    assert [one.item for one in isolating.isolate(few, Attempts(*few), fault)] == list(few)


def test_many_are_broken_one_by_one_where_one_is_not() -> None:
    broken = range(1, 200)
    assert [one.item for one in isolating.isolate(range(200), Attempts(*broken), fault)] == list(broken)


def test_what_is_no_ones_fault_is_raised_at_once() -> None:
    attempts: list[Sequence[int]] = []

    def attempt(piece: Sequence[int]) -> None:
        attempts.append(piece)
        raise KeyError("the connection is lost")

    with pytest.raises(KeyError, match="the connection is lost"):
        isolating.isolate(range(1000), attempt, fault)
    assert len(attempts) == 1


def test_what_is_no_error_passes_through() -> None:
    """As when somebody presses Ctrl-C."""

    def attempt(piece: Sequence[int]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        isolating.isolate(range(8), attempt, lambda error: "a fault")
