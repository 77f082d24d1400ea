-- name: Columns with many nulls
-- description: Columns that are empty in more than a share of their rows, as the last ANALYZE saw it.
-- tags: catalogue, quality
-- parameter: share number = 0.25

SELECT format('%I.%I', schemaname, tablename) AS relation,
       attname AS "column",
       round(null_frac::numeric, 3) AS share_of_nulls,
       n_distinct AS distinct_values,
       avg_width AS average_bytes
FROM pg_stats
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND null_frac >= :share::numeric
ORDER BY null_frac DESC, 1, 2
LIMIT 200
