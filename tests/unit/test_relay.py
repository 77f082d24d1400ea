"""What the relay promises: it carries everything, TLS included, and not a byte more than was allowed."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
import sqlalchemy

from tests import servers
from undertone import database, embedded, relay

SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


@contextlib.contextmanager
def connected(arguments: dict[str, Any]) -> Iterator[relay.Counted]:
    with contextlib.closing(relay.Way({"connect_timeout": 5} | KEEP | arguments).connect()) as connection:
        yield connection


KEEP = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


@pytest.fixture
def place(server: servers.Postgresql) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": server.dsn()["port"], "user": "postgres", "dbname": "postgres"}


def ask(connection: Any, statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_everything_is_carried_both_ways(place: dict[str, Any]) -> None:
    long = "ü" * 3_000_000
    with connected(place) as connection:
        assert ask(connection, f"SELECT '{long}'") == long
        assert connection.info.host == "127.0.0.1"


def test_as_many_bytes_as_were_allowed_come_and_then_no_more(place: dict[str, Any]) -> None:
    with connected(place) as connection:
        connection.relay.allow(1_001_000)
        assert len(ask(connection, "SELECT repeat('x', 1000000)")) == 1_000_000
        assert not connection.relay.exceeded
        assert 1_000_000 < connection.relay.largest < 1_001_000
        connection.relay.allow(1_001_000)
        with pytest.raises(psycopg2.OperationalError):
            ask(connection, "SELECT repeat('x', 1002000)")
        assert connection.relay.exceeded
        assert connection.closed


def test_an_allowance_is_lifted_again(place: dict[str, Any]) -> None:
    with connected(place) as connection:
        connection.relay.allow(1000)
        ask(connection, "SELECT 1")
        connection.relay.allow(None)
        assert len(ask(connection, "SELECT repeat('x', 100000)")) == 100_000


def test_the_server_notices_that_its_client_has_gone(place: dict[str, Any], server: servers.Postgresql) -> None:
    with contextlib.closing(psycopg2.connect(**server.dsn(database="postgres"))) as other:
        other.autocommit = True
        with connected(place) as connection:
            pid = connection.info.backend_pid
        while ask(other, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"):
            pass


def test_no_thread_stays_behind(place: dict[str, Any]) -> None:
    before = {thread for thread in threading.enumerate() if thread.name == "undertone-relay"}
    with connected(place):
        (mine,) = {thread for thread in threading.enumerate() if thread.name == "undertone-relay"} - before
    mine.join(10)
    assert not mine.is_alive()


def test_an_error_of_the_connection_is_that_of_a_direct_one(place: dict[str, Any]) -> None:
    for wrong in ({"dbname": "nowhere"}, {"port": 1}, {"host": "localhost", "user": "nobody there"}):
        with pytest.raises(psycopg2.OperationalError) as direct:
            psycopg2.connect(**place | wrong)
        with pytest.raises(psycopg2.OperationalError) as relayed, connected(place | {"password": "x"} | wrong):
            pass
        # libpq adds the address that it found for a name.
        assert str(relayed.value) == str(direct.value).replace(" (127.0.0.1)", "").replace(" (::1)", "")


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
def test_tls_goes_through_with_the_certificate_checked(place: dict[str, Any], tmp_path: pathlib.Path) -> None:
    """The packaged server has no TLS, so it stands behind a gate that has: what the relay sees is the same."""
    files = tmp_path / "certificate", tmp_path / "key"
    command = ["openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    context.set_alpn_protocols(["postgresql"])

    def carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                assert plain.recv(8) == SSL_REQUEST
                plain.sendall(b"S")
                with contextlib.suppress(ssl.SSLError):  # the one that does not trust us
                    secret = context.wrap_socket(plain, server_side=True)
                    behind = socket.create_connection((place["host"], place["port"]))
                    threading.Thread(target=carry, args=(secret, behind), daemon=True).start()
                    threading.Thread(target=carry, args=(behind, secret), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        trusting = place | {"sslmode": "verify-full", "sslrootcert": str(files[0]), "password": "x"}
        trusting |= {"host": "localhost", "port": listener.getsockname()[1]}
        with connected(trusting) as connection:
            assert connection.info.ssl_in_use
            connection.relay.allow(200_000)
            assert len(ask(connection, "SELECT repeat('x', 100000)")) == 100_000
            connection.relay.allow(200_000)
            with pytest.raises(psycopg2.OperationalError):
                ask(connection, "SELECT repeat('x', 300000)")
            assert connection.relay.exceeded
        with (
            pytest.raises(psycopg2.OperationalError, match="does not match host name"),
            connected(trusting | {"host": "127.0.0.1"}),
        ):
            pass


def test_a_password_from_a_file_is_found_by_the_servers_own_port(
    place: dict[str, Any], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"127.0.0.1:{place['port']}:*:*:hunter2\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    with connected(place) as connection:
        assert connection.info.password == "hunter2"
        assert connection.info.port != place["port"]


def test_a_pool_counts_from_when_it_is_first_asked_to(
    place: dict[str, Any], data_address: Callable[[], sqlalchemy.URL]
) -> None:
    with contextlib.closing(database.Database(data_address(), name="data", size=1)) as pool:
        with pool.lend() as connection:
            assert not isinstance(connection, relay.Counted)
        with pool.lend_counted(1) as counted:
            assert isinstance(counted, relay.Counted)
        with pool.lend() as connection:
            assert connection is counted
        with pool.lend(), pytest.raises(database.PoolFull), pool.lend_counted(0.1):
            pass


@pytest.fixture
def data_address(place: dict[str, Any]) -> Callable[[], sqlalchemy.URL]:
    return lambda: sqlalchemy.URL.create(
        "postgresql+psycopg2", embedded.READER, None, place["host"], place["port"], "undertone"
    )
