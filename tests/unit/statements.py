"""Statements for the console: those that must not pass, those that must, and the database that they are asked of."""

from __future__ import annotations

SHOP = """
CREATE TABLE items (
    id int PRIMARY KEY, name text, price numeric(10, 2), tags text[], doc jsonb, at timestamptz, "update" text,
    "into" int
);
INSERT INTO items VALUES
    (1, 'kettle', 29.90, '{kitchen,steel}', '{"a": {"b": [1, 2]}, "n": null}', '2025-01-01 10:00+00', 'new', 7),
    (2, 'pine; soap', 4.50, '{}', '{"a": 1}', '2025-02-01 10:00+00', NULL, 8),
    (3, NULL, NULL, NULL, NULL, NULL, '', 9);
CREATE TABLE parts (item int REFERENCES items, part text);
INSERT INTO parts VALUES (1, 'lid'), (1, 'handle');
CREATE SEQUENCE numbers;
CREATE FUNCTION touch(int) RETURNS int LANGUAGE sql VOLATILE AS
    'UPDATE items SET name = ''touched'' WHERE id = $1 RETURNING id';
CREATE FUNCTION touch_as_owner(int) RETURNS int LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT $1';
CREATE FUNCTION vat(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round($1 * 1.2, 2)';
CREATE FUNCTION "Odd Name"(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1';
CREATE FUNCTION name(int) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT ''a column is called so, too''';
CREATE VIEW cheap AS SELECT id, name FROM items WHERE price < 10;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;
"""

