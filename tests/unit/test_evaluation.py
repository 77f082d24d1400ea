"""The figures of `evaluate`, on answers that are known beforehand, and what it says to a file that it cannot use."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import pytest

from undertone import classifier, evaluation

LABELS = ("NEGATIVE", "NEUTRAL", "POSITIVE")


class Told:
    """Says for each text what the text itself says: three numbers, or nothing where it is empty."""

    labels = LABELS

    def classify(self, texts: Sequence[object]) -> list[classifier.Prediction]:
        return [self._one(str(text)) for text in texts]

    def _one(self, text: str) -> classifier.Prediction:
        if not text:
            return classifier.Prediction(None, None, {}, False, "empty")
        values = dict(zip(LABELS, map(float, text.split()), strict=True))
        best = max(values, key=lambda name: values[name])
        return classifier.Prediction(best, values[best], values, False, None)


def measure(texts: list[str], labels: list[str]) -> evaluation.Report:
    model: Any = Told()
    return evaluation.evaluate(model, texts, labels)


def test_the_figures_are_those_of_the_book() -> None:
    texts = ["1 0 0", "1 0 0", "0 1 0", "0 0 1", "0 0 1", "0 0 1"]
    labels = ["NEGATIVE", "POSITIVE", "NEUTRAL", "POSITIVE", "POSITIVE", "NEUTRAL"]
    report = measure(texts, labels)
    assert report.labels == LABELS
    assert report.confusion == ((1, 0, 0), (0, 1, 1), (1, 0, 2))
    assert report.accuracy.value == pytest.approx(4 / 6)
    assert report.recall == pytest.approx({"NEGATIVE": 1, "NEUTRAL": 1 / 2, "POSITIVE": 2 / 3})
    assert report.precision == pytest.approx({"NEGATIVE": 1 / 2, "NEUTRAL": 1, "POSITIVE": 2 / 3})
    assert report.macro_recall.value == pytest.approx((1 + 1 / 2 + 2 / 3) / 3)
    assert report.macro_f1.value == pytest.approx((2 / 3 + 2 / 3 + 2 / 3) / 3)
    # All six are called with certainty, and two of them are wrong.
    assert report.calibration_error.value == pytest.approx(2 / 6)
    assert report.accuracy.low < report.accuracy.value < report.accuracy.high


def test_a_class_that_the_truth_does_not_have_cannot_be_chosen() -> None:
    report = measure(["0.3 0.6 0.1", "0.1 0.6 0.3"], ["NEGATIVE", "POSITIVE"])
    assert report.labels == ("NEGATIVE", "POSITIVE")
    assert report.accuracy.value == 1
    # What is left is 0.75 sure of itself, and always right.
    assert report.calibration_error.value == pytest.approx(0.25)


def test_well_calibrated_is_near_zero() -> None:
    report = measure(["0.8 0 0.2"] * 5, ["NEGATIVE"] * 4 + ["POSITIVE"])
    assert report.calibration_error.value == pytest.approx(0, abs=1e-9)


def test_nothing_to_read_is_wrong_and_counted() -> None:
    report = measure(["1 0 0", "", "0 0 1"], ["NEGATIVE", "NEGATIVE", "POSITIVE"])
    assert report.unread == 1
    assert report.accuracy.value == pytest.approx(2 / 3)
    assert report.confusion == ((1, 0), (0, 1))
    assert report.recall["NEGATIVE"] == pytest.approx(1 / 2)


def test_the_same_again_gives_the_same_intervals() -> None:
    texts, labels = ["0.6 0.1 0.3"] * 30, ["NEGATIVE"] * 20 + ["POSITIVE"] * 10
    assert measure(texts, labels) == measure(texts, labels)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (["positive", "Negative", " NEUTRAL "], ["POSITIVE", "NEGATIVE", "NEUTRAL"]),
        (["pos", "NEG", "neu"], ["POSITIVE", "NEGATIVE", "NEUTRAL"]),
        (["0", "1", "1"], ["NEGATIVE", "POSITIVE", "POSITIVE"]),
        (["0", "1", "2"], ["NEGATIVE", "NEUTRAL", "POSITIVE"]),
        (["-1", "0", "1"], ["NEGATIVE", "NEUTRAL", "POSITIVE"]),
    ],
)
def test_labels_are_understood(labels: list[str], found: list[str]) -> None:
    assert evaluation.truth(labels, LABELS) == found


def test_a_label_that_the_model_does_not_have_is_named_with_its_row() -> None:
    with pytest.raises(evaluation.EvaluationError, match=r"row 2: 'angry' is no label of the model"):
        evaluation.truth(["positive", "angry"], LABELS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'label,text\npositive,"good, \n really"\nnegative,\n'),
        ("a.tsv", "label\ttext\npositive\tgood, \\n really\nnegative\t\n"),
        ("a.jsonl", '{"label": "positive", "text": "good, \\n really"}\n{"label": "negative", "text": null}\n'),
    ],
)
def test_a_file_of_any_kind_is_read(tmp_path: pathlib.Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    texts, labels = evaluation.read(path, "text", "label")
    assert labels == ["positive", "negative"]
    assert texts[0].startswith("good")
    assert texts[1] == ""


def test_a_column_that_is_not_there_is_one_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("label,text\npositive,good\n")
    with pytest.raises(evaluation.EvaluationError, match=r"a\.csv has no column 'body'; it has: label, text"):
        evaluation.read(path, "body", "label")


def test_a_file_without_rows_is_one_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("label,text\n")
    with pytest.raises(evaluation.EvaluationError, match="no rows"):
        evaluation.read(path, "text", "label")
