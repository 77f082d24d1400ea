"""Plans of the real server: asked for through the lane, named as PostgreSQL names them, told in words."""

from __future__ import annotations

import contextlib
import pickle
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest
import sqlalchemy

from tests import servers
from undertone import console, database, embedded, parameters, plan_text, plan_words, plans, values

Explain = Callable[..., plans.Plan]

TABLES = """
CREATE TABLE big AS SELECT g AS id, g % 1000 AS k, md5(g::text) AS t FROM generate_series(1, 40000) AS g;
CREATE INDEX ON big (id);
CREATE INDEX ON big (k);
CREATE TABLE small AS SELECT g AS id, g % 7 AS k FROM generate_series(1, 500) AS g;
CREATE INDEX ON small (id);
CREATE TABLE parts (k int, v text) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
CREATE TABLE parts_3 PARTITION OF parts FOR VALUES IN (3);
INSERT INTO parts SELECT 1 + g % 3, g::text FROM generate_series(1, 3000) AS g;
CREATE TABLE "a <b>**odd**</b> name" AS SELECT 1 AS "a <i>";
"""
PARALLEL = (
    "max_parallel_workers_per_gather = 2; parallel_setup_cost = 0; parallel_tuple_cost = 0;"
    " min_parallel_table_scan_size = 0; min_parallel_index_scan_size = 0"
)
# Settings that make the planner choose it, and a statement.
QUERIES = [
    ("", "SELECT * FROM big"),
    ("", "SELECT * FROM big WHERE id = 5"),
    ("", "SELECT id FROM big WHERE id BETWEEN 5 AND 50 ORDER BY id DESC"),
    ("", "SELECT * FROM big WHERE k = 5 OR id = 7"),
    ("enable_seqscan = off; enable_indexscan = off", "SELECT * FROM big WHERE k = 5 AND id < 500"),
    ("", "SELECT * FROM big WHERE ctid = '(0,1)'"),
    ("", "SELECT * FROM big WHERE ctid > '(0,1)' AND ctid < '(3,1)'"),
    ("", "SELECT * FROM big TABLESAMPLE bernoulli (5) REPEATABLE (3)"),
    ("", "SELECT count(*) FROM big"),
    ("", "SELECT k, count(*) FROM big GROUP BY k"),
    ("enable_hashagg = off", "SELECT k, count(*) FROM big GROUP BY k"),
    ("", "SELECT k, id, count(*) FROM small GROUP BY GROUPING SETS ((k), (id), ())"),
    ("enable_hashagg = off", "SELECT DISTINCT k FROM small"),
    ("", "SELECT * FROM big JOIN small USING (id)"),
    ("", "SELECT * FROM big LEFT JOIN small ON small.id = big.k"),
    ("", "SELECT * FROM small RIGHT JOIN big ON small.id = big.k"),
    ("", "SELECT * FROM big FULL JOIN small ON small.id = big.k"),
    ("", "SELECT * FROM big WHERE EXISTS (SELECT FROM small WHERE small.id = big.k)"),
    ("", "SELECT * FROM big WHERE NOT EXISTS (SELECT FROM small WHERE small.id = big.k)"),
    ("enable_hashjoin = off; enable_nestloop = off", "SELECT * FROM big FULL JOIN small USING (id)"),
    ("enable_hashjoin = off; enable_mergejoin = off", "SELECT * FROM small LEFT JOIN small AS other USING (id)"),
    ("enable_hashjoin = off; enable_mergejoin = off", "SELECT count(*) FROM big JOIN small ON small.id = big.k"),
    ("", "SELECT * FROM small AS a JOIN small AS b ON a.id * 2 <> b.k AND a.k < b.k LIMIT 10"),
    ("", "SELECT * FROM small WHERE id NOT IN (SELECT k FROM big WHERE id < 100)"),
    ("", "SELECT id, (SELECT max(id) FROM big WHERE big.k = small.k) FROM small LIMIT 20"),
    ("", "SELECT * FROM small WHERE id > (SELECT avg(id) FROM small)"),
    ("", "WITH x AS MATERIALIZED (SELECT * FROM big WHERE k < 10) SELECT count(*) FROM x JOIN x AS y USING (id)"),
    (
        "",
        "WITH x AS MATERIALIZED (SELECT * FROM small),"
        " y AS MATERIALIZED (SELECT * FROM x WHERE id > (SELECT avg(id) FROM x))"
        " SELECT (SELECT count(*) FROM y), count(*) FROM x JOIN y USING (id)",
    ),
    ("", "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 100) SELECT * FROM r"),
    ("", "SELECT * FROM big ORDER BY t LIMIT 5"),
    ("enable_sort = off", "SELECT * FROM small ORDER BY id, k"),
    ("", "SELECT id, row_number() OVER (PARTITION BY k ORDER BY id) FROM small"),
    ("", "SELECT * FROM (SELECT id, row_number() OVER (ORDER BY id) AS r FROM small) AS q WHERE r < 5"),
    ("", "SELECT * FROM generate_series(1, 10) WITH ORDINALITY AS g (a, b) WHERE a > 3"),
    ("", "SELECT generate_series(1, 10)"),
    ("", "VALUES (1), (2)"),
    ("", "SELECT 1 WHERE random() < 2"),
    ("", "SELECT * FROM parts WHERE k = (SELECT 2)"),
    ("enable_sort = off", "SELECT * FROM parts ORDER BY k LIMIT 5"),
    ("", "SELECT id FROM small UNION ALL SELECT k FROM big"),
    ("", "SELECT id FROM small EXCEPT SELECT k FROM big"),
    ("enable_hashagg = off", "SELECT id FROM small INTERSECT ALL SELECT k FROM big"),
    ("", 'SELECT * FROM "a <b>**odd**</b> name" WHERE "a <i>" = 1'),
    (PARALLEL, "SELECT count(*) FROM big WHERE t LIKE '%a%'"),
    (PARALLEL, "SELECT * FROM big JOIN big AS other USING (id) ORDER BY big.t"),
    (PARALLEL, "SELECT k, count(*) FROM parts GROUP BY k"),
    (f"{PARALLEL}; enable_hashjoin = off", "SELECT count(*) FROM big JOIN small USING (id)"),
]


