-- name: Foreign keys without an index
-- description: Columns that refer to another table and that no index begins with. Deleting a row there, or joining from
--   there, reads the whole table.
-- tags: catalogue, speed

SELECT f.conrelid::regclass::text AS relation,
       k.names AS columns,
       f.confrelid::regclass::text AS refers_to,
       f.conname AS constraint
FROM pg_constraint AS f
JOIN pg_class AS t ON t.oid = f.conrelid
CROSS JOIN LATERAL (
    SELECT string_agg(a.attname, ', ' ORDER BY p.n) AS names
    FROM unnest(f.conkey) WITH ORDINALITY AS p (number, n)
    JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = p.number
) AS k
WHERE f.contype = 'f' AND f.conparentid = 0 AND has_schema_privilege(t.relnamespace, 'USAGE')
  AND NOT EXISTS (
      SELECT FROM pg_index AS i
      WHERE i.indrelid = f.conrelid AND i.indisvalid AND i.indpred IS NULL
        AND (SELECT array_agg(c.number) FROM unnest(i.indkey) WITH ORDINALITY AS c (number, n)
             WHERE c.n <= cardinality(f.conkey)) @> f.conkey
  )
ORDER BY 1, 2
