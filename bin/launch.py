"""Become `streamlit run Home.py`, or say in one line that its port is taken. Called by bin/run, inside `.venv`."""

import errno
import os
import pathlib
import socket
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def option(name: str, default: str) -> str:
    """The value of a server option as Streamlit would take it: command line, environment, configuration, default."""
    for index, word in enumerate(sys.argv):
        if word.startswith(f"--server.{name}="):
            return word.split("=", 1)[1]
        if word == f"--server.{name}" and index + 1 < len(sys.argv):
            return sys.argv[index + 1]
    configured = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text()).get("server", {})
    return os.environ.get(f"STREAMLIT_SERVER_{name.upper()}", str(configured.get(name, default)))


def main() -> None:
    """Check the port, then hand this process over to Streamlit."""
    address, port = option("address", "localhost"), option("port", "8501")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, int(port)))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sys.exit(f"undertone: port {port} is in use; end what uses it, or take another: bin/run --server.port 8600")
            if error.errno == errno.EACCES:
                sys.exit(f"undertone: port {port} is for root only; take one above 1023: bin/run --server.port 8600")
            # Streamlit has its own words for an address that is not this machine's.
        except (ValueError, OverflowError):
            sys.exit(f"undertone: {port!r} is not a port; a port is a number from 1 to 65535")
    # Streamlit would otherwise move on to the next free port and leave the bookmark pointing at somebody else.
    command = [sys.executable, "-m", "streamlit", "run", "Home.py", "--server.port", port, *sys.argv[1:]]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
