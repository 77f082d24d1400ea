-- name: saved(pattern, tag)
-- The newest version of every query that is there, by name; with a pattern those that have it in a text, with a tag those that
-- bear it.
SELECT q.id, v.name, v.description, v.tags, v.statement, v.parameters, v.chart, v.target, v.version, v.who, v.at, v.removed
FROM undertone.saved_queries AS q
JOIN undertone.saved_versions AS v ON v.query_id = q.id AND v.version = q.version
WHERE NOT q.removed
  AND (CAST(:pattern AS text) IS NULL OR v.name ILIKE :pattern OR v.description ILIKE :pattern
       OR v.statement ILIKE :pattern OR array_to_string(v.tags, ' ') ILIKE :pattern)
  AND (CAST(:tag AS text) IS NULL OR :tag = ANY (v.tags))
ORDER BY q.folded_name, q.id;

-- name: removed()
-- The last version of every query that was removed, those removed last first.
SELECT q.id, v.name, v.description, v.tags, v.statement, v.parameters, v.chart, v.target, v.version, v.who, v.at, v.removed
FROM undertone.saved_queries AS q
JOIN undertone.saved_versions AS v ON v.query_id = q.id AND v.version = q.version
WHERE q.removed
ORDER BY v.at DESC, q.id DESC;

-- name: versions(id)
-- All versions of a query, the newest first.
SELECT v.query_id, v.name, v.description, v.tags, v.statement, v.parameters, v.chart, v.target, v.version, v.who, v.at, v.removed
FROM undertone.saved_versions AS v
WHERE v.query_id = :id
ORDER BY v.version DESC;

-- name: named(folded_name)^
-- The newest version of the query of a name, if it is there.
SELECT q.id, v.name, v.description, v.tags, v.statement, v.parameters, v.chart, v.target, v.version, v.who, v.at, v.removed
FROM undertone.saved_queries AS q
JOIN undertone.saved_versions AS v ON v.query_id = q.id AND v.version = q.version
WHERE NOT q.removed AND q.folded_name = :folded_name;

-- name: lock(id)^
-- A query's version and whether it was removed, held until the end of the transaction.
SELECT version, removed FROM undertone.saved_queries WHERE id = :id FOR UPDATE;

-- name: add(folded_name)$
-- Add a query, whose first version follows in the same transaction; its id.
INSERT INTO undertone.saved_queries (folded_name, version) VALUES (:folded_name, 1) RETURNING id;

-- name: move(id, folded_name, version, removed)!
-- Let a query be what a new version, which follows in the same transaction, says.
UPDATE undertone.saved_queries
SET folded_name = :folded_name, version = :version, removed = :removed
WHERE id = :id;

-- name: add_version(id, version, name, description, tags, statement, parameters, chart, target, who)$
-- Add a version; when.
INSERT INTO undertone.saved_versions
    (query_id, version, name, description, tags, statement, parameters, chart, target, who)
VALUES (:id, :version, :name, :description, CAST(:tags AS text[]), :statement, :parameters, :chart, :target, :who)
RETURNING at;

-- name: remove_version(id, version, who)!
-- Add a version that says what the one before it says, and that the query was removed.
INSERT INTO undertone.saved_versions
    (query_id, version, name, description, tags, statement, parameters, chart, target, who, removed)
SELECT query_id, :version, name, description, tags, statement, parameters, chart, target, :who, true
FROM undertone.saved_versions
WHERE query_id = :id AND version = CAST(:version AS integer) - 1;