# What tries to be more than one question, or another thing than a question.
ESCAPES = r"""
SELECT 1; COMMIT; DROP TABLE parts
SELECT 1; DROP TABLE parts
SELECT 1 ;COMMIT;BEGIN; DELETE FROM parts; COMMIT
SELECT 1; ROLLBACK; DELETE FROM parts; SELECT 1
SELECT 1;; DELETE FROM parts
SELECT 1 /* ; */ ; DELETE FROM parts --
SELECT ';' ; DELETE FROM parts
SELECT $$;$$; DELETE FROM parts
SELECT $a$ $b$ $a$; DELETE FROM parts; SELECT $b$ $b$
SELECT E'\''; DELETE FROM parts; --'
SELECT '\'; DELETE FROM parts; --'
SELECT E'a'\n'\''; DELETE FROM parts; --'
SELECT E'a' -- comment\n '\''; DELETE FROM parts; --'
SELECT "a;b"; DELETE FROM parts
SELECT /* /* */ ; DELETE FROM parts; */ 1; DELETE FROM parts
SELECT 1 --\r; DELETE FROM parts
SELECT U&'\0027'; DELETE FROM parts
COMMIT
COMMIT; SELECT 1
ROLLBACK; DELETE FROM parts
BEGIN; DELETE FROM parts; COMMIT
END; DELETE FROM parts
PREPARE TRANSACTION 'x'
INSERT INTO parts VALUES (2, 'lid')
INSERT INTO parts VALUES (2, 'lid') RETURNING part
UPDATE parts SET part = 'x'
UPDATE parts SET part = 'x' RETURNING *
DELETE FROM parts RETURNING *
MERGE INTO parts USING items ON item = id WHEN MATCHED THEN DELETE
TRUNCATE parts
TRUNCATE parts; SELECT 1
DROP TABLE parts
CREATE TABLE stolen AS SELECT * FROM parts
CREATE TEMPORARY TABLE mine AS SELECT 1
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
ALTER TABLE parts ADD COLUMN x int
COMMENT ON TABLE parts IS 'x'
GRANT ALL ON parts TO PUBLIC
WITH gone AS (DELETE FROM parts RETURNING *) SELECT * FROM gone
WITH gone AS MATERIALIZED (DELETE FROM parts RETURNING *) SELECT * FROM gone
WITH gone AS NOT MATERIALIZED (UPDATE parts SET part = 'x' RETURNING *) TABLE gone
WITH x AS (INSERT INTO parts VALUES (2, 'x') RETURNING *) SELECT count(*) FROM x
WITH x AS (SELECT 1) DELETE FROM parts
WITH x AS (SELECT 1) INSERT INTO parts SELECT 2, 'x' FROM x RETURNING part
WITH x AS (SELECT 1) UPDATE parts SET part = 'x'
WITH x AS (SELECT 1), y AS (WITH z AS (DELETE FROM parts RETURNING *) SELECT * FROM z) SELECT 1
SELECT * INTO stolen FROM parts
SELECT * INTO TEMP stolen FROM parts
SELECT 1 AS a INTO stolen
WITH x AS (SELECT 1) SELECT * INTO stolen FROM x
EXPLAIN ANALYZE CREATE TABLE stolen AS SELECT * FROM parts
EXPLAIN (ANALYZE) CREATE TABLE stolen AS SELECT * FROM parts
EXPLAIN (ANALYZE, BUFFERS) CREATE MATERIALIZED VIEW stolen AS SELECT * FROM parts
EXPLAIN ANALYZE SELECT * INTO stolen FROM parts
EXPLAIN ANALYZE VERBOSE DELETE FROM parts
EXPLAIN ANALYZE WITH gone AS (DELETE FROM parts RETURNING *) SELECT * FROM gone
EXPLAIN ANALYZE INSERT INTO parts VALUES (1, 'x')
EXPLAIN ANALYZE EXECUTE something
EXPLAIN ANALYZE DECLARE c CURSOR FOR SELECT 1
DO $$ BEGIN DELETE FROM parts; END $$
CALL touch(1)
COPY parts TO '/tmp/undertone-stolen'
COPY (SELECT 1) TO PROGRAM 'touch /tmp/undertone-stolen'
COPY parts FROM '/etc/passwd'
COPY parts TO STDOUT
COPY parts FROM STDIN
SET statement_timeout = 0
SET SESSION AUTHORIZATION postgres
SET ROLE undertone_owner
SET TRANSACTION READ WRITE
SET LOCAL transaction_read_only = off
RESET ALL
DISCARD ALL
LOCK TABLE parts IN ACCESS EXCLUSIVE MODE
LISTEN undertone
NOTIFY undertone, 'x'
UNLISTEN *
PREPARE p AS DELETE FROM parts
DECLARE c CURSOR WITH HOLD FOR SELECT 1
FETCH ALL FROM undertone
CLOSE undertone
MOVE undertone
VACUUM parts
ANALYZE parts
REINDEX TABLE parts
CLUSTER parts
CHECKPOINT
LOAD 'auto_explain'
REFRESH MATERIALIZED VIEW nowhere
IMPORT FOREIGN SCHEMA x FROM SERVER y INTO z
SELECT * FROM parts FOR UPDATE
SELECT * FROM parts FOR SHARE
SELECT * FROM parts FOR NO KEY UPDATE SKIP LOCKED
\copy parts to '/tmp/undertone-stolen'
"""

