"""What a process opens: the embedded server where it is needed, two databases always, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import pathlib
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
import sqlalchemy

from tests import ground
from undertone import console, database, doctor, embedded, parameters, services, settings

Execute = Callable[..., list[tuple[object, ...]]]
NOWHERE = "postgresql://somebody:hunter2@127.0.0.1:1/nowhere"


def ask(pool: database.Database, statement: str) -> Any:
    def question(connection: database.Connection) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]

    return pool.ask(question)


def named(url: sqlalchemy.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def home() -> Iterator[pathlib.Path]:
    """A home for the tests of this module, one after the other."""
    base = ground.new("services")
    yield base / "home"
    server = embedded.EmbeddedServer(base / "home")
    with contextlib.suppress(embedded.ServerError):
        server.start()
        server.release()
    shutil.rmtree(base, ignore_errors=True)


def memory_limit(pid: int) -> str:
    """What a process may have of memory of its own; root may not ask for that of another account everywhere."""
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.split()[3] for line in limits if line.startswith("Max data size"))


@contextlib.contextmanager
def opened(chosen: settings.Settings) -> Iterator[services.Services]:
    with contextlib.closing(services.open_services(chosen)) as found:
        yield found


def runs(home: pathlib.Path) -> bool:
    """Whether a server is at work in a home."""
    data = str(home / "postgres" / "data")
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == data:
                return True
    return False


def test_with_nothing_named_all_is_in_the_embedded_server(home: pathlib.Path) -> None:
    chosen = settings.load_settings(home=home, demo=False, pool_size=3, query_slots=2)
    with opened(chosen) as found:
        assert found.server is not None
        assert found.place == "embedded"
        assert found.owner is found.store
        assert found.one_database
        assert ask(found.data, "SELECT current_user::text") == embedded.READER
        assert ask(found.console, "SELECT current_user::text") == embedded.READER
        assert ask(found.store, "SELECT current_user::text") == embedded.OWNER
        assert ask(found.data, "SHOW transaction_read_only") == "on"
        assert ask(found.console, "SHOW transaction_read_only") == "on"
        assert list(found.consoles) == ["data", "scores"]
        assert found.consoles["data"] is found.console
        assert ask(found.consoles["scores"], "SELECT current_user::text") == embedded.SCORES_READER
        assert ask(found.consoles["scores"], "SHOW transaction_read_only") == "on"
        assert ask(found.store, "SHOW transaction_read_only") == "off"
        assert ask(found.store, "SELECT to_regclass('undertone.runs')::text") == "undertone.runs"
        assert ask(found.store, "SELECT to_regclass('public.reviews')::text") is None
        assert runs(home)
    assert not runs(home)


def test_who_reads_scores_reads_nothing_else(home: pathlib.Path) -> None:
    with opened(settings.load_settings(home=home, demo=False)) as found:
        with found.store.lend() as connection:
            connection.cursor().execute("CREATE TABLE IF NOT EXISTS scores.things AS SELECT 'good' AS label")
            connection.cursor().execute("CREATE TABLE IF NOT EXISTS public.unscored AS SELECT 1 AS i")
            connection.commit()
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT relname FROM pg_class WHERE relnamespace = 'undertone'::regnamespace AND relkind = 'r'"
                )
                own = {name for (name,) in cursor.fetchall()}
                cursor.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'undertone'::regnamespace LIMIT 1")
                (function,) = cursor.fetchone()
        scores = found.consoles["scores"]
        assert console.run(scores, "SELECT label FROM scores.things").rows == [("good",)]
        assert console.run(
            scores, "SELECT count(*) FROM undertone.runs JOIN undertone.sources s ON s.id = source_id"
        ).rows
        assert {"runs", "sources", "chunks", "procrastinate_jobs"} < own
        for name in own - {"runs", "sources", "chunks"}:
            with pytest.raises(console.StatementFailed, match="permission denied"):
                console.run(scores, f'TABLE undertone."{name}"')
        with pytest.raises(console.StatementFailed, match="permission denied for schema public"):
            console.run(scores, "TABLE public.unscored")
        for pool in found.consoles.values():
            may = "SELECT has_function_privilege(oid, 'EXECUTE') FROM pg_proc WHERE proname = :name"
            answer = console.run(pool, may, parameters={"name": parameters.Value("text", function)})
            assert set(answer.rows) == {(False,)}
        with pytest.raises(console.StatementFailed, match="permission denied"):
            console.run(found.console, "TABLE undertone.runs")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_a_statement_in_the_embedded_server_has_so_much_memory_and_the_others_go_first(home: pathlib.Path) -> None:
    chosen = settings.load_settings(home=home, demo=False, query_bytes=4_000_000)
    with opened(chosen) as found:
        for pool in found.consoles.values():
            with pool.lend_counted(1) as connection:
                pid = connection.info.backend_pid
                assert memory_limit(pid) == "64000000"
                assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
            with pytest.raises(console.StatementLimited, match=r"more memory .* UNDERTONE_QUERY_BYTES"):
                console.run(pool, "SELECT length(repeat('x', 100000000))")
            with pytest.raises(console.StatementLimited, match=r"more memory .* UNDERTONE_QUERY_BYTES"):
                console.run(
                    pool, "SELECT count(x) FROM (SELECT array_agg(g || 'x') FROM generate_series(1, 10000000) g) t(x)"
                )
            # The session goes on, and honest work of any size is done on disk.
            assert console.run(pool, "SELECT pg_backend_pid()").rows == [(pid,)]
            statement = (
                "SELECT max(n) FROM (SELECT rank() OVER (ORDER BY md5(g::text)) n FROM generate_series(1, 300000) g) t"
            )
            assert console.run(pool, statement).rows == [(300000,)]
        with found.store.lend() as connection:
            assert memory_limit(connection.info.backend_pid) == "unlimited"


def test_a_store_of_ones_own_is_asked_through_the_reader_that_is_named(
    tmp_path: pathlib.Path, place: Callable[[str], sqlalchemy.URL]
) -> None:
    named_ones = {"database_url": named(place(embedded.READER)), "store_url": named(place(embedded.OWNER))}
    with opened(settings.load_settings(home=tmp_path / "home", **named_ones)) as found:
        assert list(found.consoles) == ["data"]
    reader = named(place(embedded.SCORES_READER))
    with opened(settings.load_settings(home=tmp_path / "home", store_reader_url=reader, **named_ones)) as found:
        answer = console.run(found.consoles["scores"], "SELECT current_user::text")
        assert answer.rows == [(embedded.SCORES_READER,)]


def test_a_new_database_is_filled_with_the_demo_and_the_doctor_finds_it_in_order(home: pathlib.Path) -> None:
    with opened(settings.load_settings(home=home)) as found:
        assert ask(found.data, "SELECT count(*) FROM reviews") > 100
        assert found.owner is not None
        with found.owner.lend() as connection:
            connection.cursor().execute("DROP TABLE survey_answers")
            connection.commit()
        findings = doctor.examine_services(found)
        assert [finding for finding in findings if not finding.good] == []
        assert findings[0].what == "embedded server"
    with opened(settings.load_settings(home=home)) as found:
        assert ask(found.data, "SELECT to_regclass('survey_answers')::text") is None


def test_a_server_that_died_is_started_again_by_whoever_asks(home: pathlib.Path) -> None:
    with opened(settings.load_settings(home=home)) as found:
        assert found.server is not None
        for pool in (found.data, found.store, found.console):
            pid = int((found.server.data / "postmaster.pid").read_text().split("\n")[0])
            os.kill(pid, signal.SIGKILL)
            assert ask(pool, "SELECT 7") == 7
    assert not runs(home)


def test_two_who_have_it_open_do_not_stop_it_for_each_other(home: pathlib.Path) -> None:
    first = services.open_services(settings.load_settings(home=home))
    with opened(settings.load_settings(home=home)):
        pass
    assert ask(first.data, "SELECT 7") == 7
    first.close()
    assert not runs(home)
    first.close()  # closing twice does no harm


def test_with_a_database_named_the_store_is_still_embedded(
    home: pathlib.Path, place: Callable[[str], sqlalchemy.URL], execute: Execute
) -> None:
    execute("CREATE TABLE theirs AS SELECT 1 AS i")
    with opened(settings.load_settings(home=home, database_url=named(place(embedded.READER)))) as found:
        assert found.server is not None
        assert found.owner is None  # a file never becomes a table in somebody else's database
        assert not found.one_database
        url = place(embedded.READER)
        assert found.place == f"127.0.0.1:{url.port}/{url.database}"
        assert ask(found.data, "SELECT i FROM theirs") == 1
        assert ask(found.data, "SHOW transaction_read_only") == "on"
        assert ask(found.store, "SELECT to_regclass('theirs')::text") is None
    assert not runs(home)


def test_with_both_named_no_server_is_started_and_nothing_is_added_to_the_data(
    tmp_path: pathlib.Path, place: Callable[[str], sqlalchemy.URL], execute: Execute
) -> None:
    chosen = settings.load_settings(
        home=tmp_path / "home", database_url=named(place(embedded.READER)), store_url=named(place(embedded.OWNER))
    )
    with opened(chosen) as found:
        assert found.server is None
        assert found.owner is None
        assert found.one_database
        assert found.place.endswith(str(place(embedded.READER).database))
        assert ask(found.store, "SELECT current_user::text") == embedded.OWNER
    assert execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://u:p@host/shop", "host:5432/shop"),
        ("postgresql://u:p@host:6543/shop", "host:6543/shop"),
        ("postgresql://u:p@/shop?host=/run/postgresql", "/run/postgresql:5432/shop"),
    ],
)
def test_the_place_that_scores_remember_has_no_account_in_it(address: str, shown: str) -> None:
    pools = [database.Database(settings.parse_address(address), name="data") for _ in "123"]
    found = services.Services(settings.load_settings(database_url=address), None, *pools)
    assert found.place == shown


def test_what_cannot_be_opened_is_one_line_and_leaves_no_server_behind(home: pathlib.Path) -> None:
    chosen = settings.load_settings(home=home, store_url=NOWHERE, connect_seconds=1)
    with pytest.raises(
        database.DatabaseError, match=r"The store cannot be reached at somebody@127\.0\.0\.1:1/nowhere"
    ) as caught:
        services.open_services(chosen)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not runs(home)


def test_a_data_database_that_is_away_does_not_keep_the_rest_from_opening(home: pathlib.Path) -> None:
    with opened(settings.load_settings(home=home, database_url=NOWHERE, connect_seconds=1)) as found:
        assert ask(found.store, "SELECT 7") == 7
        with pytest.raises(database.DatabaseError, match="The data cannot be reached"):
            ask(found.data, "SELECT 7")
    assert not runs(home)
