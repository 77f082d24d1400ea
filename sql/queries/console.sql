-- name: superuser()$
-- The account if it is a superuser, also one that has taken another role for the time being.
SELECT pg_catalog.min(r.rolname::text)
FROM pg_catalog.pg_roles AS r
WHERE r.rolsuper AND r.rolname IN (current_user, session_user);

-- name: type_names(oids)
-- What PostgreSQL calls some types.
SELECT t.oid, pg_catalog.format_type(t.oid, NULL) FROM pg_catalog.unnest(CAST(:oids AS pg_catalog.oid[])) AS t (oid);
