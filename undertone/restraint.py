"""Limits of the operating system's for the processes that answer people's statements on a server of our own.

PostgreSQL has no limit on what a session's memory may grow to. The system has one: a session that wants more gets
"out of memory" as an error of its own, and all the others notice nothing.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess

from undertone import database, privileges

NICENESS = 5  # more than ours, of 19: others come first where the processors are all at work


def restrain(connection: database.Connection, account: privileges.Account, memory: int) -> None:
    """Let the server's process behind `connection` have so many bytes of its own, and let others' go before it.

    Without a word where the system does not allow it: it is one layer of several. `account` is whose process it is.
    """
    pid = connection.info.backend_pid
    with contextlib.suppress(OSError):
        # More than what asks, which may have been started with a low priority itself.
        os.setpriority(os.PRIO_PROCESS, pid, min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS))
    # Not RLIMIT_AS, which counts what all share, and the stack: one that cannot grow ends the process, and the server
    # then starts anew for everybody.
    try:
        resource.prlimit(pid, resource.RLIMIT_DATA, (memory, memory))
    except AttributeError:  # only Linux has it
        return
    except OSError:  # in a container root may not do it to another account's process; that account may
        if program := shutil.which("prlimit"):
            command = [program, f"--pid={pid}", f"--data={memory}"]
            subprocess.run(command, check=False, capture_output=True, **account.popen)
