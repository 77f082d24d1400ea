"""Be `streamlit run Home.py`, or say in one line that its port is taken. Called by bin/run, inside `.venv`."""

import errno
import importlib
import logging
import os
import pathlib
import socket
import sys
import threading
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


def warm_up() -> None:
    """Open the databases and start the worker now: a run that was under way goes on without waiting for a visitor."""
    from resources import worker
    from undertone import errors

    # There is no page to show the spinners on.
    logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").setLevel(logging.ERROR)
    try:
        worker.get_worker()
    except errors.UndertoneError as error:
        print(f"undertone: {error}", file=sys.stderr, flush=True)  # and every page says so


def main() -> None:
    """Check the port, then be `streamlit run Home.py`."""
    address, port = option("address", "localhost"), option("port", "8501")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, int(port)))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sys.exit(
                    f"undertone: port {port} is in use; end what uses it, or take another: bin/run --server.port 8600"
                )
            if error.errno == errno.EACCES:
                sys.exit(f"undertone: port {port} is for root only; take one above 1023: bin/run --server.port 8600")
            # Streamlit has its own words for an address that is not this machine's.
        except (ValueError, OverflowError):
            sys.exit(f"undertone: {port!r} is not a port; a port is a number from 1 to 65535")
    sys.path.insert(0, str(ROOT))
    # Whole, before the thread starts: of two threads that import Streamlit at once, each may find a half of it.
    from streamlit.web import cli

    importlib.import_module("resources.worker")
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()

    # Streamlit would otherwise move on to the next free port and leave the bookmark pointing at somebody else.
    cli.main(["run", "Home.py", "--server.port", port, *sys.argv[1:]])


if __name__ == "__main__":
    main()
