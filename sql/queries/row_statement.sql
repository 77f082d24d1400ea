-- name: about(schema, name, label)^
-- Whether a label means this relation here, and whether every column of it may be selected; no row where it is gone.
SELECT to_regclass(:label) IS NOT DISTINCT FROM c.oid::regclass,
       NOT EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT')
       )
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :name;

-- name: rows()
-- All rows of a look, for people to read and change.
SELECT {columns}
FROM {relation}{rest}

-- name: count()
-- How many rows a look has.
SELECT count(*)
FROM {relation}{rest}
