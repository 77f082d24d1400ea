"""What bin/run says when it cannot start: one clear line, and nothing is left half made."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import subprocess
import sys

import pytest

from tests import running

PROGRAMS = ("dirname", "env", "sh", "id")


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    """A clone without an environment of its own."""
    for name in ("bin", ".streamlit"):
        shutil.copytree(running.ROOT / name, tmp_path / name)
    for name in ("requirements.txt", "requirements-dev.txt"):
        shutil.copy(running.ROOT / name, tmp_path / name)
    return tmp_path


def run(checkout: pathlib.Path, path: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "bin" / "run")],
        env={"PATH": path, "HOME": str(checkout), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def programs(folder: pathlib.Path, **scripts: str) -> str:
    """A PATH with the few programs that a shell script needs, and these scripts."""
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_no_python_is_one_clear_line(checkout: pathlib.Path) -> None:
    done = run(checkout, programs(checkout / "programs"))
    assert done.returncode == 1
    assert done.stderr.startswith("undertone: Python 3.11 or newer is needed")
    assert len(done.stderr.splitlines()) == 1


def test_an_old_python_is_one_clear_line(checkout: pathlib.Path) -> None:
    done = run(checkout, programs(checkout / "programs", python3="exit 1"))
    assert done.returncode == 1
    assert done.stderr.startswith("undertone: Python 3.11 or newer is needed")
    assert not (checkout / ".venv").exists()


# Runs bin/environment.py as a Python whose venv cannot be imported.
WITHOUT_VENV = """
import runpy, sys
sys.executable = "/bin/false"
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_no_venv_module_is_one_clear_line(checkout: pathlib.Path) -> None:
    (checkout / "without_venv.py").write_text(WITHOUT_VENV)
    # Everything but the question for venv goes to this Python.
    script = f'case "$*" in *environment.py*) set -- {checkout}/without_venv.py "$@";; esac; exec {sys.executable} "$@"'
    done = run(checkout, programs(checkout / "programs", python3=script))
    assert done.returncode == 1
    assert "has no venv module" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (checkout / ".venv").exists()


def test_a_busy_port_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, str(running.ROOT / "bin" / "launch.py"), "--server.port", port],
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"undertone: port {port} is in use")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("port", ["many", "0x", "99999999"])
def test_a_port_that_is_none_is_one_clear_line(port: str) -> None:
    done = subprocess.run(
        [sys.executable, str(running.ROOT / "bin" / "launch.py"), f"--server.port={port}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"undertone: '{port}' is not a port; a port is a number from 1 to 65535\n"


# Runs bin/launch.py up to the start of its thread, and says which of the modules were whole by then.
UP_TO_THE_THREAD = """
import runpy, sys, threading
def start(thread):
    names = ("streamlit", "streamlit.web.cli", "resources.worker", "undertone.errors")
    print([name for name in names if name in sys.modules and not sys.modules[name].__spec__._initializing])
    sys.exit()
threading.Thread.start = start
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_streamlit_is_whole_before_a_second_thread_asks_for_it() -> None:
    launch = str(running.ROOT / "bin" / "launch.py")
    done = subprocess.run(
        [sys.executable, "-c", UP_TO_THE_THREAD, launch, "--server.port", str(running.free_port())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "['streamlit', 'streamlit.web.cli', 'resources.worker', 'undertone.errors']\n", done.stderr


def test_a_second_start_installs_nothing(checkout: pathlib.Path) -> None:
    """The environment of these very tests stands for one that bin/run has made."""
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "bin").mkdir()
    (checkout / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (checkout / ".venv" / "bin" / "python").chmod(0o755)
    environment = [sys.executable, str(checkout / "bin" / "environment.py"), "requirements.txt"]
    (checkout / "requirements.txt").write_text("")
    first = subprocess.run(environment, capture_output=True, text=True, check=True)
    assert "Installing" in first.stdout
    second = subprocess.run(environment, capture_output=True, text=True, check=True)
    assert second.stdout == ""
    (checkout / "requirements.txt").write_text("# changed\n")
    third = subprocess.run(environment, capture_output=True, text=True, check=True)
    assert "Installing" in third.stdout
