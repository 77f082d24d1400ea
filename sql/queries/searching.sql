-- name: indexes(schema, name)
-- What is indexed for searching in texts: whether as words (else as trigrams), the column, or NULL and the expression, the
-- text search configuration as an expression names it (a generated column's own), and the columns that the index is made of.
-- Not of an index over a part of the rows, nor over functions, operators and types (a domain has checks) other than the
-- server's own: whoever searches would call them.
-- GIN keeps words and not the vectors they come from, so it is the class that says what is indexed.
SELECT o.opcintype = 'tsvector'::regtype, a.attname::text,
       CASE WHEN a.attname IS NULL THEN pg_get_indexdef(x.oid, k.position, false) END,
       (regexp_match(
           CASE WHEN a.attname IS NULL THEN pg_get_indexdef(x.oid, k.position, false)
                WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
           'to_tsvector\(''((?:[^'']|'''')+)''::regconfig'
       ))[1],
       made.names
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am AS m ON m.oid = x.relam AND m.amname IN ('gin', 'gist')
CROSS JOIN LATERAL generate_series(1, i.indnkeyatts::int) AS k (position)
JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[k.position - 1]
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = nullif(i.indkey[k.position - 1], 0)
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
CROSS JOIN LATERAL (
    SELECT array_agg(t.attname::text ORDER BY t.attnum) AS names, bool_and(has_column_privilege(c.oid, t.attnum, 'SELECT')) AS usable
    FROM (
        SELECT DISTINCT p.refobjsubid
        FROM pg_catalog.pg_depend AS p
        WHERE p.classid = 'pg_class'::regclass AND p.objid = x.oid
          AND p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid AND p.refobjsubid > 0
    ) AS p
    JOIN pg_catalog.pg_attribute AS t ON t.attrelid = c.oid AND t.attnum = p.refobjsubid
) AS made
WHERE n.nspname = :schema AND c.relname = :name AND i.indisvalid AND i.indpred IS NULL AND made.usable
  AND (o.opcintype = 'tsvector'::regtype OR a.attname IS NOT NULL AND o.opcname IN ('gin_trgm_ops', 'gist_trgm_ops'))
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend AS p
      WHERE p.classid = 'pg_class'::regclass AND p.objid = x.oid
        AND p.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
  )
ORDER BY m.amname, x.oid, k.position;
