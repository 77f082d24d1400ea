"""What asking promises: whatever becomes of a statement, the log has it, from before it is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy

from tests.unit import asked
from undertone import asking, audit, console, database, embedded, parameters, services

Execute = Callable[..., list[tuple[object, ...]]]
ENDLESS = "SELECT count(*) FROM generate_series(1, 10000) a, generate_series(1, 10000) b, generate_series(1, 10000) c"
SECRET = "hunter2"


@pytest.fixture
def opened(data_pool: database.Database, store_pool: database.Database) -> services.Services:
    return asked.opened(data_pool, store_pool)


@pytest.fixture
def nowhere() -> Iterator[database.Database]:
    """A store that is away."""
    url = sqlalchemy.make_url("postgresql+psycopg2://somebody:hunter2@127.0.0.1:1/nowhere")
    pool = database.Database(url, name="store", connect_seconds=1)
    yield pool
    pool.close()


def last(opened: services.Services) -> audit.Entry:
    return asked.entries(opened.store)[0]


# --- what the log says


def test_an_answer_is_the_lanes_and_in_the_log(opened: services.Services) -> None:
    said = asking.run(opened, asked.question("SELECT n, 'é' AS t FROM generate_series(1, 3) AS n"), asked.LIMITS)
    assert said.columns == (console.Column("n", "integer"), console.Column("t", "text"))
    assert said.rows == [(1, "é"), (2, "é"), (3, "é")]
    assert said.truncated is None
    (entry,) = asked.entries(opened.store)
    assert (entry.who, entry.how, entry.target) == ("ann", "page", "data")
    assert entry.statement == "SELECT n, 'é' AS t FROM generate_series(1, 3) AS n"
    assert (entry.outcome, entry.message, entry.rows, entry.parameters) == ("answered", None, 3, None)
    assert entry.seconds == said.seconds
    assert entry.at.tzinfo is not None


def test_what_was_cut_says_by_what(opened: services.Services) -> None:
    said = asking.run(opened, asked.question("SELECT generate_series(1, 1000)"), asked.LIMITS)
    assert said.truncated == "rows"
    entry = last(opened)
    assert (entry.outcome, entry.rows, entry.message) == ("truncated", 100, "The limit of rows was reached.")
    asking.run(opened, asked.question("SELECT repeat('x', 500)"), console.Limits(bytes=100))
    assert (last(opened).outcome, last(opened).message) == ("truncated", "The limit of bytes was reached.")


@pytest.mark.parametrize(
    ("statement", "outcome", "error"),
    [
        ("DROP TABLE t", "refused", console.StatementRefused),
        ("SELECT 1; SELECT 2", "refused", console.StatementRefused),
        ("SELECT '\0'", "refused", console.StatementRefused),
        ("SELECT '\ud83d'", "refused", console.StatementRefused),
        ("", "refused", console.StatementRefused),
        ("SELECT pg_sleep(0)", "refused", console.StatementRefused),
        ("SELECT :x", "refused", parameters.ParameterError),
        ("SELECT 1 FROM nowhere", "failed", console.StatementFailed),
        ("SELECT 1 / 0", "failed", console.StatementFailed),
        (f"SELECT '{'x' * 2000}'", "limited", console.StatementLimited),
        (ENDLESS, "limited", console.StatementLimited),
    ],
)
def test_what_brings_no_answer_is_in_the_log(
    opened: services.Services, statement: str, outcome: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        asking.run(opened, asked.question(statement), console.Limits(seconds=0.3, length=1000))
    (entry,) = asked.entries(opened.store)
    assert (entry.outcome, entry.message) == (outcome, str(caught.value))
    assert entry.seconds is not None
    stored = statement.replace("\0", "\\x00").replace("\ud83d", "\\ud83d")
    assert entry.statement == (stored if len(stored) <= 1000 else stored[:1000] + "…")


def test_an_unknown_database_is_refused_and_in_the_log(opened: services.Services) -> None:
    with pytest.raises(console.StatementRefused, match="There is no database called 'store'; ask data or scores"):
        asking.run(opened, asked.question("SELECT 1", target="store"), asked.LIMITS)
    assert (last(opened).outcome, last(opened).target) == ("refused", "store")
    opened.scores_console = None
    with pytest.raises(console.StatementRefused, match="STORE_READER_URL"):
        asking.run(opened, asked.question("SELECT 1", target="scores"), asked.LIMITS)


def test_a_target_is_the_pool_of_that_name(opened: services.Services, store_pool: database.Database) -> None:
    opened.scores_console = store_pool
    for target, account in (("data", embedded.READER), ("scores", embedded.OWNER)):
        said = asking.run(opened, asked.question("SELECT current_user::text", target=target), asked.LIMITS)
        assert said.rows == [(account,)]


def test_a_full_lane_and_a_database_that_is_away_are_in_the_log(
    opened: services.Services, place: Callable[[str], sqlalchemy.URL], nowhere: database.Database
) -> None:
    narrow = database.Database(place(embedded.READER), name="data", size=1, connect_seconds=1)
    opened.console = narrow
    with (
        narrow.lend(),
        pytest.raises(console.StatementLimited, match="All slots are busy"),
    ):
        asking.run(opened, asked.question("SELECT 1"), asked.LIMITS)
    assert last(opened).outcome == "limited"
    narrow.close()
    opened.console = nowhere
    with pytest.raises(database.DatabaseError):
        asking.run(opened, asked.question("SELECT 1"), asked.LIMITS)
    assert last(opened).outcome == "failed"
    assert SECRET not in str(last(opened).message)


# --- before and after


def test_the_row_is_there_before_the_statement_is_sent(
    opened: services.Services, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    send = console.stream

    def watched(*arguments: object, **more: object) -> object:
        seen.extend(execute("SELECT statement, outcome FROM undertone.audit"))
        return send(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(console, "stream", watched)
    asking.run(opened, asked.question("SELECT 1"), asked.LIMITS)
    assert seen == [("SELECT 1", "running")]
    assert last(opened).outcome == "answered"


def test_without_the_store_nothing_is_asked(
    opened: services.Services, nowhere: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.store = nowhere
    sent: list[object] = []
    monkeypatch.setattr(console, "stream", lambda *arguments, **more: sent.append(arguments))
    with pytest.raises(database.DatabaseError, match="The store cannot be reached"):
        asking.run(opened, asked.question("SELECT 1"), asked.LIMITS)
    with pytest.raises(database.DatabaseError), asking.stream(opened, asked.question("SELECT 1"), asked.LIMITS):
        pass
    assert sent == []


def test_a_log_that_cannot_be_written_lets_nothing_be_asked(
    opened: services.Services, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("ALTER TABLE undertone.audit ADD CHECK (false)")
    monkeypatch.setattr(console, "stream", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(database.DatabaseError):
        asking.run(opened, asked.question("SELECT 1"), asked.LIMITS)


def test_an_answer_is_not_lost_because_the_store_is_by_then(
    opened: services.Services, nowhere: database.Database
) -> None:
    store = opened.store
    with asking.stream(opened, asked.question("SELECT 1"), asked.LIMITS) as answer:
        opened.store = nowhere
        assert list(answer) == [[(1,)]]
    opened.store = store
    assert (last(opened).outcome, last(opened).rows) == ("running", None)


def test_a_connection_to_the_store_that_was_lost_meanwhile_is_replaced(
    opened: services.Services, execute: Execute
) -> None:
    with asking.stream(opened, asked.question("SELECT 1"), asked.LIMITS) as answer:
        execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        assert list(answer) == [[(1,)]]
    assert last(opened).outcome == "answered"


# --- answers that are not read to their end


MANY = "SELECT generate_series(1, 50000)"


def test_a_stream_that_is_left_early_is_in_the_log(opened: services.Services) -> None:
    limits = console.Limits(rows=100_000)
    with asking.stream(opened, asked.question(MANY, how="download"), limits) as answer:
        next(iter(answer))
    entry = last(opened)
    assert (entry.how, entry.outcome) == ("download", "cancelled")
    assert entry.message == "Its answer was not read to the end."
    assert entry.rows is not None
    assert 0 < entry.rows < 50_000

    with (
        pytest.raises(ZeroDivisionError),
        asking.stream(opened, asked.question(MANY), limits) as answer,
    ):
        raise ZeroDivisionError(SECRET)
    assert last(opened).message == "Its answer was not read to the end (ZeroDivisionError)."

    def stopped(stop: type[BaseException]) -> None:
        with asking.stream(opened, asked.question(MANY), limits) as answer:
            next(iter(answer))
            raise stop

    for stop in (KeyboardInterrupt, SystemExit, GeneratorExit):
        with pytest.raises(stop):
            stopped(stop)
        assert last(opened).outcome == "cancelled"


def test_a_stream_that_nobody_holds_any_more_is_in_the_log(opened: services.Services) -> None:
    context = asking.stream(opened, asked.question(MANY), asked.LIMITS)
    answer = context.__enter__()
    assert asked.entries(opened.store)[0].outcome == "running"
    del context
    assert last(opened).outcome == "cancelled"
    del answer


def test_a_stream_that_was_read_whole_is_answered(opened: services.Services) -> None:
    with asking.stream(opened, asked.question(MANY), console.Limits(rows=50_000)) as answer:
        assert sum(len(batch) for batch in answer) == 50_000
    assert (last(opened).outcome, last(opened).rows) == ("answered", 50_000)
    with asking.stream(opened, asked.question("SELECT 1 WHERE false"), asked.LIMITS):
        pass
    assert (last(opened).outcome, last(opened).rows) == ("answered", 0)


def test_cancelling(opened: services.Services, execute: Execute) -> None:
    cancel = threading.Event()
    errors: list[Exception] = []

    def ask() -> None:
        try:
            asking.run(opened, asked.question(ENDLESS), asked.LIMITS, cancel=cancel)
        except console.StatementCancelled as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while thread.is_alive() and not [entry for entry in asked.entries(opened.store) if entry.outcome == "running"]:
        pass
    assert [entry.outcome for entry in asked.entries(opened.store)] == ["running"]
    cancel.set()
    thread.join(30)
    assert len(errors) == 1
    assert last(opened).outcome == "cancelled"


# --- values of parameters


def test_names_are_kept_and_values_are_not(opened: services.Services, execute: Execute) -> None:
    said = asking.run(opened, asked.question("SELECT :x || :y", x=SECRET, y="!"), asked.LIMITS)
    assert said.rows == [(f"{SECRET}!",)]
    assert last(opened).parameters == {"x": None, "y": None}
    assert execute("SELECT count(*) FROM undertone.audit AS a WHERE a::text LIKE %s", (f"%{SECRET}%",)) == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT :x::integer",
        "SELECT (:x || '')::regtype",
        "SELECT upper(:x)::integer",
        "SELECT to_tsquery(:x || ' &&& ')",
        "SELECT n, CASE WHEN n > 2 THEN :x::integer END FROM generate_series(1, 3) AS n",
    ],
)
def test_no_error_brings_a_value_into_the_log(opened: services.Services, execute: Execute, statement: str) -> None:
    with pytest.raises(console.StatementFailed, match=f"(?i){SECRET}") as caught:
        asking.run(opened, asked.question(statement, x=SECRET), asked.LIMITS)
    entry = last(opened)
    assert entry.message == f"The server's words may hold a value and are not kept (SQLSTATE {caught.value.sqlstate})."
    assert execute("SELECT count(*) FROM undertone.audit AS a WHERE a::text ILIKE %s", (f"%{SECRET}%",)) == [(0,)]


@pytest.mark.parametrize("kind", ["timestamp", "number", "date", "integer", "boolean", "hunter"])
def test_no_value_of_the_wrong_kind_comes_into_the_log(opened: services.Services, execute: Execute, kind: str) -> None:
    question = asking.Question("SELECT :x", (("x", parameters.Value(kind, SECRET)),))
    with pytest.raises(parameters.ParameterError):
        asking.run(opened, question, asked.LIMITS)
    assert (last(opened).outcome, last(opened).message) != ("refused", None)
    assert ":x" in str(last(opened).message)
    assert execute("SELECT count(*) FROM undertone.audit AS a WHERE a::text ILIKE %s", (f"%{SECRET}%",)) == [(0,)]


def test_an_error_in_the_statement_itself_is_kept_with_parameters_too(opened: services.Services) -> None:
    with pytest.raises(console.StatementFailed):
        asking.run(opened, asked.question("SELECT :x FROM nowhere", x=SECRET), asked.LIMITS)
    assert last(opened).message == 'relation "nowhere" does not exist'


def test_a_setting_keeps_values(data_pool: database.Database, store_pool: database.Database) -> None:
    opened = asked.opened(data_pool, store_pool, audit_values=True)
    asking.run(opened, asked.question("SELECT :x, :y", x=SECRET, y=None), asked.LIMITS)
    assert last(opened).parameters == {"x": SECRET, "y": None}
    with pytest.raises(console.StatementFailed):
        asking.run(opened, asked.question("SELECT :x::integer", x=SECRET), asked.LIMITS)
    assert SECRET in str(last(opened).message)


def test_hostile_names_and_values_are_kept_as_text(data_pool: database.Database, store_pool: database.Database) -> None:
    opened = asked.opened(data_pool, store_pool, audit_values=True)
    hostile = "\0\ud800'); DROP TABLE undertone.audit; --%s :x"
    given = ((hostile, parameters.Value("text", hostile)), ("long", parameters.Value("text", "é" * 100_000)))
    asking.run(opened, asking.Question("SELECT 1", given, "data", hostile * 100, "page"), asked.LIMITS)
    entry = last(opened)
    assert entry.who.startswith("\\x00\\ud800'); DROP TABLE undertone.audit; --%s :x")
    assert len(entry.who.encode()) <= audit.NAME + 3
    assert entry.parameters is not None
    assert set(entry.parameters) == {"\\x00\\ud800'); DROP TABLE undertone.audit; --%s :x", "long"}
    assert len(str(entry.parameters["long"]).encode()) <= audit.VALUE + 3


# --- tidying


def test_old_statements_are_forgotten_now_and_then(
    data_pool: database.Database, store_pool: database.Database, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = asked.opened(data_pool, store_pool, audit_days=30)

    def ask() -> list[str]:
        asking.run(opened, asked.question("SELECT 'new'"), asked.LIMITS)
        return [entry.statement for entry in asked.entries(store_pool)]

    def age() -> None:
        execute("UPDATE undertone.audit SET statement = 'old', at = now() - interval '31 days'")

    assert ask() == ["SELECT 'new'"]  # the first one has tidied
    age()
    assert ask() == ["SELECT 'new'", "old"]
    monkeypatch.setattr(asking, "TIDY_SECONDS", -1.0)
    monkeypatch.setattr(asking, "_tidying", asking._Tidying())
    assert ask() == ["SELECT 'new'", "SELECT 'new'"]
    age()
    assert ask() == ["SELECT 'new'"]


def test_tidying_at_the_start(
    data_pool: database.Database,
    store_pool: database.Database,
    execute: Execute,
    nowhere: database.Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    opened = asked.opened(data_pool, store_pool, audit_days=30)
    for statement in ("SELECT 'old'", "SELECT 'lost'", "SELECT 'new'"):
        asking.run(opened, asked.question(statement), asked.LIMITS)
    execute("UPDATE undertone.audit SET at = now() - interval '31 days' WHERE statement ~ 'old'")
    execute("UPDATE undertone.audit SET outcome = 'running', ends_by = now() WHERE statement ~ 'lost'")
    asking.tidy(opened)
    found = execute("SELECT statement, outcome FROM undertone.audit ORDER BY id")
    assert found == [("SELECT 'lost'", "lost"), ("SELECT 'new'", "answered")]
    opened.store = nowhere
    asking.tidy(opened)
    assert "the log of statements is not tidied" in caplog.text
    assert SECRET not in caplog.text


# --- how the server would answer


def test_explaining_is_in_the_log_as_the_persons_own_statement(opened: services.Services) -> None:
    statement = "-- why\nSELECT count(*) FROM pg_class WHERE relname = :name"
    for analyze, how in ((False, "explain"), (True, "analyze")):
        plan = asking.explain(opened, asked.question(statement, name="x"), asked.LIMITS, analyze=analyze)
        assert plan.root.kind == "Aggregate"
        assert (plan.seconds is not None) == analyze
        entry = last(opened)
        assert (entry.how, entry.outcome, entry.statement, entry.parameters) == (
            how,
            "answered",
            statement,
            {"name": None},
        )


@pytest.mark.parametrize("analyze", [False, True])
def test_an_error_under_explain_is_at_its_place_in_the_persons_text(opened: services.Services, analyze: bool) -> None:
    statement = "/* é */ SELECT 1, nowhere FROM pg_class WHERE relname = :name"
    with pytest.raises(console.StatementFailed) as caught:
        asking.explain(opened, asked.question(statement, name="x"), asked.LIMITS, analyze=analyze)
    assert caught.value.position == statement.index("nowhere") + 1
    assert last(opened).outcome == "failed"


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("DELETE FROM t", console.StatementRefused),
        ("SELECT 1; SELECT 2", console.StatementRefused),
        ("EXPLAIN SELECT 1", console.StatementRefused),
        ("SELECT '\0'", console.StatementRefused),
        ("SELECT '\ud83d'", console.StatementRefused),
        (f"SELECT '{'x' * 2000}'", console.StatementLimited),
        ("(" * 2000, console.StatementLimited),
    ],
)
def test_what_cannot_be_explained_is_in_the_log(
    opened: services.Services, statement: str, error: type[Exception]
) -> None:
    for analyze in (False, True):
        with pytest.raises(error):
            asking.explain(opened, asked.question(statement), console.Limits(length=1000), analyze=analyze)
        assert last(opened).outcome in ("refused", "limited")
    assert len(asked.entries(opened.store)) == 2


def test_a_statement_as_long_as_may_be_can_be_explained(opened: services.Services) -> None:
    statement = "SELECT 1".ljust(1000)
    assert asking.explain(opened, asked.question(statement), console.Limits(length=1000), analyze=False).root


def test_a_plan_that_is_too_large_is_a_limit(opened: services.Services) -> None:
    with pytest.raises(console.StatementLimited, match="The plan is larger than UNDERTONE_QUERY_BYTES allows"):
        asking.explain(opened, asked.question("SELECT 1"), console.Limits(bytes=100), analyze=False)
