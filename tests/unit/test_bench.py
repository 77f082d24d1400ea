"""What the measurements count on: texts of known lengths, the same each time, and how much of a network they need."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest

from bench import classify, sides, texts
from undertone import adapter, classifier


@pytest.mark.parametrize("make", [texts.short, texts.long])
def test_texts_are_different_and_the_same_in_every_run(make: Callable[[int], list[str]]) -> None:
    rows = make(200)
    assert len(set(rows)) == 200
    assert rows == make(200)
    assert rows[:50] == make(50)


@pytest.mark.parametrize(("make", "limits"), [(texts.short, texts.SHORT), (texts.long, texts.LONG)])
def test_texts_have_the_lengths_of_real_ones(make: Callable[[int], list[str]], limits: tuple[int, int, int]) -> None:
    tokenizer = adapter.open_default().tokenizer
    counted = [len(tokens) for tokens in tokenizer(make(600), verbose=False)["input_ids"]]
    fewest, mean, most = limits
    assert min(counted) >= fewest
    assert max(counted) <= most
    assert statistics.mean(counted) == pytest.approx(mean, rel=0.1)


def test_a_part_has_the_lengths_of_the_whole_and_doubled_rows_are_as_many() -> None:
    rows = texts.short(400)
    part = texts.even(rows, 40)
    assert len(set(part)) == 40
    assert statistics.mean(map(len, part)) == pytest.approx(statistics.mean(map(len, rows)), rel=0.05)
    doubled = texts.doubled(rows)
    assert (len(doubled), len(set(doubled))) == (400, 200)


def test_operations_are_counted_by_the_formula() -> None:
    network = sides.Network(per_token=100, per_window=10, layers=2, width=8)
    assert network.operations([3]) == 2 * (100 * 3 + 10) + 4 * 8 * (2 * 9 + 3)
    assert network.operations([3, 3]) == 2 * network.operations([3])


def test_windows_are_those_that_a_text_is_read_in() -> None:
    assert classify.window_lengths(27, 256) == [29]
    assert classify.window_lengths(254, 256) == [256]
    assert classify.window_lengths(300, 256) == [160, 160]


def test_agreement_is_the_share_of_equal_labels() -> None:
    def said(label: str, chance: float) -> classifier.Prediction:
        return classifier.Prediction(label, chance, {"A": chance, "B": 1 - chance}, False, None)

    found = classify.agreement([said("A", 0.75), said("B", 0.25)], [said("A", 0.5), said("A", 0.25)])
    assert found == classify.Agreement(2, 0.5, 0.25)
