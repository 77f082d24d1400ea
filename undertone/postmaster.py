"""The embedded server seen as processes: does it run, and what did it leave behind when it was killed?"""

from __future__ import annotations

import contextlib
import pathlib
import time

import psutil

PATIENCE_SECONDS = 5.0  # for backends that have lost their postmaster; they notice by themselves, unless they are busy


def running_pid(data: pathlib.Path) -> int | None:
    """The pid of the postmaster of `data`; None when it does not run.

    A pid in the file proves nothing: it may be a zombie's, or have been given to another program since.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or process.cwd() != str(data.resolve()):
            return None
    except (OSError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return pid


def identity(data: pathlib.Path) -> str:
    """The pid and the start time of the postmaster of `data`."""
    return "\n".join((data / "postmaster.pid").read_text().splitlines()[:3])


def clear_leftovers(data: pathlib.Path, socket: pathlib.Path, port: int) -> None:
    """Make way for a new postmaster after the last one was killed. Under the start lock, with no postmaster alive.

    Its backends notice within moments, but a busy one may live on and write: they must be gone first. Then the lock
    files go, because PostgreSQL takes them for valid when their pid has been given to another program.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while orphans := [process for process in psutil.process_iter() if _works_in(process, data)]:
        if time.monotonic() > deadline:
            for process in orphans:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        time.sleep(0.02)
    (data / "postmaster.pid").unlink(missing_ok=True)
    for leftover in (f".s.PGSQL.{port}", f".s.PGSQL.{port}.lock"):
        (socket / leftover).unlink(missing_ok=True)


def end_initialisation(fresh: pathlib.Path) -> None:
    """Kill an initdb that outlived its starter: it would write into the next one's files. Under the start lock."""
    while orphans := [it for it in psutil.process_iter() if _works_in(it, fresh) or _initialises(it, fresh)]:
        for process in orphans:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.02)


def _initialises(process: psutil.Process, fresh: pathlib.Path) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.cmdline()[1:3] == ["-D", str(fresh)])
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False


def _works_in(process: psutil.Process, data: pathlib.Path) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(data.resolve()))
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False
