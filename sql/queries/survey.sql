-- name: settle()!
-- Values are read and written here as they travel from the data, however long it takes.
SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 3;
SET LOCAL bytea_output = 'hex'; SET LOCAL work_mem = '64MB';

-- name: create()!
-- What the data has now: a row a row, in the order of the data's key.
CREATE TEMPORARY TABLE surveyed (
    position bigint GENERATED ALWAYS AS IDENTITY, {columns}, hash uuid, size integer
) ON COMMIT DROP;

-- name: copy_in()!
-- What arrives.
COPY surveyed ({columns}) FROM STDIN;

-- name: analyze()!
-- Let the planner know how much arrived.
ANALYZE surveyed;

-- name: index()!
-- For the keys on either side of a chunk.
CREATE UNIQUE INDEX ON surveyed (position);

-- name: compare()!
-- What is to be done, numbered: rows that have no score of this model, or one of another text, context or version.
CREATE TEMPORARY TABLE todo ON COMMIT DROP AS
SELECT v.position, row_number() OVER (ORDER BY v.position) AS n
FROM surveyed AS v
LEFT JOIN {table} AS s ON {same_key} AND s.model = {model}
WHERE s.model IS NULL OR v.hash IS NULL OR s.text_hash IS DISTINCT FROM v.hash
   OR s.model_id IS DISTINCT FROM {model_id} OR s.vanished_at IS NOT NULL OR NOT ({same_context});

-- name: totals()
-- Rows, rows to be done, and of these: those with nothing to read, and characters of the others.
SELECT (SELECT count(*) FROM surveyed), count(*), count(*) FILTER (WHERE v.size = 0),
       coalesce(sum(least(v.size, {most})), 0)
FROM todo AS t JOIN surveyed AS v USING (position);

-- name: everything()!
-- All is to be done.
CREATE TEMPORARY TABLE todo ON COMMIT DROP AS SELECT position, position AS n FROM surveyed;

-- name: nulls()
-- Rows whose key is null.
SELECT count(*) FROM surveyed WHERE {null};

-- name: chunks()!
-- Chunks of so many rows to be done: a range of keys where they lie close together, else their keys.
INSERT INTO undertone.chunks (run_id, number, after_key, last_key, keys, rows_planned)
SELECT {run}, g.number,
       CASE WHEN g.dense THEN (SELECT {key} FROM surveyed AS v WHERE v.position = g.low - 1) END,
       CASE WHEN g.dense THEN (SELECT {key} FROM surveyed AS v WHERE v.position = g.high) END,
       CASE WHEN NOT g.dense THEN (
           SELECT jsonb_agg({key} ORDER BY v.position)
           FROM todo AS t JOIN surveyed AS v USING (position)
           WHERE t.n > (g.number - 1) * {size} AND t.n <= g.number * {size}
       ) END,
       CASE WHEN g.dense THEN g.high - g.low + 1 ELSE g.rows END
FROM (
    SELECT (n - 1) / {size} + 1 AS number, min(position) AS low, max(position) AS high, count(*) AS rows,
           max(position) - min(position) + 1 <= 2 * count(*) AS dense
    FROM todo GROUP BY 1
) AS g
ORDER BY g.number;

-- name: index_todo()!
-- For the keys of a chunk.
CREATE INDEX ON todo (n);

-- name: mark_vanished()!
-- Scores, of whatever model, whose rows are not among those of the survey.
UPDATE {table} AS s SET vanished_at = now(), vanished_by = {run}
WHERE s.vanished_at IS NULL AND NOT EXISTS (SELECT FROM surveyed AS v WHERE {same_key});
