"""What planning promises of what people write: conditions, saved queries, templates; what is refused, and how."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit import scored
from undertone import console, database, errors, library, planning, scoring, source_rows, template

Execute = scored.Execute


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database, lane: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool, lane=lane)


@pytest.fixture
def lane(data_pool: database.Database) -> Iterator[database.Database]:
    """A pool of its own, with one slot: what two ask at once, one is refused."""
    pool = database.Database(data_pool.address, name="data", size=1, read_only=True)
    yield pool
    pool.close()


def fill(execute: Execute, rows: int = 10) -> None:
    execute("CREATE TABLE texts (id int PRIMARY KEY, title text, body text, stars int, at timestamptz)")
    execute(
        "INSERT INTO texts SELECT n, 'title ' || n, 'good ' || n, n % 5, now() - n * interval '1 h'"
        f" FROM generate_series(1, {rows}) AS n"
    )


def save(bench: scored.Bench, name: str, statement: str, *, target: str = "data") -> None:
    with bench.store.lend() as connection:
        library.save(connection, library.Saved(None, name, "", (), statement, {}, None, target, 1, "", None))


def resave(execute: Execute, statement: str) -> None:
    execute("UPDATE undertone.saved_versions SET statement = %s", (statement,))


# --- conditions

CONDITIONS = {
    "stars > 2": 4,
    "id IN (SELECT id FROM texts WHERE stars = 0) OR r.id = 1": 3,
    "body LIKE '%1%' -- a comment": 2,
    "body LIKE '%);%' /* ( */ OR title = 'title 3'": 1,
    "(id > 1) AND (id < 4)": 2,
    "true": 10,
    "false": 0,
    "at > now() - interval '2.5 h'": 2,
    "body ~ e'\\\\d\\'?' AND title <> $$;)$$": 10,
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_says_which_rows(bench: scored.Bench, execute: Execute, condition: str) -> None:
    fill(execute)
    run = bench.run("texts", condition=f" {condition}\n", chunk_rows=3)
    assert (run.state, run.rows, run.scored) == ("finished", *[CONDITIONS[condition]] * 2)
    assert run.condition == condition.strip()


REFUSED = {
    "id > 1; DROP TABLE texts": "must be a single one, without a semicolon",
    "id > 1) OR (true": "has a parenthesis that is not closed|must be a single one",
    "id > 1)": "must be a single one",
    "(id > 1": "has a parenthesis that is not closed",
    "id > 1 /*": "must be a single one",
    "body = 'x": "must be a single one",
    'body = "x': "must be a single one",
    "body = $$x": "must be a single one",
    "true) UNION SELECT 1 FROM texts WHERE (true": "must be a single one|parenthesis",
    "id > :least": "least",
    "id > $1": r"\$1|parameter",
    "nothing > 1": 'column "nothing" does not exist',
    "body": "must be type boolean",
    "pg_sleep(1) IS NULL": "pg_sleep cannot be called here",
    "pg_read_file('/etc/passwd') <> ''": "cannot be called here|permission denied",
    "nextval('numbers') > 0": "cannot be called here|permission|read-only",
    "EXISTS (SELECT FROM pg_authid)": "cannot be read here|permission",
    "id = (WITH gone AS (DELETE FROM texts RETURNING id) SELECT id FROM gone)": "DELETE",
    "id > 1 ORDER BY id": "syntax error",
    "id > 1 LIMIT 1": "syntax error",
}


@pytest.mark.parametrize("condition", REFUSED)
def test_a_condition_that_is_none_is_refused_and_leaves_nothing(
    bench: scored.Bench, execute: Execute, condition: str
) -> None:
    fill(execute)
    execute("CREATE SEQUENCE numbers; GRANT USAGE ON numbers TO PUBLIC")
    with pytest.raises(errors.UndertoneError, match=REFUSED[condition]) as caught:
        bench.plan("texts", condition=condition)
    assert "\n" not in str(caught.value)
    assert bench.store.ask(scoring.runs) == []
    assert execute("SELECT count(*) FROM texts") == [(10,)]


def test_without_a_lane_nothing_that_a_person_wrote_is_asked(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    reader = source_rows.Reader(bench.data)
    with pytest.raises(source_rows.SourceError, match="can only be read where SQL can be asked"):
        planning.start(reader, bench.store, bench.wish("texts", condition="true"), place="here")
    assert planning.start(reader, bench.store, bench.wish("texts"), place="here").state == "planned"


def test_a_busy_lane_is_told_and_passes(bench: scored.Bench, execute: Execute, lane: database.Database) -> None:
    fill(execute)
    run = bench.plan("texts", condition="true")
    with lane.lend():
        with pytest.raises(console.StatementLimited, match="All slots are busy"):
            bench.plan("texts", "title", condition="true")
        with pytest.raises(console.StatementLimited, match="All slots are busy"):
            bench.cut(run)
        assert bench.get(run).state == "planned"
    assert bench.cut(run) == 1
    with lane.lend(), pytest.raises(console.StatementLimited, match="All slots are busy"):
        bench.score(run)
    assert bench.score(run)
    assert bench.get(run).scored == 10


def test_a_lane_gets_its_slot_back_whatever_ends_the_reading(
    bench: scored.Bench, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(execute, 100)
    run = bench.plan("texts", condition="true", chunk_rows=50)
    bench.cut(run)

    def explode(call: int) -> None:
        raise database.DatabaseError("once")

    bench.model.before = explode
    monkeypatch.setattr(source_rows, "SLICE_CHARACTERS", 1)  # so that it is still being read
    caught = []
    for _ in range(3):
        with pytest.raises(database.DatabaseError, match="once") as error:
            bench.score(run, 1)
        caught.append(error)  # an error that is kept keeps its frames
    bench.model.before = lambda call: None
    assert bench.score(run, 1)


# --- saved queries


def test_a_saved_query_is_scored_like_a_table(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    save(
        bench, 'Best % of "all"', "SELECT id AS \"Nr %\", body || '!' AS said, stars FROM texts WHERE stars > 2; -- so"
    )
    run = bench.run('Best % of "all"', "said", saved=True, key=["Nr %"], context=["stars"], chunk_rows=3)
    source = run.source
    assert (run.state, run.rows, run.scored) == ("finished", 4, 4)
    assert (source.schema, source.relation, source.name) == ("", 'Best % of "all"', 'Best % of "all"')
    assert bench.scores(source, "Nr %", "stars") == [(3, 3), (4, 4), (8, 3), (9, 4)]
    assert sorted(map(str, bench.model.asked))[0] == "good 3!"
    execute("UPDATE texts SET body = 'other' WHERE id = 3; UPDATE texts SET stars = 0 WHERE id = 4")
    again = bench.run('Best % of "all"', "said", saved=True, key=["Nr %"], context=["stars"])
    assert (again.rows, again.scored, again.unchanged, again.vanished) == (3, 1, 2, 1)


def test_a_run_asks_what_the_query_said_when_it_was_planned(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    save(bench, "some", "SELECT id, body FROM texts WHERE id <= 3")
    run = bench.plan("some", saved=True, key=["id"])
    resave(execute, "SELECT id, body FROM texts WHERE id <= 5")
    assert bench.work(run).rows == 3
    assert bench.run("some", saved=True, key=["id"]).scored == 2


QUERIES = {
    "SELECT id, body FROM texts WHERE id > :least": "least|parameters",
    "SELECT 1; SELECT 2": "cannot be asked|Only one statement|single one",
    "DELETE FROM texts": "cannot be asked|Only questions",
    "SELECT id, body INTO gone FROM texts": "INTO",
    "WITH gone AS (DELETE FROM texts RETURNING *) SELECT id, body FROM gone": "DELETE",
    "SHOW search_path": "syntax error|cannot|SHOW",
    "EXPLAIN SELECT 1": "syntax error|cannot|EXPLAIN",
    "SELECT id, body FROM texts) AS r, (SELECT 1": "single one|parenthesis|syntax",
    "SELECT id, body, title AS body FROM texts": "has two columns called body; rename one",
    "SELECT id, pg_sleep(1)::text AS body FROM texts": "pg_sleep cannot be called here",
    "SELECT id, stars AS body FROM texts": "holds no text",
    "SELECT id, title FROM texts": "has no column 'body'; it has: id, title",
    "SELECT nr, body FROM texts": 'column "nr" does not exist',
    "SELECT stars AS id, body FROM texts": "id is the same in 5 rows of The saved query one, so it cannot be the key",
    "SELECT nullif(id, 3) AS id, body FROM texts": "id is null in 1 rows",
}


@pytest.mark.parametrize("statement", QUERIES)
def test_a_query_that_cannot_be_scored_is_refused(bench: scored.Bench, execute: Execute, statement: str) -> None:
    fill(execute)
    save(bench, "one", "SELECT 1")
    resave(execute, statement)
    with pytest.raises(errors.UndertoneError, match=QUERIES[statement]) as caught:
        bench.plan("one", saved=True, key=["id"])
    assert "\n" not in str(caught.value)
    assert bench.store.ask(scoring.sources) == []
    assert execute("SELECT count(*), to_regclass('gone') FROM texts") == [(10, None)]


def test_a_query_needs_a_key_and_asks_the_data(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    save(bench, "no key", "SELECT id, body FROM texts")
    with pytest.raises(scoring.ScoringError, match="The saved query no key has no primary key; name the columns"):
        bench.plan("no key", saved=True)
    save(bench, "of scores", "SELECT 1 AS id, 'x' AS body", target="scores")
    with pytest.raises(scoring.ScoringError, match="The saved query of scores asks the scores; only the data is"):
        bench.plan("of scores", saved=True, key=["id"])
    with pytest.raises(library.LibraryError):
        bench.plan("not there", saved=True, key=["id"])


# --- templates


def test_a_template_is_one_source_and_a_column_of_that_name_another(bench: scored.Bench, execute: Execute) -> None:
    fill(execute, 3)
    execute("ALTER TABLE texts ADD \"{title}: {body}\" text DEFAULT 'bad'")
    run = bench.run("texts", "{title}: {body}", template=True, context=["title"])
    assert bench.model.asked == [f"title {n}: good {n}" for n in (1, 2, 3)]
    assert [kept.name for kept in run.source.context] == ["title"], "what is joined may be kept"
    column = bench.run("texts", "{title}: {body}", context=[])
    assert (column.source.id != run.source.id, column.scored) == (True, 3)
    assert (run.source.name, column.source.name) == ("texts", "texts_{title}: {body}")


def test_a_template_that_is_none_is_refused(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    with pytest.raises(template.TemplateError, match="stands alone"):
        bench.plan("texts", "{title", template=True)
    with pytest.raises(scoring.ScoringError, match="texts has no column 'nothing'; it has: id, title, body"):
        bench.plan("texts", "{title}{nothing}", template=True)


# --- new rows


def test_what_tells_new_rows_is_a_time_or_a_number_with_an_index(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    for column, said in (
        ("at", "No index of texts begins with at, so all rows would be read to find the new ones; leave it out"),
        ("title", "New rows of texts cannot be told by title, which is text: it takes a time or a growing number"),
        ("nothing", "texts has no column 'nothing'"),
    ):
        with pytest.raises(scoring.ScoringError, match=said):
            bench.plan("texts", new_by=column)
    execute("CREATE INDEX ON texts (stars, at)")
    with pytest.raises(scoring.ScoringError, match="No index of texts begins with at"):
        bench.plan("texts", new_by="at")
    execute("ALTER TABLE texts ALTER at TYPE timestamp(3); CREATE INDEX ON texts (at, stars)")
    assert bench.run("texts", new_by="at").scored == 10
    execute("CREATE VIEW seen AS SELECT * FROM texts")
    assert bench.run("seen", key=["id"], new_by="stars").scored == 10, "of a view nobody knows"


# --- queues


@pytest.mark.parametrize("queue", ["scoring", "gpu", 'it\'s % "odd"'])
def test_a_run_is_put_into_its_queue(bench: scored.Bench, execute: Execute, queue: str) -> None:
    fill(execute)
    run = bench.plan("texts", queue=queue, chunk_rows=5)
    bench.cut(run)
    queued = "SELECT DISTINCT task_name, queue_name FROM undertone.procrastinate_jobs ORDER BY 1"
    assert execute(queued) == [("cut_run", queue), ("score_chunk", queue)]
    assert bench.get(run).queue == queue


def test_who_started_a_run_is_noted(bench: scored.Bench, execute: Execute) -> None:
    fill(execute)
    assert bench.plan("texts", who="ann@example.org").who == "ann@example.org"
