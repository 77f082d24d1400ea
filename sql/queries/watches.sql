-- name: put(source_id, model, wish, every_minutes, cron, next_at, who)$
-- Watch a source with a model, or watch it otherwise than before; the watch.
INSERT INTO undertone.watches (source_id, model, wish, every_minutes, cron, next_at, who)
VALUES (:source_id, :model, :wish, :every_minutes, :cron, :next_at, :who)
ON CONFLICT (source_id, model) DO UPDATE
SET wish = EXCLUDED.wish, every_minutes = EXCLUDED.every_minutes, cron = EXCLUDED.cron, next_at = EXCLUDED.next_at,
    who = EXCLUDED.who, active = true, error = NULL
RETURNING id;

-- name: adopt(id, run)!
-- Let the run from which a watch was made be its first: how far it has come need not be found again. Not one that has
-- left out the old rows.
UPDATE undertone.runs SET watch_id = :id WHERE id = :run AND watch_id IS NULL AND new_after IS NULL;

-- name: watches(only)
-- Watches with what their last run came to; all of them, or the one named by `only`.
SELECT w.id, w.source_id, w.model, w.wish, w.every_minutes, w.cron, w.active, w.next_at, w.error, w.who, w.created_at,
       r.id, r.state
FROM undertone.watches AS w
LEFT JOIN LATERAL (
    SELECT id, state FROM undertone.runs WHERE watch_id = w.id ORDER BY id DESC LIMIT 1
) AS r ON true
WHERE (:only::bigint IS NULL OR w.id = :only)
ORDER BY w.id;

-- name: due(place)^
-- A watch whose time has come, of a source in the database that is read here, held so that nobody else starts it.
SELECT w.id, w.source_id, w.model, w.wish, w.every_minutes, w.cron, w.next_at
FROM undertone.watches AS w
JOIN undertone.sources AS s ON s.id = w.source_id
WHERE w.active AND w.next_at <= now() AND s.database = :place
ORDER BY w.next_at
LIMIT 1
FOR UPDATE OF w SKIP LOCKED;

-- name: schedule(id, next_at, error)!
-- When a watch is due next, and why its run could not be planned this time.
UPDATE undertone.watches SET next_at = :next_at, error = :error WHERE id = :id;

-- name: set_active(id, active, next_at)!
-- Let a watch rest, or go on.
UPDATE undertone.watches SET active = :active, next_at = :next_at WHERE id = :id;

-- name: remove(id)!
-- Watch no longer.
DELETE FROM undertone.watches WHERE id = :id;

-- name: mark(id)$
-- How far the last finished run of a watch has come: a value of the column by which new rows are told. Null, and all rows
-- are looked at, where the watch asked for others then, or where a run of the same texts was undone since: rows behind
-- that value have no scores then.
SELECT r.new_mark
FROM undertone.runs AS r
JOIN undertone.watches AS w ON w.id = r.watch_id
WHERE r.watch_id = :id AND r.state = 'finished'
  AND r.model = w.model AND r.condition = w.wish ->> 'condition' AND r.new_by ->> 'name' = w.wish ->> 'new_by'
  AND NOT EXISTS (
      SELECT FROM undertone.runs AS u WHERE u.source_id = r.source_id AND u.model = r.model AND u.undone_at > r.created_at
  )
ORDER BY r.id DESC
LIMIT 1;
