-- name: Table sizes
-- description: How much room each table takes, with its indexes and its long values, the largest first. Rows are the
--   server's estimate.
-- tags: catalogue, size
-- parameter: most integer = 50
-- chart: {"kind": "bar", "x": "relation", "y": ["megabytes"], "color": null}

SELECT format('%I.%I', n.nspname, c.relname) AS relation,
       round(pg_total_relation_size(c.oid) / 1e6, 3) AS megabytes,
       round(pg_relation_size(c.oid) / 1e6, 3) AS rows_megabytes,
       round(pg_indexes_size(c.oid) / 1e6, 3) AS indexes_megabytes,
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END AS rows_estimated
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
  AND has_schema_privilege(n.oid, 'USAGE')
ORDER BY pg_total_relation_size(c.oid) DESC
LIMIT :most
