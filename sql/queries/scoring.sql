-- name: add_source(name, database, schema_name, relation, text_column, key_columns, context_columns)$
-- Add a source, or change the context of the one that is there; its id.
INSERT INTO undertone.sources (name, database, schema_name, relation, text_column, key_columns, context_columns)
VALUES (:name, :database, :schema_name, :relation, :text_column, :key_columns, :context_columns)
ON CONFLICT (database, schema_name, relation, text_column)
DO UPDATE SET context_columns = EXCLUDED.context_columns
RETURNING id;

-- name: find_source(database, schema_name, relation, text_column)^
-- The source of a text column, if it has one.
SELECT id, name, database, schema_name, relation, text_column, key_columns, context_columns
FROM undertone.sources
WHERE database = :database AND schema_name = :schema_name AND relation = :relation AND text_column = :text_column;

-- name: get_source(id)^
-- A source by its id.
SELECT id, name, database, schema_name, relation, text_column, key_columns, context_columns
FROM undertone.sources
WHERE id = :id;

-- name: sources()
-- All sources, the one that was scored last first.
SELECT s.id, s.name, s.database, s.schema_name, s.relation, s.text_column, s.key_columns, s.context_columns
FROM undertone.sources AS s
ORDER BY (SELECT max(r.id) FROM undertone.runs AS r WHERE r.source_id = s.id) DESC NULLS LAST, s.id;

-- name: lock_names()
-- Let one process at a time choose a name for a source and make its table.
SELECT pg_advisory_xact_lock(7286551004);

-- name: taken_names()
-- Names in the schema scores that a new source cannot have.
SELECT relname FROM pg_class WHERE relnamespace = 'scores'::regnamespace
UNION
SELECT name FROM undertone.sources;

-- name: known_type(type)$
-- The type as this server knows it, null where it does not; without length or precision, and so that it does not get one by
-- itself, as `character` and `bit` do.
SELECT format_type(to_regtype(:type), -1);

-- name: add_run(source_id, model, chunk_rows)$
-- Add a run, planned; its id.
INSERT INTO undertone.runs (source_id, model, chunk_rows) VALUES (:source_id, :model, :chunk_rows) RETURNING id;

-- name: active_run(source_id)$
-- The run of a source that has not ended, if there is one.
SELECT max(id) FROM undertone.runs WHERE source_id = :source_id AND state IN ('planned', 'running', 'paused');

-- name: runs(only, most)
-- Runs with what their chunks have done, the newest first; all of them, or the one named by `only`.
SELECT r.id, r.source_id, r.model, r.model_id, r.state, r.chunk_rows, r.rows_total, r.error,
       r.created_at, r.started_at, r.finished_at,
       coalesce(c.chunks, 0), coalesce(c.done, 0), coalesce(c.failed, 0), coalesce(c.rows_read, 0),
       coalesce(c.scored, 0), coalesce(c.unchanged, 0), coalesce(c.empty, 0), coalesce(c.truncated, 0), c.last_at
FROM undertone.runs AS r
LEFT JOIN LATERAL (
    SELECT count(*) AS chunks, count(*) FILTER (WHERE state = 'done') AS done,
           count(*) FILTER (WHERE state = 'failed') AS failed, sum(rows_read) AS rows_read, sum(scored) AS scored,
           sum(unchanged) AS unchanged, sum(empty) AS empty, sum(truncated) AS truncated,
           max(finished_at) AS last_at
    FROM undertone.chunks WHERE run_id = r.id
) AS c ON true
WHERE (:only::bigint IS NULL OR r.id = :only)
ORDER BY r.id DESC
LIMIT :most;

-- name: lock_run(run)^
-- A run's state and source, held until the end of the transaction.
SELECT state, source_id, chunk_rows, model_id FROM undertone.runs WHERE id = :run FOR UPDATE;

-- name: run_state(run)$
-- A run's state.
SELECT state FROM undertone.runs WHERE id = :run;

-- name: set_state(run, state, error)!
-- Move a run to another state.
UPDATE undertone.runs
SET state = :state,
    error = :error,
    started_at = CASE WHEN :state = 'running' THEN coalesce(started_at, now()) ELSE started_at END,
    finished_at = CASE WHEN :state IN ('finished', 'failed', 'cancelled') THEN now() END
WHERE id = :run;

-- name: remove_chunks(run)!
-- Forget how a run was cut, to cut it anew.
DELETE FROM undertone.chunks WHERE run_id = :run;

-- name: add_chunks(run, chunks)!
-- Add chunks: a JSON array of {"number", "after_key", "last_key", "rows_planned"}.
INSERT INTO undertone.chunks (run_id, number, after_key, last_key, rows_planned)
SELECT :run, number, nullif(after_key, 'null'::jsonb), last_key, rows_planned
FROM jsonb_to_recordset(:chunks::jsonb) AS c (number integer, after_key jsonb, last_key jsonb, rows_planned integer);

-- name: set_total(run)!
-- Set a run's rows from its chunks.
UPDATE undertone.runs
SET rows_total = (SELECT coalesce(sum(rows_planned), 0) FROM undertone.chunks WHERE run_id = :run)
WHERE id = :run;

-- name: get_chunk(run, number)^
-- A chunk that is to be done, with its run's state and source.
SELECT r.state, c.state, r.source_id, r.model, r.model_id, c.after_key, c.last_key
FROM undertone.chunks AS c
JOIN undertone.runs AS r ON r.id = c.run_id
WHERE c.run_id = :run AND c.number = :number;

