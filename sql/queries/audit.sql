-- name: begin(who, how, target, database, statement, parameters, seconds, host, process, process_began)$
-- Note a statement that is about to be asked, and by which process; its number.
INSERT INTO undertone.audit
    (who, how, target, database, statement, parameters, ends_by, host, process, process_began)
VALUES (:who, :how, :target, :database, :statement, :parameters,
        clock_timestamp() + make_interval(secs => :seconds), :host, :process, :process_began)
RETURNING id;

-- name: complete(id, outcome, message, seconds, rows, truncated)!
-- Note how a statement ended, also one that was thought to be lost. Nobody waits until it is on the disk: where the server
-- dies before that, the statement is lost in the log.
UPDATE undertone.audit
SET outcome = :outcome, message = :message, seconds = :seconds, rows = :rows, truncated = :truncated
FROM (SELECT set_config('synchronous_commit', 'off', true)) AS unhurried
WHERE id = :id;

-- name: askers(host)
-- The processes of a host that have a statement running.
SELECT DISTINCT process, process_began FROM undertone.audit WHERE outcome = 'running' AND host = :host;

-- name: lose(host, processes, began)!
-- Note that what these processes of a host were asking is lost, and whatever else must have ended by now.
UPDATE undertone.audit AS a
SET outcome = 'lost', message = 'Who asked it ended before it did.'
WHERE a.outcome = 'running'
  AND (a.ends_by < clock_timestamp()
       OR a.host = :host AND (a.process, a.process_began) IN (
           SELECT * FROM unnest(CAST(:processes AS integer[]), CAST(:began AS double precision[]))
       ));

-- name: history(who, pattern, before, most, depth)
-- The newest statements, of one person or of everybody. Those that have a text in them are looked for among the newest
-- `depth` only, so that no search takes long.
SELECT id, at, who, how, target, statement, parameters, outcome, message, seconds, rows
FROM (
    SELECT *
    FROM undertone.audit
    WHERE (CAST(:who AS text) IS NULL OR who = :who) AND (CAST(:before AS bigint) IS NULL OR id < :before)
    ORDER BY id DESC
    LIMIT CASE WHEN CAST(:pattern AS text) IS NULL THEN :most ELSE :depth END
) AS a
WHERE CAST(:pattern AS text) IS NULL OR statement ILIKE :pattern OR message ILIKE :pattern
ORDER BY id DESC
LIMIT :most;

-- name: forget(days, most)!
-- Remove the oldest statements that are older than some days, no more than so many at once.
DELETE FROM undertone.audit
WHERE id IN (SELECT id FROM undertone.audit WHERE at < now() - make_interval(days => :days) ORDER BY at LIMIT :most);
