-- name: settle()!
-- Names mean what they say whoever's account it is, values are written so that every server reads the same in them, and
-- nobody waits for long behind a table that others are using.
SET LOCAL search_path = pg_catalog; SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex'; SET LOCAL lock_timeout = {milliseconds};
SET LOCAL statement_timeout = 0;

-- name: take_turns(schema, name)
-- Let one process at a time publish under a name.
SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(:schema || '.' || :name, 7286551009));

-- name: has_schema(name)$
-- Whether there is a schema of this name.
SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = :name);

-- name: create_schema()!
-- The schema to publish into, where that was asked for.
CREATE SCHEMA {schema};

-- name: there(schema, name)^
-- What stands under a name in a schema: its kind, its comment, whether policies say who sees which row.
SELECT c.relkind::text, pg_catalog.obj_description(c.oid, 'pg_class'), c.relrowsecurity
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :name;

-- name: known_types(types)
-- Which types this server knows, of those that another one has named.
SELECT t.type
FROM pg_catalog.unnest(CAST(:types AS text[])) AS t (type)
WHERE pg_catalog.to_regtype(t.type) IS NOT NULL
  AND pg_catalog.has_type_privilege(pg_catalog.to_regtype(t.type), 'USAGE');

-- name: create_table()!
-- The new table, under a name that it has only until it is whole.
CREATE TABLE {table} ({columns});

-- name: copy_out()!
-- How scores leave the store.
COPY ({question}) TO STDOUT WITH (ENCODING 'UTF8')

-- name: copy_in()!
-- How they arrive.
COPY {table} FROM STDIN WITH (ENCODING 'UTF8')

-- name: add_key()!
-- What tells the rows apart, as in the source.
ALTER TABLE {table} ADD PRIMARY KEY ({key});

-- name: analyze()!
-- So that the first question finds the table known.
ANALYZE {table};

-- name: comment_table()!
-- Whose table it is: this is how the next publishing knows its own.
COMMENT ON TABLE {table} IS {comment};

-- name: comment_column()!
-- What a column is.
COMMENT ON COLUMN {column} IS {comment};

-- name: lock()!
-- Nobody reads or changes the table until the new one stands in its place.
LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;

-- name: rights(schema, name)
-- What others than its owner may do with a table: right, role (null: everybody), whether they may pass it on.
SELECT a.privilege_type::text, r.rolname::text, a.is_grantable
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
WHERE n.nspname = :schema AND c.relname = :name AND a.grantee <> c.relowner AND (a.grantee = 0 OR r.oid IS NOT NULL);

-- name: grant()!
-- Give a right that the table before had given.
GRANT {right} ON TABLE {table} TO {role} {option};

-- name: drop_table()!
-- The table that was published before.
DROP TABLE {table};

-- name: rename_table()!
-- The new table takes its place.
ALTER TABLE {table} RENAME TO {name};
