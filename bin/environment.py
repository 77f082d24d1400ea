"""Make `.venv` and install into it what the named requirements files ask for; nothing where that is already so.

Called by bin/run and bin/test with any Python of at least 3.11; uses the standard library alone.
"""

import fcntl
import hashlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def fail(message: str) -> None:
    """End with one line that says what to do."""
    sys.exit(f"undertone: {message}")


def works(command: list[str]) -> bool:
    """Whether a command runs and succeeds, whatever it prints."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make() -> None:
    """Create the environment where there is none that works."""
    if works([str(PYTHON), "-c", "import sys, pip; assert sys.version_info >= (3, 11)"]):
        return
    if not works([sys.executable, "-c", "import venv, ensurepip"]):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        fail(f"this Python has no venv module; install it (on Debian and Ubuntu: apt install python{version}-venv)")
    print("Making .venv …", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        fail(f"the virtual environment {VENV} cannot be made: {reason[-1]}")


def install(requirements: list[pathlib.Path]) -> None:
    """Install the requirements, unless exactly these are installed already."""
    # A stamp for each file, so that bin/run after bin/test installs nothing.
    stamps = {VENV / f".installed-{path.stem}": hashlib.sha256(path.read_bytes()).hexdigest() for path in requirements}
    if all(stamp.exists() and stamp.read_text() == wanted for stamp, wanted in stamps.items()):
        return
    print("Installing the requirements, once: 2 GB or more, a few minutes …", flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for path in requirements:
        command += ["--requirement", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        fail(f"the requirements could not be installed, for which the network is needed once: {(reasons or ['?'])[0]}")
    for stamp, wanted in stamps.items():
        stamp.write_text(wanted)


def main() -> None:
    """Make and install, one process at a time."""
    try:
        # Outside .venv, which --clear empties.
        lock = os.open(ROOT, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        make()
        install([ROOT / name for name in sys.argv[1:]])
    except OSError as error:
        fail(f"{error.filename or VENV}: {error.strerror}")


if __name__ == "__main__":
    main()