# Functions that do more than answer, in every notation.
FUNCTIONS = r"""
SELECT pg_sleep(30)
SELECT PG_SLEEP(30)
SELECT "pg_sleep"(30)
SELECT pg_sleep /* x */ -- y\n (30)
SELECT pg_catalog.pg_sleep(30)
SELECT pg_catalog . "pg_sleep" (30)
SELECT U&"pg\005fsleep"(30)
SELECT U&"pg!005fsleep" UESCAPE '!' (30)
SELECT (30).pg_sleep
SELECT (30)."pg_sleep"
SELECT x.pg_sleep FROM generate_series(30,31) x
SELECT * FROM pg_sleep(30)
SELECT * FROM ROWS FROM (pg_sleep(30))
SELECT 1 WHERE pg_sleep(30) IS NULL
SELECT 1 ORDER BY pg_sleep(30)
SELECT 1 FROM items, LATERAL pg_sleep(id * 30)
VALUES (pg_sleep(30))
EXPLAIN ANALYZE SELECT pg_sleep(30)
WITH x AS (SELECT pg_sleep(30)) TABLE x
SELECT pg_sleep_for('30 s')
SELECT pg_sleep_until(now() + interval '30 s')
SELECT set_config('statement_timeout', '0', false)
SELECT set_config('statement_timeout', '0', true), count(*) FROM generate_series(1, 1000000000)
SELECT pg_catalog.set_config('transaction_read_only', 'off', true)
SELECT pg_notify('undertone', 'x')
SELECT pg_advisory_lock(1)
SELECT pg_advisory_lock(i) FROM generate_series(1, 100000) i
SELECT (7::bigint).pg_advisory_lock
SELECT pg_try_advisory_xact_lock(1)
SELECT lo_create(0)
SELECT lo_creat(-1)
SELECT (-1).lo_creat
SELECT lo_from_bytea(0, 'x')
SELECT lo_import('/etc/passwd')
SELECT lo_export(1, '/tmp/undertone-stolen')
SELECT lo_unlink(1)
SELECT lo_put(1, 0, 'x')
SELECT nextval('numbers')
SELECT 'numbers'::regclass.nextval
SELECT ('numbers'::regclass).nextval
SELECT setval('numbers', 99)
SELECT pg_terminate_backend(pid) FROM pg_stat_get_activity(NULL)
SELECT pg_cancel_backend(pg_backend_pid())
SELECT pg_reload_conf()
SELECT pg_rotate_logfile()
SELECT pg_read_file('/etc/passwd')
SELECT pg_ls_dir('.')
SELECT pg_switch_wal()
SELECT pg_logical_emit_message(false, 'x', 'y')
SELECT pg_export_snapshot()
SELECT pg_stat_reset()
SELECT txid_current()
SELECT pg_current_xact_id()
SELECT query_to_xml('DELETE FROM parts', true, true, '')
SELECT query_to_xml('SELECT pg_sleep(30)', true, true, '')
SELECT table_to_xml('parts', true, true, '')
SELECT database_to_xml(true, true, '')
SELECT cursor_to_xml('undertone', 1, true, true, '')
SELECT ts_stat('SELECT pg_sleep(30)::text::tsvector')
SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, pg_sleep(30)::text::tsquery')
SELECT dblink('dbname=x', 'DROP TABLE parts')
SELECT * FROM dblink_exec('DROP TABLE parts')
SELECT * FROM crosstab('SELECT pg_sleep(30)') AS t(a int)
SELECT touch(1)
SELECT public.touch(1)
SELECT (1).touch
SELECT TOUCH(id) FROM items
SELECT touch_as_owner(1)
SELECT "Odd Name"(1)
SELECT name(1)
SELECT * FROM pg_stat_activity
TABLE pg_catalog."pg_stat_activity"
SELECT rolpassword FROM pg_authid
SELECT passwd FROM pg_shadow
"""

