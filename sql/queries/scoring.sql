-- name: add_source(name, view_name, database, schema_name, relation, text_column, template, statement, model, key_columns, context_columns)$
-- Add a source, or change the context of the one that is there, and what its saved query says; its id.
INSERT INTO undertone.sources (name, view_name, database, schema_name, relation, text_column, template, statement,
                               current_model, key_columns, context_columns)
VALUES (:name, :view_name, :database, :schema_name, :relation, :text_column, :template, :statement,
        :model, :key_columns, :context_columns)
ON CONFLICT (database, schema_name, relation, text_column, template)
DO UPDATE SET context_columns = EXCLUDED.context_columns, statement = EXCLUDED.statement
RETURNING id;

-- name: find_source(database, schema_name, relation, text_column, template)^
-- The source of a text column or template, if it has one.
SELECT s.id, s.name, s.database, s.schema_name, s.relation, s.text_column, s.key_columns, s.context_columns, s.template,
       s.statement, s.current_model, s.view_name
FROM undertone.sources AS s
WHERE database = :database AND schema_name = :schema_name AND relation = :relation AND text_column = :text_column
  AND template = :template;

-- name: get_source(id)^
-- A source by its id.
SELECT s.id, s.name, s.database, s.schema_name, s.relation, s.text_column, s.key_columns, s.context_columns, s.template,
       s.statement, s.current_model, s.view_name
FROM undertone.sources AS s
WHERE id = :id;

-- name: sources()
-- All sources, the one that was scored last first.
SELECT s.id, s.name, s.database, s.schema_name, s.relation, s.text_column, s.key_columns, s.context_columns, s.template,
       s.statement, s.current_model, s.view_name
FROM undertone.sources AS s
ORDER BY (SELECT max(r.id) FROM undertone.runs AS r WHERE r.source_id = s.id) DESC NULLS LAST, s.id;

-- name: without_view()
-- Sources of a time before there was a view of their scores, with the model that scored them last.
SELECT s.id, s.name, s.database, s.schema_name, s.relation, s.text_column, s.key_columns, s.context_columns, s.template,
       s.statement, s.current_model, s.view_name,
       coalesce((SELECT r.model FROM undertone.runs AS r WHERE r.source_id = s.id ORDER BY r.id DESC LIMIT 1), 'default')
FROM undertone.sources AS s
WHERE s.view_name IS NULL
ORDER BY s.id;

-- name: amend_source(id, view_name, model, key_columns, context_columns)!
-- Note what the upgrade of a source has come to.
UPDATE undertone.sources
SET view_name = :view_name, current_model = :model, key_columns = :key_columns, context_columns = :context_columns
WHERE id = :id;

-- name: set_current(id, model)!
-- Let another model's scores be the current ones.
UPDATE undertone.sources SET current_model = :model WHERE id = :id;

-- name: lock_names()
-- Let one process at a time choose a name for a source and make its table.
SELECT pg_advisory_xact_lock(7286551004);

-- name: taken_names()
-- Names in the schema scores that a new source cannot have.
SELECT relname FROM pg_class WHERE relnamespace = 'scores'::regnamespace
UNION
SELECT name FROM undertone.sources
UNION
SELECT view_name FROM undertone.sources WHERE view_name IS NOT NULL;

-- name: known_type(type)$
-- The type as this server knows it, null where it does not; without length or precision, and so that it does not get one by
-- itself, as `character` and `bit` do.
SELECT format_type(to_regtype(:type), -1);

-- name: add_run(source_id, model, chunk_rows, condition, statement, queue, who, watch_id, new_by, new_after)$
-- Add a run, planned; its id.
INSERT INTO undertone.runs (source_id, model, chunk_rows, condition, statement, queue, who, watch_id, new_by, new_after)
VALUES (:source_id, :model, :chunk_rows, :condition, :statement, :queue, :who, :watch_id, :new_by, :new_after)
RETURNING id;

-- name: active_run(source_id)$
-- The run of a source that has not ended, if there is one.
SELECT max(id) FROM undertone.runs WHERE source_id = :source_id AND state IN ('planned', 'running', 'paused');

