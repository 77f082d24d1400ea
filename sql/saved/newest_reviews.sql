-- name: Newest reviews
-- description: What customers of the demo shop wrote in the last days before its newest review. For another table, put its
--   name and its columns in place of these.
-- tags: texts, demo
-- parameter: days integer = 30
-- parameter: stars integer = 5

SELECT r.written_at, p.name AS product, r.rating, r.title, r.body
FROM reviews AS r
JOIN products AS p ON p.id = r.product_id
WHERE r.written_at > (SELECT max(written_at) FROM reviews) - make_interval(days => :days::integer)
  AND r.rating <= :stars::integer
ORDER BY r.written_at DESC, r.id DESC
