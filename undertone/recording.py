"""What a chunk has come to, and how that is written: scores, failed rows and its record in one transaction."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg2
import psycopg2.errors

from undertone import database, isolating, jobs, scores, scoring, writing

SQL = scoring.SQL
# What a row is to blame for, not the table of scores.
NOT_STORED = (psycopg2.DataError, psycopg2.errors.NotNullViolation, psycopg2.errors.ProgramLimitExceeded)


@dataclass
class Tally:
    """What a chunk has come to."""

    rows: int = 0
    unchanged: int = 0
    again: int = 0  # rows whose scores this run has written already
    again_empty: int = 0
    again_truncated: int = 0
    keys: set[scores.Values] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)  # hashes of texts that the model had seen before
    characters: int = 0
    seconds: float = 0.0
    found: list[writing.Score] = field(default_factory=list)
    unread: list[isolating.Broken[scores.Values]] = field(default_factory=list)
    failed: list[isolating.Broken[scores.Values]] = field(default_factory=list)  # though they were read


def record(
    store: database.Database,
    work: jobs.Work,
    model_id: str,
    number: int,
    tally: Tally,
    worker: str,
    started: datetime.datetime,
) -> bool:
    """Write a chunk's scores and its record, in one transaction; whether it was still to be done."""
    with store.lend() as connection, connection.cursor() as cursor:
        SQL.let_go(connection)
        if SQL.claim_chunk(connection, run=work.id, number=number) is None:
            return False
        written: list[writing.Score] = []

        def attempt(some: Sequence[writing.Score]) -> None:
            cursor.execute("SAVEPOINT piece")
            try:
                writing.write(connection, work.source, some, model=work.model, model_id=model_id, run_id=work.id)
            except NOT_STORED:
                cursor.execute("ROLLBACK TO SAVEPOINT piece")
                raise
            cursor.execute("RELEASE SAVEPOINT piece")
            written.extend(some)

        broken = isolating.isolate(tally.found, attempt, _storage_fault)
        failed = [*tally.unread, *tally.failed, *(isolating.Broken(one.item.key, one.reason) for one in broken)]
        # Late, so that chunks of one run do not wait for each other's writing.
        if SQL.hold_run(connection, run=work.id) != "running":
            return False
        SQL.forget_failed_rows(connection, run=work.id, number=number)
        if failed:
            listed = [{"key": list(one.item), "reason": one.reason[:500]} for one in failed]
            SQL.add_failed_rows(connection, run=work.id, number=number, failed=json.dumps(listed))
        empty = sum(score.answer.label is None for score in written)
        SQL.chunk_done(
            connection,
            run=work.id,
            number=number,
            rows_read=tally.rows + len(tally.unread),
            scored=len(written) - empty + tally.again,
            unchanged=tally.unchanged,
            empty=empty + tally.again_empty,
            truncated=sum(score.answer.truncated for score in written) + tally.again_truncated,
            failed=len(failed),
            reused=sum(score.text_hash in tally.seen for score in written),
            characters=tally.characters,
            seconds=tally.seconds,
            worker=worker,
            started_at=started,
        )
        connection.commit()
        return True


def _storage_fault(error: BaseException) -> str | None:
    if not isinstance(error, NOT_STORED):
        return None
    return f"its score cannot be stored: {' '.join((error.diag.message_primary or str(error)).split())}"
