"""The worker: does the jobs in the store's queue until it is stopped.

Any number of workers, on any number of machines, share the work through the store. A worker that dies is noticed by the
others (or by its successor) when its heartbeat stops, and its job goes back into the queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence

import procrastinate
import procrastinate.jobs
import psycopg

from undertone import classifier, database, errors, jobs, local_worker, scoring, services, settings, tasks

HEARTBEAT_SECONDS = 4.0
STALLED_SECONDS = 16.0  # without a heartbeat; then another takes the job
HOUSEKEEPING_SECONDS = 3.0
POLL_SECONDS = 2.0  # where a notification was missed
NICENESS = 10
# Chunks in hand at once: one is read or written while the model works on the other.
SIDE_BY_SIDE = 2
# A job whose workers keep dying is what kills them.
DEATHS = 20
log = logging.getLogger(__name__)


def work(chosen: settings.Settings, *, local: bool = False, queues: Sequence[str] = (tasks.QUEUE,)) -> None:
    """Work until SIGTERM or SIGINT; Ctrl-C loses nothing that was written. Runs of other `queues` are left to others.

    `local` is for the worker that an app starts on its own machine: there is one of these for a home, and it ends by
    itself when the process that started it has died and nothing is left to do. Raises the errors of the services.
    """
    with contextlib.suppress(OSError):
        os.nice(NICENESS)  # the app answers first
    lock = local_worker.claim(chosen.home) if local else contextlib.nullcontext()
    with lock, contextlib.closing(services.open_services(chosen)) as opened:
        bench = tasks.Bench(
            reader=opened.reader,
            store=opened.store,
            load=_loader(chosen),
            place=opened.place,
            name=f"{socket.gethostname()}:{os.getpid()}",
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: bench.stopping.set())
        parent = os.getppid() if local else None
        pause = 0.5
        while not bench.stopping.is_set():
            begun = time.monotonic()
            try:
                asyncio.run(_serve(opened.store, bench, parent, queues))
            except (procrastinate.exceptions.ConnectorException, psycopg.Error, errors.UndertoneError) as error:
                log.warning("the store does not answer (%s); trying again", type(error).__name__)
            if bench.stopping.is_set():
                break
            pause = 0.5 if time.monotonic() - begun > 60 else min(30.0, pause * 2)
            bench.stopping.wait(pause)
            with contextlib.suppress(errors.UndertoneError), opened.store.lend():
                pass  # a pool that finds its own server dead starts it again


def _loader(chosen: settings.Settings) -> Callable[[str], jobs.Classifier]:
    @functools.lru_cache(maxsize=2)  # a second model may be under way beside the first
    def load(model: str) -> jobs.Classifier:
        return classifier.from_settings(chosen, model)

    loading = threading.Lock()  # both chunks in hand ask at once

    def load_once(model: str) -> jobs.Classifier:
        with loading:
            return load(model)

    return load_once


async def _serve(
    store: database.Database, bench: tasks.Bench, parent: int | None, queues: Sequence[str] = (tasks.QUEUE,)
) -> None:
    """Work until told to stop, or until the store is lost."""
    app = tasks.make_app(store.address)
    async with app.open_async():
        working = asyncio.create_task(
            app.run_worker_async(
                name=bench.name,
                queues=[*queues, tasks.HOUSE],
                concurrency=SIDE_BY_SIDE,
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                delete_jobs="successful",
                install_signal_handlers=False,
                additional_context={"bench": bench},
                worker_middleware=[tasks.stop_after],
            )
        )
        keeping = asyncio.create_task(_keep_house(app, store, bench, parent, queues))
        done, _ = await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, keeping):
            task.cancel()
        await asyncio.gather(working, keeping, return_exceptions=True)
        for task in done:
            task.result()  # its error, if it ended by one


async def _keep_house(
    app: procrastinate.App,
    store: database.Database,
    bench: tasks.Bench,
    parent: int | None,
    queues: Sequence[str],
) -> None:
    """Every few seconds: say what is done here, take jobs from dead workers, queue what is missing.

    Returns when the worker is to stop.
    """
    next_round = 0.0
    try:
        while not bench.stopping.is_set():
            if time.monotonic() >= next_round:
                others = await asyncio.to_thread(_show, store, bench, queues)
                for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
                    await _take_back(app, store, bench, job)
                await asyncio.to_thread(scoring.finish_idle, store)
                await asyncio.to_thread(scoring.enqueue, store)
                if parent is not None and os.getppid() != parent and not await asyncio.to_thread(_busy, store):
                    log.info("the app is gone and nothing is left to do")
                    bench.stopping.set()
                # A hundred workers need not look thirty times a second.
                next_round = time.monotonic() + HOUSEKEEPING_SECONDS + others * 0.1
            await asyncio.sleep(0.2)
    finally:
        with contextlib.suppress(errors.UndertoneError):
            await asyncio.to_thread(_leave, store, bench)


def _show(store: database.Database, bench: tasks.Bench, queues: Sequence[str]) -> int:
    """Say that this worker is there and what it does; how many are at work."""
    about = bench.about
    with store.lend() as connection:
        number = scoring.SQL.show_worker(
            connection,
            name=bench.name,
            queues=list(queues),
            threads=about.threads if about else 0,
            device=about.device if about else "",
            engine=f"{about.engine} {about.precision}" if about else "",
            doing=bench.doing,
        )
        connection.commit()
        return int(number)


def _leave(store: database.Database, bench: tasks.Bench) -> None:
    with store.lend() as connection:
        scoring.SQL.forget_worker(connection, name=bench.name)
        connection.commit()


async def _take_back(
    app: procrastinate.App, store: database.Database, bench: tasks.Bench, job: procrastinate.jobs.Job
) -> None:
    log.warning("job %s: its worker is gone; back into the queue", job.id)
    if job.attempts < DEATHS:
        await app.job_manager.retry_job(job)
        return
    await app.job_manager.finish_job(job, procrastinate.jobs.Status.FAILED, delete_job=False)
    error = f"the worker died at this {DEATHS} times"
    if "run" not in job.task_kwargs:
        return
    run, number = int(str(job.task_kwargs["run"])), int(str(job.task_kwargs.get("number", 0)))
    await asyncio.to_thread(jobs.give_up, store, run, number, worker=bench.name, error=error)


def _busy(store: database.Database) -> bool:
    return any(run.state in ("planned", "running") for run in store.ask(scoring.runs))
