-- name: relations(names, measure)
-- What this role may select from: schema, name, kind, estimated rows, bytes, comment.
-- With names NULL everything but system schemas and partitions; else every relation that has one of the names, these too.
-- Rows are the density at the last ANALYZE times the size now, as the planner reckons; NULL where nothing is known.
-- With measure false sizes are those of the last VACUUM or ANALYZE: measuring waits for whoever holds a table exclusively.
WITH RECURSIVE wanted AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND c.relpersistence <> 't'
      AND (c.relname = ANY (:names::text[])
           OR :names::text[] IS NULL
              AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
      AND has_schema_privilege(n.oid, 'USAGE')
      AND has_any_column_privilege(c.oid, 'SELECT')
),
tree AS (
    SELECT oid AS root, oid FROM wanted WHERE relkind <> 'v'
    UNION ALL
    SELECT t.root, i.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
),
stored AS MATERIALIZED (
    SELECT t.root, c.relkind, c.relpages, c.reltuples, block.size AS block,
           CASE WHEN :measure THEN pg_relation_size(c.oid) ELSE c.relpages * block.size END AS heap,
           CASE WHEN :measure THEN pg_total_relation_size(c.oid) ELSE c.relpages * block.size END AS bytes
    FROM tree AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.oid AND c.relkind IN ('r', 'm', 'f')
    CROSS JOIN (SELECT current_setting('block_size')::bigint) AS block (size)
),
estimated AS (
    SELECT root, bytes, relkind,
           CASE WHEN relkind = 'f' THEN CASE WHEN reltuples > 0 THEN reltuples END
                WHEN heap = 0 AND :measure THEN 0
                WHEN reltuples < 0 OR (reltuples = 0 AND relpages = 0) THEN NULL
                WHEN relpages = 0 THEN reltuples
                ELSE reltuples / relpages * (heap / block)
           END AS rows
    FROM stored
),
summed AS (
    SELECT root,
           CASE WHEN count(rows) = count(*) THEN round(sum(rows))::bigint END AS rows,
           sum(bytes) FILTER (WHERE relkind <> 'f')::bigint AS bytes
    FROM estimated
    GROUP BY root
)
SELECT w.nspname::text, w.relname::text,
       CASE w.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                      WHEN 'm' THEN 'materialised view' ELSE 'foreign table' END,
       CASE WHEN w.relkind = 'p' AND s.root IS NULL THEN 0 ELSE s.rows END,
       CASE WHEN w.relkind = 'p' AND s.root IS NULL THEN 0 ELSE s.bytes END,
       obj_description(w.oid, 'pg_class')
FROM wanted AS w
LEFT JOIN summed AS s ON s.root = w.oid
ORDER BY w.nspname <> 'public', w.nspname, w.relname;

-- name: columns(schema, name)
-- The columns of a relation that this role may select, in their order. After what people see of a column: the type to cast a
-- text of its values to (domains peeled off, no length or precision, which would round), whether that type has an order of its
-- own, whether an index begins with the column, and whether it is an enum. A type has an order by B-tree operators, its own or
-- those of the type that it is stored as; not those of oid, whose order is not that of the names regclass and its like show.
WITH RECURSIVE own AS (
    SELECT a.*
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
    WHERE n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'SELECT')
),
peeled AS (
    SELECT attnum, atttypid AS type, attnotnull AS filled FROM own
    UNION ALL
    SELECT p.attnum, t.typbasetype, p.filled OR t.typnotnull
    FROM peeled AS p JOIN pg_catalog.pg_type AS t ON t.oid = p.type AND t.typtype = 'd'
),
ordered AS MATERIALIZED (
    SELECT opcintype AS type FROM pg_catalog.pg_opclass WHERE opcdefault AND opcmethod = 403
    UNION
    SELECT k.castsource
    FROM pg_catalog.pg_cast AS k
    JOIN pg_catalog.pg_opclass AS o ON o.opcintype = k.casttarget AND o.opcdefault AND o.opcmethod = 403
    WHERE k.castmethod = 'b' AND k.castcontext = 'i' AND k.casttarget <> 'oid'::regtype
),
base AS MATERIALIZED (
    SELECT t.oid, t.typtype,
           CASE WHEN t.typcategory = 'S' THEN 'text'
                WHEN t.oid = ANY ('{int2,int4,int8,float4,float8,numeric,oid}'::regtype[]::oid[]) THEN 'number'
                WHEN t.oid = ANY ('{date,timestamp,timestamptz}'::regtype[]::oid[]) THEN 'time'
                WHEN t.oid = 'bool'::regtype THEN 'boolean'
                WHEN t.oid = ANY ('{json,jsonb}'::regtype[]::oid[]) THEN 'json'
                WHEN t.oid = 'bytea'::regtype THEN 'bytes'
                ELSE 'other' END AS category,
           format_type(t.oid, -1) AS name,
           t.typtype <> 'p' AND (
               t.typtype IN ('e', 'r', 'm') OR t.oid IN (SELECT type FROM ordered)
               OR EXISTS (
                   SELECT FROM pg_catalog.pg_type AS e
                   WHERE e.typarray = t.oid AND e.oid = t.typelem
                     AND (e.typtype IN ('e', 'r', 'm') OR e.oid IN (SELECT type FROM ordered))
               )
           ) AS sortable
    FROM (SELECT DISTINCT type FROM peeled) AS p
    JOIN pg_catalog.pg_type AS t ON t.oid = p.type AND t.typtype <> 'd'
)
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), b.category, NOT p.filled,
       CASE WHEN a.attidentity = 'a' THEN 'generated always as identity'
            WHEN a.attidentity = 'd' THEN 'generated by default as identity'
            WHEN a.attgenerated <> '' THEN 'generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ')'
            ELSE pg_get_expr(d.adbin, d.adrelid) END,
       col_description(a.attrelid, a.attnum),
       b.name, b.sortable,
       EXISTS (
           SELECT FROM pg_catalog.pg_index AS i
           JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
           JOIN pg_catalog.pg_am AS m ON m.oid = x.relam AND m.amname = 'btree'
           WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indisvalid
       ),
       b.typtype = 'e'