@dataclass
class Accounts:
    """Pools on one database: of its owner, who can set anything, and of the reader, for the lane."""

    owner: database.Database
    reader: database.Database


@pytest.fixture(scope="module")
def accounts(server: servers.Postgresql) -> Iterator[Accounts]:
    with contextlib.ExitStack() as stack:

        def superuser(name: str, *statements: str) -> None:
            with contextlib.closing(psycopg2.connect(**server.dsn(database=name))) as connection:
                connection.autocommit = True
                for statement in statements:
                    connection.cursor().execute(statement)

        def pool(role: str) -> database.Database:
            port = server.dsn()["port"]
            address = sqlalchemy.URL.create("postgresql+psycopg2", role, None, "127.0.0.1", port, "plans")
            found = database.Database(address, name="data", size=2)
            stack.callback(found.close)
            return found

        superuser("postgres", f"CREATE DATABASE plans TEMPLATE undertone OWNER {embedded.OWNER}")
        stack.callback(superuser, "postgres", "DROP DATABASE plans WITH (FORCE)")
        made = Accounts(pool(embedded.OWNER), pool(embedded.READER))
        with made.owner.lend() as connection:
            connection.cursor().execute(TABLES)
            connection.commit()
        superuser("plans", "VACUUM ANALYZE")
        yield made


@pytest.fixture
def lane(accounts: Accounts) -> database.Database:
    return accounts.reader


@pytest.fixture
def ask(accounts: Accounts) -> Callable[..., list[Any]]:
    """Ask under settings that the lane has not, beside it."""

    def ask(question: str, settings: str = "") -> list[Any]:
        with accounts.owner.lend() as connection:
            cursor = values.as_written(connection.cursor())
            for setting in filter(None, settings.split(";")):
                cursor.execute(f"SET LOCAL {setting}")
            cursor.execute(question)
            rows: list[Any] = cursor.fetchall()
            connection.rollback()
            return rows

    return ask


@pytest.fixture
def explain(ask: Callable[..., list[Any]]) -> Explain:
    def explain(question: str, settings: str = "", *, analyze: bool = True) -> plans.Plan:
        return plans.read(ask(plans.statement(question, analyze=analyze), settings)[0][0])

    return explain


def nodes(plan: plans.Plan) -> list[plans.Node]:
    return [node for _, node in plan_text.walk(plan.root)]


def only(plan: plans.Plan, kind: str) -> plans.Node:
    (found,) = [node for node in nodes(plan) if node.kind == kind]
    return found


def marks(plan: plans.Plan) -> str:
    return "; ".join(mark for node in nodes(plan) for mark in node.warnings)


# Asking


