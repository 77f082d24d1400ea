-- name: namespace()!
-- Let what is written by the server name all that is not in `public` by its schema, until this is undone.
SET LOCAL search_path = public;

-- name: about(schema, name)^
-- A relation that this role may select from: oid, kind, owner, comment, whether it is unlogged, whether all of it may be
-- selected, its options, how it is partitioned, its bounds as a partition, whether row security is on and forced, its foreign
-- server, what this role may do with it, since when its use is counted.
SELECT c.oid::bigint,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                      WHEN 'm' THEN 'materialised view' ELSE 'foreign table' END,
       pg_get_userbyid(c.relowner)::text, obj_description(c.oid, 'pg_class'), c.relpersistence = 'u',
       has_table_privilege(c.oid, 'SELECT'), coalesce(c.reloptions, '{}'),
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END,
       c.relrowsecurity, c.relforcerowsecurity,
       (SELECT s.srvname::text FROM pg_catalog.pg_foreign_table AS f
        JOIN pg_catalog.pg_foreign_server AS s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid),
       ARRAY(SELECT p FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS p
             WHERE has_table_privilege(c.oid, p)),
       c.relispopulated,
       (SELECT stats_reset FROM pg_catalog.pg_stat_database WHERE datname = current_database())
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT');

-- name: definition(oid)$
-- What a view selects.
SELECT pg_get_viewdef(CAST(:oid AS oid), true);

-- name: hidden(oid)
-- Of what belongs to a relation, that which is made from a relation or a column that this role may not select, and which
-- would tell of it: the catalogue that it is in, its oid. The system's own views are the same everywhere and tell nothing.
SELECT DISTINCT d.classid::regclass::text, d.objid::bigint
FROM pg_catalog.pg_depend AS d
JOIN pg_catalog.pg_class AS r ON r.oid = d.refobjid AND r.relkind IN ('r', 'p', 'v', 'm', 'f')
WHERE d.refclassid = 'pg_catalog.pg_class'::regclass
  AND r.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  AND (d.classid, d.objid) IN (
      SELECT 'pg_catalog.pg_constraint'::regclass, oid FROM pg_catalog.pg_constraint WHERE conrelid = :oid
      UNION ALL SELECT 'pg_catalog.pg_class'::regclass, indexrelid FROM pg_catalog.pg_index WHERE indrelid = :oid
      UNION ALL SELECT 'pg_catalog.pg_policy'::regclass, oid FROM pg_catalog.pg_policy WHERE polrelid = :oid
      UNION ALL SELECT 'pg_catalog.pg_trigger'::regclass, oid FROM pg_catalog.pg_trigger WHERE tgrelid = :oid
      UNION ALL SELECT 'pg_catalog.pg_rewrite'::regclass, oid FROM pg_catalog.pg_rewrite WHERE ev_class = :oid
      UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, oid FROM pg_catalog.pg_attrdef WHERE adrelid = :oid
      UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::regclass, oid FROM pg_catalog.pg_statistic_ext WHERE stxrelid = :oid
  )
  AND NOT (
      has_schema_privilege(r.relnamespace, 'USAGE')
      AND CASE WHEN d.refobjsubid > 0 THEN coalesce(has_column_privilege(r.oid, d.refobjsubid::int2, 'SELECT'), false)
               ELSE has_any_column_privilege(r.oid, 'SELECT') END
  );

-- name: columns(oid)
-- The columns that this role may select: name, type, whether it may be null, default and its oid, identity, generated,
-- collation where it is not the type's, storage where it is not the type's, comment.
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), d.oid::bigint, a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attcollation <> t.typcollation THEN
           CASE WHEN l.collnamespace = 'pg_catalog'::regnamespace THEN '' ELSE quote_ident(n.nspname) || '.' END
           || quote_ident(l.collname) END,
       CASE WHEN a.attstorage <> t.typstorage THEN
           CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END,
       col_description(a.attrelid, a.attnum)
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = l.collnamespace
WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
ORDER BY a.attnum;

