"""Workers that are real in all but the model, which sleeps; started by `bench.carrying`.

    python -m bench.simulated WORKERS SECONDS_A_ROW

Queue, connections, reading, writing and records are those of `python -m undertone worker`, and each is a process. They
end with standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence

import procrastinate
import psycopg

from undertone import classifier, errors, services, settings, tasks, worker

LOOK_SECONDS = 0.1  # between two looks whether to go on: a batch of the model takes about that


class Asleep:
    """A model that takes its time and computes nothing: one batch after the other, as the real one does."""

    model_id = "asleep@1"
    engine, precision, device, threads = "none", "none", "cpu", 1
    text_characters = 100_000

    def __init__(self, seconds_a_row: float) -> None:
        self._seconds_a_row = seconds_a_row
        self._one = threading.Lock()

    def classify(
        self, texts_: Sequence[object], go_on: Callable[[], None] = lambda: None
    ) -> list[classifier.Prediction]:
        """Any answer, after as long as a model would take."""
        with self._one:
            end = time.monotonic() + len(texts_) * self._seconds_a_row
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(left, LOOK_SECONDS))
                go_on()
        # Different each time, as real ones are: equal ones would take less room in an index.
        return [_prediction(random.random()) for _ in texts_]


def _prediction(chance: float) -> classifier.Prediction:
    chances = {"negative": chance, "neutral": (1 - chance) / 3, "positive": 2 * (1 - chance) / 3}
    label = max(chances, key=lambda name: chances[name])
    return classifier.Prediction(label, chances[label], chances, False, None, 1.0)


def serve(name: str, seconds_a_row: float, lifeline: int) -> None:
    """One worker, until the pipe is closed."""
    stopping = threading.Event()

    def wait() -> None:
        os.read(lifeline, 1)
        stopping.set()

    threading.Thread(target=wait, daemon=True).start()
    model = Asleep(seconds_a_row)
    with contextlib.closing(services.open_services(settings.load_settings())) as opened:
        bench = tasks.Bench(
            reader=opened.reader,
            store=opened.store,
            load=lambda _: model,
            place=opened.place,
            name=name,
            stopping=stopping,
        )
        while not stopping.is_set():  # as worker.work does
            try:
                asyncio.run(worker._serve(opened.store, bench, None))
            except (procrastinate.exceptions.ConnectorException, psycopg.Error, errors.UndertoneError) as error:
                print(f"{name}: {error}", file=sys.stderr, flush=True)


def main(count: int, seconds_a_row: float) -> None:
    """So many workers, a process each, until standard input ends."""
    reading, writing = os.pipe()
    context = multiprocessing.get_context("fork")  # what is imported is there once, and at once
    children = []
    for number in range(count):
        child = context.Process(target=_serve_alone, args=(f"asleep:{number}", seconds_a_row, reading, writing))
        child.start()
        children.append(child)
    sys.stdin.read()
    os.close(writing)
    for child in children:
        child.join()


def _serve_alone(name: str, seconds_a_row: float, reading: int, writing: int) -> None:
    os.close(writing)  # else the pipe would never be closed
    serve(name, seconds_a_row, reading)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