-- name: claim_chunk(run, number)$
-- Hold a chunk that is still to be done until the end of the transaction; null when somebody else has done it.
SELECT c.number
FROM undertone.chunks AS c
WHERE c.run_id = :run AND c.number = :number AND c.state = 'waiting'
FOR UPDATE;

-- name: chunk_done(run, number, rows_read, scored, unchanged, empty, truncated, worker, started_at)!
-- Record what a chunk has done, in the transaction that writes its scores.
UPDATE undertone.chunks
SET state = 'done', rows_read = :rows_read, scored = :scored, unchanged = :unchanged, empty = :empty,
    truncated = :truncated, worker = :worker, started_at = :started_at, finished_at = clock_timestamp(), error = NULL
WHERE run_id = :run AND number = :number;

-- name: chunk_failed(run, number, worker, error)!
-- Record that a chunk was given up.
UPDATE undertone.chunks
SET state = 'failed', worker = :worker, error = :error, finished_at = clock_timestamp()
WHERE run_id = :run AND number = :number AND state = 'waiting';

-- name: cut_failed_once(run)$
-- Count a failed attempt to cut a run; how many there were.
UPDATE undertone.runs SET failures = failures + 1 WHERE id = :run RETURNING failures;

-- name: chunk_failed_once(run, number)$
-- Count a failed attempt at a chunk; how many there were.
UPDATE undertone.chunks SET failures = failures + 1 WHERE run_id = :run AND number = :number RETURNING failures;

-- name: failed_to_waiting(run)!
-- Put a run's failed chunks back in line.
UPDATE undertone.chunks SET state = 'waiting', failures = 0, error = NULL WHERE run_id = :run AND state = 'failed';

-- name: set_model(run, model_id)!
-- Record which model a run is done with; the first chunk decides.
UPDATE undertone.runs SET model_id = :model_id WHERE id = :run AND model_id IS NULL;

-- name: finish_if_done(run)$
-- End a run whose last chunk has ended; its new state, or null. The caller holds the run's lock.
UPDATE undertone.runs AS r
SET state = CASE WHEN f.failed = 0 THEN 'finished' ELSE 'failed' END,
    error = CASE WHEN f.failed > 0 THEN f.failed || ' of ' || f.all_chunks || ' chunks failed; the last: ' || f.error END,
    finished_at = now()
FROM (
    SELECT count(*) FILTER (WHERE state = 'failed') AS failed, count(*) AS all_chunks,
           (array_agg(error ORDER BY finished_at DESC) FILTER (WHERE state = 'failed'))[1] AS error
    FROM undertone.chunks WHERE run_id = :run
) AS f
WHERE r.id = :run AND r.state = 'running'
  AND NOT EXISTS (SELECT FROM undertone.chunks WHERE run_id = :run AND state = 'waiting')
RETURNING r.state;

-- name: errors(run)
-- Why a run's chunks failed.
SELECT number, error, finished_at FROM undertone.chunks WHERE run_id = :run AND state = 'failed' ORDER BY number;

-- name: enqueue()$
-- Put into the job queue all that is to be done and is not in it: planned runs, and waiting chunks of running ones; how
-- many. In the transaction that makes them, and again by every worker from time to time, so that nothing can be lost.
-- The queue's own function, as Procrastinate calls it.
WITH work AS (
    SELECT 'cut_run' AS task, 'run/' || r.id AS lock, jsonb_build_object('run', r.id) AS args, r.id AS run, 0 AS number
    FROM undertone.runs AS r
    WHERE r.state = 'planned'
    UNION ALL
    SELECT 'score_chunk', 'chunk/' || c.run_id || '/' || c.number,
           jsonb_build_object('run', c.run_id, 'number', c.number), c.run_id, c.number
    FROM undertone.chunks AS c
    JOIN undertone.runs AS r ON r.id = c.run_id
    WHERE r.state = 'running' AND c.state = 'waiting'
), missing AS (
    SELECT array_agg(ROW('scoring', task, 0, lock, lock, args, NULL)::procrastinate_job_to_defer_v1
                     ORDER BY run, number) AS jobs
    FROM work AS w
    WHERE NOT EXISTS (SELECT FROM procrastinate_jobs AS j WHERE j.queueing_lock = w.lock AND j.status = 'todo')
      AND NOT EXISTS (SELECT FROM procrastinate_jobs AS j WHERE j.lock = w.lock AND j.status = 'doing')
)
SELECT coalesce(cardinality(procrastinate_defer_jobs_v1(jobs)), 0) FROM missing WHERE jobs IS NOT NULL;

-- name: queue_search_path()!
-- The queue's functions name their tables without a schema.
SET LOCAL search_path TO undertone, pg_catalog;

-- name: workers()
-- Workers that have shown themselves within the last half minute, and what each does.
SELECT w.id, w.last_heartbeat, count(j.id), min(j.args ->> 'run')
FROM undertone.procrastinate_workers AS w
LEFT JOIN undertone.procrastinate_jobs AS j ON j.worker_id = w.id AND j.status = 'doing'
WHERE w.last_heartbeat > now() - interval '30 seconds'
GROUP BY w.id
ORDER BY w.id;

-- name: lock_queue()
-- Let one process at a time look what the queue lacks; two would add the same jobs.
SELECT pg_advisory_xact_lock(7286551005);
