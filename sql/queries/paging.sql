-- name: keyset()
-- A page from a place on: the rows are found first, and their values cut only then, or a sort would carry and unpack all.
SELECT {shown} FROM (SELECT {read} FROM {relation} AS r {condition} ORDER BY {order} LIMIT {limit}) AS r ORDER BY {order};

-- name: skipping()
-- A page by the number of rows before it, where nothing tells the rows apart.
SELECT {shown} FROM {relation} AS r ORDER BY {order} LIMIT {limit} OFFSET {offset};

-- name: blocks()
-- How many blocks a table has.
SELECT pg_relation_size({relation}::regclass) / current_setting('block_size')::bigint;

-- name: by_key()
-- Rows by their keys, each with the number of the key that it was asked for by.
SELECT {shown} FROM (VALUES {keys}) AS wanted ({names}) JOIN {relation} AS r ON {matches};
