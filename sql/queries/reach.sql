-- name: called(names, attributes, harmful)
-- The functions of these names that may do more than answer, and all that somebody has made. `attributes`: the names that
-- stand as x.name; `harmful`: those that are wanted whatever they are. For each: its number and name; the least and most
-- arguments (NULL: any number); whether some column is called the same, so that x.name most likely means that column;
-- whether it may take a row; whether it may take a row that has no such column; whether the server itself counts it among
-- those that do more.
SELECT p.oid::pg_catalog.int8,
       p.proname::pg_catalog.text,
       p.pronargs - p.pronargdefaults,
       CASE WHEN p.provariadic = 0 THEN p.pronargs END,
       p.oid >= 16384 AND p.proname = ANY (CAST(:attributes AS pg_catalog.name[])) AND EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS a
           WHERE a.attname = p.proname AND a.attnum > 0 AND NOT a.attisdropped
       ),
       coalesce(a.typtype IN ('c', 'd', 'p') OR a.typelem <> 0, false),
       coalesce(a.typtype = 'p' OR a.typtype = 'c' AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS c
           WHERE c.attrelid = a.typrelid AND c.attname = p.proname AND NOT c.attisdropped
       ), false),
       p.prokind <> 'p' AND (p.provolatile = 'v' OR (p.prosecdef AND p.oid >= 16384))
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_type AS t ON t.oid = p.prorettype
LEFT JOIN pg_catalog.pg_type AS a ON a.oid = p.proargtypes[0]
WHERE p.proname = ANY (CAST(:names AS pg_catalog.name[]))
  AND (p.oid >= 16384 OR p.provolatile = 'v' OR p.proname = ANY (CAST(:harmful AS pg_catalog.name[])))
  -- Nothing in SQL can call what returns one of these.
  AND NOT (t.typtype = 'p' AND t.typname ~ '(_handler|trigger|^internal)$');

-- name: named(names, operators, implied, domains)
-- What somebody has made that has one of these names, wherever it is: relations, types, operators, each with its number and name.
-- `implied`: operators that the server has, too; of these only those that take none of somebody's own types, which
-- bring theirs. `domains`: all domains, too, with no name.
SELECT 'relation', c.oid::pg_catalog.int8, c.relname::pg_catalog.text
FROM pg_catalog.pg_class AS c
WHERE c.relname = ANY (CAST(:names AS pg_catalog.name[])) AND c.oid >= 16384
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
UNION ALL
SELECT 'type', t.oid::pg_catalog.int8, t.typname::pg_catalog.text
FROM pg_catalog.pg_type AS t
WHERE t.typname = ANY (CAST(:names AS pg_catalog.name[])) AND t.oid >= 16384 AND t.typtype <> 'c'
UNION ALL
SELECT 'operator', o.oid::pg_catalog.int8, o.oprname::pg_catalog.text
FROM pg_catalog.pg_operator AS o
WHERE o.oid >= 16384 AND (
    o.oprname = ANY (CAST(:operators AS pg_catalog.name[]))
    OR (o.oprname = ANY (CAST(:implied AS pg_catalog.name[])) AND o.oprleft < 16384 AND o.oprright < 16384))
UNION ALL
SELECT 'type', t.oid::pg_catalog.int8, ''
FROM pg_catalog.pg_type AS t
WHERE CAST(:domains AS pg_catalog.bool) AND t.oid >= 16384 AND t.typtype = 'd';

