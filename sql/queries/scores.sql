-- name: exists(name)$
-- Whether there is a relation of this name in the schema scores.
SELECT to_regclass('scores.' || quote_ident(:name)) IS NOT NULL;

-- name: column_names(name)
-- The columns of a table of scores, in their order.
SELECT a.attname::text
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass('scores.' || quote_ident(:name)) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: key_name(name)$
-- What the primary key of a table of scores is called.
SELECT conname::text FROM pg_constraint
WHERE conrelid = to_regclass('scores.' || quote_ident(:name)) AND contype = 'p';

-- name: key_columns(name)
-- The columns of the primary key of a table of scores.
SELECT a.attname::text
FROM pg_constraint AS c
CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (attnum, position)
JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
WHERE c.conrelid = to_regclass('scores.' || quote_ident(:name)) AND c.contype = 'p'
ORDER BY k.position;

-- name: now()$
-- This moment, in PostgreSQL's words.
SELECT clock_timestamp()::text;

-- name: create_table()!
-- A table of scores.
CREATE TABLE {table} ({columns}, PRIMARY KEY ({key}));

-- name: index_label()!
-- For charts of labels and for the surest scores of one; PostgreSQL finds a name that is free.
CREATE INDEX ON {table} (model, label, confidence);

-- name: index_hash()!
-- For texts that the model has seen before.
CREATE INDEX ON {table} (text_hash);

-- name: index_run()!
-- For undoing a run: its rows were written one behind the other, and this takes no room.
CREATE INDEX ON {table} USING brin (run_id);

-- name: index_time()!
-- For charts over time.
CREATE INDEX ON {table} (model, {column});

-- name: add_column()!
-- A column that the table may have already.
ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {type};

-- name: rename_column()!
-- Another name for a column.
ALTER TABLE {table} RENAME COLUMN {column} TO {free};

-- name: change_key()!
-- Tell rows apart by model as well.
ALTER TABLE {table} DROP CONSTRAINT {constraint}, ADD PRIMARY KEY ({key});

-- name: fill_model()!
-- Which model, by name, wrote the scores of a time when that was not noted.
UPDATE {table} AS s SET model = coalesce((SELECT r.model FROM undertone.runs AS r WHERE r.id = s.run_id), 'default');

-- name: require_model()!
-- Every score has a model.
ALTER TABLE {table} ALTER COLUMN model SET NOT NULL;

-- name: create_replaced()!
-- Where scores are kept that a run has replaced, for its undoing.
CREATE TABLE IF NOT EXISTS {replaced} (LIKE {table}, replaced_by bigint NOT NULL);

-- name: index_replaced()!
-- For undoing.
CREATE INDEX ON {replaced} (replaced_by);

-- name: index_replaced_run()!
-- For undoing a run whose scores were replaced by a later one.
CREATE INDEX ON {replaced} USING brin (run_id);

-- name: create_view()!
-- The current model's scores of the rows that are still there.
CREATE OR REPLACE VIEW {view} AS SELECT {columns} FROM {table} WHERE model = {model} AND vanished_at IS NULL;

-- name: comment_relation()!
-- What a table or view is.
COMMENT ON {kind} {relation} IS {comment};

-- name: comment(name)$
-- What a relation in the schema scores is said to be.
SELECT obj_description(to_regclass('scores.' || quote_ident(:name)), 'pg_class');

-- name: comment_column()!
-- What a column is.
COMMENT ON COLUMN {column} IS {comment};

-- name: by_index()!
-- Each row or text is looked up by itself until the end of the transaction: a table that a run fills grows faster than
-- what the planner knows of it, and one that it takes for small would be read as a whole, for every chunk.
SET LOCAL enable_seqscan = off;

-- name: existing()
-- What the scores of some rows rest on: number of the row, hash, model's identity, run, whether all else is as it was.
SELECT asked.n - 1, s.text_hash::text, s.model_id, s.run_id, s.label IS NULL, s.truncated, {same} AND s.vanished_at IS NULL
FROM unnest({values}) WITH ORDINALITY AS asked ({names}, n)
CROSS JOIN LATERAL (SELECT * FROM {table} AS s WHERE s.model = {model} AND {found} LIMIT 1) AS s;

