-- The shop of statements.py, and whatever an account that owns its tables may have made: side effects behind names that look
-- harmless.
CREATE SCHEMA depot;
CREATE TABLE depot.stock (
    id serial PRIMARY KEY, item int REFERENCES items, amount int NOT NULL DEFAULT 0, during tstzrange, note text
);
INSERT INTO depot.stock (item, amount, during, note)
SELECT 1 + n % 3, n, tstzrange('2025-01-01', '2025-01-01'::timestamptz + n * interval '1 day'), 'row ' || n
FROM generate_series(1, 200) n;
CREATE TABLE "straßen & co" ("Straße ""Nr"" 1" text, "a b" int, "SELECT" text, "x;y" int, "%" int, ":n" int);
INSERT INTO "straßen & co" VALUES ('Hauptstraße 1', 1, 'q', 2, 3, 4), (NULL, NULL, '', NULL, 5, 6);
CREATE TABLE events (day date NOT NULL, kind text, pg_sleep int, touch int) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO events VALUES ('2025-06-01', 'sale', 1, 2), ('2026-06-01', 'return', 3, 4);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE place AS (street text, number int);
CREATE TABLE people (name text, feels mood, lives place, scores int[], home jsonb, vec tsvector);
INSERT INTO people VALUES
    ('Ann', 'happy', ('Oak', 1), '{1,2,3}', '{"rooms": [{"n": 1}, {"n": 2}], "a b": "%"}', 'oak'),
    ('Bob', 'sad', NULL, '{{1,2},{3,4}}', '[]', NULL);
CREATE MATERIALIZED VIEW totals AS SELECT item, sum(amount) AS amount FROM depot.stock GROUP BY item;
CREATE UNIQUE INDEX ON totals (item);

CREATE FUNCTION touch(items) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT touch($1.id)';
CREATE FUNCTION touch_all(VARIADIC int[]) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT touch($1[1])';
CREATE FUNCTION touch_set() RETURNS SETOF items LANGUAGE sql VOLATILE AS 'UPDATE items SET name = ''t'' RETURNING *';
CREATE FUNCTION touch_named(a int DEFAULT 1, b int DEFAULT 2) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT touch(a)';
CREATE FUNCTION secret() RETURNS text LANGUAGE sql VOLATILE SECURITY DEFINER AS 'SELECT ''secret''';
CREATE PROCEDURE clean() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM parts; COMMIT; END $$;
CREATE FUNCTION liar(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT touch($1)';
CREATE FUNCTION by_default(a int DEFAULT nextval('numbers')) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE FUNCTION price(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT touch($1)';
CREATE FUNCTION touch_pair(int, int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT touch($2)';
CREATE AGGREGATE touched(int) (SFUNC = touch_pair, STYPE = int, INITCOND = '0');
CREATE OPERATOR @+@ (LEFTARG = int, RIGHTARG = int, FUNCTION = touch_pair);
CREATE OPERATOR !!! (RIGHTARG = int, FUNCTION = touch);
CREATE DOMAIN doing AS int CHECK (touch(VALUE) IS NOT NULL);
CREATE CAST (items AS int) WITH FUNCTION touch(items);
CREATE VIEW v_touch AS SELECT touch(1);
CREATE VIEW v_next AS SELECT nextval('numbers');
CREATE VIEW v_sleep AS SELECT pg_sleep(30)::text;
CREATE VIEW v_lock AS SELECT pg_advisory_lock(4711)::text;
CREATE VIEW v_large AS SELECT lo_create(0);
CREATE VIEW v_update AS SELECT touch(id) FROM items;
CREATE VIEW v_nested AS SELECT * FROM v_touch;
CREATE VIEW v_notify AS SELECT pg_notify('undertone', 'x')::text;
CREATE VIEW v_seed AS SELECT setseed(0.5)::text;
CREATE VIEW v_config AS SELECT set_config('statement_timeout', '0', false) AS a, set_config('undertone.x', 'y', false) AS b;
CREATE VIEW v_write AS SELECT set_config('transaction_read_only', 'off', true);
CREATE VIEW v_message AS SELECT pg_logical_emit_message(false, 'undertone', 'x');
CREATE VIEW v_snapshot AS SELECT pg_export_snapshot();
CREATE VIEW v_xid AS SELECT pg_current_xact_id();
CREATE VIEW v_xml AS SELECT query_to_xml('SELECT pg_advisory_lock(4712)', true, true, '');
CREATE VIEW v_cancel AS SELECT pg_cancel_backend(pid) FROM pg_stat_get_activity(NULL) AS a
    WHERE usesysid = current_user::regrole::oid AND pid <> pg_backend_pid();
CREATE VIEW v_kill AS SELECT pg_terminate_backend(pid) FROM pg_stat_get_activity(NULL) AS a
    WHERE usesysid = current_user::regrole::oid AND pid <> pg_backend_pid();
CREATE FUNCTION kill() RETURNS bool LANGUAGE sql STABLE AS 'SELECT bool_or(pg_terminate_backend) FROM v_kill';
CREATE FUNCTION hold(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN PERFORM pg_advisory_lock($1); PERFORM set_config('undertone.x', 'y', false); RETURN $1; END $$;
CREATE FUNCTION hold_pair(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT hold($2)';
CREATE AGGREGATE hold_all(int) (SFUNC = hold_pair, STYPE = int, INITCOND = '0');
CREATE OPERATOR ~~~ (RIGHTARG = int, FUNCTION = hold);
CREATE DOMAIN holding AS int CHECK (hold(VALUE) IS NOT NULL);
CREATE FUNCTION kill_others() RETURNS bool LANGUAGE sql STABLE AS 'SELECT kill()';
CREATE FUNCTION kill_atomic() RETURNS bool STABLE
    BEGIN ATOMIC SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_get_activity(NULL)
    WHERE usesysid = current_user::regrole::oid AND pid <> pg_backend_pid(); END;
CREATE FUNCTION kill_spelt() RETURNS void LANGUAGE plpgsql STABLE AS
    $$ BEGIN EXECUTE 'SELECT count(pg_term' || 'inate_backend(pid)) FROM pg_stat_get_activity(NULL) AS a
    WHERE usesysid = current_user::regrole::oid AND pid <> pg_backend_pid()'; END $$;
CREATE FUNCTION kill_default(a bool DEFAULT kill()) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE VIEW v_kill_function AS SELECT kill_others();
CREATE VIEW v_kill_lateral AS SELECT k FROM generate_series(1, 1) g, LATERAL (SELECT kill() AS k OFFSET 0) AS x;
CREATE DOMAIN killing AS int CHECK (kill() IS NOT NULL);
CREATE TABLE guarded_rows (i int);
INSERT INTO guarded_rows VALUES (1);
ALTER TABLE guarded_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded_rows FORCE ROW LEVEL SECURITY;
CREATE POLICY sneaky ON guarded_rows USING ((kill() IS NULL) = (i = 99));
