-- What a database administrator runs to give Undertone an account that can read, and nothing else.
--
--     psql -d DATABASE -v schemas=public,sales -f sql/reader_role.sql
--
-- as a superuser, or as the tables' owner if that one may create roles. Then, in psql, `\password undertone_reader`: psql sends
-- the password hashed, so that it is in no file and in no log. The address for DATABASE_URL is then
-- postgresql://undertone_reader:PASSWORD@HOST:5432/DATABASE
--
--     -v role=NAME       the account's name; default undertone_reader
--     -v schemas=A,B     the schemas that it may read; default public
--     -v strict=1        also takes from PUBLIC, in this database, what lets every account sleep, lock, notify, write large
--                        objects, cancel sessions, make temporary tables and make tables in `public`. All other accounts that
--                        exist now keep it by name; an account made later has to be given it. As a superuser.
--
-- Running it again changes nothing; for a table made by somebody who has none yet, run it again.

\set ON_ERROR_STOP on
\if :{?role} \else \set role undertone_reader \endif
\if :{?schemas} \else \set schemas public \endif
\if :{?strict} \else \set strict 0 \endif

BEGIN;
-- A schema that is misspelt would otherwise be left out in silence.
SELECT quote_ident(trim(name))::regnamespace AS reads FROM unnest(string_to_array(:'schemas', ',')) AS name;

SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
-- NOINHERIT: a role granted to it later by mistake gives it nothing by itself. The limit leaves the server to the others.
ALTER ROLE :"role" WITH LOGIN NOINHERIT CONNECTION LIMIT 30;
-- Said only where there is something to take away: the server lets nobody say it who has not got it himself.
SELECT format('ALTER ROLE %I WITH NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', :'role')
FROM pg_roles
WHERE rolname = :'role' AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls) \gexec
-- A session can lift these four for itself; Undertone sets its own, shorter ones for every statement.
ALTER ROLE :"role" SET default_transaction_read_only = on;
ALTER ROLE :"role" SET statement_timeout = '5min';
ALTER ROLE :"role" SET lock_timeout = '10s';
ALTER ROLE :"role" SET idle_in_transaction_session_timeout = '5min';
-- This one it cannot lift: a sort that is too big ends in an error and not in a full disk. It takes a superuser to set.
SELECT format('ALTER ROLE %I SET temp_file_limit = ''2GB''', :'role')
FROM pg_roles WHERE rolname = current_user AND rolsuper \gexec

-- SELECT on these schemas and nothing else; not pg_read_all_data, which reads password hashes as well; nothing on sequences.
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'role') \gexec
SELECT format('GRANT USAGE ON SCHEMA %1$I TO %2$I', trim(name), :'role'),
       format('GRANT SELECT ON ALL TABLES IN SCHEMA %1$I TO %2$I', trim(name), :'role')
FROM unnest(string_to_array(:'schemas', ',')) AS name \gexec
-- Also the tables that their present owners will make.
SELECT DISTINCT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT ON TABLES TO %I',
                       pg_get_userbyid(c.relowner), n.nspname, :'role')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname IN (SELECT trim(name) FROM unnest(string_to_array(:'schemas', ',')) AS name)
  AND pg_has_role(current_user, c.relowner, 'USAGE') \gexec

\if :strict
-- A READ ONLY transaction does not stop these functions, and PUBLIC, that is everybody, may call them. Undertone refuses them by
-- name; this makes the server refuse them, however they are written. First the grants by name, so that nobody is without.
CREATE TEMPORARY TABLE undertone_guarded ON COMMIT DROP AS
SELECT p.oid::regprocedure AS routine
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_type AS t ON t.oid = p.prorettype
WHERE p.prokind = 'f'
  AND NOT (t.typtype = 'p' AND t.typname ~ '(_handler|trigger|^internal)$')
  AND (p.provolatile = 'v' OR (p.prosecdef AND n.nspname <> 'pg_catalog')
       OR p.proname ~ '_to_xml' OR p.proname IN ('txid_current', 'pg_current_xact_id'))
  AND NOT (n.nspname = 'pg_catalog' AND (
      p.proname IN ('random', 'random_normal', 'setseed', 'clock_timestamp', 'timeofday', 'gen_random_uuid', 'uuidv4',
                    'uuidv7', 'array_shuffle', 'array_sample', 'current_query', 'currval', 'lastval', 'pg_lock_status',
                    'pg_sequence_last_value', 'pg_partition_tree', 'pg_partition_ancestors', 'pg_jit_available')
      OR p.proname ~ '^pg_(.*_)?size$'
      OR p.proname ~ '^pg_(stat_get|get|is|last)_'));
CREATE TEMPORARY TABLE undertone_others ON COMMIT DROP AS
SELECT string_agg(quote_ident(rolname), ', ') AS others
FROM pg_roles WHERE rolname NOT LIKE 'pg\_%' AND rolname <> :'role' AND NOT rolsuper;
SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s', routine, others)
FROM undertone_guarded, undertone_others
WHERE others IS NOT NULL AND has_function_privilege('public', routine, 'EXECUTE') \gexec
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', routine) FROM undertone_guarded \gexec
SELECT format('GRANT TEMPORARY ON DATABASE %I TO %s', current_database(), others)
FROM undertone_others
WHERE others IS NOT NULL AND has_database_privilege('public', current_database(), 'TEMPORARY') \gexec
SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CREATE ON SCHEMA public TO %s', others)
FROM undertone_others
WHERE others IS NOT NULL AND has_schema_privilege('public', 'public', 'CREATE') \gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
\endif
COMMIT;

-- What the account could still do, by the server's own account. Best: no rows.
SELECT format('write to %s', c.oid::regclass) AS "it can still"
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND has_table_privilege(:'role', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT format('make tables in the schema %I', nspname)
FROM pg_namespace WHERE has_schema_privilege(:'role', oid, 'CREATE')
UNION ALL
SELECT 'make temporary tables' WHERE has_database_privilege(:'role', current_database(), 'TEMPORARY')
UNION ALL
SELECT 'sleep, lock and notify (strict=1 takes that from it)' WHERE has_function_privilege(:'role', 'pg_sleep(float8)', 'EXECUTE')
UNION ALL
SELECT format('act as %I', r.rolname)
FROM pg_auth_members AS m
JOIN pg_roles AS r ON r.oid = m.roleid
JOIN pg_roles AS member ON member.oid = m.member
WHERE member.rolname = :'role';
