-- name: Dead rows
-- description: Tables with rows that were deleted or changed and still take room, with when they were last vacuumed and
--   analysed. A high share that stays needs a VACUUM, or a transaction to end that has been open for long.
-- tags: catalogue, size
-- parameter: least integer = 1
-- chart: {"kind": "bar", "x": "relation", "y": ["dead_rows"], "color": null}

SELECT format('%I.%I', schemaname, relname) AS relation,
       n_dead_tup AS dead_rows,
       n_live_tup AS live_rows,
       round(100.0 * n_dead_tup / nullif(n_dead_tup + n_live_tup, 0), 1) AS dead_percent,
       greatest(last_vacuum, last_autovacuum) AS vacuumed_at,
       greatest(last_analyze, last_autoanalyze) AS analysed_at
FROM pg_stat_user_tables
WHERE n_dead_tup >= :least::integer AND has_schema_privilege(schemaname, 'USAGE')
ORDER BY n_dead_tup DESC
LIMIT 50