-- name: functions(oids)
-- What there is to judge these functions by: number, name, language (NULL: it is the server's own, or a part of an
-- extension that a superuser has installed; then its text is nobody's here), whether it is volatile, whether a setting of
-- its own changes how its text is read, names of arguments, text, whether it is an aggregate.
SELECT p.oid::pg_catalog.int8,
       p.proname::pg_catalog.text,
       CASE WHEN NOT known THEN l.lanname::pg_catalog.text END,
       p.provolatile = 'v',
       coalesce(pg_catalog.array_to_string(p.proconfig, ' ') ~ 'standard_conforming_strings', false),
       coalesce(p.proargnames, '{}'),
       CASE WHEN NOT known AND p.prokind <> 'a' AND p.prosqlbody IS NULL AND l.lanname IN ('sql', 'plpgsql')
            THEN p.prosrc ELSE '' END,
       p.prokind = 'a'
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
CROSS JOIN LATERAL (
    SELECT p.oid < 16384 OR EXISTS (
        SELECT
        FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_roles AS r ON r.oid = p.proowner
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
          -- Anybody may add a function of theirs to an extension that is theirs, but not one in C. Those that belong to a
          -- type are what makes its ranges.
          AND (d.deptype = 'e' AND r.rolsuper OR d.deptype IN ('e', 'i') AND l.lanname IN ('c', 'internal'))
    )
) AS k (known)
WHERE p.oid = ANY (CAST(:oids AS pg_catalog.oid[]));

-- name: from_functions(oids)
-- What these functions rest on by the catalogue: arguments, defaults, bodies that were parsed when they were made, the
-- steps of aggregates. Each with its kind and number.
WITH part (oid, tree) AS (
    SELECT p.oid, concat(p.prosqlbody::pg_catalog.text, ' ', p.proargdefaults::pg_catalog.text)
    FROM pg_catalog.pg_proc AS p
    WHERE p.oid = ANY (CAST(:oids AS pg_catalog.oid[]))
)
-- The server's own functions are in no list of what depends on what.
SELECT part.oid::pg_catalog.int8, CASE found.ids[1] WHEN 'relid' THEN 'relation' ELSE 'function' END,
       CAST(found.ids[2] AS pg_catalog.int8)
FROM part
CROSS JOIN LATERAL pg_catalog.regexp_matches(part.tree, '[:](funcid|relid) ([0-9]+)', 'g') AS found (ids)
UNION
SELECT a.aggfnoid::pg_catalog.oid::pg_catalog.int8, 'function', step.oid::pg_catalog.int8
FROM pg_catalog.pg_aggregate AS a
CROSS JOIN LATERAL (VALUES (a.aggtransfn), (a.aggfinalfn), (a.aggcombinefn), (a.aggserialfn), (a.aggdeserialfn),
                           (a.aggmtransfn), (a.aggminvtransfn), (a.aggmfinalfn)) AS step (oid)
WHERE a.aggfnoid = ANY (CAST(:oids AS pg_catalog.oid[])) AND step.oid <> 0
UNION
SELECT d.objid::pg_catalog.int8, k.kind, d.refobjid::pg_catalog.int8
FROM pg_catalog.pg_depend AS d
JOIN (VALUES ('pg_catalog.pg_proc'::pg_catalog.regclass, 'function'), ('pg_catalog.pg_class', 'relation'),
             ('pg_catalog.pg_type', 'type'), ('pg_catalog.pg_operator', 'operator')) AS k (class, kind)
  ON k.class = d.refclassid
WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = ANY (CAST(:oids AS pg_catalog.oid[]));

-- name: from_relations(oids)
-- What reading these relations rests on: what a view asks, what policies check, the types of columns. Each with its kind
-- and number. Nothing for what is a part of an extension that a superuser has installed.
WITH read AS (
    SELECT c.oid, c.relkind, c.relrowsecurity
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = ANY (CAST(:oids AS pg_catalog.oid[])) AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e' AND r.rolsuper
    )
), part (relation, class, oid, tree) AS (
    SELECT read.oid, 'pg_catalog.pg_rewrite'::pg_catalog.regclass, r.oid, r.ev_action::pg_catalog.text
    FROM read
    JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = read.oid
    WHERE read.relkind = 'v' AND r.ev_type = '1'
    UNION ALL
    SELECT read.oid, 'pg_catalog.pg_policy', p.oid, p.polqual::pg_catalog.text
    FROM read
    JOIN pg_catalog.pg_policy AS p ON p.polrelid = read.oid
    WHERE read.relrowsecurity AND p.polcmd IN ('*', 'r') AND p.polqual IS NOT NULL
)
SELECT part.relation::pg_catalog.int8, CASE found.ids[1] WHEN 'relid' THEN 'relation' ELSE 'function' END,
       CAST(found.ids[2] AS pg_catalog.int8)
