"""Every statement that a person asks, from a page or the command line: through the lane, and into the log.

The log has its row before the statement is asked: where the store cannot be written, nothing is asked.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

from undertone import audit, console, database, parameters, plans, services
from undertone.database import DatabaseError

PAGE, COMMAND, DOWNLOAD, EXPLAIN, ANALYZE = "page", "command", "download", "explain", "analyze"
TIDY_SECONDS = 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """A statement, values for its parameters, which database it is for ("data" or "scores"), and who asks and how."""

    statement: str
    parameters: tuple[tuple[str, parameters.Value], ...] = ()
    target: str = "data"
    who: str = ""
    how: str = PAGE


def run(
    opened: services.Services,
    question: Question,
    limits: console.Limits,
    *,
    cancel: threading.Event | None = None,
) -> console.Result:
    """Ask and wait for the answer. Raises StatementError and DatabaseError, as `console.run`."""
    with stream(opened, question, limits, cancel=cancel) as answer:
        rows = [row for batch in answer for row in batch]
    return console.Result(answer.columns, rows, answer.truncated, answer.seconds)


def explain(
    opened: services.Services,
    question: Question,
    limits: console.Limits,
    *,
    analyze: bool,
    cancel: threading.Event | None = None,
) -> plans.Plan:
    """How the server would answer, or with `analyze`, which runs the statement, how it did. Raises as `run`."""
    question = dataclasses.replace(question, how=ANALYZE if analyze else EXPLAIN)
    with _logged(opened, question, limits) as record:
        # One that is too long is the lane's to refuse, before anybody reads it.
        short = len(question.statement) <= limits.length
        asked = plans.statement(question.statement, analyze=analyze) if short else question.statement
        # What is put in front counts neither for the length nor for the place of an error.
        added = len(asked) - len(question.statement)
        limits = dataclasses.replace(limits, rows=1, length=limits.length + added)
        try:
            with console.stream(
                _pool(opened, question.target), asked, limits, parameters=dict(question.parameters), cancel=cancel
            ) as answer:
                record.answer = answer
                rows = [row for batch in answer for row in batch]
        except console.StatementFailed as error:
            error.position = error.position - added if error.position and error.position > added else None
            raise
        if answer.truncated:
            raise console.StatementLimited("The plan is larger than UNDERTONE_QUERY_BYTES allows.")
        return plans.read(str(rows[0][0]))


@contextlib.contextmanager
def stream(
    opened: services.Services,
    question: Question,
    limits: console.Limits,
    *,
    cancel: threading.Event | None = None,
) -> Iterator[console.Answer]:
    """As `run`, but the rows come in batches, as of `console.stream`."""
    with _logged(opened, question, limits) as record:
        pool = _pool(opened, question.target)
        values = dict(question.parameters)
        with console.stream(pool, question.statement, limits, parameters=values, cancel=cancel) as answer:
            record.answer = answer
            yield answer


class Record:
    """What the log will say of a statement when it has ended."""

    def __init__(self) -> None:
        self.answer: console.Answer | None = None

    def outcome(self, error: BaseException | None) -> str:
        """One of audit.OUTCOMES."""
        for kind, outcome in (
            (console.StatementRefused, audit.REFUSED),
            (console.StatementCancelled, audit.CANCELLED),
            (console.StatementLimited, audit.LIMITED),
            (Exception, audit.FAILED),
            (BaseException, audit.CANCELLED),  # the program, or whoever was reading, has had enough
        ):
            if isinstance(error, kind):
                return outcome
        if self.answer is not None and not self.answer.ended:
            return audit.CANCELLED
        return audit.TRUNCATED if self.answer is not None and self.answer.truncated else audit.ANSWERED


@contextlib.contextmanager
def _logged(opened: services.Services, question: Question, limits: console.Limits) -> Iterator[Record]:
    """Write the log's row, let the statement be asked, and complete the row, whatever happens meanwhile."""
    values = {name: given.value for name, given in question.parameters}
    with opened.store.lend() as connection:
        connection.autocommit = True  # one round trip, not three
        number = audit.begin(
            connection,
            who=question.who,
            how=question.how,
            target=question.target,
            place=opened.place,
            statement=question.statement,
            length=limits.length,
            parameters=values if opened.settings.audit_values else dict.fromkeys(values),
            seconds=limits.seconds,
        )
    started = time.monotonic()
    record = Record()
    error: BaseException | None = None
    try:
        yield record
    except BaseException as caught:
        error = caught
        raise
    finally:
        private = bool(values) and not opened.settings.audit_values
        _complete(opened, number, record, _message(record, error, private), error, time.monotonic() - started)


def _complete(
    opened: services.Services,
    number: int,
    record: Record,
    message: str | None,
    error: BaseException | None,
    seconds: float,
) -> None:
    answer = record.answer

    def note(connection: database.Connection) -> None:
        connection.autocommit = True
        audit.complete(
            connection,
            number,
            record.outcome(error),
            message=message,
            seconds=answer.seconds if answer is not None and error is None else seconds,
            rows=None if answer is None else answer.count,
            truncated=None if answer is None else answer.truncated,
        )
        if _tidying.due(opened.store):
            _tidy(connection, opened.settings.audit_days)

    try:
        opened.store.ask(note)
    except DatabaseError as away:
        # The statement has been asked, and the log says so; its answer is not withheld for want of the rest.
        log.warning("how statement %d ended is not in the log: %s", number, away)


def tidy(opened: services.Services) -> None:
    """Find what is lost in the log, and forget what is old; an app does it as it starts."""
    try:
        opened.store.ask(_tidy, opened.settings.audit_days)
    except DatabaseError as away:
        log.warning("the log of statements is not tidied: %s", away)


def _tidy(connection: database.Connection, days: int) -> None:
    audit.lose(connection)
    audit.forget(connection, days)


def _message(record: Record, error: BaseException | None, private: bool) -> str | None:
    """What the log says of how a statement ended. `private`: whether it must not hold a parameter's value."""
    if error is None:
        if record.answer is not None and not record.answer.ended:
            return "Its answer was not read to the end."
        return (
            f"The limit of {record.answer.truncated} was reached."
            if record.answer and record.answer.truncated
            else None
        )
    if not isinstance(error, (console.StatementError, DatabaseError)):
        return f"Its answer was not read to the end ({type(error).__name__})."
    if not private:
        return str(error)
    if isinstance(error, parameters.ParameterError):
        return str(error).split(": ")[0].rstrip(".") + "."  # what the server says of a value quotes it
    if isinstance(error, console.StatementFailed) and error.position is None:
        # Errors with a place come from reading the statement, before there are values.
        return f"The server's words may hold a value and are not kept (SQLSTATE {error.sqlstate})."
    return str(error)


class _Tidying:
    """When the log of a store is to be tidied by this process: with its first statement, then every hour."""

    def __init__(self) -> None:
        self._next: weakref.WeakKeyDictionary[database.Database, float] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def due(self, store: database.Database) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._next.get(store, 0.0):
                return False
            self._next[store] = now + TIDY_SECONDS
            return True


_tidying = _Tidying()


def _pool(opened: services.Services, target: str) -> database.Database:
    if (pool := opened.consoles.get(target)) is not None:
        return pool
    if target == "scores":
        raise console.StatementRefused(
            "The scores cannot be asked: set STORE_READER_URL to an account that only reads the store."
        )
    raise console.StatementRefused(f"There is no database called {target[:40]!r}; ask data or scores.")
