"""The first work of a run: look through its source, and cut what is to be done into chunks."""

from __future__ import annotations

import time
from collections.abc import Callable

from undertone import console, database, jobs, scoring, source_rows, survey

SQL = scoring.SQL
NOTE_SECONDS = 1.0  # between two notes of how far a survey is


def cut(
    reader: source_rows.Reader,
    store: database.Database,
    load: Callable[[str], jobs.Classifier],
    run_id: int,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Survey the source of a planned run, cut what is to be done into chunks, set it running; how many chunks.

    Nothing is locked meanwhile: a run may be paused or cancelled while it is surveyed. Raises Interrupted when `stop`
    says so, Elsewhere, or the errors of database, statement and classifier; nothing is written then.
    """
    with store.lend() as connection:
        work = jobs.get_work(connection, run_id)
    if work is None or work.state != "planned":
        return 0
    jobs.check_place(reader, work)
    classifier = load(work.model)
    noted = 0.0

    def go_on(rows: int) -> None:
        nonlocal noted
        if stop():
            raise jobs.Interrupted
        if time.monotonic() - noted > NOTE_SECONDS:
            noted = time.monotonic()
            with store.lend() as connection:
                SQL.note_surveyed(connection, run=run_id, rows=rows)
                connection.commit()
                if SQL.run_state(connection, run=run_id) != "planned":
                    raise jobs.Halted

    mark = survey.largest(reader, work.selection) if work.selection.new_by else None
    for hashes in (True, False):
        try:
            with store.lend() as connection:
                taken = survey.Survey(connection, work.selection, work.model, classifier.model_id)
                totals = taken.take(reader, go_on, hashes=hashes, most=classifier.text_characters)
                SQL.let_go(connection)
                if SQL.lock_run(connection, run=run_id)[0] != "planned":
                    return 0
                SQL.remove_chunks(connection, run=run_id)
                number = taken.cut(run_id, work.chunk_rows) if totals.todo else 0
                gone = taken.mark_vanished(run_id) if work.selection.whole else 0
                SQL.set_cut(
                    connection,
                    run=run_id,
                    rows_total=totals.rows,
                    unchanged=totals.rows - SQL.planned_rows(connection, run=run_id),
                    vanished=gone,
                    new_mark=mark,
                    model_id=classifier.model_id,
                )
                SQL.set_state(connection, run=run_id, state="running", error=None)
                SQL.finish_if_done(connection, run=run_id)  # nothing is to be done
                scoring.enqueue_in(connection)
                connection.commit()
                return number
        except jobs.Halted:
            return 0
        except (database.DatabaseError, console.StatementError, UnicodeDecodeError) as error:
            # A text that cannot be read must not cost the run: without a look at them, its chunk will find it.
            if not hashes or source_rows.row_fault(error) is None:
                raise
    raise AssertionError("either of the two returns or raises")
