-- name: columns(name)
-- The columns of a table of scores with their types, in their order; -1: `character` alone would be one of one letter.
SELECT a.attname::text, format_type(a.atttypid, -1)
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass('scores.' || quote_ident(:name)) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: has_model()
-- Whether a model has scores in a table, of rows that are gone too.
SELECT EXISTS (SELECT FROM {table} WHERE model = {model});

-- name: current()!
-- Which rows of a table are a model's scores of rows that are still there.
WHERE model = {model} AND vanished_at IS NULL

-- name: of_model()!
-- Which rows of a table are a model's scores.
WHERE model = {model}

-- name: rows()
-- Scores in the order of their key, which the primary key's index has ready.
SELECT {columns} FROM {table} {condition} ORDER BY {key}
