-- name: Unused indexes
-- description: Indexes that no question has used since the server's statistics began, and that no constraint needs. They
--   cost room, and time whenever a row is written; a server that has just started has not seen enough to tell.
-- tags: catalogue, size, speed

SELECT format('%I.%I', s.schemaname, s.relname) AS relation,
       s.indexrelname AS index,
       round(pg_relation_size(s.indexrelid) / 1e6, 3) AS megabytes,
       pg_get_indexdef(s.indexrelid) AS definition
FROM pg_stat_user_indexes AS s
JOIN pg_index AS i ON i.indexrelid = s.indexrelid
WHERE s.idx_scan = 0 AND NOT i.indisunique AND NOT i.indisprimary
  AND has_schema_privilege(s.schemaname, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = s.indexrelid)
ORDER BY pg_relation_size(s.indexrelid) DESC
LIMIT 100
