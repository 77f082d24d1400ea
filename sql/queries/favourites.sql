-- name: favourites(who, place)
-- Somebody's favourites in a database, in the order in which they were marked: schema, name.
SELECT schema_name, relation FROM undertone.favourites
WHERE who = :who AND database = :place
ORDER BY at, schema_name, relation;

-- name: add(who, place, schema, name, most)!
-- Mark a relation, unless somebody has marked so many already; marked twice is marked.
INSERT INTO undertone.favourites (who, database, schema_name, relation)
SELECT :who, :place, :schema, :name
WHERE (SELECT count(*) FROM undertone.favourites WHERE who = :who AND database = :place) < :most
ON CONFLICT DO NOTHING;

-- name: remove(who, place, schema, name)!
-- Unmark a relation.
DELETE FROM undertone.favourites
WHERE who = :who AND database = :place AND schema_name = :schema AND relation = :name;
