-- name: Largest columns
-- description: Which columns take the most room, as the last ANALYZE saw their values and as they are stored, compressed.
-- tags: catalogue, size
-- parameter: most integer = 50
-- chart: {"kind": "bar", "x": "column", "y": ["megabytes"], "color": "relation"}

SELECT format('%I.%I', s.schemaname, s.tablename) AS relation,
       s.attname AS "column",
       format_type(a.atttypid, a.atttypmod) AS type,
       round((c.reltuples::numeric * (1 - s.null_frac::numeric) * s.avg_width) / 1e6, 3) AS megabytes,
       s.avg_width AS average_bytes
FROM pg_stats AS s
JOIN pg_namespace AS n ON n.nspname = s.schemaname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.tablename
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = s.attname
WHERE s.schemaname NOT IN ('pg_catalog', 'information_schema') AND c.reltuples > 0 AND NOT s.inherited
ORDER BY 4 DESC, 1, 2
LIMIT :most