-- name: runs(only, most)
-- Runs with what their chunks have done, the newest first; all of them, or the one named by `only`.
SELECT r.id, r.source_id, r.model, r.model_id, r.state, r.chunk_rows, r.rows_total, r.error,
       r.created_at, r.started_at, r.finished_at,
       coalesce(c.chunks, 0), coalesce(c.done, 0), coalesce(c.failed_chunks, 0), coalesce(c.rows_read, 0) + r.unchanged,
       coalesce(c.scored, 0), coalesce(c.unchanged, 0) + r.unchanged, coalesce(c.empty, 0), coalesce(c.truncated, 0),
       coalesce(c.failed, 0), coalesce(c.reused, 0), c.last_at, coalesce(c.rows_read, 0),
       coalesce(c.recent, 0) / greatest(0.1, extract(epoch FROM now() - c.recent_from))::float8,
       r.condition, r.queue, r.who, r.watch_id, r.new_by ->> 'name', r.rows_surveyed, r.vanished, r.undone_at
FROM undertone.runs AS r
LEFT JOIN LATERAL (
    SELECT count(*) AS chunks, count(*) FILTER (WHERE state = 'done') AS done,
           count(*) FILTER (WHERE state = 'failed') AS failed_chunks, sum(rows_read) AS rows_read,
           sum(scored) AS scored, sum(unchanged) AS unchanged, sum(empty) AS empty, sum(truncated) AS truncated,
           sum(failed) AS failed, sum(reused) AS reused, max(finished_at) AS last_at,
           sum(rows_read) FILTER (WHERE state = 'done' AND finished_at > now() - interval '1 minute') AS recent,
           min(started_at) FILTER (WHERE state = 'done' AND finished_at > now() - interval '1 minute') AS recent_from
    FROM undertone.chunks WHERE run_id = r.id
) AS c ON true
WHERE (:only::bigint IS NULL OR r.id = :only)
ORDER BY r.id DESC
LIMIT :most;

-- name: lock_run(run)^
-- A run's state and source, held until the end of the transaction.
SELECT state, source_id, chunk_rows, model_id FROM undertone.runs WHERE id = :run FOR UPDATE;

-- name: hold_run(run)$
-- A run's state, which stays so until the end of the transaction; several chunks may hold it at once.
SELECT state FROM undertone.runs WHERE id = :run FOR SHARE;

-- name: get_work(run)^
-- What there is to know to do a run's work.
SELECT state, source_id, model, model_id, chunk_rows, condition, statement, new_by ->> 'name', new_by ->> 'type', new_after
FROM undertone.runs WHERE id = :run;

-- name: note_surveyed(run, rows)!
-- How many rows were looked at so far.
UPDATE undertone.runs SET rows_surveyed = :rows WHERE id = :run AND state = 'planned';

-- name: set_cut(run, rows_total, unchanged, vanished, new_mark, model_id)!
-- Note what cutting a run has found.
UPDATE undertone.runs
SET rows_total = :rows_total, unchanged = :unchanged, vanished = :vanished, new_mark = :new_mark, model_id = :model_id,
    rows_surveyed = :rows_total
WHERE id = :run;

-- name: planned_rows(run)$
-- Rows in a run's chunks.
SELECT coalesce(sum(rows_planned), 0) FROM undertone.chunks WHERE run_id = :run;

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

-- name: get_chunk(run, number)^
-- A chunk that is to be done.
SELECT state, after_key, last_key, keys FROM undertone.chunks WHERE run_id = :run AND number = :number;

-- name: let_go()!
-- A worker that stops in the middle of a transaction must not keep others from what it holds: the server ends it for it.
SET LOCAL idle_in_transaction_session_timeout = '20s';

-- name: claim_chunk(run, number)$
-- Hold a chunk that is still to be done until the end of the transaction; null when somebody else has done it.
SELECT c.number
FROM undertone.chunks AS c
WHERE c.run_id = :run AND c.number = :number AND c.state = 'waiting'
FOR UPDATE;

-- name: chunk_done(run, number, rows_read, scored, unchanged, empty, truncated, failed, reused, characters, seconds, worker, started_at)!
-- Record what a chunk has done, in the transaction that writes its scores.
UPDATE undertone.chunks
SET state = 'done', rows_read = :rows_read, scored = :scored, unchanged = :unchanged, empty = :empty,
    truncated = :truncated, failed = :failed, reused = :reused, characters = :characters, seconds = :seconds,
    worker = :worker, started_at = :started_at, finished_at = clock_timestamp(), error = NULL
WHERE run_id = :run AND number = :number;