-- name: constraints(oid)
-- The constraints of a relation but those that say that a column is not null: oid, name, kind, definition, whether all rows
-- were checked, comment, the index behind it.
SELECT k.oid::bigint, k.conname::text,
       CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclusion'
                      ELSE 'foreign key' END,
       pg_get_constraintdef(k.oid, true), k.convalidated, obj_description(k.oid, 'pg_constraint'), k.conindid::bigint
FROM pg_catalog.pg_constraint AS k
WHERE k.conrelid = :oid AND k.contype IN ('p', 'u', 'c', 'x', 'f')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
ORDER BY array_position('{p,u,x,c,f}'::"char"[], k.contype), k.conname;

-- name: indexes(oid)
-- The indexes of a relation: oid, name, method, definition, whether it stands behind a constraint, whether it is unique, whether
-- it can be used, its condition, bytes, scans, rows read, when it was last used, comment, the constraint that it stands behind.
-- Of a partitioned one those of its parts count. When it was last used servers before version 16 do not know.
WITH RECURSIVE parts AS (
    SELECT i.indexrelid AS root, i.indexrelid AS oid FROM pg_catalog.pg_index AS i WHERE i.indrelid = :oid
    UNION ALL
    SELECT p.root, h.inhrelid FROM parts AS p JOIN pg_catalog.pg_inherits AS h ON h.inhparent = p.oid
),
used AS (
    SELECT p.root, sum(pg_relation_size(p.oid))::bigint AS bytes, sum(s.idx_scan)::bigint AS scans,
           sum(s.idx_tup_read)::bigint AS rows, max((to_jsonb(s) ->> 'last_idx_scan')::timestamptz) AS last
    FROM parts AS p
    LEFT JOIN pg_catalog.pg_stat_all_indexes AS s ON s.indexrelid = p.oid
    GROUP BY p.root
)
SELECT x.oid::bigint, x.relname::text, m.amname::text, pg_get_indexdef(x.oid), k.oid IS NOT NULL, i.indisunique,
       i.indisvalid AND i.indisready, pg_get_expr(i.indpred, i.indrelid, true), u.bytes, u.scans, u.rows, u.last,
       obj_description(x.oid, 'pg_class'), k.oid::bigint
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am AS m ON m.oid = x.relam
JOIN used AS u ON u.root = i.indexrelid
LEFT JOIN pg_catalog.pg_constraint AS k ON k.conindid = x.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
WHERE i.indrelid = :oid
ORDER BY i.indisprimary DESC, i.indisunique DESC, x.relname;

-- name: triggers(oid)
-- The triggers of a relation that somebody has made: oid, name, definition, how it fires.
SELECT t.oid::bigint, t.tgname::text, pg_get_triggerdef(t.oid, true), t.tgenabled::text
FROM pg_catalog.pg_trigger AS t
WHERE t.tgrelid = :oid AND NOT t.tgisinternal AND coalesce((to_jsonb(t) ->> 'tgparentid')::bigint, 0) = 0
ORDER BY t.tgname;

-- name: rules(oid)
-- The rules of a relation but that which makes a view: oid, name, definition.
SELECT r.oid::bigint, r.rulename::text, pg_get_ruledef(r.oid, true)
FROM pg_catalog.pg_rewrite AS r
WHERE r.ev_class = :oid AND r.rulename <> '_RETURN'
ORDER BY r.rulename;

-- name: view_rule(oid)$
-- What makes a view.
SELECT oid::bigint FROM pg_catalog.pg_rewrite WHERE ev_class = :oid AND rulename = '_RETURN';

-- name: policies(oid)
-- The policies of row security: oid, name, whether it permits, for which command, for which roles, its two conditions.
SELECT p.oid::bigint, p.polname::text, p.polpermissive,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
       CASE WHEN p.polroles = '{0}' THEN '{}' ELSE ARRAY(SELECT quote_ident(rolname) FROM pg_catalog.pg_roles
                                                        WHERE oid = ANY (p.polroles) ORDER BY 1) END,
       pg_get_expr(p.polqual, p.polrelid, true), pg_get_expr(p.polwithcheck, p.polrelid, true)
