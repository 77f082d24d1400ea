"""How good a classifier is on labelled texts: accuracy, F1, calibration, each with a 95 % interval.

Expected calibration error as in Guo et al., "On Calibration of Modern Neural Networks" (2017), with 15 bins of equal
width; intervals by the percentile bootstrap (Efron 1979), 1,000 resamples of the rows, seeded.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from undertone import classifier as classifiers
from undertone import errors, files, load

BINS = 15
RESAMPLES = 1000
SEED = 20
BATCH = 512
# What people write for the classes, besides the labels themselves.
SYNONYMS = {"NEG": "NEGATIVE", "NEU": "NEUTRAL", "POS": "POSITIVE", "-1": "NEGATIVE"}
NUMBERED = {2: ("NEGATIVE", "POSITIVE"), 3: ("NEGATIVE", "NEUTRAL", "POSITIVE")}


class EvaluationError(errors.UndertoneError):
    """A file that cannot be evaluated: a column that is not there, a label that the model does not have."""


@dataclass(frozen=True)
class Interval:
    """A figure and the 95 % interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Report:
    """What was measured. `confusion` has a row for each true class and a column for each class that could be chosen.

    Classes that the truth does not have are left out of the choice: their probability is shared among the others.
    `unread` counts rows without anything to read, which are wrong in every figure.
    """

    rows: int
    unread: int
    labels: tuple[str, ...]
    accuracy: Interval
    macro_f1: Interval
    macro_recall: Interval
    calibration_error: Interval
    precision: dict[str, float]
    recall: dict[str, float]
    confusion: tuple[tuple[int, ...], ...]


def read(path: pathlib.Path, text: str, label: str) -> tuple[list[str], list[str]]:
    """The texts and labels of a file, CSV, TSV, JSON lines or Parquet. Raises LoadError, EvaluationError."""
    source = load.open_source(files.identify(path))
    source.infer(lambda _: None)
    for name in (text, label):
        if name not in source.names:
            raise EvaluationError(f"{path.name} has no column {name!r}; it has: {', '.join(source.names)}")
    wanted = source.names.index(text), source.names.index(label)
    texts: list[str] = []
    labels: list[str] = []
    for batch in source.batches(lambda _: None):
        texts += [value or "" for value in batch[wanted[0]].to_pylist()]
        labels += [value or "" for value in batch[wanted[1]].to_pylist()]
    if not texts:
        raise EvaluationError(f"{path.name} has no rows")
    return texts, labels


def truth(labels: Sequence[str], known: Sequence[str]) -> list[str]:
    """The labels of a file as the model's: in any case, short, or numbered from 0 in the order negative to positive.

    Raises EvaluationError with the first label that is none of the model's, and its row.
    """
    upper = [label.strip().upper() for label in labels]
    by_name = {name.upper(): name for name in known}
    distinct = set(upper)
    if distinct <= {"0", "1"}:
        numbers = dict(zip("01", NUMBERED[2], strict=True))
    elif distinct <= {"-1", "0", "1"}:
        numbers = dict(zip(("-1", "0", "1"), NUMBERED[3], strict=True))
    else:
        numbers = dict(zip("012", NUMBERED[3], strict=True))
    found = []
    for row, label in enumerate(upper, start=1):
        name = by_name.get(label) or by_name.get(numbers.get(label, "")) or by_name.get(SYNONYMS.get(label, ""))
        if name is None:
            raise EvaluationError(
                f"row {row}: {labels[row - 1]!r} is no label of the model, which has {', '.join(known)}"
            )
        found.append(name)
    return found


def evaluate(
    classifier: classifiers.Classifier,
    texts: Sequence[str],
    labels: Sequence[str],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Classify the texts and compare. `labels` are the model's own, one for each text."""
    import numpy as np

    names = [name for name in classifier.labels if name in set(labels)]
    probabilities = np.zeros((len(texts), len(names)))
    unread = np.zeros(len(texts), dtype=bool)
    for start in range(0, len(texts), BATCH):
        for row, prediction in enumerate(classifier.classify(texts[start : start + BATCH]), start=start):
            unread[row] = prediction.label is None
            if prediction.label is not None:
                chosen = np.array([prediction.probabilities[name] for name in names])
                probabilities[row] = chosen / max(chosen.sum(), np.finfo(float).tiny)
        progress(min(start + BATCH, len(texts)), len(texts))
    true = np.array([names.index(label) for label in labels])
    predicted = np.where(unread, -1, probabilities.argmax(axis=1))
    confidence = probabilities.max(axis=1)
    figures = _figures(true, predicted, confidence, len(names))
    chance = np.random.default_rng(SEED)
    samples = np.array(
        [
            _figures(true[pick], predicted[pick], confidence[pick], len(names))
            for pick in (chance.integers(0, len(true), len(true)) for _ in range(RESAMPLES))
        ]
    )
    low, high = np.percentile(samples, (2.5, 97.5), axis=0)
    intervals = [Interval(*map(float, values)) for values in zip(figures, low, high, strict=True)]
    confusion = [[int(((true == t) & (predicted == p)).sum()) for p in range(len(names))] for t in range(len(names))]
    table = np.array(confusion)
    precision = table.diagonal() / np.maximum(table.sum(axis=0), 1)
    recall = table.diagonal() / np.maximum(np.bincount(true, minlength=len(names)), 1)
    return Report(
        rows=len(texts),
        unread=int(unread.sum()),
        labels=tuple(names),
        accuracy=intervals[0],
        macro_f1=intervals[1],
        macro_recall=intervals[2],
        calibration_error=intervals[3],
        precision=dict(zip(names, map(float, precision), strict=True)),
        recall=dict(zip(names, map(float, recall), strict=True)),
        confusion=tuple(map(tuple, confusion)),
    )


def _figures(true: Any, predicted: Any, confidence: Any, classes: int) -> tuple[float, float, float, float]:
    """Accuracy, macro-F1, macro recall, expected calibration error."""
    import numpy as np

    right = true == predicted
    hits = np.bincount(true[right], minlength=classes)
    of_class = np.bincount(true, minlength=classes)
    called = np.bincount(predicted[predicted >= 0], minlength=classes)
    recall = hits / np.maximum(of_class, 1)
    f1 = 2 * hits / np.maximum(of_class + called, 1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    size = np.bincount(bins, minlength=BINS)
    gap = np.abs(
        np.bincount(bins, weights=right, minlength=BINS) - np.bincount(bins, weights=confidence, minlength=BINS)
    )
    assert size.sum() == len(true)
    return float(right.mean()), float(f1.mean()), float(recall.mean()), float(gap.sum() / len(true))
