"""What is imported is looked through for garbage once; what comes later as ever."""

from __future__ import annotations

import gc
import sys
import types
import weakref
from collections.abc import Iterator

import pytest

from resources import heap


@pytest.fixture(autouse=True)
def thawed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(heap, "_modules", 0)
    yield
    gc.unfreeze()


class Thing:
    """Something that refers to itself, if it is made to."""

    own: object = None


def test_what_is_there_is_set_apart_whenever_modules_were_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    before = gc.get_freeze_count()
    heap.settle()
    apart = gc.get_freeze_count()
    assert apart > before + 10_000
    kept = [[number] for number in range(1_000)]
    heap.settle()
    assert gc.get_freeze_count() <= apart  # nothing was imported since
    monkeypatch.setitem(sys.modules, "something_new", types.ModuleType("something_new"))
    heap.settle()
    assert gc.get_freeze_count() >= apart + len(kept) // 2


def test_garbage_is_collected_before_and_after() -> None:
    def cycle() -> weakref.ref[Thing]:
        thing = Thing()
        thing.own = thing
        return weakref.ref(thing)

    before = cycle()
    heap.settle()
    assert before() is None
    after = cycle()
    gc.collect()
    assert after() is None