FROM part
CROSS JOIN LATERAL pg_catalog.regexp_matches(part.tree, '[:](funcid|relid) ([0-9]+)', 'g') AS found (ids)
UNION
SELECT part.relation::pg_catalog.int8, k.kind, d.refobjid::pg_catalog.int8
FROM part
JOIN pg_catalog.pg_depend AS d ON d.classid = part.class AND d.objid = part.oid
JOIN (VALUES ('pg_catalog.pg_proc'::pg_catalog.regclass, 'function'), ('pg_catalog.pg_class', 'relation'),
             ('pg_catalog.pg_type', 'type'), ('pg_catalog.pg_operator', 'operator')) AS k (class, kind)
  ON k.class = d.refclassid
UNION
SELECT a.attrelid::pg_catalog.int8, 'type', a.atttypid::pg_catalog.int8
FROM read
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = read.oid
WHERE a.attnum > 0 AND a.atttypid >= 16384;

-- name: planned(oids)
-- What the server computes while it plans a question about these relations: what does not change in expressions of
-- indexes, constraints, statistics and partition keys, also those of partitions and children.
WITH RECURSIVE own AS (
    SELECT p.oid
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
    WHERE p.oid >= 16384 AND p.provolatile = 'i' AND l.lanname NOT IN ('c', 'internal')
), resting (class, oid) AS (
    SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, own.oid FROM own
    UNION ALL
    SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, o.oid
    FROM pg_catalog.pg_operator AS o
    JOIN own ON own.oid = o.oprcode
    WHERE o.oid >= 16384
), used (relation, class, oid) AS (
    SELECT CASE d.classid
               WHEN 'pg_catalog.pg_class'::pg_catalog.regclass
               THEN coalesce((SELECT i.indrelid FROM pg_catalog.pg_index AS i WHERE i.indexrelid = d.objid), d.objid)
               WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass
               THEN (SELECT c.conrelid FROM pg_catalog.pg_constraint AS c WHERE c.oid = d.objid)
               ELSE (SELECT s.stxrelid FROM pg_catalog.pg_statistic_ext AS s WHERE s.oid = d.objid)
           END,
           resting.class, resting.oid
    FROM resting
    JOIN pg_catalog.pg_depend AS d ON d.refclassid = resting.class AND d.refobjid = resting.oid
    WHERE d.classid IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_constraint'::pg_catalog.regclass,
                        'pg_catalog.pg_statistic_ext'::pg_catalog.regclass)
    UNION
    SELECT i.inhparent, used.class, used.oid
    FROM used
    JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = used.relation
)
SELECT used.relation::pg_catalog.int8,
       CASE used.class WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN 'function' ELSE 'operator' END,
       used.oid::pg_catalog.int8
FROM used
WHERE used.relation = ANY (CAST(:oids AS pg_catalog.oid[]));

-- name: from_types(oids, implied)
-- What a value of these types rests on: the types that it is made of, what a domain checks, casts from and to it, operators
-- that need not be written. Each with its kind and number.
WITH made AS (
    SELECT t.oid, t.typbasetype, t.typelem, t.typarray, t.typrelid
    FROM pg_catalog.pg_type AS t
    WHERE t.oid = ANY (CAST(:oids AS pg_catalog.oid[])) AND t.oid >= 16384
), part (type, oid, tree) AS (
    SELECT made.oid, c.oid, c.conbin::pg_catalog.text
    FROM made
    JOIN pg_catalog.pg_constraint AS c ON c.contypid = made.oid
    WHERE c.conbin IS NOT NULL
)
SELECT part.type::pg_catalog.int8, 'function', CAST(found.ids[1] AS pg_catalog.int8)
FROM part
CROSS JOIN LATERAL pg_catalog.regexp_matches(part.tree, '[:]funcid ([0-9]+)', 'g') AS found (ids)
UNION
SELECT part.type::pg_catalog.int8, k.kind, d.refobjid::pg_catalog.int8
FROM part
JOIN pg_catalog.pg_depend AS d
  ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = part.oid
