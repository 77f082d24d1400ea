"""Work that goes on in a thread of its own while its page is shown: how long it has taken, and the way to stop it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from undertone import errors

log = logging.getLogger(__name__)


class Work:
    """Something on its way. When it is `done`, `error` says what went wrong, if anything did."""

    def __init__(self) -> None:
        self.error: errors.UndertoneError | None = None
        self._began = time.monotonic()
        self._took: float | None = None
        self._cancel = threading.Event()
        self._done = threading.Event()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._done.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants it stopped."""
        return self._cancel.is_set()

    @property
    def elapsed(self) -> float:
        """Seconds that it has taken."""
        return time.monotonic() - self._began if self._took is None else self._took

    def cancel(self) -> None:
        """Stop it, here and in the database."""
        self._cancel.set()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, at most so long; whether it came."""
        return self._done.wait(seconds)

    def run(self, do: Callable[[], None], what: str) -> None:
        """Do it to its end, of which `error` tells how it was. Nothing of what nobody foresaw is shown, but logged."""
        try:
            do()
        except errors.UndertoneError as error:
            self.error = error
        except Exception:
            log.exception("%s ended in an error that nobody foresaw", what)
            self.error = errors.UndertoneError(f"Something went wrong here, not in {what}; the app's log has it.")
        self._end(self.elapsed)

    def _end(self, took: float) -> None:
        self._took = took
        self._done.set()
