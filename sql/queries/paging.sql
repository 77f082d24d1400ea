-- name: keyset()
-- A page from a place on: the rows are found first, and their values cut only then, or a sort would carry and unpack all.
SELECT {shown} FROM (SELECT {read} FROM {relation} AS r {condition} ORDER BY {order} LIMIT {limit}) AS r ORDER BY {order};

-- name: window()
-- Of the next rows in an order those that a condition is true of; and the last of these rows, for where to go on. The two last
-- columns are how many rows were looked at, and whether it is one of those sought.
WITH w AS MATERIALIZED (
    SELECT r.*, ({where}) IS TRUE AS {mark}
    FROM (SELECT {read} FROM {relation} AS r {condition} ORDER BY {order} LIMIT {window}) AS r
),
looked AS (SELECT count(*) AS rows FROM w)
SELECT f.* FROM (
    SELECT {shown}, looked.rows, true
    FROM (SELECT * FROM w AS r WHERE r.{mark} ORDER BY {order} LIMIT {limit}) AS r CROSS JOIN looked
    ORDER BY {order}
) AS f
UNION ALL
SELECT e.* FROM (
    SELECT {shown}, looked.rows, false
    FROM (SELECT * FROM w AS r ORDER BY {back} LIMIT 1) AS r CROSS JOIN looked
) AS e;

-- name: skipping()
-- A page by the number of rows before it, where nothing tells the rows apart.
SELECT {shown} FROM {relation} AS r {condition} ORDER BY {order} LIMIT {limit} OFFSET {offset};

-- name: expected()
-- How the server would find a page.
EXPLAIN (FORMAT JSON) SELECT {read} FROM {relation} AS r {condition} ORDER BY {order} LIMIT {limit};

-- name: blocks()
-- How many blocks a table has.
SELECT pg_relation_size({relation}::regclass) / current_setting('block_size')::bigint;

-- name: by_key()
-- Rows by their keys, each with the number of the key that it was asked for by.
SELECT {shown} FROM (VALUES {keys}) AS wanted ({names}) JOIN {relation} AS r ON {matches};