ANSWERED: list[tuple[str, list[tuple[object, ...]] | None]] = [
    ("SELECT 1", [(1,)]),
    ("  select\t1 ;\n", [(1,)]),
    ("SELECT 1;;", [(1,)]),
    ("; SELECT 1", [(1,)]),
    ("-- why\nSELECT 1 -- because\n;-- end", [(1,)]),
    ("/* a /* b */ c */ SELECT /* ; */ 1 /* DELETE FROM parts */", [(1,)]),
    ("(SELECT 1) UNION ALL (SELECT 2)", [(1,), (2,)]),
    ("((SELECT 1))", [(1,)]),
    ("VALUES (1, 'a'), (2, NULL)", [(1, "a"), (2, None)]),
    ("TABLE parts ORDER BY part", [(1, "handle"), (1, "lid")]),
    ("SELECT", [()]),
    ("SELECT FROM items", [(), (), ()]),
    ("SELECT 1 WHERE false", []),
    ("SELECT id AS a, id AS a, 1 FROM items WHERE id = 1", [(1, 1, 1)]),
    ("SELECT 'DELETE FROM parts; COMMIT'", [("DELETE FROM parts; COMMIT",)]),
    ("SELECT $$; DROP TABLE parts; $$", [("; DROP TABLE parts; ",)]),
    ("SELECT $a$ $$ ' $b$ $a$", [(" $$ ' $b$ ",)]),
    (r"SELECT E'a\'b;c', 'a\', 'it''s'", [("a'b;c", "a\\", "it's")]),
    ("SELECT E'a'\n'b\\'c', 'd'\n'e'", [("ab'c", "de")]),
    (r"SELECT U&'\0041', B'101', X'1F', N'x'", [("A", "101", "00011111", "x")]),
    ("SELECT 100 % 7, '100%', '%s %(x)s %%'", [(2, "100%", "%s %(x)s %%")]),
    ("SELECT ':x', '{\"a\":1}'::jsonb, 1::int, (ARRAY[1,2,3])[1:2]", [(":x", '{"a": 1}', 1, "{1,2}")]),
    ("SELECT '?', '{\"a\":1}'::jsonb ? 'a'", [("?", True)]),
    ("SELECT 'über', 'Größe', '👍', U&'\\+01F44D'", [("über", "Größe", "👍", "👍")]),
    ('SELECT "update", "into" FROM items WHERE id = 1', [("new", 7)]),
    ("SELECT update FROM items WHERE id = 1", [("new",)]),
    ("SELECT i.into, i.update, 1 AS into FROM items i WHERE id = 1", [(7, "new", 1)]),
    ("SELECT name FROM items WHERE name = 'pine; soap'", [("pine; soap",)]),
    ("SELECT i.name FROM items i WHERE i.id = 1", [("kettle",)]),
    ("SELECT items.name, public.items.id FROM public.items WHERE items.id = 1", [("kettle", 1)]),
    ("SELECT * FROM cheap", [(2, "pine; soap")]),
    ("SELECT vat(price), (price).vat FROM items WHERE id = 1", [("35.88", "35.88")]),
    ("WITH a AS (SELECT 1 AS x), b AS MATERIALIZED (TABLE a) SELECT x FROM b", [(1,)]),
    ("WITH insert AS (SELECT 1 AS delete) SELECT delete FROM insert", [(1,)]),
    ("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n", [(15,)]),
    ("SELECT id, row_number() OVER (ORDER BY id DESC) FROM items ORDER BY id LIMIT 1", [(1, 3)]),
    (
        "SELECT i.id, p.* FROM items i LEFT JOIN LATERAL (SELECT max(part) FROM parts WHERE item = i.id) p ON true",
        [(1, "lid"), (2, None), (3, None)],
    ),
    (
        "SELECT id > 1, count(*) FROM items GROUP BY GROUPING SETS ((id > 1), ()) ORDER BY 1",
        [(False, 1), (True, 2), (None, 3)],
    ),
    (
        "SELECT count(*) FILTER (WHERE price > 5), string_agg(name, ', ' ORDER BY id) FROM items",
        [(1, "kettle, pine; soap")],
    ),
    ("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY price) FROM items", [(17.2,)]),
    ("SELECT doc->'a'->'b'->>1, doc #>> '{a,b,0}', doc @> '{\"n\": null}' FROM items WHERE id = 1", [("2", "1", True)]),
    ("SELECT jsonb_path_query(doc, '$.a.b[*] ? (@ > 1)') FROM items WHERE id = 1", [("2",)]),
    ('SELECT * FROM jsonb_to_recordset(\'[{"a":1,"b":"x"}]\') AS t(a int, b text)', [(1, "x")]),
    ("SELECT tags[1], cardinality(tags), 'steel' = ANY (tags) FROM items WHERE id = 1", [("kitchen", 2, True)]),
    ("SELECT u.tag, u.n FROM items, unnest(tags) WITH ORDINALITY AS u(tag, n)", [("kitchen", 1), ("steel", 2)]),
    ("SELECT int4range(1, 5) * int4range(3, 9), 3 <@ int4range(1, 5)", [("[3,5)", True)]),
    ("SELECT to_tsvector('english', 'kettles boil') @@ to_tsquery('kettle & boil')", [(True,)]),
    ("SELECT ts_rewrite('a & b'::tsquery, 'a'::tsquery, 'c'::tsquery)", None),
    (
        "SELECT regexp_replace('a1b22', '\\d+', '#', 'g'), 'x' ~ '^[a-z]$', substring('abc' FROM 2 FOR 1)",
        [("a#b#", True, "b")],
    ),
    (
        "SELECT EXTRACT(year FROM at), date_trunc('month', at)::date, at + interval '1 day' FROM items WHERE id = 1",
        None,
    ),
    ("SELECT CASE WHEN id = 1 THEN 'one' ELSE 'more' END FROM items ORDER BY id LIMIT 1 OFFSET 1", [("more",)]),
    ("SELECT -1, - 1, 2 ^ 3, 5 / 2, 1e3, 0.5, 1000", [(-1, -1, 8.0, 2, "1000", "0.5", 1000)]),
    ("SELECT 1 OPERATOR(pg_catalog.+) 2, 'a' COLLATE \"C\" < 'b'", [(3, True)]),
    ("SELECT CAST('1' AS int), '2'::bigint, int '3'", [(1, 2, 3)]),
    ("SELECT ROW(1, 'a'), i FROM items i WHERE id = 3", [("(1,a)", '(3,,,,,,"",9)')]),
    (
        "SELECT random() BETWEEN 0 AND 1, clock_timestamp() > '2000-01-01', length(gen_random_uuid()::text)",
        [(True, True, 36)],
    ),
    (
        "SELECT pg_relation_size('items') > 0, pg_size_pretty(1024::bigint), pg_total_relation_size('items') > 0",
        [(True, "1024 bytes", True)],
    ),
    ("SELECT count(*) > 0 FROM items TABLESAMPLE bernoulli (100)", [(True,)]),
    ("SELECT count(*) > 0 FROM items TABLESAMPLE system (100) REPEATABLE (1)", [(True,)]),
    ("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1 LIMIT 1", [("cheap",)]),
    ("SELECT relname, relkind FROM pg_class WHERE relname = 'items'", [("items", "r")]),
    ("SELECT n_live_tup >= 0 FROM pg_stat_user_tables WHERE relname = 'items'", [(True,)]),
    ("SELECT count(*) > 0 FROM pg_settings", [(True,)]),
    ("SELECT pg_get_viewdef('cheap'::regclass) ~ 'price', obj_description('items'::regclass)", [(True, None)]),
    (
        "SELECT current_user = session_user, current_database() = current_catalog, current_date = now()::date",
        [(True, True, True)],
    ),
    (
        "SELECT current_setting('transaction_read_only'), current_setting('transaction_isolation')",
        [("on", "repeatable read")],
    ),
    ("SHOW server_encoding", [("UTF8",)]),
    ("show TIME ZONE", None),
    ("SHOW ALL", None),
    ("EXPLAIN SELECT * FROM items", None),
    ("EXPLAIN (SELECT 1)", None),
    ("EXPLAIN ANALYZE SELECT * FROM items JOIN parts ON item = id", None),
    ("EXPLAIN (ANALYZE, FORMAT JSON, BUFFERS) WITH x AS (SELECT 1) SELECT * FROM x", None),
    ("EXPLAIN VERBOSE VALUES (1)", None),
    ("SELECT a.id FROM items a NATURAL JOIN items b JOIN items c USING (id) WHERE a.name IS NOT NULL", None),
    ("SELECT count(*) FROM (SELECT DISTINCT ON (item) * FROM parts ORDER BY item, part) AS d", [(1,)]),
    ("SELECT id FROM items EXCEPT SELECT item FROM parts INTERSECT SELECT 1 ORDER BY 1 FETCH FIRST 1 ROW ONLY", [(2,)]),
    (
        "SELECT format('%s-%I', 'a', 'b c'), overlay('abc' PLACING 'x' FROM 2), trim(both from ' a ')",
        [('a-"b c"', "axc", "a")],
    ),
    ("SELECT s.commit FROM (SELECT 1 AS commit) s", [(1,)]),
]


def lines(block: str) -> list[str]:
    """The statements of a block, one a line; \\n and \\r in one are line ends."""
    return [line.replace("\\n", "\n").replace("\\r", "\r") for line in block.strip().splitlines()]
