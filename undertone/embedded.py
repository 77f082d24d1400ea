"""The embedded PostgreSQL: a real server that Undertone starts where nobody has given it one.

One cluster lives in `UNDERTONE_HOME`. Any number of Undertone's processes may use it at once; whichever comes first
starts it, whichever leaves last stops it, and whoever is killed leaves something that the next one can adopt:

- `start.lock` is held exclusively while somebody starts, initialises or stops;
- `users.lock` is held shared by every process that uses the server: a reference count that `kill -9` releases.

The server listens on a Unix socket only and asks for SCRAM passwords. Four roles: the superuser, used here alone to
initialise and to set rights; `undertone_owner` for Undertone's own tables and what was brought in; `undertone_reader`,
SELECT only, for every question about the data; `undertone_scores_reader`, the same for scores and runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from typing import IO, Any

import psutil
import psycopg2
import psycopg2.extensions
import psycopg2.sql
import sqlalchemy

from undertone import database, postmaster, privileges
from undertone.privileges import ServerError

SUPERUSER, OWNER = "postgres", "undertone_owner"
READER, SCORES_READER = "undertone_reader", "undertone_scores_reader"
ROLES = (SUPERUSER, OWNER, READER, SCORES_READER)
DATABASE = "undertone"
PORT = 5432
SOCKET_PATH_LIMIT = 107  # bytes of a Unix socket's path, on Linux; macOS has 103
START_SECONDS = 120.0  # recovery after a crash replays the log before it accepts anybody
STOP_SECONDS = 30.0
SQL = pathlib.Path(__file__).parent.parent / "sql" / "embedded"
OPTIONS = {
    "listen_addresses": "",
    "port": PORT,
    "max_connections": 200,
    "password_encryption": "scram-sha-256",
    "client_connection_check_interval": "2s",
    # A statement that failed may hold a password or somebody's text: the log names the error only.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": 0,
    "log_line_prefix": "%m [%p] ",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_compression": "on",
    "max_wal_size": "512MB",
}


class EmbeddedServer:
    """The cluster in one home directory. Cheap to make; `start` does the work."""

    def __init__(self, home: pathlib.Path, account: str = "nobody") -> None:
        self.home = home
        self.account = privileges.account_for(account)
        self._users: IO[str] | None = None
        self._state: dict[str, Any] = {}

    @property
    def directory(self) -> pathlib.Path:
        """Where the cluster lies: `postgres` in the home, or where `account` can reach it."""
        return pathlib.Path(self._state["directory"] or self.home / "postgres")

    @property
    def data(self) -> pathlib.Path:
        """The server's data directory."""
        return self.directory / "data"

    @property
    def log(self) -> pathlib.Path:
        """The server's log."""
        return self.directory / "server.log"

    def start(self) -> None:
        """Use the server: start it, or adopt the one that runs. Held until `release` or this process's end.

        Raises ServerError with one line when it cannot.
        """
        try:
            privileges.make_directories(self.home, self.account)
            with self._starting():
                self._prepare()
                first = self._users is None
                if self._users is None:
                    self._users = (self.home / "users.lock").open("a")
                    fcntl.flock(self._users, fcntl.LOCK_SH)
                try:
                    if not self._adopt():
                        self._launch()
                    if not self._has_rights():
                        self._set_rights()
                except BaseException:  # Ctrl-C, too, must not leave a server that nobody uses
                    if first:
                        self._leave()
                    raise
        except psycopg2.Error as error:
            said = " ".join(str(error).split())
            raise ServerError(f"the embedded PostgreSQL in {self.home} does not answer: {said}") from error
        except PermissionError as error:
            raise ServerError(
                f"{error.filename or self.home} is closed to this account; set UNDERTONE_HOME to a directory of its own"
            ) from None
        except OSError as error:
            raise ServerError(f"the embedded PostgreSQL cannot be started in {self.home}: {error.strerror}") from error

    def release(self) -> None:
        """Stop using the server; whoever is the last to leave stops it."""
        if self._users is not None:
            with self._starting():
                self._leave()

    def _leave(self) -> None:
        """As `release`, under the start lock."""
        assert self._users is not None
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # somebody else uses it
        else:
            self._stop()
        self._users.close()
        self._users = None

    def address(self, role: str) -> sqlalchemy.URL:
        """The address of the database for `OWNER` or `READER`. The server must have been started once."""
        return self._address(role, DATABASE)

    def running(self) -> bool:
        """Whether the postmaster of this very cluster is alive."""
        return postmaster.running_pid(self.data) is not None

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        with (self.home / "start.lock").open("a") as lock:
            deadline = time.monotonic() + START_SECONDS + STOP_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise ServerError(
                            f"another process has been starting the embedded PostgreSQL in {self.home} for too long;"
                            " end it and try again"
                        ) from None
                    time.sleep(0.05)
            yield

    def _prepare(self) -> None:
        """Read, or make once, what must outlive every process: where the cluster lies, and its passwords."""
        path = self.home / "cluster.json"
        if not path.exists():
            self._write_state(path, {"directory": self._choose_directory(), "passwords": _passwords(ROLES)})
        try:
            self._state = json.loads(path.read_text())
        except ValueError:
            raise ServerError(f"{path} is damaged: put it back from a backup, the passwords in it are needed") from None
        # A cluster of an earlier version has fewer roles.
        if missing := [role for role in ROLES if role not in self._state["passwords"]]:
            self._state["passwords"] |= _passwords(missing)
            self._write_state(path, self._state)

    def _write_state(self, path: pathlib.Path, state: dict[str, Any]) -> None:
        descriptor, name = tempfile.mkstemp(prefix="cluster.new-", dir=self.home)
        with os.fdopen(descriptor, "w") as file:  # mkstemp makes it readable by this account alone
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        pathlib.Path(name).rename(path)

    def _choose_directory(self) -> str | None:
        """None for `postgres` in the home, so that a home can be moved with all that is in it."""
        if self.account.can("-x", self.home):
            return None
        # As root under a closed directory: opening it would be touching what is not ours.
        return f"/var/lib/undertone/cluster-{secrets.token_hex(6)}"

    def _socket_directory(self) -> pathlib.Path:
        inside = self.directory / "socket"
        if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT - 4:
            return inside
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return pathlib.Path("/tmp") / f"undertone-{os.geteuid()}-{digest}"

    def _own_directory(self, path: pathlib.Path) -> None:
        """Make `path` the account's alone, refusing one that somebody else has put there first."""
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            self.account.own(path)
        found = path.lstat()
        expected = os.geteuid() if self.account.uid is None else self.account.uid
        if path.is_symlink() or found.st_uid not in (expected, os.geteuid()):
            raise ServerError(f"{path} belongs to somebody else; remove it or set UNDERTONE_HOME elsewhere")
        self.account.own(path)

    def _adopt(self) -> bool:
        """Whether the server runs, once it answers: whoever started it may have been killed while it came up."""
        deadline = time.monotonic() + START_SECONDS
        while self.running():
            if self._answers():
                return True
            if time.monotonic() > deadline:
                raise ServerError(
                    f"the embedded PostgreSQL did not answer within {START_SECONDS:.0f} s (log: {self.log})"
                )
            time.sleep(0.05)
        return False

    def _launch(self) -> None:
        """Start the server, initialising it first where there is none. Under the start lock."""
        privileges.make_directories(self.directory.parent, self.account)
        self._own_directory(self.directory)
        binaries = privileges.reachable_binaries(self.account, self.directory)
        if not self.data.exists():
            self._initialise(binaries)
        postmaster.clear_leftovers(self.data, self._socket_directory(), PORT)
        self._own_directory(self._socket_directory())
        options = OPTIONS | {"unix_socket_directories": str(self._socket_directory())}
        command = [str(binaries / "postgres"), "-D", str(self.data)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            start = log.tell()
            # A session of its own: Ctrl-C in the terminal is for the app, which then stops the server in order.
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **self.account.popen)
        self._wait_until_ready(process, start)

    def _initialise(self, binaries: pathlib.Path) -> None:
        fresh = self.directory / "data.new"
        postmaster.end_initialisation(fresh)
        if fresh.exists():  # left by a process that was killed here
            shutil.rmtree(fresh)
        password_file = self.directory / "password"
        password_file.unlink(missing_ok=True)
        with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self._state["passwords"][SUPERUSER])
        self.account.own(password_file)
        command = [str(binaries / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "-A", "scram-sha-256"]
        command += [f"--pwfile={password_file}", "-E", "UTF8", "--no-locale", "--data-checksums"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=START_SECONDS, check=False, **self.account.popen
            )
        except subprocess.TimeoutExpired:
            raise ServerError(f"initdb did not finish within {START_SECONDS:.0f} seconds in {fresh}") from None
        finally:
            password_file.unlink(missing_ok=True)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise ServerError(f"initdb failed in {fresh}: {lines[-1]}")
        fresh.rename(self.data)

    def _wait_until_ready(self, process: subprocess.Popen[bytes], log_start: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                with self.log.open("rb") as log:
                    log.seek(log_start)
                    lines = log.read().decode(errors="replace").strip().splitlines()
                fatal = [line for line in lines if "FATAL" in line or "PANIC" in line] or lines or ["no message"]
                raise ServerError(f"the embedded PostgreSQL ended as it started: {fatal[0]} (log: {self.log})")
            if self._answers():
                return
            time.sleep(0.05)
        raise ServerError(f"the embedded PostgreSQL did not answer within {START_SECONDS:.0f} s (log: {self.log})")

    def _answers(self) -> bool:
        try:
            self._connect(SUPERUSER, "postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def _has_rights(self) -> bool:
        """Whether this run of the server has had its rights set: whoever started it may have been killed before."""
        try:
            return (self.home / "rights").read_text() == self._rights()
        except OSError:
            return False

    def _rights(self) -> str:
        """Which run of the server has which rights: another version of Undertone may have other ones."""
        said = b"".join((SQL / name).read_bytes() for name in ("cluster.sql", "database.sql"))
        return f"{postmaster.identity(self.data)}\n{hashlib.sha256(said).hexdigest()}"

    def _set_rights(self) -> None:
        with contextlib.closing(self._connect(SUPERUSER, "postgres")) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute((SQL / "cluster.sql").read_text())
                for role in (OWNER, READER, SCORES_READER):
                    # Hashed here, so that the password itself is never part of a statement.
                    secret = psycopg2.extensions.encrypt_password(
                        self._state["passwords"][role], role, scope=connection, algorithm="scram-sha-256"
                    )
                    statement = psycopg2.sql.SQL("ALTER ROLE {} PASSWORD {}")
                    cursor.execute(statement.format(psycopg2.sql.Identifier(role), psycopg2.sql.Literal(secret)))
                cursor.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        with contextlib.closing(self._connect(SUPERUSER, DATABASE)) as connection, connection:
            connection.cursor().execute((SQL / "database.sql").read_text())
        (self.home / "rights").write_text(self._rights())

    def _stop(self) -> None:
        pid = postmaster.running_pid(self.data)
        if pid is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.send_signal(signal.SIGINT)  # fast shutdown: sessions end, everything committed is kept
            try:
                process.wait(STOP_SECONDS)
            except psutil.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)  # recovery at the next start makes up for it
        socket = self._socket_directory()
        if socket.parent != self.directory:
            shutil.rmtree(socket, ignore_errors=True)

    def _address(self, role: str, database: str) -> sqlalchemy.URL:
        return sqlalchemy.URL.create(
            "postgresql+psycopg2",
            username=role,
            password=self._state["passwords"][role],
            # The port is named, so that a PGPORT of the client's environment does not count.
            port=PORT,
            database=database,
            query={"host": str(self._socket_directory())},
        )

    def _connect(self, role: str, database: str) -> Any:
        return psycopg2.connect(
            host=str(self._socket_directory()),
            port=PORT,
            user=role,
            password=self._state["passwords"][role],
            dbname=database,
            connect_timeout=10,
        )


def share_runs(store: database.Database) -> None:
    """Let the reader of scores see the runs that made them; after the store's tables are there."""
    with store.lend() as connection:
        connection.cursor().execute((SQL / "scores.sql").read_text())
        connection.commit()


def _passwords(roles: Iterable[str]) -> dict[str, str]:
    return {role: secrets.token_urlsafe(24) for role in roles}