-- name: forget_failed_rows(run, number)!
-- Forget which rows of a chunk failed: it is done anew.
DELETE FROM undertone.failed_rows WHERE run_id = :run AND number = :number;

-- name: add_failed_rows(run, number, failed)!
-- Note the rows of a chunk that could not be scored: a JSON array of {"key", "reason"}.
INSERT INTO undertone.failed_rows (run_id, number, key, reason)
SELECT :run, :number, key, reason FROM jsonb_to_recordset(:failed::jsonb) AS f (key jsonb, reason text);

-- name: failed_rows(run, most)
-- Rows that could not be scored, and why.
SELECT key, reason, at FROM undertone.failed_rows WHERE run_id = :run ORDER BY number, at, key LIMIT :most;

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

-- name: waits(run, error)!
-- Say what a run waits for that is under way.
UPDATE undertone.runs SET error = :error WHERE id = :run AND state IN ('planned', 'running') AND error IS DISTINCT FROM :error;

-- name: goes_on(run)!
-- Take back what a run was said to wait for.
UPDATE undertone.runs SET error = NULL WHERE id = :run AND state = 'running' AND error IS NOT NULL;

-- name: failed_to_waiting(run)!
-- Put a run's failed chunks back in line, and those with failed rows.
UPDATE undertone.chunks SET state = 'waiting', failures = 0, error = NULL
WHERE run_id = :run AND (state = 'failed' OR state = 'done' AND failed > 0);

-- name: known_model(model)$
-- What was loaded last under a model's name, as far as runs know.
SELECT model_id FROM undertone.runs WHERE model = :model AND model_id IS NOT NULL ORDER BY id DESC LIMIT 1;

-- name: is_waiting(run)$
-- Whether a chunk of a run is still to be done.
SELECT EXISTS (SELECT FROM undertone.chunks WHERE run_id = :run AND state = 'waiting');

-- name: idle_runs()
-- Runs of which nothing is to be done any more, though nobody has noted it.
SELECT r.id FROM undertone.runs AS r
WHERE r.state = 'running' AND NOT EXISTS (SELECT FROM undertone.chunks AS c WHERE c.run_id = r.id AND c.state = 'waiting');

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

-- name: enqueue(least)$
-- Put into the job queue what is to be done next and is not in it: planned runs, and of each running one the next chunks,
-- so few that runs take turns and so many that no worker waits (`least`, or four for each worker); how many. In the
-- transaction that makes them, as chunks end, and by every worker from time to time, so that nothing can be lost.
-- The queue's own function, as Procrastinate calls it.
WITH room AS (
    SELECT greatest(:least, 4 * count(*)) AS size FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 s'
), queued AS (
    SELECT (args ->> 'run')::bigint AS run, count(*) AS jobs
    FROM procrastinate_jobs
    WHERE status = 'todo' AND task_name = 'score_chunk'
      -- What has failed and waits for its time takes nobody's place.
      AND (scheduled_at IS NULL OR scheduled_at <= now())
    GROUP BY 1
), work AS (
    SELECT 'cut_run' AS task, 'run/' || r.id AS lock, jsonb_build_object('run', r.id) AS args, r.queue, r.id AS run,
           0 AS number
    FROM undertone.runs AS r
    WHERE r.state = 'planned'
      AND NOT EXISTS (SELECT FROM procrastinate_jobs AS j WHERE j.queueing_lock = 'run/' || r.id AND j.status = 'todo')
      AND NOT EXISTS (SELECT FROM procrastinate_jobs AS j WHERE j.lock = 'run/' || r.id AND j.status = 'doing')
    UNION ALL
    SELECT 'score_chunk', n.lock, jsonb_build_object('run', r.id, 'number', n.number), r.queue, r.id, n.number
    FROM undertone.runs AS r
    CROSS JOIN room
    LEFT JOIN queued AS q ON q.run = r.id
    CROSS JOIN LATERAL (
        SELECT c.number, l.lock
        FROM undertone.chunks AS c
        CROSS JOIN LATERAL (SELECT 'chunk/' || c.run_id || '/' || c.number) AS l (lock)
        WHERE c.run_id = r.id AND c.state = 'waiting'
          AND NOT EXISTS (SELECT FROM procrastinate_jobs AS j WHERE j.queueing_lock = l.lock AND j.status = 'todo')
          AND NOT EXISTS (SELECT FROM procrastinate_jobs AS j WHERE j.lock = l.lock AND j.status = 'doing')
        ORDER BY c.number
        LIMIT greatest(0, room.size - coalesce(q.jobs, 0))
    ) AS n
    WHERE r.state = 'running'
), missing AS (
    SELECT array_agg(ROW(queue, task, 0, lock, lock, args, NULL)::procrastinate_job_to_defer_v1
                     ORDER BY number, run) AS jobs
    FROM work
)
SELECT coalesce(cardinality(procrastinate_defer_jobs_v1(jobs)), 0) FROM missing WHERE jobs IS NOT NULL;

