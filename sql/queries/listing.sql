-- name: runs(source, states, undone, who, words, most)
-- Runs in a line each, the newest first: of a source, in some states, of somebody, with all the words somewhere in them;
-- null for any. What was undone is its own state. Only the chunks of those that are listed are counted.
SELECT r.id, s.name, s.relation || ' · ' || s.text_column, r.model, r.state, r.undone_at, r.who, r.watch_id, r.created_at,
       r.started_at, r.finished_at, r.rows_total, coalesce(c.rows, 0) + r.unchanged, coalesce(c.scored, 0),
       coalesce(c.failed, 0), coalesce(c.failed_chunks, 0), r.rows_surveyed, r.error
FROM (
    SELECT r.*
    FROM undertone.runs AS r
    JOIN undertone.sources AS s ON s.id = r.source_id
    WHERE (:source::text IS NULL OR s.name = :source)
      AND (:states::text[] IS NULL OR r.state = ANY (:states))
      AND (:undone::boolean IS NULL OR (r.undone_at IS NOT NULL) = :undone)
      AND (:who::text IS NULL OR r.who = :who)
      AND NOT EXISTS (
          SELECT FROM unnest(:words::text[]) AS w (word)
          WHERE position(lower(w.word) IN lower(concat_ws(' ', r.id, s.name, s.schema_name, s.relation, s.text_column,
                                                          r.model, r.who, r.state, r.condition, r.error))) = 0
      )
    ORDER BY r.id DESC
    LIMIT :most
) AS r
JOIN undertone.sources AS s ON s.id = r.source_id
LEFT JOIN LATERAL (
    SELECT sum(rows_read) AS rows, sum(scored) AS scored, sum(failed) AS failed,
           count(*) FILTER (WHERE state = 'failed') AS failed_chunks
    FROM undertone.chunks WHERE run_id = r.id
) AS c ON true
ORDER BY r.id DESC;

-- name: people(most)
-- Who has started runs, by name.
SELECT DISTINCT who FROM undertone.runs WHERE who <> '' ORDER BY who LIMIT :most;

-- name: newest()$
-- The newest run; null where there is none.
SELECT max(id) FROM undertone.runs;

-- name: under_way(who)
-- The runs that somebody has started, not a watch of theirs, and that have not ended.
SELECT id FROM undertone.runs
WHERE state IN ('planned', 'running', 'paused') AND who = :who AND watch_id IS NULL
ORDER BY id;

-- name: ended(runs)
-- Of some runs, those that have ended.
SELECT id FROM undertone.runs WHERE id = ANY (:runs) AND state IN ('finished', 'failed', 'cancelled') ORDER BY id;

-- name: last_runs()
-- The last run of each source: source, run, state, when it was planned, whether it was undone.
SELECT DISTINCT ON (source_id) source_id, id, state, created_at, undone_at IS NOT NULL
FROM undertone.runs
ORDER BY source_id, id DESC;

-- name: one_row()!
-- A row of what is scored, for a person to ask.
SELECT *
FROM {origin}
WHERE {condition};