FROM own AS a
JOIN peeled AS p ON p.attnum = a.attnum
JOIN base AS b ON b.oid = p.type
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
ORDER BY a.attnum;

-- name: key(schema, name)^
-- The columns that tell the rows of a relation apart, and whether ctid does; no row where the relation is not to be seen.
-- The primary key, else the unique index of fewest columns, none of which can be NULL. A table that others inherit from has
-- neither: its key and its ctid are repeated in them.
SELECT
    coalesce((
        SELECT k.names
        FROM pg_catalog.pg_index AS i
        CROSS JOIN LATERAL (
            SELECT array_agg(a.attname::text ORDER BY k.position) AS names,
                   bool_and(a.attnotnull AND has_column_privilege(c.oid, a.attnum, 'SELECT')) AS usable
            FROM unnest(i.indkey) WITH ORDINALITY AS k (attnum, position)
            JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
            WHERE k.position <= i.indnkeyatts
        ) AS k
        WHERE i.indrelid = c.oid AND NOT parent.has_children AND k.usable
          AND i.indisunique AND i.indisvalid AND i.indisready AND i.indpred IS NULL AND i.indexprs IS NULL
        ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indimmediate DESC, i.indexrelid
        LIMIT 1
    ), '{}'),
    c.relkind IN ('r', 'm') AND NOT parent.has_children AND has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT c.relkind <> 'p' AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid)
) AS parent (has_children)
WHERE n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT');

-- name: references(schema, name)
-- The columns of a relation that refer to another one by a foreign key.
SELECT DISTINCT a.attname::text
FROM pg_catalog.pg_constraint AS f
JOIN pg_catalog.pg_class AS c ON c.oid = f.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (f.conkey)
WHERE f.contype = 'f' AND n.nspname = :schema AND c.relname = :name;

-- name: statistics(schema, name)
-- What the last ANALYZE saw of each column: its share of NULLs, and its number of distinct values, negative where that is a
-- share of the rows. Nothing for a table never analysed, a view, or where row security applies.
SELECT DISTINCT ON (attname) attname::text, null_frac::float8, n_distinct::float8
FROM pg_catalog.pg_stats
WHERE schemaname = :schema AND tablename = :name
ORDER BY attname, inherited DESC;

-- name: count()
-- How many rows a relation has.
SELECT count(*) FROM {relation} AS r {condition};

-- name: sample()
-- A few rows, whichever the server comes to first.
SELECT {columns} FROM {relation} AS r {condition} LIMIT {limit};

-- name: all_columns(most)
-- Every column that this role may select, for an editor to propose: schema, relation, column, type. One query, and at most so
-- many: those of people's schemas come first, the system's own last; partitions are left out.
SELECT n.nspname::text, c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT n.nspname IN ('pg_catalog', 'information_schema') AS system,
           has_table_privilege(c.oid, 'SELECT') AS whole
) AS about
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND NOT c.relispartition
  AND (n.nspname !~ '^pg_' OR n.nspname = 'pg_catalog')
  AND has_schema_privilege(n.oid, 'USAGE')
  AND (about.whole OR has_column_privilege(c.oid, a.attnum, 'SELECT'))
ORDER BY about.system, n.nspname <> 'public', n.nspname, c.relname, a.attnum
LIMIT :most;

-- name: callable_functions(most)
-- The functions that a person may call in a statement, for an editor to propose: each name once, as it has to be written from
-- here. Left out is what stands behind operators, types, triggers and languages, and what the system has to do things with.
SELECT DISTINCT
    CASE WHEN pg_function_is_visible(p.oid) THEN p.proname::text ELSE n.nspname || '.' || p.proname END AS name
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = p.oid AND d.classoid = 'pg_catalog.pg_proc'::regclass AND d.objsubid = 0
WHERE p.prokind <> 'p'
  AND NOT p.prorettype = ANY ('{trigger,event_trigger,internal,language_handler,fdw_handler,index_am_handler,table_am_handler,
                                tsm_handler}'::regtype[])
  AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT 'cstring'::regtype = ANY (p.proargtypes)
  AND p.prorettype <> 'cstring'::regtype
  AND coalesce(d.description, '') !~ '^(implementation of|I/O|less-equal-greater|transition function|final function|combine function|aggregate (transition|final|combine|serial|deserial)|statistics|restriction selectivity|join selectivity|sort support|hash|\(internal\)|SP-GiST|GiST|GIN|BRIN|btree)'
  AND (n.nspname <> 'pg_catalog'
       OR p.proname !~ '(_larger|larger|smaller|_subdiff|_canonical|_transfn|_finalfn|eqimage)$|^binary_upgrade|^like|^notlike'
          AND (p.provolatile <> 'v' OR p.proname ~ '^(random|clock_timestamp|timeofday|gen_random|uuidv|pg_.*_size$)'))
  AND n.nspname !~ '^pg_toast|^pg_temp' AND n.nspname <> 'information_schema'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
ORDER BY name
LIMIT :most;

-- name: search_path()$
-- The schemas in which a name is looked for here, in their order.
SELECT current_schemas(true)::text[];
