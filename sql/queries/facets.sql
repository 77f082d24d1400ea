-- name: expected()
-- How the server would read a column, and how many rows it expects.
EXPLAIN (FORMAT JSON) SELECT {value} FROM {relation} AS r {condition};

-- name: values()
-- The most frequent values of a column; with each, how many rows were looked at, and how many different values they have.
WITH c AS MATERIALIZED (SELECT {value} AS value, count(*) AS rows FROM {rows} {condition} GROUP BY 1)
SELECT {shown}, c.rows, (SELECT sum(rows) FROM c), (SELECT count(*) FROM c)
FROM c
ORDER BY c.rows DESC, c.value
LIMIT {limit};

-- name: bounds()
-- Between which values a column lies, and all but one in a hundred of it at each end; before that the rows, with a value or not.
SELECT count(*), count({value}), (min({value}) {finite})::text, (max({value}) {finite})::text,
       (percentile_disc('{{0.01,0.99}}'::float8[]) WITHIN GROUP (ORDER BY {value}) {finite})::text[]
FROM {rows} {condition};

-- name: bins()
-- How many rows lie between edges: 0 is before the first one, NULL has no value.
SELECT width_bucket({value}, {edges}), count(*) FROM {rows} {condition} GROUP BY 1;

-- name: statistics(schema, name)
-- What the last ANALYZE saw of each column: its share of NULLs, its number of distinct values, negative where that is a share of
-- the rows, and how long values are. Nothing for a table never analysed, a view, or where row security applies.
SELECT DISTINCT ON (attname) attname::text, null_frac::float8, n_distinct::float8, avg_width::float8
FROM pg_catalog.pg_stats
WHERE schemaname = :schema AND tablename = :name
ORDER BY attname, inherited DESC;

-- name: few()
-- How many rows a few are, and of each column how many have a value, how many values there are, and how long they are.
SELECT count(*), {counts} FROM {rows};