@pytest.mark.parametrize(
    "asked",
    [
        "SELECT 1",
        "select 1;",
        "\n\t;; SELECT 1 ; ;",
        "-- why; not\nSELECT 1 -- at the end",
        "/* a /* nested; */ comment */ SELECT 1 /* and one more */",
        "(SELECT 1)",
        "((SELECT 1) UNION ALL (SELECT 2)) ORDER BY 1;",
        "VALUES (1), (2)",
        "TABLE small",
        "WITH x AS (SELECT 'EXPLAIN; SHOW' AS y) SELECT * FROM x",
        "SELECT 'a;b', $$c;d$$, \"id\" FROM small",
    ],
)
@pytest.mark.parametrize("analyze", [False, True])
def test_any_query_can_be_explained_through_the_lane(lane: database.Database, asked: str, analyze: bool) -> None:
    plan = plans.read(str(console.run(lane, plans.statement(asked, analyze=analyze)).rows[0][0]))
    assert (plan.seconds is not None) == (plan.root.rows is not None) == analyze
    assert plan.planning_seconds is not None
    assert "as statements are run here" in str(plans.about_lane(plan))


@pytest.mark.parametrize(
    "asked",
    [
        "EXPLAIN SELECT 1",
        "explain (analyze) select 1",
        "SHOW work_mem",
        "; (EXPLAIN SELECT 1)",
        "DELETE FROM small",
        "SELECT 1; SELECT 2",
        "SELECT 1 INTO x",
        "WITH x AS (DELETE FROM small RETURNING *) SELECT * FROM x",
        "CREATE TABLE x AS SELECT 1",
        "",
        "-- nothing",
        "((",
    ],
)
@pytest.mark.parametrize("analyze", [False, True])
def test_what_is_no_query_is_not_explained(asked: str, analyze: bool) -> None:
    with pytest.raises(console.StatementRefused) as caught:
        plans.statement(asked, analyze=analyze)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("analyze", [False, True])
def test_explaining_goes_through_the_same_gate(lane: database.Database, analyze: bool) -> None:
    with pytest.raises(console.StatementRefused, match="pg_sleep"):
        console.run(lane, plans.statement("SELECT pg_sleep(100)", analyze=analyze))


def test_only_analyze_runs_the_statement(lane: database.Database) -> None:
    limits = console.Limits(seconds=0.5)
    endless = "SELECT count(*) FROM generate_series(1, 1000000000) AS g, generate_series(1, 1000) AS h"
    planned = console.run(lane, plans.statement(endless, analyze=False), limits)
    assert plans.read(str(planned.rows[0][0])).seconds is None
    with pytest.raises(console.StatementLimited):
        console.run(lane, plans.statement(endless, analyze=True), limits)
    stop = threading.Event()
    stop.set()
    with pytest.raises(console.StatementCancelled):
        console.run(lane, plans.statement(endless, analyze=True), cancel=stop)


def test_parameters_stay(lane: database.Database) -> None:
    asked = "SELECT * FROM big WHERE k = :k AND t <> ':k'"
    text = plans.statement(asked, analyze=True)
    assert parameters.find(text) == parameters.find(asked) != ()
    found = console.run(lane, text, parameters={"k": parameters.Value("integer", "7")})
    assert plans.read(str(found.rows[0][0])).root.rows == 40


@pytest.mark.parametrize("before", ["", "-- first;\n", ";; /* x; */ "])
def test_an_error_is_where_it_was_moved_to(lane: database.Database, before: str) -> None:
    asked = f"{before}SELECT id FROM small WHERE missing = 1"
    text = plans.statement(asked, analyze=True)
    with pytest.raises(console.StatementFailed) as caught:
        console.run(lane, text)
    moved = len(text) - len(asked)
    assert caught.value.position == asked.index("missing") + 1 + moved


# What the steps are


@pytest.mark.parametrize(("settings", "asked"), QUERIES)
def test_steps_and_figures_are_those_of_postgresql(
    ask: Callable[..., list[Any]], explain: Explain, settings: str, asked: str
) -> None:
    lines = [str(line) for (line,) in ask(f"EXPLAIN {asked}", settings)]
    theirs = [re.sub(r"^\s*(->\s+)?", "", line).replace('"', "") for line in lines if "(cost=" in line]
    ours = [f"{node.title}  {node.figures}".replace('"', "") for node in nodes(explain(asked, settings, analyze=False))]
    assert ours == theirs
    text = "\n".join(plans.postgres_lines(explain(asked, settings, analyze=False))).replace('"', "")
    assert [line.strip().removeprefix("->  ") for line in text.splitlines() if "(cost=" in line] == theirs


