-- name: values(schema, name, column)$
-- The values that a column mostly has, as an array of their texts: those of its enum, else what ANALYZE found in rows
-- that this account may read. NULL where nothing is known.
SELECT coalesce(
    (
        SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
        FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
        JOIN pg_catalog.pg_enum AS e ON e.enumtypid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
        WHERE n.nspname = :schema AND c.relname = :name AND a.attname = :column
    ),
    (
        SELECT s.most_common_vals::text::text[]
        FROM pg_catalog.pg_stats AS s
        WHERE s.schemaname = :schema AND s.tablename = :name AND s.attname = :column
        ORDER BY s.inherited DESC
        LIMIT 1
    )
);
