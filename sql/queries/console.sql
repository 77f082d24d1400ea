-- name: guarded_functions()
-- Functions that may do more than answer, by the server's own account: name, least and most arguments (NULL: any number),
-- and whether some column is called the same, so that x.name most likely means that column.
SELECT p.proname::text,
       p.pronargs - p.pronargdefaults,
       CASE WHEN p.provariadic = 0 THEN p.pronargs END,
       n.nspname <> 'pg_catalog' AND EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS a
           WHERE a.attname = p.proname AND a.attnum > 0 AND NOT a.attisdropped
       )
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_type AS t ON t.oid = p.prorettype
WHERE (p.provolatile = 'v' OR (p.prosecdef AND n.nspname <> 'pg_catalog'))
  AND p.prokind <> 'p'
  -- Nothing in SQL can call what returns one of these.
  AND NOT (t.typtype = 'p' AND t.typname ~ '(_handler|trigger|^internal)$');

-- name: type_names(oids)
-- What PostgreSQL calls some types.
SELECT t.oid, pg_catalog.format_type(t.oid, NULL) FROM pg_catalog.unnest(CAST(:oids AS pg_catalog.oid[])) AS t (oid);
