-- name: of_row()
-- What the models have said of one row, the name of each model first.
SELECT s.model, s.label, s.confidence::float8, s.probabilities::text, s.text_hash::text, s.truncated, s.share_read::float8,
       s.reason, s.model_id, s.engine, s.precision, s.run_id, s.scored_at, s.vanished_at
FROM {table} AS s
WHERE {matches}
ORDER BY s.model;
