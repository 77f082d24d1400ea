"""The two kinds of work of a run: cut it into chunks, score a chunk. Done twice, either changes nothing."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from psycopg2 import sql

from undertone import classifier as classifiers
from undertone import database, scores, scoring

# Values travel as PostgreSQL's text, written so that every server reads the same in it, whatever the account's
# settings.
PLAIN = (
    "SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 3;"
    " SET LOCAL bytea_output = 'hex'"
)
SQL = scoring.SQL


class Classifier(Protocol):
    """What is needed of `classifier.Classifier`."""

    @property
    def model_id(self) -> str:
        """Which weights these are."""

    @property
    def text_characters(self) -> int:
        """How much of a text it takes: of ten megabytes not all need travel."""

    def classify(
        self, texts_: Sequence[object], go_on: Callable[[], None] = lambda: None
    ) -> list[classifiers.Prediction]:
        """A prediction for each text; `go_on` is called now and then, and what it raises ends the work."""


class _Halted(Exception):
    """The run was paused or cancelled while a chunk of it was scored."""


class Interrupted(Exception):
    """The worker ends before the chunk does; nothing of it was written."""


def cut(data: database.Database, store: database.Database, run_id: int) -> int:
    """Cut a planned run into chunks and set it running; returns how many there are."""
    with store.lend() as connection:
        locked = SQL.lock_run(connection, run=run_id)
        if locked is None or locked[0] != "planned":
            return 0
        source, size = scoring.get_source(connection, locked[1]), locked[2]
        SQL.remove_chunks(connection, run=run_id)
        with data.lend() as reading:
            batch: list[dict[str, object]] = []
            number = 0
            for number, chunk in enumerate(_boundaries(reading, source, size), start=1):
                batch.append({"number": number, **chunk})
                if len(batch) == 1000:
                    SQL.add_chunks(connection, run=run_id, chunks=json.dumps(batch))
                    batch.clear()
            SQL.add_chunks(connection, run=run_id, chunks=json.dumps(batch))
        SQL.set_total(connection, run=run_id)
        SQL.set_state(connection, run=run_id, state="running", error=None)
        SQL.finish_if_done(connection, run=run_id)  # an empty table
        scoring.enqueue_in(connection)
        connection.commit()
        return number


def _boundaries(connection: database.Connection, source: scores.Source, size: int) -> Iterator[dict[str, object]]:
    """The last key of every `size` rows in the order of the key, with what lies before it."""
    names = [sql.Identifier(f"k{number}") for number in range(len(source.key))]
    statement = sql.SQL(
        "SELECT position, {texts} FROM (SELECT {named}, row_number() OVER keys AS position, lead(1) OVER keys AS more"
        " FROM {relation} AS r WINDOW keys AS (ORDER BY {key})) AS numbered"
        " WHERE position % {size} = 0 OR more IS NULL ORDER BY position"
    ).format(
        texts=sql.SQL(", ").join(sql.SQL("{}::text").format(name) for name in names),
        # Under names of ours: a key may be called "position".
        named=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(_column(kept), name) for kept, name in zip(source.key, names, strict=True)
        ),
        key=sql.SQL(", ").join(map(_column, source.key)),
        relation=_relation(source),
        size=sql.Literal(size),
    )
    with connection.cursor() as plain:
        plain.execute(PLAIN)
        plain.execute("SET LOCAL statement_timeout = '1h'")  # a sort of a hundred million keys takes minutes
    with connection.cursor(name="boundaries") as cursor:
        cursor.itersize = 1000
        cursor.execute(statement)
        after: list[str] | None = None
        before = 0
        for position, *last in cursor:
            yield {"after_key": after, "last_key": last, "rows_planned": position - before}
            after, before = last, position


def score(
    data: database.Database,
    store: database.Database,
    load: Callable[[str], Classifier],
    run_id: int,
    number: int,
    *,
    worker: str,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Score one chunk: read, leave out what is scored and unchanged, classify, write all of it in one transaction.

    Returns whether the chunk is done now; False when its run is not running. `load` gives the classifier for a model's
    name. Raises Interrupted when `stop` says so, or the errors of database, catalogue and classifier; nothing is
    written then.
    """
    started = datetime.datetime.now(datetime.UTC)
    with store.lend() as connection:
        chunk = SQL.get_chunk(connection, run=run_id, number=number)
        if chunk is None or chunk[0] != "running" or chunk[1] != "waiting":
            return False
        _, _, source_id, model, expected_model, after, last = chunk
        source = scoring.get_source(connection, source_id)
    classifier = load(model)
    if expected_model and expected_model != classifier.model_id:
        raise scoring.ScoringError(
            f"Run {run_id} was begun with {expected_model} and this worker has {classifier.model_id} under that name;"
            " give both the same model, or start a new run"
        )
    most = classifier.text_characters
    rows = data.ask(_read, source, tuple(after) if after else None, tuple(last), most)

    with store.lend() as connection:
        known = scores.existing(connection, source, [(row["key"], row["context"]) for row in rows])
    fresh = [
        row for number, row in enumerate(rows) if known.get(number) != (_dashed(_hash(row)), classifier.model_id, True)
    ]

    def go_on() -> None:
        if stop():
            raise Interrupted
        with store.lend() as connection:
            if SQL.run_state(connection, run=run_id) != "running":
                raise _Halted

    try:
        go_on()
        predictions = classifier.classify([row["text"] for row in fresh], go_on)
    except _Halted:
        return False
    found = [_score(row, prediction, most) for row, prediction in zip(fresh, predictions, strict=True)]

    with store.lend() as connection:
        # The run first, in every transaction: two chunks that end at once must not both believe that the other goes on.
        state = SQL.lock_run(connection, run=run_id)[0]
        if state != "running" or SQL.claim_chunk(connection, run=run_id, number=number) is None:
            return False
        scores.write(connection, source, found, model_id=classifier.model_id, run_id=run_id)
        SQL.set_model(connection, run=run_id, model_id=classifier.model_id)
        empty = sum(score.label is None for score in found)
        SQL.chunk_done(
            connection,
            run=run_id,
            number=number,
            rows_read=len(rows),
            scored=len(found) - empty,
            unchanged=len(rows) - len(found),
            empty=empty,
            truncated=sum(score.truncated for score in found),
            worker=worker,
            started_at=started,
        )
        SQL.finish_if_done(connection, run=run_id)
        connection.commit()
        return True


