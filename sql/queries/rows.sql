-- name: by_key()
-- One row by its key: the texts of the key's values, then what is to be shown.
SELECT {shown} FROM {relation} AS r WHERE {matches} LIMIT 1;

-- name: beside()
-- The key of the next row in one direction.
SELECT {key} FROM {relation} AS r WHERE ({terms}) {comparison} ({values}) ORDER BY {order} LIMIT 1;

-- name: as_json()
-- One row as a JSON object, a line for each column, every number with all its digits.
SELECT row_to_json(r, true)::text FROM (SELECT {columns} FROM {relation} AS r WHERE {matches} LIMIT 1) AS r;

-- name: text_of()
-- A text of a row that is put together from columns: its beginning, its length in characters, its hash.
SELECT left(r.t, {most}), length(r.t), coalesce(md5(r.t), {none})
FROM (SELECT {text} AS t FROM {relation} AS r WHERE {matches} LIMIT 1) AS r;

-- name: at_most()
-- How many rows refer to a row, counted up to a limit.
SELECT count(*) FROM (SELECT FROM {relation} AS r WHERE {matches} LIMIT {limit}) AS r;

-- name: outgoing(schema, name)
-- The foreign keys of a relation of which this role may read both ends: schema, relation and kind of the other one, the columns
-- here, those there. What a partitioned table has for each of its partitions is that of the whole, and left out.
SELECT DISTINCT n.nspname::text, t.relname::text, CASE t.relkind WHEN 'p' THEN 'partitioned table' ELSE 'table' END,
       k.here, k.there
FROM pg_catalog.pg_constraint AS f
JOIN pg_catalog.pg_class AS c ON c.oid = f.conrelid
JOIN pg_catalog.pg_class AS t ON t.oid = f.confrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY u.position) AS here, array_agg(b.attname::text ORDER BY u.position) AS there,
           bool_and(has_column_privilege(c.oid, a.attnum, 'SELECT') AND has_column_privilege(t.oid, b.attnum, 'SELECT'))
               AS readable
    FROM unnest(f.conkey, f.confkey) WITH ORDINALITY AS u (here, there, position)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.here
    JOIN pg_catalog.pg_attribute AS b ON b.attrelid = t.oid AND b.attnum = u.there
) AS k
WHERE f.contype = 'f' AND k.readable AND has_schema_privilege(n.oid, 'USAGE')
  AND c.oid = (
      SELECT w.oid FROM pg_catalog.pg_class AS w JOIN pg_catalog.pg_namespace AS s ON s.oid = w.relnamespace
      WHERE s.nspname = :schema AND w.relname = :name AND w.relkind IN ('r', 'p', 'v', 'm', 'f')
  )
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS p WHERE p.oid = f.conparentid AND p.conrelid = f.conrelid)
ORDER BY k.here, 1, 2, k.there;

-- name: incoming(schema, name)
-- The foreign keys that refer to a relation, as `outgoing`: the other one is the one that refers, the columns here are those
-- that are referred to. Partitions of one that refers are left out.
SELECT DISTINCT n.nspname::text, c.relname::text, CASE c.relkind WHEN 'p' THEN 'partitioned table' ELSE 'table' END,
       k.here, k.there
FROM pg_catalog.pg_constraint AS f
JOIN pg_catalog.pg_class AS c ON c.oid = f.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT array_agg(b.attname::text ORDER BY u.position) AS here, array_agg(a.attname::text ORDER BY u.position) AS there,
           bool_and(has_column_privilege(c.oid, a.attnum, 'SELECT')
                    AND has_column_privilege(f.confrelid, b.attnum, 'SELECT')) AS readable
    FROM unnest(f.conkey, f.confkey) WITH ORDINALITY AS u (there, here, position)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.there
    JOIN pg_catalog.pg_attribute AS b ON b.attrelid = f.confrelid AND b.attnum = u.here
) AS k
WHERE f.contype = 'f' AND k.readable AND has_schema_privilege(n.oid, 'USAGE') AND NOT c.relispartition
  AND f.confrelid = (
      SELECT w.oid FROM pg_catalog.pg_class AS w JOIN pg_catalog.pg_namespace AS s ON s.oid = w.relnamespace
      WHERE s.nspname = :schema AND w.relname = :name AND w.relkind IN ('r', 'p', 'v', 'm', 'f')
  )
ORDER BY 1, 2, k.there;