-- name: known()
-- What a model has said of some texts, wherever they stand.
SELECT DISTINCT ON (text_hash) text_hash::text, label, confidence::text, probabilities::text, truncated, share_read::text,
       engine, precision
FROM ({tables}) AS k
ORDER BY text_hash;

-- name: known_in()
-- As `known`, in one table: one score of each text, of however many rows that have it.
SELECT s.*
FROM unnest({hashes}::uuid[]) AS asked (hash)
CROSS JOIN LATERAL (
    SELECT text_hash, label, confidence, probabilities, truncated, share_read, engine, precision
    FROM {table}
    WHERE text_hash = asked.hash AND model_id = {model_id} AND label IS NOT NULL
    LIMIT 1
) AS s

-- name: tables_of_model(model_id)
-- The sources that have scores of a model.
SELECT s.name FROM undertone.sources AS s
WHERE EXISTS (SELECT FROM undertone.runs AS r WHERE r.source_id = s.id AND r.model_id = :model_id)
  AND to_regclass('scores.' || quote_ident(s.name)) IS NOT NULL;

-- name: incoming()!
-- Where a chunk's scores arrive.
CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA;

-- name: keep_replaced()!
-- Keep what the chunk replaces, unless the same run wrote it.
INSERT INTO {replaced} ({columns}, replaced_by)
SELECT {old}, {run} FROM {table} AS s JOIN incoming AS i USING ({key}) WHERE s.run_id <> {run};

-- name: upsert()!
-- Write what has arrived, in place of what is there for the same key and model.
INSERT INTO {table} ({columns}) SELECT {columns} FROM incoming ON CONFLICT ({key}) DO UPDATE SET {changes};

-- name: forget_incoming()!
-- Make room for the next attempt.
DROP TABLE incoming;

-- name: summary()
-- How many current scores have which label.
SELECT label, count(*) FROM {table} WHERE model = {model} AND vanished_at IS NULL GROUP BY label ORDER BY label;

-- name: extremes()
-- The keys of the rows of a label that the model is surest of.
SELECT {key}, s.confidence FROM {table} AS s
WHERE s.model = {model} AND s.label = {label} AND s.vanished_at IS NULL
ORDER BY s.confidence DESC, {order}
LIMIT {limit};

-- name: has_model()
-- Whether there is a score of a model.
SELECT EXISTS (SELECT FROM {table} WHERE model = {model});

-- name: models()
-- Which models have scores in a table: name, rows, when last.
SELECT model, count(*), max(scored_at) FROM {table} WHERE vanished_at IS NULL GROUP BY model ORDER BY model;

-- name: undo_remove()!
-- Take away what a run wrote.
DELETE FROM {table} WHERE run_id = {run};

-- name: undo_restore()!
-- Bring back what it had replaced there.
INSERT INTO {table} ({columns})
SELECT {columns} FROM {replaced} WHERE replaced_by = {run}
ON CONFLICT DO NOTHING;

-- name: undo_relink()!
-- Where a later run has replaced what this one wrote, let it have replaced what was there before.
-- It may have written a row twice, with another run's between them, where it was tried again: the next one above counts.
UPDATE {replaced} AS r SET replaced_by = next.replaced_by
FROM (
    SELECT DISTINCT ON (before.ctid) before.ctid AS place, after.replaced_by
    FROM {replaced} AS before
    JOIN {replaced} AS after ON {same_key} AND after.scored_at > before.scored_at
    WHERE before.replaced_by = {run} AND after.run_id = {run}
    ORDER BY before.ctid, after.scored_at
) AS next
WHERE r.ctid = next.place;

-- name: undo_forget()!
-- Forget what a run wrote, and what is back in its place.
DELETE FROM {replaced} WHERE run_id = {run} OR replaced_by = {run};

-- name: undo_vanished()!
-- Rows that the run has found to be gone are not: in the table, and in what is kept of it.
UPDATE {table} SET vanished_at = NULL, vanished_by = NULL WHERE vanished_by = {run};
UPDATE {replaced} SET vanished_at = NULL, vanished_by = NULL WHERE vanished_by = {run};
