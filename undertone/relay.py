"""A relay between libpq and the server that counts what the server sends, and stops it before it is too much.

libpq takes whatever comes: a value of a gigabyte lies in this process's memory three times before anybody can count
it. So libpq connects to a socket of ours, a thread carries the bytes to the server and back, and cuts both ways as soon
as the server has sent more than was allowed. It looks at no byte: TLS, passwords and all else stay between libpq and
the server.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import socket
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import psycopg2
import psycopg2.extensions

BUFFER_BYTES = 128 * 1024
LONGEST_FOLDER = (
    60  # bytes of a directory's path, so that a Unix socket in it is below the systems' limits of about 100
)
LOOPBACK = "127.0.0.1"
KEEPALIVES = (("idle", "TCP_KEEPIDLE"), ("interval", "TCP_KEEPINTVL"), ("count", "TCP_KEEPCNT"))


class Relay:
    """Carries bytes between libpq, which is about to connect to `listener`, and `server`; closes both in the end."""

    def __init__(self, listener: socket.socket, server: socket.socket) -> None:
        self.exceeded = False  # more came than was allowed, and the connection was cut
        self.largest = 0  # the most bytes that came under one allowance
        self._allowed: int | None = None
        self._counted = 0
        self._listener = listener
        self._server = server
        threading.Thread(target=self._carry, name="undertone-relay", daemon=True).start()

    def allow(self, size: int | None) -> None:
        """Let so many bytes come from now on, None: any number. For when nothing is on its way."""
        self._counted = 0
        self._allowed = size

    def _carry(self) -> None:
        with self._server, contextlib.suppress(OSError):
            with self._listener:
                client, _ = self._listener.accept()
            with client:
                _send_at_once(client)
                self._both_ways(client)

    def _both_ways(self, client: socket.socket) -> None:
        ways = {client.fileno(): (client, self._server), self._server.fileno(): (self._server, client)}
        waiting = select.poll()
        for number in ways:
            waiting.register(number, select.POLLIN)
        buffer = memoryview(bytearray(BUFFER_BYTES))
        while True:
            for number, _ in waiting.poll():
                source, target = ways[number]
                size = source.recv_into(buffer)
                if size == 0 or (source is self._server and not self._within(size)):
                    return
                target.sendall(buffer[:size])

    def _within(self, size: int) -> bool:
        if self._allowed is None:
            return True
        self._counted += size
        self.largest = max(self.largest, self._counted)
        self.exceeded = self._counted > self._allowed
        return not self.exceeded


class Counted(psycopg2.extensions.connection):  # type: ignore[misc]
    """A connection through a relay."""

    relay: Relay


class Way:
    """The way to one server for connections whose bytes are counted; `arguments` are those of `psycopg2.connect`."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._given = arguments
        self._found: dict[str, Any] | None = None

    def connect(self) -> Counted:
        """A new connection. Raises psycopg2.OperationalError, in the words of a direct one."""
        try:
            found = self._found = self._found or self._find()
            server = _reach(found)
        except OSError as error:
            self._found = None
            psycopg2.connect(**self._given).close()  # says what is the matter
            raise psycopg2.OperationalError(error.strerror or str(error)) from error
        with _listening(found) as (listener, place):
            relay = Relay(listener, server)
            try:
                connection: Counted = psycopg2.connect(**found | place, connection_factory=Counted)
            except psycopg2.OperationalError as error:
                self._found = None
                raise psycopg2.OperationalError(_as_if_direct(str(error), found, place)) from None
        connection.relay = relay
        return connection

    def _find(self) -> dict[str, Any]:
        """The arguments with host, port and password: libpq may find them in files, and by the port that it is told."""
        given = self._given
        if all(given.get(name) for name in ("host", "port", "password")) and "," not in given["host"]:
            return given
        with contextlib.closing(psycopg2.connect(**given)) as probe:
            found = {"host": probe.info.host, "port": probe.info.port, "password": probe.info.password}
        return given | {name: value for name, value in found.items() if value}


def _reach(found: dict[str, Any]) -> socket.socket:
    """A socket connected to the server. Raises OSError."""
    seconds = float(found["connect_timeout"])
    if not _local(found):
        server = socket.create_connection((found.get("hostaddr") or found["host"], int(found["port"])), seconds)
        _send_at_once(server)
        # What libpq has been told to do; it now does so on its way to the relay only.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, option in KEEPALIVES:
            if hasattr(socket, option):
                server.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), int(found[f"keepalives_{name}"]))
        server.settimeout(None)
        return server
    server = socket.socket(socket.AF_UNIX)
    try:
        server.settimeout(seconds)
        path = f"{found['host']}/.s.PGSQL.{found['port']}"
        server.connect(f"\0{path[1:]}" if path.startswith("@") else path)
        server.settimeout(None)
    except OSError:
        server.close()
        raise
    return server


@contextlib.contextmanager
def _listening(found: dict[str, Any]) -> Iterator[tuple[socket.socket, dict[str, Any]]]:
    """A socket that takes one connection of libpq's, and the arguments that lead there. The relay closes it.

    It is of the server's own family, because libpq does without TLS on a Unix socket. There nobody else can come in. On
    the loopback somebody may be faster than libpq, and is then where they could have gone by themselves.
    """
    with contextlib.ExitStack() as stack:
        if _local(found):
            listener = socket.socket(socket.AF_UNIX)
            usual = tempfile.gettempdir()
            base = usual if len(os.fsencode(usual)) <= LONGEST_FOLDER else "/tmp"
            folder = pathlib.Path(tempfile.mkdtemp(prefix="undertone-", dir=base))  # closed to every other account
            stack.callback(folder.rmdir)
            path = folder / f".s.PGSQL.{found['port']}"
            listener.bind(str(path))
            stack.callback(path.unlink)
            place: dict[str, Any] = {"host": str(folder)}
        else:
            listener = socket.socket(socket.AF_INET)
            listener.bind((LOOPBACK, 0))
            # The host's name stays: certificates are made out to it.
            place = {"hostaddr": LOOPBACK, "port": listener.getsockname()[1]}
        listener.settimeout(float(found["connect_timeout"]) + 1)  # libpq may give up before it comes
        listener.listen(1)
        yield listener, place


def _as_if_direct(message: str, found: dict[str, Any], place: dict[str, Any]) -> str:
    """An error of libpq's with the server's place in it instead of the relay's."""
    if _local(found):
        return message.replace(place["host"], found["host"])
    return message.replace(f'"{LOOPBACK}", port {place["port"]}', f'"{found["host"]}", port {found["port"]}')


def _local(found: dict[str, Any]) -> bool:
    return not found.get("hostaddr") and str(found["host"]).startswith(("/", "@"))


def _send_at_once(end: socket.socket) -> None:
    end.settimeout(None)
    if end.family != socket.AF_UNIX:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
