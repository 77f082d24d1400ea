-- name: account()^
-- Who asks: name, the database, superuser, and the other powers of its role, each with its name if it has it.
SELECT r.rolname::text, pg_catalog.current_database()::text, r.rolsuper,
       array_remove(ARRAY[
           CASE WHEN r.rolcreatedb THEN 'createdb' END, CASE WHEN r.rolcreaterole THEN 'createrole' END,
           CASE WHEN r.rolreplication THEN 'replication' END, CASE WHEN r.rolbypassrls THEN 'bypassrls' END
       ], NULL)
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = current_user;

-- name: member_of()
-- The roles that this account belongs to, or can become.
SELECT rolname::text
FROM pg_catalog.pg_roles
WHERE rolname <> current_user AND pg_has_role(oid, 'MEMBER')
ORDER BY 1;

-- name: owned()$
-- How many relations this account owns.
SELECT count(*)
FROM pg_catalog.pg_class AS c
WHERE c.relowner = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S');

-- name: writable()
-- Relations that this account may change, as schema.name: up to ten, and how many there are.
SELECT format('%%I.%%I', n.nspname, c.relname), count(*) OVER ()
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND has_schema_privilege(n.oid, 'USAGE')
  AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'UPDATE, USAGE')
           ELSE has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                OR has_any_column_privilege(c.oid, 'INSERT, UPDATE') END
ORDER BY 1
LIMIT 10;

-- name: creatable()
-- Schemas in which this account may create something: up to ten.
SELECT nspname::text
FROM pg_catalog.pg_namespace
WHERE has_schema_privilege(oid, 'CREATE') AND nspname !~ '^pg_'
ORDER BY 1
LIMIT 10;

-- name: in_database()^
-- Whether this account may create schemas in the database, and temporary tables.
SELECT has_database_privilege(current_database(), 'CREATE'), has_database_privilege(current_database(), 'TEMPORARY');

-- name: callable()
-- Names of functions that may do more than answer, by the server's own account, and that this account may call.
SELECT DISTINCT p.proname::text
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_type AS t ON t.oid = p.prorettype
WHERE (p.provolatile = 'v' OR (p.prosecdef AND n.nspname <> 'pg_catalog'))
  AND p.prokind <> 'p'
  AND NOT (t.typtype = 'p' AND t.typname ~ '(_handler|trigger|^internal)$')
  AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
ORDER BY 1;

-- name: version()$
-- The server's version.
SHOW server_version;

-- name: readable()$
-- How many relations this account may read.
SELECT count(*)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT');

-- name: traces(number)
-- What the attempts would have left: all that they make has one name or one number.
SELECT 'a table undertone_was_here' WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = 'undertone_was_here')
UNION ALL
SELECT 'a role undertone_was_here' WHERE EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'undertone_was_here')
UNION ALL
SELECT 'a large object' WHERE EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata WHERE oid = CAST(:number AS pg_catalog.oid))
UNION ALL
SELECT 'an advisory lock'
WHERE EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objid = CAST(:number AS pg_catalog.oid));