@pytest.mark.parametrize(("settings", "asked"), QUERIES)
@pytest.mark.parametrize("analyze", [False, True])
def test_every_step_has_its_share_and_words(explain: Explain, settings: str, asked: str, analyze: bool) -> None:
    plan = explain(asked, settings, analyze=analyze)
    found = nodes(plan)
    assert plan.size == len(found)
    assert sum(node.share for node in found) == pytest.approx(1) or not any(node.share for node in found)
    assert all(node.share >= 0 and node.cost >= 0 for node in found)
    assert all(node.buffers_hit >= 0 and node.buffers_read >= 0 for node in found)
    assert all((node.seconds or 0) >= 0 and (node.seconds is not None) == analyze for node in found)
    assert plan.costliest.share == max(node.share for node in found)
    assert not [node.kind for node in found if plan_words.UNKNOWN in node.words]
    assert sum(node.cost for node in found) == pytest.approx(cost(plan.root), rel=0.01)
    assert pickle.loads(pickle.dumps(plan)) == plan


def cost(node: plans.Node) -> float:
    return float(re.findall(r"\.\.([\d.]+) rows", node.figures)[0])


def test_pages_are_counted_once(explain: Explain) -> None:
    plan = explain("SELECT count(t) FROM big JOIN small USING (k)")
    whole = re.findall(r"hit=(\d+)", str(plan.root.details))
    assert sum(node.buffers_hit for node in nodes(plan)) == int(whole[0]) > 100
    assert plan.root.buffers_hit == 0


def test_a_cte_is_counted_where_it_is_read(explain: Explain) -> None:
    body = "SELECT sum(length(repeat(t, 200))) FROM big"
    plan = explain(f"WITH x AS MATERIALIZED ({body}) SELECT (SELECT sum FROM x), sum FROM x")
    assert plan.costliest.subplan == "CTE x"
    assert all(node.share < 0.2 for node in nodes(plan) if node.kind == "CTE Scan")
    assert "worked out once" in plan.costliest.words


def test_processes_side_by_side_take_no_longer_than_the_whole(explain: Explain) -> None:
    plan = explain("SELECT count(*) FROM big WHERE t LIKE '%a%'", PARALLEL)
    scan = only(plan, "Parallel Seq Scan")
    assert scan.loops == 3
    assert scan.rows == only(explain("SELECT * FROM big WHERE t LIKE '%a%'"), "Seq Scan").rows
    assert plan.seconds is not None
    assert sum(node.seconds or 0 for node in nodes(plan)) <= plan.seconds * 1.01
    assert "Several processes share the work." in scan.words
    assert plans.about_lane(plan) is None


def test_what_was_never_run_says_so(explain: Explain) -> None:
    plan = explain("SELECT * FROM small JOIN big USING (id) WHERE (SELECT random() > 2)")
    unrun = [node for node in nodes(plan) if node.loops == 0]
    assert unrun
    assert all(plan_words.UNRUN in node.words and node.rows == 0 and node.warnings == () for node in unrun)
    assert "(never executed)" in "\n".join(plans.postgres_lines(plan))
    assert "not run" in plans.text(plan)


def test_partitions_left_out_are_told(explain: Explain) -> None:
    plan = explain("SELECT * FROM parts WHERE k = (SELECT 2)")
    unrun = [node for node in nodes(plan) if node.loops == 0]
    assert len(unrun) == 2
    generic = explain("SELECT * FROM parts WHERE k = length(current_setting('server_version')) - 1000")
    assert "left out unread" in generic.root.words
    assert ("Subplans Removed", "3") in generic.root.details


# What stands out


def test_a_sort_on_disk_stands_out(explain: Explain) -> None:
    plan = explain("SELECT * FROM big ORDER BY t", "work_mem = '64kB'")
    assert re.search(r"spilled [\d.]+ MB to disk", marks(plan))
    assert any("work_mem" in sentence for sentence in plan.advice)
    assert "spilled" not in marks(explain("SELECT * FROM big ORDER BY t", "work_mem = '64MB'"))


def test_a_hash_in_batches_stands_out(explain: Explain) -> None:
    asked, only_hash = "SELECT count(*) FROM big JOIN big AS other USING (t)", "enable_mergejoin = off"
    plan = explain(asked, f"{only_hash}; work_mem = '64kB'")
    assert re.search(r"in \d+ batches", marks(plan))
    assert any("hash_mem_multiplier" in sentence for sentence in plan.advice)
    assert "batches" not in marks(explain(asked, f"{only_hash}; work_mem = '64MB'"))


def test_groups_on_disk_stand_out(explain: Explain) -> None:
    plan = explain("SELECT t, count(*) FROM big GROUP BY t", "work_mem = '64kB'; enable_sort = off")
    assert any(sentence.startswith("The groups of HashAggregate") for sentence in plan.advice)


