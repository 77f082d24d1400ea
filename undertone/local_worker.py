"""The local worker, a child process: started by the app or by `score`, again when it dies, and ended with them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from undertone import errors, settings

LOOK_SECONDS = 1.0
STOP_SECONDS = 20.0
CLAIM_SECONDS = 0.5
ROOT = pathlib.Path(__file__).parent.parent


class WorkerError(errors.UndertoneError):
    """A worker that cannot be started; the message says why."""


@contextlib.contextmanager
def claim(home: pathlib.Path, seconds: float = CLAIM_SECONDS) -> Iterator[None]:
    """Be the local worker of a home while the `with` lasts. Raises WorkerError when there is one.

    Whoever only looks (`claimed`) holds the lock for a moment too, so it is tried again for some `seconds`.
    """
    home.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + seconds
    with (home / "worker.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise WorkerError(f"A local worker is at work in {home} already") from None
                time.sleep(0.02)
        yield


def claimed(home: pathlib.Path) -> bool:
    """Whether a local worker is at work in a home."""
    try:
        with claim(home, seconds=0):
            return False
    except WorkerError:
        return True


class LocalWorker:
    """Sees to it that one local worker is at work in the home, whoever has started it."""

    def __init__(self, chosen: settings.Settings) -> None:
        self.home = chosen.home
        self.log = chosen.home / "worker.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="local worker", daemon=True)

    def start(self) -> None:
        """Start the worker, and go on seeing to it. Returns at once."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether a local worker is at work, this process's or another's."""
        return claimed(self.home)

    def stop(self) -> None:
        """End the worker that this process has started; what it has in hand goes back into the queue."""
        self._stopping.set()
        self._thread.join(LOOK_SECONDS + 5)
        if self._child is None or self._child.poll() is not None:
            return
        self._child.terminate()
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _watch(self) -> None:
        pause, started = LOOK_SECONDS, 0.0
        while not self._stopping.is_set():
            running = self._child is not None and self._child.poll() is None
            if not running and not self.alive:
                # One that dies at once is not started again and again without a breath.
                pause = min(30.0, pause * 2) if time.monotonic() - started < 10 else LOOK_SECONDS
                started = time.monotonic()
                self._child = self._spawn()
            self._stopping.wait(pause if not running else LOOK_SECONDS)

    def _spawn(self) -> subprocess.Popen[bytes]:
        # Its own session: Ctrl-C in the terminal is for the app, which then ends the worker in order.
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "undertone", "worker", "--local"],
                cwd=ROOT,
                env={**os.environ, "UNDERTONE_HOME": str(self.home)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