-- name: runs_short(run, least)$
-- Whether a run will soon have nothing in the queue, though chunks of it wait.
SELECT (SELECT count(*) FROM undertone.procrastinate_jobs
        WHERE status = 'todo' AND task_name = 'score_chunk' AND (args ->> 'run')::bigint = :run
          AND (scheduled_at IS NULL OR scheduled_at <= now()))
       < greatest(:least, 4 * (SELECT count(*) FROM undertone.procrastinate_workers
                               WHERE last_heartbeat > now() - interval '30 s')) / 2;

-- name: try_lock_queue()$
-- As lock_queue, but where somebody else is at it, leave it to them.
SELECT pg_try_advisory_xact_lock(7286551005);

-- name: queue_search_path()!
-- The queue's functions name their tables without a schema; and nobody may stop while all others wait, as in let_go.
SET LOCAL search_path TO undertone, pg_catalog; SET LOCAL idle_in_transaction_session_timeout = '20s';

-- name: show_worker(name, queues, threads, device, engine, doing)$
-- A worker says that it is there and what it does; how many others are.
INSERT INTO undertone.workers (name, queues, threads, device, engine, doing)
VALUES (:name, :queues, :threads, :device, :engine, :doing)
ON CONFLICT (name) DO UPDATE
SET queues = EXCLUDED.queues, threads = EXCLUDED.threads, device = EXCLUDED.device, engine = EXCLUDED.engine,
    doing = EXCLUDED.doing, seen_at = now()
RETURNING (SELECT count(*) FROM undertone.workers WHERE seen_at > now() - interval '30 seconds');

-- name: forget_worker(name)!
-- A worker goes; so do those that have long been silent.
DELETE FROM undertone.workers WHERE name = :name OR seen_at < now() - interval '1 day';

-- name: workers()
-- Workers that have shown themselves within the last half minute, what each does, and its rows a second in the last minute.
SELECT w.name, w.seen_at, w.started_at, w.queues, w.threads, w.device, w.engine, w.doing, coalesce(c.rows, 0),
       coalesce(c.rows, 0) / least(60, greatest(1, extract(epoch FROM now() - w.started_at)))::float8
FROM undertone.workers AS w
LEFT JOIN LATERAL (
    SELECT sum(rows_read) AS rows FROM undertone.chunks
    WHERE state = 'done' AND finished_at > now() - interval '1 minute' AND worker = w.name
) AS c ON true
WHERE w.seen_at > now() - interval '30 seconds'
ORDER BY w.name;

-- name: speed(model_id)^
-- Of the last chunks of a model: rows and characters that it was given, and seconds that took. A worker has two chunks in
-- hand: while its model is at one, the other waits, and that time must not count twice.
SELECT coalesce(sum(scored - reused), 0), coalesce(sum(characters), 0), coalesce(sum(seconds), 0)
FROM (
    SELECT scored, reused, characters,
           least(seconds, extract(epoch FROM finished_at - lag(finished_at) OVER (PARTITION BY worker ORDER BY finished_at)))
               AS seconds
    FROM (
        SELECT c.scored, c.reused, c.characters, c.seconds, c.worker, c.finished_at
        FROM undertone.chunks AS c
        JOIN undertone.runs AS r ON r.id = c.run_id
        WHERE c.state = 'done' AND c.characters > 0 AND r.model_id = :model_id
        ORDER BY c.finished_at DESC
        LIMIT 200
    ) AS latest
) AS told;

-- name: set_undone(run)!
-- Note that a run was undone.
UPDATE undertone.runs SET undone_at = now() WHERE id = :run;

-- name: lock_queue()
-- Let one process at a time look what the queue lacks; two would add the same jobs.
SELECT pg_advisory_xact_lock(7286551005);
