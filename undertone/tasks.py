"""The Procrastinate app: the jobs that a run is made of, and when a failed one is tried again."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import procrastinate
import procrastinate.jobs
import procrastinate.retry
import procrastinate.worker
import psycopg2
import sqlalchemy

from undertone import chunks, database, errors, store

QUEUE = "scoring"
ATTEMPTS = 5  # 2 + 4 + 8 + 16 seconds between them
log = logging.getLogger(__name__)


@dataclass
class Bench:
    """What a worker works with. `load` gives the classifier for a model's name."""

    data: database.Database
    store: database.Database
    load: Callable[[str], chunks.Classifier]
    name: str = field(default_factory=socket.gethostname)
    stopping: threading.Event = field(default_factory=threading.Event)


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
        seconds = 0 if isinstance(exception, chunks.Interrupted) else 2 ** min(job.attempts + 1, ATTEMPTS)
        return procrastinate.retry.RetryDecision(retry_in={"seconds": seconds})


def _may_pass(error: BaseException) -> bool:
    """Whether trying again later may help: not where something is missing or wrong, such as a column or a model."""
    if isinstance(error, database.DatabaseError):
        return not isinstance(error.__cause__, psycopg2.ProgrammingError | psycopg2.DataError)
    return not isinstance(error, errors.UndertoneError)


# The tasks; `make_app` gives them a store.
app = procrastinate.App(connector=procrastinate.PsycopgConnector())


@app.task(name="cut_run", queue=QUEUE, pass_context=True, retry=Retry())
def cut_run(context: procrastinate.JobContext, run: int) -> None:
    """Cut a planned run into chunks."""
    bench = _bench(context)
    with _GivingUp(context, bench, run, 0):
        number = chunks.cut(bench.data, bench.store, run)
        log.info("run %s: cut into %s chunks", run, number)


@app.task(name="score_chunk", queue=QUEUE, pass_context=True, retry=Retry())
def score_chunk(context: procrastinate.JobContext, run: int, number: int) -> None:
    """Score one chunk of a run."""
    bench = _bench(context)
    with _GivingUp(context, bench, run, number):
        chunks.score(bench.data, bench.store, bench.load, run, number, worker=bench.name, stop=bench.stopping.is_set)


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
        if error is None or isinstance(error, chunks.Interrupted):
            return
        # Of an error that was not foreseen only the kind: its message may hold somebody's text.
        line = str(error) if isinstance(error, errors.UndertoneError) else f"unforeseen: {type(error).__name__}"
        failures = chunks.failed(self.bench.store, self.run, self.number)
        log.warning("run %s, chunk %s, failure %s: %s", self.run, self.number, failures, line)
        if failures >= ATTEMPTS or not _may_pass(error):
            chunks.give_up(self.bench.store, self.run, self.number, worker=self.bench.name, error=line)
            raise GivenUp(line) from error


def make_app(address: sqlalchemy.URL) -> procrastinate.App:
    """The app on a store's address."""
    # The queue's functions name their tables without a schema.
    arguments = database.connect_arguments(address, 10, f"-c search_path={store.SCHEMA},pg_catalog")
    return app.with_connector(procrastinate.PsycopgConnector(kwargs=arguments, min_size=1, max_size=4))
