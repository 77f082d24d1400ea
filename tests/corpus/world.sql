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
-- The same, hidden deeper and in other notations. It is harmful while a transaction is READ ONLY, so that it is made in peace.
CREATE FUNCTION kill_now(int) RETURNS int LANGUAGE sql STABLE AS $$
    SELECT $1 + count(CASE WHEN current_setting('transaction_read_only') = 'on' THEN pg_catalog . "pg_terminate_backend" (p) END)::int
    FROM pg_stat_get_backend_idset() AS b, pg_stat_get_backend_pid(b) AS p
    WHERE p <> pg_backend_pid() AND pg_stat_get_backend_userid(b) = current_user::regrole::oid $$;
CREATE FUNCTION kill_fixed(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN Public.KILL_Now($1); END $$;
CREATE FUNCTION "Kill Two"(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.kill_fixed(a)';
CREATE FUNCTION depot.kill_three(a int) RETURNS int IMMUTABLE RETURN "Kill Two"(a);
CREATE FUNCTION kill_four(a int, VARIADIC b int[] DEFAULT ARRAY[depot.kill_three(1)]) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE FUNCTION kill_argument(a int, b int DEFAULT 7) RETURNS int LANGUAGE sql STABLE AS 'SELECT a.kill_fixed';
CREATE FUNCTION kill_inside() RETURNS int LANGUAGE sql STABLE AS 'SELECT r.kill_now FROM generate_series(1, 1) AS r';
CREATE FUNCTION kill_variadic(VARIADIC a int[]) RETURNS int LANGUAGE sql STABLE AS 'SELECT max(kill_now(x)) FROM unnest(a) x';
CREATE FUNCTION kill_rows() RETURNS TABLE (id int, n int) LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN QUERY SELECT 1, kill_now(1); END $$;
CREATE FUNCTION kill_item(items) RETURNS int LANGUAGE sql STABLE AS 'SELECT kill_now($1.id)';
CREATE TABLE decoys (kill_item int, kill_fixed int, kill_now int);
CREATE FUNCTION kill_query() RETURNS SETOF int LANGUAGE plpgsql STABLE AS
    $$ BEGIN RETURN QUERY EXECUTE format('SELECT %I(1)', 'kill' || '_now'); END $$;
CREATE FUNCTION kill_loop() RETURNS int LANGUAGE plpgsql STABLE AS
    $$ DECLARE n int; t text := reverse(')1(won_llik TCELES'); BEGIN FOR n IN EXECUTE t LOOP RETURN n; END LOOP; END $$;
CREATE FUNCTION kill_cursor() RETURNS int LANGUAGE plpgsql STABLE AS
    $$ DECLARE c refcursor; n int; BEGIN OPEN c FOR /* */ EXECUTE concat('SELECT kill', '_now(1)'); FETCH c INTO n; RETURN n; END $$;
CREATE FUNCTION kill_code() RETURNS int LANGUAGE sql STABLE AS $$ SELECT U&"kill\005fnow"(1) $$;
CREATE FUNCTION kill_quoted() RETURNS int LANGUAGE sql STABLE SET standard_conforming_strings = off AS
    $$ SELECT length('a\'') + kill_now(1) + length('') $$;
CREATE FUNCTION pg_get_killed() RETURNS int LANGUAGE sql STABLE AS 'SELECT kill_now(1)';
CREATE FUNCTION kill_pair(int, int) RETURNS int LANGUAGE sql STABLE AS 'SELECT kill_now($2)';
CREATE FUNCTION kill_equal(int, int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT kill_now($2) = $1';
CREATE FUNCTION keep_first(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE AGGREGATE kill_step(int) (SFUNC = kill_pair, STYPE = int, INITCOND = '0');
CREATE AGGREGATE kill_last(int) (SFUNC = keep_first, STYPE = int, FINALFUNC = kill_fixed, INITCOND = '0');
CREATE AGGREGATE kill_moving(int) (SFUNC = keep_first, STYPE = int, INITCOND = '0', MSFUNC = keep_first, MINVFUNC = keep_first,
                                   MSTYPE = int, MINITCOND = '0', MFINALFUNC = kill_fixed);
CREATE OPERATOR depot.+#+ (LEFTARG = int, RIGHTARG = int, FUNCTION = kill_pair);
CREATE OPERATOR ?! (LEFTARG = int, RIGHTARG = bigint, FUNCTION = pg_terminate_backend);
CREATE FUNCTION kill_sign() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1 OPERATOR(depot.+#+) 2';
CREATE OPERATOR ==! (LEFTARG = int, RIGHTARG = int, FUNCTION = int4ne, NEGATOR = ===!);
CREATE OPERATOR ===! (LEFTARG = int, RIGHTARG = int, FUNCTION = kill_equal, NEGATOR = ==!);
CREATE DOMAIN killing_more AS killing;
CREATE TYPE killing_pair AS (a killing, b int);
CREATE TYPE killing_range AS RANGE (subtype = killing);
CREATE FUNCTION kill_variable() RETURNS int LANGUAGE plpgsql STABLE AS $$ DECLARE a killing_more := 1; BEGIN RETURN a; END $$;
CREATE FUNCTION kill_result() RETURNS killing_more LANGUAGE sql STABLE AS 'SELECT 1';
CREATE TYPE temper AS ENUM ('calm', 'wild');
CREATE FUNCTION temper_to_int(temper) RETURNS int LANGUAGE sql STABLE AS 'SELECT kill_now(1)';
CREATE CAST (temper AS int) WITH FUNCTION temper_to_int(temper) AS IMPLICIT;
CREATE FUNCTION temper_equal(temper, text) RETURNS bool LANGUAGE sql STABLE AS 'SELECT kill_now(1) = 1';
CREATE OPERATOR = (LEFTARG = temper, RIGHTARG = text, FUNCTION = temper_equal);
CREATE TABLE tempers (t temper);
INSERT INTO tempers VALUES ('calm');
CREATE VIEW v_kill_view AS SELECT * FROM v_kill_function;
CREATE VIEW depot."V Kill" AS SELECT id FROM items WHERE id OPERATOR(depot.+#+) 1 > 0;
CREATE VIEW v_kill_domain AS SELECT (id + 1)::killing AS id FROM items;
CREATE VIEW v_kill_temper AS SELECT abs(t) FROM tempers;
CREATE VIEW v_guarded AS SELECT count(*) FROM guarded_rows;
CREATE FUNCTION count_guarded() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM guarded_rows';
CREATE TABLE planned (i int);
CREATE INDEX ON planned ((kill_fixed(1)));
CREATE TABLE planned_too (i int);
CREATE INDEX ON planned_too ((kill_fixed(1)));
CREATE TABLE shelves (i int) PARTITION BY RANGE (i);
CREATE TABLE shelves_1 PARTITION OF shelves FOR VALUES FROM (0) TO (10);
CREATE TABLE shelves_2 PARTITION OF shelves FOR VALUES FROM (10) TO (20);
CREATE INDEX ON shelves_2 (i) WHERE kill_fixed(1) > 0;
CREATE TABLE measured (i int);
CREATE STATISTICS measures ON i, (i + kill_fixed(1)) FROM measured;
CREATE TABLE keyed (i int) PARTITION BY RANGE ((i + kill_fixed(1)));
CREATE TABLE keyed_1 PARTITION OF keyed FOR VALUES FROM (0) TO (10);
CREATE VIEW v_kill_valid AS SELECT pg_input_is_valid('7', 'kil' || 'ling');
CREATE TABLE checked (i int, CHECK (kill_fixed(1) > 0)) PARTITION BY LIST (i);
CREATE TABLE checked_1 PARTITION OF checked FOR VALUES IN (1);

-- And what is honest: functions of every kind that only answer, and what rests on them.
CREATE FUNCTION fee(amount numeric, rate numeric DEFAULT vat(0.1)) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE
    found record; -- EXECUTE is a word in a comment here, and so is pg_terminate_backend(1)
    said text := 'EXECUTE pg_terminate_backend(1); COPY items';
BEGIN
    SELECT i.id, i.name, i.price INTO found FROM items AS i WHERE i.price IS NOT NULL ORDER BY i.id LIMIT 1;
    IF found.price > 1000 THEN
        RAISE EXCEPTION '% is too much', found.name USING HINT = 'do pay';
    ELSIF length(said) > 1 AND has_table_privilege('items', 'SELECT') THEN
        RETURN round(amount * rate, 2) + coalesce(found.id, 0);
    END IF;
    RETURN 0;
END $$;
CREATE FUNCTION fee_inlined(a numeric) RETURNS numeric STABLE RETURN round(fee(a) * 2, 1);
CREATE FUNCTION cheapest(n int DEFAULT 2) RETURNS TABLE (id int, price numeric) LANGUAGE sql STABLE AS
    'SELECT i.id, i.price FROM items AS i WHERE i.price > 0 ORDER BY i.price LIMIT n';
CREATE FUNCTION joined(VARIADIC parts text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT string_agg(p, '-') FROM unnest(parts) p $$;
CREATE FUNCTION label(items) RETURNS text LANGUAGE sql STABLE AS $$ SELECT $1.id || ': ' || coalesce($1.name, '?') $$;
CREATE FUNCTION times(numeric, numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * $2';
CREATE FUNCTION same_mood(mood, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1::text = $2';
CREATE FUNCTION even(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 0';
CREATE FUNCTION mine() RETURNS name LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN coalesce(current_setting('app.tenant', true), current_user); END $$;
CREATE AGGREGATE product(numeric) (SFUNC = times, STYPE = numeric, INITCOND = '1');
CREATE OPERATOR ### (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = times);
CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = text, FUNCTION = same_mood);
CREATE DOMAIN evenly AS int CHECK (even(VALUE));
CREATE TYPE heights AS RANGE (subtype = float8);
CREATE DOMAIN postcode AS text CHECK (VALUE ~ '^[0-9]{5}$');
CREATE TYPE address AS (street text, code postcode, floor evenly);
CREATE TABLE homes (id int PRIMARY KEY, at address, codes postcode[], owner name DEFAULT current_user, status text);
INSERT INTO homes VALUES (1, '("Oak 1",12345,2)', '{12345,54321}', current_user, 'sold'), (2, NULL, NULL, 'nobody', 'free');
CREATE INDEX ON homes (even(id)) WHERE even(id + 1);
ALTER TABLE homes ENABLE ROW LEVEL SECURITY;
ALTER TABLE homes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON homes USING (owner = mine() OR EXISTS (SELECT FROM items WHERE items.id = homes.id));
CREATE FUNCTION street(address) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.street';
CREATE CAST (address AS text) WITH FUNCTION street(address);
CREATE VIEW v_fees AS SELECT id, fee(price) AS fee, even(id) FROM items WHERE price IS NOT NULL;
CREATE VIEW v_fees_more AS SELECT v.*, product(v.fee) OVER () AS all_fees, v.fee ### 2 AS twice FROM v_fees AS v;
CREATE VIEW v_homes AS SELECT id, (at).code, at::text AS street, codes[1] FROM homes;
CREATE FUNCTION status(int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT $1' USING $1; RETURN ''; END $$;
