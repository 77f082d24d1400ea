"""The other work of a run: score a chunk. Done twice, it changes nothing."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Iterator, Sequence

from undertone import adapter, console, database, isolating, jobs, recording, scores, scoring, source_rows, writing
from undertone import classifier as classifiers

SQL = scoring.SQL
LOOK_SECONDS = 0.5  # between two looks whether a run still goes on
PROBE = "ok"  # a text that every model can read


def score(
    reader: source_rows.Reader,
    store: database.Database,
    load: Callable[[str], jobs.Classifier],
    run_id: int,
    number: int,
    *,
    worker: str,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Score one chunk: read, leave out what is scored and unchanged, classify, write all of it in one transaction.

    Returns whether the chunk is done now; False when its run is not running. `load` gives the classifier for a model's
    name. A row that cannot be read, classified or written is noted and costs no other. Raises Interrupted when `stop`
    says so, Elsewhere, or the errors of database, statement and classifier; nothing is written then.
    """
    started = datetime.datetime.now(datetime.UTC)
    with store.lend() as connection:
        chunk = SQL.get_chunk(connection, run=run_id, number=number)
        work = jobs.get_work(connection, run_id)
    if chunk is None or work is None or work.state != "running" or chunk[0] != "waiting":
        return False
    jobs.check_place(reader, work)
    classifier = load(work.model)
    if work.model_id and work.model_id != classifier.model_id:
        raise scoring.ScoringError(
            f"Run {run_id} was begun with {work.model_id} and this worker has {classifier.model_id} under that name;"
            " give both the same model, or start a new run"
        )
    looked = time.monotonic()

    def go_on() -> None:
        nonlocal looked
        if stop():
            raise jobs.Interrupted
        if time.monotonic() - looked > LOOK_SECONDS:
            looked = time.monotonic()
            if store.ask(SQL.run_state, run=run_id) != "running":
                raise jobs.Halted

    tally = recording.Tally()
    try:
        for rows in _read(reader, work, _place(*chunk[1:]), classifier.text_characters, tally):
            _add(store, work, classifier, rows, tally, go_on)
    except jobs.Halted:
        return False
    if not recording.record(store, work, classifier.model_id, number, tally, worker, started):
        return False
    scoring.finish(store, run_id)
    scoring.top_up(store, run_id)
    return True


def _place(after: list[str] | None, last: list[str] | None, keys: list[list[str]] | None) -> source_rows.Place:
    if keys is not None:
        return [tuple(key) for key in keys]
    assert last is not None
    return source_rows.Range(tuple(after) if after else None, tuple(last))


def _read(
    reader: source_rows.Reader, work: jobs.Work, place: source_rows.Place, most: int, tally: recording.Tally
) -> Iterator[list[source_rows.Row]]:
    """The rows of a chunk, in pieces. Those that cannot be read go to the tally."""
    given: set[scores.Values] = set()
    try:
        for rows in source_rows.slices(reader, work.selection, place, most):
            given.update(row.key for row in rows)
            yield rows
        return
    except (database.DatabaseError, console.StatementError, UnicodeDecodeError) as error:
        if source_rows.row_fault(error) is None:
            raise
    pieces: list[list[source_rows.Row]] = []

    def attempt(keys: Sequence[scores.Values]) -> None:
        pieces.extend(list(source_rows.slices(reader, work.selection, keys, most)))

    keys = [key for key in source_rows.keys(reader, work.selection, place) if key not in given]
    tally.unread += isolating.isolate(keys, attempt, source_rows.row_fault)
    yield from pieces


def _add(
    store: database.Database,
    work: jobs.Work,
    classifier: jobs.Classifier,
    rows: list[source_rows.Row],
    tally: recording.Tally,
    go_on: Callable[[], None],
) -> None:
    """Find the scores of some rows, each distinct text classified once, and none that the model has seen before."""
    tally.rows += len(rows)
    rows = [row for row in rows if _is_first(row, tally)]
    try:
        existing = store.ask(writing.existing, work.source, work.model, [(row.key, row.context) for row in rows])
    except database.DatabaseError as error:
        if source_rows.row_fault(error) is None:
            raise
        existing = {}  # one of them cannot be stored; which one, writing will show
    with store.lend() as connection:
        fresh = [
            row for number, row in enumerate(rows) if not _stands(row, existing.get(number), classifier, work, tally)
        ]
        answers = writing.known(connection, classifier.model_id, {row.hash for row in fresh})
    tally.seen.update(answers)
    unknown = {row.hash: row for row in fresh if row.hash not in answers}
    most = classifier.text_characters

    def attempt(some: Sequence[source_rows.Row]) -> None:
        predictions = classifier.classify([row.text for row in some], go_on)
        for row, prediction in zip(some, predictions, strict=True):
            answers[row.hash] = _answer(row, prediction, classifier, most)

    go_on()
    begun = time.monotonic()
    broken = isolating.isolate(list(unknown.values()), attempt, lambda error: _text_fault(error, classifier))
    tally.seconds += time.monotonic() - begun
    tally.characters += sum(len(row.text or "") for row in unknown.values())
    reasons = {one.item.hash: one.reason for one in broken}
    for row in fresh:
        if row.hash in reasons:
            tally.failed.append(isolating.Broken(row.key, reasons[row.hash]))
        else:
            tally.found.append(writing.Score(row.key, row.context, row.hash, answers[row.hash]))


def _is_first(row: source_rows.Row, tally: recording.Tally) -> bool:
    """Whether no row before had the same key, as where a view's has ceased to be unique; it is noted where one had."""
    if row.key in tally.keys:
        tally.failed.append(isolating.Broken(row.key, "another row has the same key"))
        return False
    tally.keys.add(row.key)
    return True


def _stands(
    row: source_rows.Row,
    found: writing.Existing | None,
    classifier: jobs.Classifier,
    work: jobs.Work,
    tally: recording.Tally,
) -> bool:
    """Whether a row's score is what it would be; then it is counted."""
    if (
        found is None
        or not found.same
        or (found.text_hash.replace("-", ""), found.model_id)
        != (
            row.hash,
            classifier.model_id,
        )
    ):
        return False
    if found.run_id == work.id:  # written before this chunk was tried again
        tally.again += not found.empty
        tally.again_empty += found.empty
        tally.again_truncated += found.truncated
    else:
        tally.unchanged += 1
    return True


def _text_fault(error: BaseException, classifier: jobs.Classifier) -> str | None:
    """What is wrong with a text, unless it is the model that is broken, or the work that is to end."""
    if not isinstance(error, Exception) or isinstance(error, jobs.Halted | jobs.Interrupted | database.DatabaseError):
        return None
    try:
        classifier.classify([PROBE])
    except Exception:
        return None
    # Of an error that was not foreseen only the kind: its message may hold somebody's text.
    said = str(error) if isinstance(error, adapter.ModelError) else type(error).__name__
    return f"the model failed at it: {said}"


def _answer(
    row: source_rows.Row, prediction: classifiers.Prediction, classifier: jobs.Classifier, most: int
) -> writing.Answer:
    cut = row.length > most
    share = prediction.share * most / row.length if cut else prediction.share
    return writing.Answer(
        label=prediction.label,
        confidence=prediction.confidence,
        probabilities=json.dumps(prediction.probabilities) if prediction.label is not None else None,
        truncated=prediction.truncated or cut,
        share_read=share if prediction.label is not None else None,
        reason=prediction.reason,
        engine=classifier.engine,
        precision=classifier.precision,
    )
