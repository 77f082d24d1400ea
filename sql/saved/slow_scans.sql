-- name: Slow scans
-- description: Tables that are often read from end to end, by the rows that were read so since the server's statistics
--   began. A large table high up here may want an index on what is asked for.
-- tags: catalogue, speed
-- parameter: least integer = 1
-- chart: {"kind": "bar", "x": "relation", "y": ["rows_read_whole"], "color": null}

SELECT format('%I.%I', schemaname, relname) AS relation,
       seq_scan AS whole_reads,
       seq_tup_read AS rows_read_whole,
       seq_tup_read / nullif(seq_scan, 0) AS rows_each_time,
       coalesce(idx_scan, 0) AS index_reads,
       n_live_tup AS rows_estimated
FROM pg_stat_user_tables
WHERE seq_scan >= :least::integer AND has_schema_privilege(schemaname, 'USAGE')
ORDER BY seq_tup_read DESC
LIMIT 50
