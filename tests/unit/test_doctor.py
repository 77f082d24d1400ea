"""What the doctor promises: it tries to break the read-only promise, and says so when somebody could."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Callable, Iterator

import psycopg2
import pytest
import sqlalchemy
from psycopg2 import sql

from tests import servers
from undertone import attempts, database, doctor, embedded, rights, services, settings

Execute = Callable[..., list[tuple[object, ...]]]
Open = Callable[[str], services.Services]


@pytest.fixture
def open_as(
    place: Callable[[str], sqlalchemy.URL], store_pool: database.Database, tmp_path: pathlib.Path
) -> Iterator[Open]:
    """The services, with the data asked by the account that is named."""
    with contextlib.ExitStack() as stack:

        def build(role: str) -> services.Services:
            pools = [
                stack.enter_context(contextlib.closing(database.Database(place(role), name="data", read_only=True)))
                for _ in "12"
            ]
            return services.Services(
                settings=settings.load_settings(home=tmp_path / "home"),
                server=None,
                data=pools[0],
                store=store_pool,
                console=pools[1],
            )

        yield build


@pytest.fixture
def no_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempts take a second; left out where they are not the point."""
    monkeypatch.setattr(attempts, "ATTEMPTS", ())


def by_name(findings: list[doctor.Finding]) -> dict[str, doctor.Finding]:
    assert len({finding.what for finding in findings}) == len(findings)
    return {finding.what: finding for finding in findings}


def everything(execute: Execute) -> object:
    """All that an attempt could have left: relations, large objects, settings, sessions' locks, roles."""
    relations = execute("SELECT oid::regclass::text, relkind FROM pg_class WHERE relkind <> 'i' ORDER BY 1")
    objects = execute("SELECT count(*) FROM pg_largeobject_metadata")
    locks = execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
    changed = execute("SELECT setdatabase, setrole, setconfig::text FROM pg_db_role_setting ORDER BY 1, 2")
    return relations, objects, locks, changed


def turned_away(opened: services.Services, execute: Execute) -> dict[str, doctor.Finding]:
    """The findings, after making sure that no attempt went through or left anything."""
    before = everything(execute)
    findings = by_name(doctor.examine_services(opened))
    for attempt in attempts.ATTEMPTS:
        finding = findings[f"attempt to {attempt.what}"]
        assert finding.good, finding
        assert finding.group == attempt.group
        assert finding.found.startswith(("turned away: ", "cut off after 10 rows"))
        assert "slots" not in finding.found
        assert "\n" not in finding.found
        deeper = findings.get(f"attempt to {attempt.what}{doctor.DEEPER}")
        assert (deeper is not None) == attempt.deeper
        assert deeper is None or deeper.found.startswith(("the server says: ", "it ran, and was rolled back"))
    assert findings["nothing was left behind"].good
    assert everything(execute) == before
    return findings


def test_a_reader_is_in_order_and_cannot_break_the_promise(open_as: Open, execute: Execute) -> None:
    execute("CREATE TABLE things AS SELECT 1 AS i")
    opened = open_as(embedded.READER)
    execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(opened.data.address.database)))
    findings = turned_away(opened, execute)
    assert [finding for finding in findings.values() if not finding.good] == []
    assert findings["account"].found == "undertone_reader can read and nothing else"
    assert findings["reading"].found == "1 tables and views"
    assert "undertone_owner@" in findings["store"].found
    assert "undertone_reader@" in findings["data"].found
    assert len(findings) >= len(attempts.ATTEMPTS) + 5
    # Past the gate the server itself says no to this account.
    assert not [finding for finding in findings.values() if finding.found.startswith("it ran")]


