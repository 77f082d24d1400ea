-- name: guarded_functions()
-- Functions that may do more than answer, by the server's own account: name, least and most arguments (NULL: any number),
-- whether some column is called the same, so that x.name most likely means that column, and whether it may take a row.
SELECT p.proname::text,
       p.pronargs - p.pronargdefaults,
       CASE WHEN p.provariadic = 0 THEN p.pronargs END,
       n.nspname <> 'pg_catalog' AND EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS a
           WHERE a.attname = p.proname AND a.attnum > 0 AND NOT a.attisdropped
       ),
       EXISTS (
           SELECT FROM pg_catalog.pg_type AS a
           WHERE a.oid = p.proargtypes[0] AND (a.typtype IN ('c', 'd', 'p') OR a.typelem <> 0)
       )
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_type AS t ON t.oid = p.prorettype
WHERE (p.provolatile = 'v'
       OR (n.nspname <> 'pg_catalog' AND (
           p.prosecdef
           -- Whatever they say of themselves: no rollback and no reset would take these back.
           OR p.prosrc ~* '(pg_(terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile|pg_promote|pg_logical_emit_message'
               '|pg_(create|drop|copy|replication)_|pg_switch_wal|pg_export_snapshot|lo_(import|export)|dblink|_to_xml)')))
  AND p.prokind <> 'p'
  -- Nothing in SQL can call what returns one of these.
  AND NOT (t.typtype = 'p' AND t.typname ~ '(_handler|trigger|^internal)$');

-- name: superuser()$
-- The account if it is a superuser, also one that has taken another role for the time being.
SELECT pg_catalog.min(r.rolname::text)
FROM pg_catalog.pg_roles AS r
WHERE r.rolsuper AND r.rolname IN (current_user, session_user);

-- name: views()
-- The names of views that somebody has made.
SELECT DISTINCT c.relname::text
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema');

-- name: calls_of_views(names)
-- The server's own functions that views of these names call, also through other views, if their answer is not a constant.
WITH RECURSIVE read (view, oid) AS (
    SELECT c.relname::text, c.oid
    FROM pg_catalog.pg_class AS c
    WHERE c.relkind = 'v' AND c.relname = ANY (CAST(:names AS pg_catalog.name[]))
    UNION
    SELECT read.view, c.oid
    FROM read
    JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = read.oid AND r.ev_type = '1'
    CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::pg_catalog.text, '[:]relid ([0-9]+)', 'g') AS found (ids)
    JOIN pg_catalog.pg_class AS c ON c.oid = CAST(found.ids[1] AS pg_catalog.oid) AND c.relkind = 'v'
)
SELECT DISTINCT read.view, p.proname::text
FROM read
JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = read.oid AND r.ev_type = '1'
CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::pg_catalog.text, '[:]funcid ([0-9]+)', 'g') AS found (ids)
JOIN pg_catalog.pg_proc AS p ON p.oid = CAST(found.ids[1] AS pg_catalog.oid) AND p.provolatile <> 'i'
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname = 'pg_catalog';

-- name: type_names(oids)
-- What PostgreSQL calls some types.
SELECT t.oid, pg_catalog.format_type(t.oid, NULL) FROM pg_catalog.unnest(CAST(:oids AS pg_catalog.oid[])) AS t (oid);
