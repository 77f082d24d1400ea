from __future__ import annotations

import gc
import time
import weakref

from resources import shelf


def test_an_answer_is_found_by_its_question_until_it_is_old() -> None:
    kept = shelf.Shelf()
    one = kept.put("a", [1], 10)
    assert kept.find("a", 60) is one
    assert kept.find("b", 60) is None
    time.sleep(0.01)
    assert kept.find("a", 0.001) is None
    two = kept.put("a", [2], 10)
    assert kept.find("a", 60) is two


def test_the_least_used_goes_first_and_its_memory_with_it() -> None:
    kept = shelf.Shelf(budget=100)
    first = weakref.ref(kept.put("first", [1], 40))
    second = weakref.ref(kept.put("second", [2], 40))
    assert kept.find("first", 60) is first()
    kept.put("third", [3], 40)
    gc.collect()
    assert second() is None
    assert first() is not None
    assert kept.find("second", 60) is None


def test_the_newest_stays_whatever_its_size_and_alone() -> None:
    kept = shelf.Shelf(budget=100)
    small = weakref.ref(kept.put("small", [], 1))
    large = kept.put("large", [], 1_000_000)
    gc.collect()
    assert small() is None
    assert kept.find("large", 60) is large
    kept.drop(large)
    assert kept.find("large", 60) is None


def test_looking_at_an_answer_counts_as_use() -> None:
    kept = shelf.Shelf(budget=2)
    first = kept.put("first", [], 1)
    kept.put("second", [], 1)
    kept.touch(first)
    kept.put("third", [], 1)
    assert kept.find("first", 60) is first
    assert kept.find("second", 60) is None


def test_rows_are_weighed_as_memory() -> None:
    rows = [(number, f"text {number}", None) for number in range(100_000)]
    assert 10_000_000 < shelf.weigh(rows) < 30_000_000
    assert shelf.weigh([]) == 0
    assert shelf.weigh([("x" * 1_000_000,)]) > 1_000_000
