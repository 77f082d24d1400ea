-- name: plain()!
-- Values travel as PostgreSQL's text, written so that every server reads the same in it, whatever the account's settings.
SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 3;
SET LOCAL bytea_output = 'hex'; SET LOCAL statement_timeout = {milliseconds};

-- name: rows()
-- Rows in the order of their key: key and context as text, the beginning of the text, its whole length and its hash.
SELECT {kept}, left(r.t, {most}), length(r.t), md5(r.t)
FROM (SELECT {inner_columns}, {text} AS t FROM {origin} AS r {condition}) AS r
ORDER BY {key};

-- name: keys()
-- The keys of rows, in their order.
SELECT {keys} FROM {origin} AS r {condition} ORDER BY {order};

-- name: survey()
-- All rows in the order of their key: key and context as text, the hash of the text and how long it is without blanks.
SELECT {kept}, {hash}, {size} FROM {origin} AS r {condition} ORDER BY {order}

-- name: copy_out()!
-- The rows of a question, as COPY writes them.
COPY ({question}) TO STDOUT;

-- name: largest()
-- The largest value of the column by which new rows are told, but no time that is still to come: one row with such a time
-- must not hide all that are written before it.
SELECT {largest}::text FROM {origin} AS r;

-- name: sizes()
-- How many rows, how many of them with nothing to read, and characters to read; of so many rows at most.
SELECT count(*), count(*) FILTER (WHERE size = 0), coalesce(sum(least(size, {most})), 0)
FROM (SELECT {size} AS size FROM {origin} AS r {condition} {limit}) AS s;

-- name: unique()
-- How many rows there are, how many keys, and in how many a part of it is null.
SELECT count(*), count(DISTINCT ({names})), count(*) FILTER (WHERE {null}) FROM {origin} AS r;

-- name: columns_of()
-- No rows, but the columns of a saved query.
SELECT * FROM {origin} AS r LIMIT 0;

-- name: try_condition()
-- Whether a condition can be asked.
SELECT 1 FROM {origin} AS r {condition} LIMIT 0;

-- name: some_texts()
-- A few texts, whichever the server comes to first.
SELECT left(t, {most}) FROM (SELECT {text} AS t FROM {origin} AS r {condition} LIMIT 64) AS s WHERE t IS NOT NULL;