FROM pg_catalog.pg_policy AS p
WHERE p.polrelid = :oid
ORDER BY p.polname;

-- name: statistics_objects(oid)
-- The extended statistics of a relation: oid, name, definition.
SELECT s.oid::bigint, s.stxname::text, pg_get_statisticsobjdef(s.oid)
FROM pg_catalog.pg_statistic_ext AS s
WHERE s.stxrelid = :oid
ORDER BY s.stxname;

-- name: sequences(oid)
-- The sequences that belong to columns of a relation: column, whether it makes the column an identity, schema, name, type, first
-- value, step, least and largest value, how many are kept ready, whether it begins anew.
SELECT a.attname::text, d.deptype = 'i', n.nspname::text, c.relname::text, format_type(s.seqtypid, NULL),
       s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle
FROM pg_catalog.pg_depend AS d
JOIN pg_catalog.pg_class AS c ON c.oid = d.objid AND c.relkind = 'S'
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = :oid
  AND d.deptype IN ('a', 'i') AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
ORDER BY a.attnum;

-- name: related(oid)
-- The relations that one inherits from or is a part of, and those below it, as far as this role may select from them: whether
-- it is above, schema, name, kind, bounds of a part.
SELECT i.inhrelid = :oid, n.nspname::text, c.relname::text,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' ELSE 'foreign table' END,
       CASE WHEN c.relispartition AND i.inhparent = :oid THEN pg_get_expr(c.relpartbound, c.oid) END
FROM pg_catalog.pg_inherits AS i
JOIN pg_catalog.pg_class AS c ON c.oid = CASE WHEN i.inhrelid = :oid THEN i.inhparent ELSE i.inhrelid END
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE :oid IN (i.inhrelid, i.inhparent)
  AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
ORDER BY 1 DESC, i.inhseqno, 2, 3;

-- name: references_of(oids)
-- The foreign keys from and to some relations, of which this role may read both ends: oid, name, then of either end the oid,
-- schema, name, kind and columns, what happens when a row there is changed or removed, and whether all rows were checked.
-- What a partitioned table has for each partition is that of the whole, and left out, but for one that is asked about itself.
SELECT f.oid::bigint, f.conname::text,
       c.oid::bigint, m.nspname::text, c.relname::text, CASE c.relkind WHEN 'p' THEN 'partitioned table' ELSE 'table' END, k.here,
       t.oid::bigint, n.nspname::text, t.relname::text, CASE t.relkind WHEN 'p' THEN 'partitioned table' ELSE 'table' END, k.there,
       f.confupdtype::text, f.confdeltype::text, f.convalidated
FROM pg_catalog.pg_constraint AS f
JOIN pg_catalog.pg_class AS c ON c.oid = f.conrelid
JOIN pg_catalog.pg_namespace AS m ON m.oid = c.relnamespace
JOIN pg_catalog.pg_class AS t ON t.oid = f.confrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY u.position) AS here, array_agg(b.attname::text ORDER BY u.position) AS there,
           bool_and(has_column_privilege(c.oid, a.attnum, 'SELECT') AND has_column_privilege(t.oid, b.attnum, 'SELECT'))
               AS readable
    FROM unnest(f.conkey, f.confkey) WITH ORDINALITY AS u (here, there, position)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.here
    JOIN pg_catalog.pg_attribute AS b ON b.attrelid = t.oid AND b.attnum = u.there
) AS k
WHERE f.contype = 'f' AND (f.conrelid = ANY (:oids) OR f.confrelid = ANY (:oids))
  AND k.readable AND has_schema_privilege(m.oid, 'USAGE') AND has_schema_privilege(n.oid, 'USAGE')
  AND (NOT c.relispartition OR c.oid = ANY (:oids))
  AND (f.confrelid = ANY (:oids)
       OR NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS p WHERE p.oid = f.conparentid AND p.conrelid = f.conrelid))
ORDER BY m.nspname, c.relname, f.conname;

-- name: oid(schema, name)$
-- The oid of a relation.
SELECT c.oid::bigint
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
