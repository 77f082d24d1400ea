-- name: tree(system, measure)
-- What this role may select from, the nearest relation above each that it may select from, and what is known of it: oid, schema,
-- name, kind, estimated rows, bytes, comment, when it was last analysed, oid above. Partitions and children count by themselves
-- as well as under their parent. Rows are reckoned as in catalog.sql. With system true pg_catalog and information_schema, too.
-- With measure false sizes are those of the last VACUUM or ANALYZE; what somebody holds exclusively is never measured.
WITH RECURSIVE wanted AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relname, c.relkind
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND c.relpersistence <> 't'
      AND (n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           OR :system AND n.nspname IN ('pg_catalog', 'information_schema'))
      AND has_schema_privilege(n.oid, 'USAGE')
      AND has_any_column_privilege(c.oid, 'SELECT')
),
held AS MATERIALIZED (
    SELECT relation FROM pg_catalog.pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND granted
),
above AS (
    SELECT i.inhrelid AS oid, i.inhparent AS parent, 1 AS steps, i.inhseqno AS place
    FROM pg_catalog.pg_inherits AS i JOIN wanted AS w ON w.oid = i.inhrelid
    UNION ALL
    SELECT a.oid, i.inhparent, a.steps + 1, a.place
    FROM above AS a JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = a.parent
    WHERE a.parent NOT IN (SELECT oid FROM wanted)
),
nearest AS (
    SELECT DISTINCT ON (a.oid) a.oid, a.parent
    FROM above AS a JOIN wanted AS w ON w.oid = a.parent
    ORDER BY a.oid, a.steps, a.place
),
below AS (
    SELECT oid AS root, oid FROM wanted WHERE relkind <> 'v'
    UNION
    SELECT b.root, i.inhrelid FROM below AS b JOIN pg_catalog.pg_inherits AS i ON i.inhparent = b.oid
),
stored AS MATERIALIZED (
    SELECT c.oid, c.relkind, c.relpages, c.reltuples, block.size AS block, measured.it AS measured,
           CASE WHEN measured.it THEN pg_relation_size(c.oid) ELSE c.relpages * block.size END AS heap,
           CASE WHEN measured.it THEN pg_total_relation_size(c.oid) ELSE c.relpages * block.size END AS bytes
    FROM pg_catalog.pg_class AS c
    CROSS JOIN (SELECT current_setting('block_size')::bigint) AS block (size)
    CROSS JOIN LATERAL (SELECT :measure AND c.oid NOT IN (SELECT relation FROM held)) AS measured (it)
    WHERE c.relkind IN ('r', 'm', 'f') AND c.oid IN (SELECT oid FROM below)
),
estimated AS (
    SELECT oid, bytes, relkind,
           CASE WHEN relkind = 'f' THEN CASE WHEN reltuples > 0 THEN reltuples END
                WHEN heap = 0 AND measured THEN 0
                WHEN reltuples < 0 OR (reltuples = 0 AND relpages = 0) THEN NULL
                WHEN relpages = 0 THEN reltuples
                ELSE reltuples / relpages * (heap / block)
           END AS rows
    FROM stored
),
summed AS (
    SELECT b.root,
           CASE WHEN count(e.rows) = count(*) THEN round(sum(e.rows))::bigint END AS rows,
           sum(e.bytes) FILTER (WHERE e.relkind <> 'f')::bigint AS bytes
    FROM below AS b JOIN estimated AS e ON e.oid = b.oid
    GROUP BY b.root
)
SELECT w.oid::bigint, w.nspname::text, w.relname::text,
       CASE w.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                      WHEN 'm' THEN 'materialised view' ELSE 'foreign table' END,
       CASE WHEN w.relkind = 'p' AND s.root IS NULL THEN 0 ELSE s.rows END,
       CASE WHEN w.relkind = 'p' AND s.root IS NULL THEN 0 ELSE s.bytes END,
       obj_description(w.oid, 'pg_class'),
       CASE WHEN w.relkind <> 'v'
            THEN greatest(pg_stat_get_last_analyze_time(w.oid), pg_stat_get_last_autoanalyze_time(w.oid)) END,
       u.parent::bigint
FROM wanted AS w
LEFT JOIN summed AS s ON s.root = w.oid
LEFT JOIN nearest AS u ON u.oid = w.oid
ORDER BY w.nspname IN ('pg_catalog', 'information_schema'), w.nspname <> 'public', w.nspname, w.relname;

-- name: tree_columns(system, most)
-- The columns of all that `tree` gives but partitions, as far as this role may select them: oid of the relation, name, type,
-- comment. At most about so many: those of people's schemas come first.
WITH wanted AS MATERIALIZED (
    SELECT c.oid, has_table_privilege(c.oid, 'SELECT') AS whole,
           sum(c.relnatts) OVER (
               ORDER BY n.nspname IN ('pg_catalog', 'information_schema'), n.nspname <> 'public', n.nspname, c.relname
           ) - c.relnatts AS before
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND c.relpersistence <> 't' AND NOT c.relispartition
      AND (n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           OR :system AND n.nspname IN ('pg_catalog', 'information_schema'))
      AND has_schema_privilege(n.oid, 'USAGE')
      AND has_any_column_privilege(c.oid, 'SELECT')
)
SELECT a.attrelid::bigint, a.attname::text, format_type(a.atttypid, a.atttypmod), d.description
FROM wanted AS w
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = a.attrelid AND d.objsubid = a.attnum AND d.classoid = 'pg_catalog.pg_class'::regclass
WHERE w.before < :most AND (w.whole OR has_column_privilege(w.oid, a.attnum, 'SELECT'))
ORDER BY a.attrelid, a.attnum;
