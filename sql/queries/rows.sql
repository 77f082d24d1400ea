-- name: by_key()
-- One row by its key: the texts of the key's values, then what is to be shown.
SELECT {shown} FROM {relation} AS r WHERE {matches} LIMIT 1;

-- name: beside()
-- The key of the next row in one direction.
SELECT {key} FROM {relation} AS r WHERE ({terms}) {comparison} ({values}) ORDER BY {order} LIMIT 1;

-- name: as_json()
-- One row as a JSON object, a line for each column, every number with all its digits.
SELECT row_to_json(r, true)::text FROM (SELECT {columns} FROM {relation} AS r WHERE {matches} LIMIT 1) AS r;

-- name: text_of()
-- A text of a row that is put together from columns: its beginning, its length in characters, its hash.
SELECT left(r.t, {most}), length(r.t), coalesce(md5(r.t), {none})
FROM (SELECT {text} AS t FROM {relation} AS r WHERE {matches} LIMIT 1) AS r;

-- name: at_most()
-- How many rows refer to a row, counted up to a limit.
SELECT count(*) FROM (SELECT FROM {relation} AS r WHERE {matches} LIMIT {limit}) AS r;
