-- name: Rating against label
-- description: Reviews of the demo shop whose stars and label say the opposite of each other, the surest first. People do not
--   always rate what they write about, and models err. Score the column body of reviews first; data and scores must be in
--   one database.
-- tags: scores, quality, demo
-- parameter: confidence number = 0.5

SELECT r.rating, s.label, round(s.confidence::numeric, 3) AS confidence, r.title, r.body, r.id
FROM scores.reviews_current AS s
JOIN reviews AS r ON r.id = s.id
WHERE s.confidence >= :confidence::numeric
  AND (r.rating <= 2 AND s.label = 'POSITIVE' OR r.rating >= 4 AND s.label = 'NEGATIVE')
ORDER BY s.confidence DESC, s.id
LIMIT 500
