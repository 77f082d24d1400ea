"""Fixtures of the tests of the command line: a home with a server in it, and commands in this process or in their own.

home     an embedded server's home, for a module
run      run a command in this process, as `python -m undertone` does
start    start a command as a process of its own
"""

from __future__ import annotations

import io
import os
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests import ground
from tests.unit import command_line
from undertone import cli, embedded


@pytest.fixture(scope="module")
def home() -> Iterator[pathlib.Path]:
    path = ground.new("home")
    server = embedded.EmbeddedServer(path)
    server.start()  # kept, so that not every command starts it anew
    yield path
    for process in command_line.at_work(path):  # none, unless a test has failed
        process.kill()
    server.release()
    assert not server.running()
    shutil.rmtree(path)


@pytest.fixture
def run(
    home: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[command_line.Run]:
    """Run a command in this process, as `python -m undertone` does."""
    monkeypatch.setenv("UNDERTONE_HOME", str(home))
    monkeypatch.setenv("UNDERTONE_THREADS", "1")
    before = {number: signal.getsignal(number) for number in command_line.SIGNALS}

    def call(*arguments: str, stdin: bytes = b"", **environment: str) -> command_line.Answer:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["undertone", *arguments])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            with pytest.raises(SystemExit) as ended:
                cli.main()
        sys.stdout.flush()
        said = capfdbinary.readouterr()
        return command_line.Answer(int(ended.value.code or 0), said.out, said.err.decode())

    yield call
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def start(home: pathlib.Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a command as a process of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def call(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-m", "undertone", *arguments],
            cwd=command_line.ROOT,
            env={**os.environ, "UNDERTONE_HOME": str(home), "UNDERTONE_THREADS": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(child)
        return child

    yield call
    for child in started:
        if child.poll() is None:
            child.kill()
        child.communicate()
