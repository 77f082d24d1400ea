-- name: statistics(schema, name, ordered, texts, most, cut)
-- What the last ANALYZE saw of each column: shares, numbers and lengths; between which values it lies; all bounds of its
-- histogram where it is one of those that are `ordered`; and its most common values with their shares.
-- Nothing for a table never analysed, a view, or where row security applies.
WITH s AS MATERIALIZED (
    SELECT DISTINCT ON (attname)
           attname::text AS name, null_frac::float8, n_distinct::float8, avg_width, correlation::float8,
           histogram_bounds::text::text[] AS bounds, most_common_vals::text::text[] AS common, most_common_freqs
    FROM pg_catalog.pg_stats
    WHERE schemaname = :schema AND tablename = :name
    ORDER BY attname, inherited DESC
)
SELECT s.name, s.null_frac, s.n_distinct, s.avg_width, s.correlation,
       -- Texts are compared as texts; of other types the ends of the histogram are all that can be told here.
       CASE WHEN s.name = ANY (:texts::text[]) THEN (SELECT left(min(v), :cut + 1) FROM unnest(s.bounds || s.common) AS u (v))
            ELSE left(s.bounds[1], :cut + 1) END,
       CASE WHEN s.name = ANY (:texts::text[]) THEN (SELECT left(max(v), :cut + 1) FROM unnest(s.bounds || s.common) AS u (v))
            ELSE left(s.bounds[cardinality(s.bounds)], :cut + 1) END,
       CASE WHEN s.name = ANY (:ordered::text[]) THEN s.bounds END,
       ARRAY(SELECT left(v, :cut + 1) FROM unnest(s.common) WITH ORDINALITY AS u (v, n)
             WHERE n <= :most OR s.name = ANY (:ordered::text[]) ORDER BY n),
       s.most_common_freqs::float8[]
FROM s;

-- name: analysed(schema, name)$
-- When a relation was analysed last; NULL where nobody knows.
SELECT greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid))
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :name;

-- name: groups()
-- How many different values the server expects.
EXPLAIN (FORMAT JSON) SELECT {value} FROM {rows} {condition} GROUP BY 1;

-- name: grouped()
-- All that rows say of a column of few different values: these are counted, and the rest is reckoned from them.
WITH c AS MATERIALIZED (SELECT {value} AS value, count(*) AS rows FROM {rows} {condition} GROUP BY 1),
filled AS (SELECT sum(rows)::bigint AS rows FROM c WHERE c.value IS NOT NULL)
SELECT (SELECT coalesce(sum(rows), 0)::bigint FROM c), (SELECT coalesce(rows, 0) FROM filled), (SELECT count(value) FROM c),
       {mean}, {empty}, {shortest}, {length}, {longest}, {quantiles},
       (SELECT json_agg(json_build_array({shown}, c.rows))
        FROM (SELECT * FROM c WHERE c.value IS NOT NULL ORDER BY c.rows DESC, c.value LIMIT {most}) AS c);

-- name: grouped_quantiles()
-- Part of a statement: the values at which shares of the rows are reached.
ARRAY(
    SELECT {shown}
    FROM (SELECT value, rows, sum(rows) OVER (ORDER BY value) AS upto FROM c WHERE value IS NOT NULL) AS c
    CROSS JOIN filled
    JOIN unnest({shares}::float8[]) AS q (share)
        ON c.upto >= q.share * filled.rows AND c.upto - c.rows < greatest(q.share * filled.rows, 1)
    ORDER BY q.share
)

-- name: plain()
-- What rows say of a column of many different values without comparing them.
SELECT count(*), count({value}), {mean}, {empty}, {shortest}, {length}, {longest} FROM {rows} {condition};

-- name: sorted()
-- And what they say when they are sorted: how many are different, and at which ones shares of the rows are reached.
SELECT count(DISTINCT {value}), {quantiles} FROM {rows} {condition};