def test_an_account_that_may_write_is_named_with_what_it_may_and_still_cannot_here(
    open_as: Open, execute: Execute
) -> None:
    execute("CREATE TABLE things AS SELECT 1 AS i")
    findings = turned_away(open_as(embedded.OWNER), execute)
    account = findings["account"]
    assert not account.good
    for word in (
        "undertone_owner",
        "owns ",
        "may change",
        "public.things",
        "may create in",
        "undertone",
        "reader_role.sql",
    ):
        assert word in account.found
    # What the server lets this account do past the gate is undone, and some of it was done.
    ran = {finding.what for finding in findings.values() if finding.found.startswith("it ran")}
    assert {f"attempt to {what}{doctor.DEEPER}" for what in ("write while explaining", "hold a lock")} <= ran
    assert [finding.what for finding in findings.values() if not finding.good] == ["account"]


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        ("GRANT INSERT ON things TO undertone_reader", "may change public.things"),
        ("GRANT UPDATE ON SEQUENCE numbers TO undertone_reader", "may change public.numbers"),
        ("GRANT CREATE ON SCHEMA scores TO undertone_reader", "may create in scores"),
    ],
)
@pytest.mark.usefixtures("no_attempts")
def test_one_right_too_many_is_found(open_as: Open, execute: Execute, grant: str, words: str) -> None:
    execute("CREATE TABLE things AS SELECT 1 AS i; CREATE SEQUENCE numbers")
    execute(grant)
    account = by_name(doctor.examine_services(open_as(embedded.READER)))["account"]
    assert not account.good
    assert words in account.found


@pytest.mark.usefixtures("no_attempts")
@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("pg_read_all_data", "is in pg_read_all_data: may read every table"),
        ("pg_write_server_files", "may write files of the server"),
        ("pg_signal_backend", "may end other people's sessions"),
        (embedded.OWNER, "can become undertone_owner"),
    ],
)
def test_a_role_that_the_account_is_in_is_found(
    open_as: Open, server: servers.Postgresql, role: str, words: str
) -> None:
    with contextlib.closing(psycopg2.connect(**server.dsn(database="postgres"))) as superuser:
        superuser.autocommit = True
        superuser.cursor().execute(f"GRANT {role} TO undertone_reader")
        try:
            account = by_name(doctor.examine_services(open_as(embedded.READER)))["account"]
        finally:
            superuser.cursor().execute(f"REVOKE {role} FROM undertone_reader")
    assert not account.good
    assert words in account.found


def test_the_warnings_are_for_accounts_that_can_do_harm(open_as: Open, execute: Execute) -> None:
    execute("CREATE TABLE things AS SELECT 1 AS i")
    assert doctor.warnings(open_as(embedded.READER).console) == []
    (warning,) = doctor.warnings(open_as(embedded.OWNER).console)
    assert warning.startswith("undertone_owner can do more than read: it is in pg_database_owner: owns this database; ")
    assert warning.endswith("Use an account that only reads (sql/reader_role.sql).")
    (warning,) = doctor.warnings(open_as("postgres").console)
    assert warning.startswith("postgres is a superuser: no right of the server's holds what is asked here")


def test_functions_that_every_account_may_call_are_a_note(open_as: Open, execute: Execute) -> None:
    execute("CREATE FUNCTION public.tidy() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'")
    found = open_as(embedded.READER).data.ask(rights.look)
    assert found.functions == ("tidy",)
    assert found.dangers() == []
    assert "may call 1 function that may do more than answer, such as tidy" in found.notes()


@pytest.mark.usefixtures("no_attempts")
def test_a_superuser_is_a_bad_finding(open_as: Open, execute: Execute) -> None:
    execute("CREATE TABLE things AS SELECT 1 AS i")
    findings = by_name(doctor.examine_services(open_as("postgres")))
    assert not findings["account"].good
    assert "postgres is a superuser" in findings["account"].found