def failed(store: database.Database, run_id: int, number: int) -> int:
    """Count a failed attempt at a chunk, or with number 0 at cutting the run; how many there were."""
    with store.lend() as connection:
        if number == 0:
            failures = SQL.cut_failed_once(connection, run=run_id)
        else:
            failures = SQL.chunk_failed_once(connection, run=run_id, number=number)
        connection.commit()
        return int(failures or 0)


def give_up(store: database.Database, run_id: int, number: int, *, worker: str, error: str) -> None:
    """Record that a chunk cannot be done, so that the rest of the run can end."""
    with store.lend() as connection:
        SQL.lock_run(connection, run=run_id)
        if number == 0:
            # Unless somebody has cancelled or paused it meanwhile.
            if SQL.run_state(connection, run=run_id) == "planned":
                SQL.set_state(connection, run=run_id, state="failed", error=error)
        else:
            SQL.chunk_failed(connection, run=run_id, number=number, worker=worker, error=error)
            SQL.finish_if_done(connection, run=run_id)
        connection.commit()


def _relation(source: scores.Source) -> sql.Identifier:
    return sql.Identifier(source.schema, source.relation)


def _column(kept: scores.Kept) -> sql.Identifier:
    # With its relation, which is called r: without, ORDER BY would take what is selected under that name, a text.
    return sql.Identifier("r", kept.name)


def _key_range(source: scores.Source, after: scores.Values | None, last: scores.Values) -> sql.Composed:
    """The condition that the key lies after `after` and not after `last`."""
    key = sql.SQL("({})").format(sql.SQL(", ").join(map(_column, source.key)))

    def row(values: scores.Values) -> sql.Composed:
        casts = [
            sql.SQL("CAST({} AS {})").format(sql.Literal(value), sql.SQL(kept.type))
            for value, kept in zip(values, source.key, strict=True)
        ]
        return sql.SQL("({})").format(sql.SQL(", ").join(casts))

    upper = sql.SQL("{} <= {}").format(key, row(last))
    return upper if after is None else sql.SQL("{} > {} AND {}").format(key, row(after), upper)


def _read(
    connection: database.Connection,
    source: scores.Source,
    after: scores.Values | None,
    last: scores.Values,
    most: int,
) -> list[dict[str, Any]]:
    """The rows of a chunk: key and context as text, the text up to `most` characters, its whole length and hash."""
    kept = (*source.key, *source.context)
    statement = sql.SQL(
        "SELECT {kept}, left({text}::text, {most}), length({text}::text), md5({text}::text)"
        " FROM {relation} AS r WHERE {range} ORDER BY {key}"
    ).format(
        kept=sql.SQL(", ").join(sql.SQL("{}::text").format(_column(column)) for column in kept),
        text=sql.Identifier("r", source.text_column),
        most=sql.Literal(most),
        relation=_relation(source),
        range=_key_range(source, after, last),
        key=sql.SQL(", ").join(map(_column, source.key)),
    )
    length = len(source.key)
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)
        cursor.execute(statement)
        return [
            {"key": row[:length], "context": row[length:-3], "text": row[-3], "length": row[-2] or 0, "hash": row[-1]}
            for row in cursor
        ]


# The hash of no text at all, which is not the hash of an empty one.
NO_TEXT = "00000000000000000000000000000000"


def _hash(row: dict[str, Any]) -> str:
    return row["hash"] or NO_TEXT


def _dashed(digest: str) -> str:
    """An MD5 as PostgreSQL shows a uuid."""
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def _score(row: dict[str, Any], prediction: classifiers.Prediction, most: int) -> scores.Score:
    cut = row["length"] > most
    share = prediction.share * most / row["length"] if cut else prediction.share
    return scores.Score(
        key=row["key"],
        context=row["context"],
        label=prediction.label,
        confidence=prediction.confidence,
        probabilities=json.dumps(prediction.probabilities) if prediction.label is not None else None,
        text_hash=_hash(row),
        truncated=prediction.truncated or cut,
        share_read=share if prediction.label is not None else None,
        reason=prediction.reason,
    )
