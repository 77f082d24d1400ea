"""The Procrastinate app: the jobs that a run is made of, when a failed one is tried again, and the clock of watches."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import procrastinate
import procrastinate.jobs
import procrastinate.retry
import procrastinate.worker
import psycopg2
import sqlalchemy

from undertone import chunks, console, cutting, database, errors, jobs, planning, source_rows, store, watches

QUEUE = planning.QUEUE
# What every worker does, of whichever queue it is.
HOUSE = "house"
ATTEMPTS = 5  # 2 + 4 + 8 + 16 seconds between them
# A database that is down comes back, or somebody mends its address: about an hour, half a minute between attempts.
REACHING = 120
# Of SQLSTATEs: connections, conflicts with others, what a server runs short of, operators and disks.
PASSING = ("08", "40", "53", "55", "57", "58")
ELSEWHERE_SECONDS = 10  # until a job that is another worker's is offered again
log = logging.getLogger(__name__)


@dataclass
class Bench:
    """What a worker works with. `load` gives the classifier for a model's name; `place` names the data."""

    reader: source_rows.Reader
    store: database.Database
    load: Callable[[str], jobs.Classifier]
    place: str = ""
    name: str = field(default_factory=socket.gethostname)
    stopping: threading.Event = field(default_factory=threading.Event)
    hands: dict[int, str] = field(default_factory=dict)  # job -> what it does, in a few words
    about: jobs.Classifier | None = None  # the model that was used last

    def model(self, name: str) -> jobs.Classifier:
        """The classifier for a model's name."""
        self.about = self.load(name)
        return self.about

    @property
    def doing(self) -> str:
        """What it does, for a person to read."""
        return ", ".join(list(self.hands.values())) or "waits for work"

    @contextlib.contextmanager
    def busy(self, job: int | None, what: str) -> Iterator[None]:
        """Do something, and say so."""
        self.hands[job or 0] = what
        try:
            yield
        finally:
            self.hands.pop(job or 0, None)


class GivenUp(Exception):
    """A job failed for good, and that is written where a person sees it."""


class Retry(procrastinate.retry.BaseRetryStrategy):
    """An interrupted job goes straight back into the queue; a failed one a few times, after growing delays."""

    def get_retry_decision(
        self, *, exception: BaseException, job: procrastinate.jobs.Job
    ) -> procrastinate.retry.RetryDecision | None:
        """When to try again; None to give up."""
        if isinstance(exception, GivenUp):
            return None
        seconds = 2 ** min(job.attempts + 1, ATTEMPTS)
        if isinstance(exception, jobs.Interrupted):
            seconds = 0
        elif isinstance(exception, jobs.Elsewhere):
            seconds = ELSEWHERE_SECONDS
        return procrastinate.retry.RetryDecision(retry_in={"seconds": seconds})


def _may_pass(error: BaseException) -> bool:
    """Whether trying again later may help: not where something is missing or wrong, such as a column or a model."""
    if isinstance(error, console.StatementLimited):
        return True
    if isinstance(error, console.StatementFailed):
        return (error.sqlstate or "").startswith(PASSING)
    if isinstance(error, database.DatabaseError):
        return not isinstance(error.__cause__, psycopg2.ProgrammingError | psycopg2.DataError)
    return not isinstance(error, errors.UndertoneError)


def cut_run(context: procrastinate.JobContext, run: int) -> None:
    """Survey what a planned run is about, and cut it into chunks."""
    bench = _bench(context)
    with bench.busy(context.job.id, f"looks through run {run}"), _GivingUp(context, bench, run, 0):
        number = cutting.cut(bench.reader, bench.store, bench.model, run, stop=bench.stopping.is_set)
        log.info("run %s: cut into %s chunks", run, number)


def score_chunk(context: procrastinate.JobContext, run: int, number: int) -> None:
    """Score one chunk of a run."""
    bench = _bench(context)
    with bench.busy(context.job.id, f"run {run}, chunk {number}"), _GivingUp(context, bench, run, number):
        chunks.score(bench.reader, bench.store, bench.model, run, number, worker=bench.name, stop=bench.stopping.is_set)
        if context.job.attempts:
            jobs.goes_on(bench.store, run)


def start_due_runs(context: procrastinate.JobContext, timestamp: int) -> None:
    """Every minute: plan the runs of the watches that are due."""
    bench = _bench(context)
    for run in watches.start_due(bench.reader, bench.store, place=bench.place):
        log.info("run %s: planned by its watch", run)


async def stop_after(
    call_next: Callable[[], Awaitable[Any]], context: procrastinate.JobContext, worker: procrastinate.worker.Worker
) -> Any:
    """Around every job: a worker that was asked to stop takes no other, least of all the one that it just gave back."""
    try:
        return await call_next()
    finally:
        if _bench(context).stopping.is_set():
            worker.stop()  # type: ignore[no-untyped-call]


def _bench(context: procrastinate.JobContext) -> Bench:
    bench: Bench = context.additional_context["bench"]
    return bench


class _GivingUp:
    """Give a job up whose error will not pass, or has not for too long, so that its run can end."""

    def __init__(self, context: procrastinate.JobContext, bench: Bench, run: int, number: int) -> None:
        self.job, self.bench, self.run, self.number = context.job, bench, run, number

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, jobs.Elsewhere):
            log.warning("%s; it is left to others", error)
        if error is None or isinstance(error, jobs.Interrupted | jobs.Elsewhere):
            return
        # Of an error that was not foreseen only the kind: its message may hold somebody's text.
        line = str(error) if isinstance(error, errors.UndertoneError) else f"unforeseen: {type(error).__name__}"
        if isinstance(error, database.Unreachable) and self.job.attempts < REACHING:
            log.warning("run %s, chunk %s waits: %s", self.run, self.number, line)
            jobs.waits(self.bench.store, self.run, f"{line}. The run waits, and goes on by itself.")
            return
        failures = jobs.failed(self.bench.store, self.run, self.number)
        log.warning("run %s, chunk %s, failure %s: %s", self.run, self.number, failures, line)
        if failures >= ATTEMPTS or not _may_pass(error):
            jobs.give_up(self.bench.store, self.run, self.number, worker=self.bench.name, error=line)
            raise GivenUp(line) from error


def make_app(address: sqlalchemy.URL) -> procrastinate.App:
    """The app on a store's address, with tasks of its own: those of a clock go to the app that they were made with."""
    # The queue's functions name their tables without a schema.
    arguments = database.connect_arguments(address, 10, f"-c search_path={store.SCHEMA},pg_catalog")
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(kwargs=arguments, min_size=1, max_size=4))
    for task in (cut_run, score_chunk):
        app.task(name=task.__name__, queue=QUEUE, pass_context=True, retry=Retry())(task)
    clock = app.periodic(cron="* * * * *")
    clock(app.task(name=start_due_runs.__name__, queue=HOUSE, pass_context=True)(start_due_runs))
    return app
