-- name: account()^
-- Who asks, and what this account may do beyond reading: name, superuser, createdb, createrole, replication, bypassrls.
SELECT current_user::text, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls
FROM pg_catalog.pg_roles
WHERE rolname = current_user;

-- name: writable()
-- Relations that this account may change: up to ten, as schema.name.
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND has_schema_privilege(n.oid, 'USAGE')
  AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'UPDATE, USAGE')
           ELSE has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') END
ORDER BY 1
LIMIT 10;

-- name: creatable()
-- Schemas in which this account may create something: up to ten.
SELECT nspname::text
FROM pg_catalog.pg_namespace
WHERE has_schema_privilege(oid, 'CREATE') AND nspname !~ '^pg_'
ORDER BY 1
LIMIT 10;

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