def test_a_scan_that_keeps_little_names_the_index(explain: Explain) -> None:
    plan = explain("SELECT * FROM big WHERE t = 'x' OFFSET 0")
    assert marks(plan) == "throws away 100 % of the rows it reads"
    assert "reads 40,000 rows and keeps 0 of them" in plan.advice[-1]
    assert "An index on t could" in plan.advice[-1]
    plan = explain("SELECT * FROM big WHERE t LIKE '%abcd%'")
    assert "An index that fits this filter, if there can be one" in plan.advice[-1]
    assert marks(explain("SELECT * FROM big WHERE k > 500")) == ""


def test_a_loop_run_often_stands_out(explain: Explain) -> None:
    # The second input does nearly all of the work: it stands out only where its share of the measured time is large.
    plan = explain(
        "SELECT count(total) FROM big,"
        " LATERAL (SELECT sum(n) AS total FROM generate_series(1, 50) AS n WHERE n <> id) AS each"
    )
    assert "ran its second input 40,000 times" in marks(plan)
    plan = explain("SELECT (SELECT sum(n) FROM generate_series(1, 50) AS n WHERE n <> id) FROM big")
    assert "ran 40,000 times" in marks(plan)


def test_a_join_filter_that_keeps_little_stands_out(explain: Explain) -> None:
    join = "enable_hashjoin = off; enable_mergejoin = off"
    plan = explain("SELECT count(*) FROM small AS a JOIN small AS b ON a.k * b.id = 7 * a.id + b.k * 3 + 1", join)
    assert re.search(r"its join filter throws away \d+(\.\d+)? % of the pairs", marks(plan))


def test_a_bitmap_of_whole_pages_stands_out(explain: Explain) -> None:
    settings = "enable_seqscan = off; enable_indexscan = off; work_mem = '64kB'"
    plan = explain("SELECT count(*) FROM (SELECT t FROM big WHERE k < 700 OFFSET 0) AS q", settings)
    heap = only(plan, "Bitmap Heap Scan")
    lossy = dict(heap.details).get("Lossy Heap Blocks")
    assert bool(lossy) == any("only as a whole" in mark for mark in heap.warnings)


def test_rows_misjudged_are_told_where_that_begins(explain: Explain) -> None:
    # To the planner, each condition leaves half: together they leave all.
    asked = "SELECT count(*) FROM big WHERE " + " AND ".join(["id % 1 = 0"] * 2)
    plan = explain(asked)
    assert "more rows than estimated" in only(plan, "Seq Scan").warnings[0]
    assert plan.advice[-1].startswith("Seq Scan on big: ")
    assert "ANALYZE" in plan.advice[-1]
    assert len([sentence for sentence in plan.advice if "were expected" in sentence]) == 1


def test_rows_not_wanted_are_no_misjudgement(explain: Explain) -> None:
    for asked in (
        "SELECT * FROM big LIMIT 1",
        "SELECT * FROM (SELECT * FROM big OFFSET 0) AS q LIMIT 1",
        "SELECT EXISTS (SELECT FROM big)",
        "SELECT * FROM small WHERE EXISTS (SELECT FROM big WHERE big.k >= small.id - 400) LIMIT 3",
    ):
        assert "estimated" not in marks(explain(asked))


def test_a_plan_that_was_not_run_gives_no_advice(explain: Explain) -> None:
    plan = explain("SELECT * FROM big WHERE t = 'x' ORDER BY t", "work_mem = '64kB'", analyze=False)
    assert plan.advice == ()
    assert marks(plan) == ""
    assert plan.costliest.kind == "Seq Scan"
    assert "not run; about" in plans.summary(plan)


# Long and deep


def test_a_plan_of_many_levels_is_read(lane: database.Database) -> None:
    depth = 400  # the JSON of more would be longer than a row may be
    asked = "SELECT 1 LIMIT 1"
    for _ in range(depth):
        asked = f"SELECT * FROM ({asked}) q LIMIT 1"
    plan = plans.read(str(console.run(lane, plans.statement(asked, analyze=False)).rows[0][0]))
    assert plan.size == depth + 2
    assert len(plans.text(plan).splitlines()) == plan.size + 3
    assert pickle.loads(pickle.dumps(plan)).size == plan.size
    assert "Limit" in repr(plan.root)
    assert len(plans.pick(plan, 50)) <= 101


def test_a_huge_constant_does_not_stay(lane: database.Database) -> None:
    asked = "SELECT * FROM big WHERE t = repeat('x', 5000000)"
    plan = plans.read(str(console.run(lane, plans.statement(asked, analyze=False)).rows[0][0]))
    assert len(plan.json) > 5_000_000
    assert len(plan.root.about) < 300
    assert max(len(value) for _, value in plan.root.details) < 3_000
    assert len(plans.text(plan)) < 10_000