@pytest.mark.usefixtures("no_attempts")
def test_an_account_that_may_make_databases_is_a_bad_finding(
    open_as: Open, execute: Execute, server: servers.Postgresql
) -> None:
    with contextlib.closing(psycopg2.connect(**server.dsn(database="postgres"))) as superuser:
        superuser.autocommit = True
        cursor = superuser.cursor()
        cursor.execute("CREATE ROLE maker LOGIN CREATEDB CREATEROLE")
        try:
            execute("GRANT USAGE ON SCHEMA public TO maker")
            findings = by_name(doctor.examine_services(open_as("maker")))
        finally:
            execute("REVOKE USAGE ON SCHEMA public FROM maker")
            cursor.execute("DROP ROLE maker")
    assert not findings["account"].good
    assert "maker has createdb, createrole" in findings["account"].found
    assert not findings["reading"].good


@pytest.mark.usefixtures("no_attempts")
def test_what_an_attempt_left_would_be_found(open_as: Open, execute: Execute) -> None:
    execute("CREATE TABLE undertone_was_here (i int)")
    finding = by_name(doctor.examine_services(open_as(embedded.READER)))["nothing was left behind"]
    assert not finding.good


def test_an_attempt_that_goes_through_is_a_bad_finding(open_as: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "ATTEMPTS", (attempts.Attempt("write", "add", "SELECT 1 + 1"),))
    finding = by_name(doctor.examine_services(open_as(embedded.READER)))["attempt to add"]
    assert finding == doctor.Finding("attempt to add", False, "it went through", "write", "data")


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("SELECT lo_create({})", "a large object"),
        ("SELECT pg_advisory_lock({})", "an advisory lock"),
        ("CREATE TEMP TABLE undertone_was_here ()", "a table undertone_was_here"),
    ],
)
def test_each_trace_is_found(open_as: Open, store_pool: database.Database, statement: str, what: str) -> None:
    pool = open_as(embedded.READER).data
    with store_pool.lend() as connection:
        connection.autocommit = True
        connection.cursor().execute(statement.format(attempts.NUMBER))
        assert attempts.traces(pool) == [what]
    assert attempts.traces(pool) == ([what] if "lo_create" in statement else [])


def test_an_attempt_that_nobody_had_time_for_is_not_a_proof(open_as: Open) -> None:
    opened = open_as(embedded.READER)
    with contextlib.ExitStack() as stack:
        for _ in range(opened.console.size):
            stack.enter_context(opened.console.lend())
        outcome = attempts.asked(opened.console, attempts.ATTEMPTS[-3])
    assert not outcome.held
    assert outcome.said.startswith("it could not be tried: All slots are busy")


@pytest.mark.usefixtures("no_attempts")
def test_an_account_that_may_read_nothing_is_a_bad_finding(open_as: Open) -> None:
    assert not by_name(doctor.examine_services(open_as(embedded.READER)))["reading"].good


def test_services_that_cannot_be_opened_are_a_finding_without_the_password(tmp_path: pathlib.Path) -> None:
    address = "postgresql://somebody:hunter2@127.0.0.1:1/nowhere"
    chosen = settings.load_settings(database_url=address, store_url=address, home=tmp_path / "home", connect_seconds=1)
    findings = list(doctor.examine(chosen))
    assert [(finding.what, finding.good) for finding in findings] == [("settings", True), ("services", False)]
    assert "127.0.0.1:1" in findings[1].found
    assert "hunter2" not in str(findings)
    assert not (tmp_path / "home").exists()


def test_a_database_that_went_away_is_a_finding_for_each_check(tmp_path: pathlib.Path) -> None:
    gone = sqlalchemy.make_url("postgresql+psycopg2://somebody:hunter2@127.0.0.1:1/nowhere")
    pools = [database.Database(gone, name=name, connect_seconds=1) for name in ("data", "store", "data")]
    opened = services.Services(settings.load_settings(home=tmp_path), None, *pools)
    findings = doctor.examine_services(opened)
    bad = {finding.what for finding in findings if not finding.good}
    assert bad == {"data", "store", "account", "reading", "workers"}
    assert "hunter2" not in str(findings)