JOIN (VALUES ('pg_catalog.pg_proc'::pg_catalog.regclass, 'function'), ('pg_catalog.pg_class', 'relation'),
             ('pg_catalog.pg_type', 'type'), ('pg_catalog.pg_operator', 'operator')) AS k (class, kind)
  ON k.class = d.refclassid
UNION
SELECT made.oid::pg_catalog.int8, other.kind, other.oid::pg_catalog.int8
FROM made
CROSS JOIN LATERAL (VALUES ('type', made.typbasetype), ('type', made.typelem), ('type', made.typarray),
                           ('relation', made.typrelid)) AS other (kind, oid)
WHERE other.oid >= 16384
UNION
SELECT made.oid::pg_catalog.int8, other.kind, other.oid::pg_catalog.int8
FROM made
JOIN pg_catalog.pg_range AS r ON made.oid IN (r.rngtypid, r.rngmultitypid)
CROSS JOIN LATERAL (VALUES ('type', r.rngsubtype), ('type', r.rngtypid), ('function', r.rngcanonical::pg_catalog.oid),
                           ('function', r.rngsubdiff::pg_catalog.oid)) AS other (kind, oid)
WHERE other.oid >= 16384
UNION
SELECT made.oid::pg_catalog.int8, 'function', c.castfunc::pg_catalog.int8
FROM made
JOIN pg_catalog.pg_cast AS c ON made.oid IN (c.castsource, c.casttarget)
WHERE c.oid >= 16384 AND c.castfunc <> 0
UNION
SELECT made.oid::pg_catalog.int8, 'operator', o.oid::pg_catalog.int8
FROM made
JOIN pg_catalog.pg_operator AS o ON made.oid IN (o.oprleft, o.oprright)
WHERE o.oid >= 16384 AND o.oprname = ANY (CAST(:implied AS pg_catalog.name[]));

-- name: types_of_functions(oids)
-- The types that somebody has made and that these functions take or give. Each with its kind and number.
SELECT d.objid::pg_catalog.int8, 'type', d.refobjid::pg_catalog.int8
FROM pg_catalog.pg_depend AS d
WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = ANY (CAST(:oids AS pg_catalog.oid[]))
  AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass;

-- name: from_operators(oids)
-- What these operators call, and what the server may put in their place: commutators and negators. Each with its kind and
-- number.
SELECT o.oid::pg_catalog.int8, other.kind, other.oid::pg_catalog.int8
FROM pg_catalog.pg_operator AS o
CROSS JOIN LATERAL (VALUES ('function', o.oprcode::pg_catalog.oid), ('operator', o.oprcom), ('operator', o.oprnegate))
    AS other (kind, oid)
WHERE o.oid = ANY (CAST(:oids AS pg_catalog.oid[])) AND o.oid >= 16384 AND other.oid <> 0;

-- name: label(kind, oid)$
-- What one of these is, and its name, for a message.
SELECT CASE :kind
    WHEN 'function' THEN (SELECT 'function ' || p.proname FROM pg_catalog.pg_proc AS p WHERE p.oid = :oid)
    WHEN 'type' THEN 'type ' || pg_catalog.format_type(CAST(:oid AS pg_catalog.oid), NULL)
    WHEN 'operator' THEN (SELECT 'operator ' || o.oprname FROM pg_catalog.pg_operator AS o WHERE o.oid = :oid)
    ELSE (
        SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialised view ' WHEN 'c' THEN 'type ' ELSE 'table ' END
               || c.relname
        FROM pg_catalog.pg_class AS c
        WHERE c.oid = :oid
    )
END;
