"""Undertone as a person runs it: bin/run in a home of its own, and a browser to look at it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests import ground

ROOT = pathlib.Path(__file__).parent.parent
WAIT_SECONDS = 120.0
# Below those that a system gives to connections: what takes seconds to listen finds its port still free then.
PORTS = range(20_000, 32_000)
_chance = random.Random()


@dataclass
class Home:
    """A home for an embedded server, and the commands that are run on it."""

    path: pathlib.Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {
            name: value
            for name, value in os.environ.items()
            # Converting the model takes ten seconds, choosing an engine for it longer: all homes share one cache.
            if not name.startswith(("PG", "UNDERTONE_")) or name == "UNDERTONE_MODEL_CACHE"
        }
        # Neither a machine's own postgres nor its initdb may be what makes a test pass.
        folders = kept.get("PATH", "").split(os.pathsep)
        kept["PATH"] = (
            os.pathsep.join(
                folder
                for folder in folders
                if not any((pathlib.Path(folder) / name).exists() for name in ("initdb", "postgres"))
            )
            or "/usr/bin:/bin"
        )
        # An engine is chosen for a number of threads: the tests have one number.
        self.environment = kept | {"UNDERTONE_HOME": str(self.path), "UNDERTONE_THREADS": "1"} | self.environment

    def command(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """`python -m undertone …` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "undertone", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
            **more,
        )

    def processes(self, *words: str) -> list[psutil.Process]:
        """Living processes that have this home in their environment and all the words in their command line."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                line = " ".join(process.cmdline())
                ours = process.environ().get("UNDERTONE_HOME") == str(self.path) or str(self.path) in line
                if ours and all(word in line for word in words) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found


@contextlib.contextmanager
def home() -> Iterator[Home]:
    """A new home, under a directory that the server's account can pass; nothing of it is left afterwards."""
    path = ground.new("home")
    made = Home(path)
    try:
        yield made
    finally:
        for process in made.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        wait_until(lambda: not made.processes(), "every process of the home has ended")
        shutil.rmtree(path, ignore_errors=True)


def wait_until(true: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS, every: float = 0.1) -> Any:
    """Wait until something is so, with a look `every` so many seconds; its value. Fails with what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(every)
    raise AssertionError(f"waited {seconds:.0f} s in vain until {what}")


def free_port() -> int:
    """A port that nobody uses at the moment."""
    while True:
        port = _chance.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class App:
    """A running app."""

    home: Home
    process: subprocess.Popen[bytes]
    address: str
    log: pathlib.Path

    def answers(self) -> bool:
        """Whether it answers at its address."""
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2) as answer,
        ):
            return bool(answer.status == 200)
        return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(60)


@contextlib.contextmanager
def app(home: Home, command: tuple[str, ...] = (str(ROOT / "bin" / "run"),)) -> Iterator[App]:
    """`bin/run`, or another command, on a free port, until the `with` ends."""
    port = free_port()
    log = home.path / "app.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--server.port", str(port)],
            cwd=ROOT,
            env=home.environment | {"PYTHON": sys.executable},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    running = App(home, process, f"http://localhost:{port}", log)
    try:
        try:
            wait_until(lambda: running.answers() or process.poll() is not None, f"the app answers at {running.address}")
            assert process.poll() is None, "the app has ended"
        except AssertionError as error:
            raise AssertionError(f"{error}; it said:\n{log.read_text()[-4000:]}") from None
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
