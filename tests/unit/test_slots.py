"""Who has waited longest enters first, and no place is ever lost."""

from __future__ import annotations

import threading
import time

import pytest

from undertone import slots

WAIT = 30.0


def test_who_leaves_does_not_enter_again_before_those_who_wait() -> None:
    one = slots.Slots(1)
    order: list[int] = []
    threads = []

    def come(number: int) -> None:
        with one.enter(WAIT) as entered:
            assert entered
            order.append(number)

    with one.enter(0) as entered:
        assert entered
        for number in range(5):
            threads.append(threading.Thread(target=come, args=(number,)))
            threads[-1].start()
            until = time.monotonic() + WAIT
            while len(one._waiting) <= number and time.monotonic() < until:
                time.sleep(0.001)
    with one.enter(WAIT) as entered:
        assert entered
        assert order == [0, 1, 2, 3, 4]
    for thread in threads:
        thread.join()


def test_who_waits_in_vain_takes_no_place() -> None:
    two = slots.Slots(2)
    with two.enter(0) as first, two.enter(0) as second, two.enter(0.01) as third:
        assert (first, second, third) == (True, True, False)
    with two.enter(0) as first, two.enter(0) as second:
        assert (first, second) == (True, True)


def test_what_fails_inside_gives_its_place_back() -> None:
    one = slots.Slots(1)
    with pytest.raises(KeyError), one.enter(0):
        raise KeyError
    with one.enter(0) as entered:
        assert entered


def test_no_place_is_lost_or_invented_under_haste() -> None:
    three = slots.Slots(3)
    inside, most = [0], [0]
    lock = threading.Lock()

    def haste() -> None:
        for turn in range(300):
            with three.enter(0.0005 * (turn % 3)) as entered:
                if entered:
                    with lock:
                        inside[0] += 1
                        most[0] = max(most[0], inside[0])
                    with lock:
                        inside[0] -= 1

    threads = [threading.Thread(target=haste) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] <= 3
    with three.enter(0) as a, three.enter(0) as b, three.enter(0) as c, three.enter(0) as d:
        assert (a, b, c, d) == (True, True, True, False)
