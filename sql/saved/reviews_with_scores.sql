-- name: Reviews with their scores
-- description: The texts of the demo shop's reviews beside what the model said of them, the surest first. Score the column
--   body of reviews first; data and scores must be in one database.
-- tags: scores, texts, demo
-- parameter: label text = NEGATIVE
-- parameter: confidence number = 0.5

SELECT s.label, round(s.confidence::numeric, 3) AS confidence, r.rating, r.written_at, r.title, r.body
FROM scores.reviews_current AS s
JOIN reviews AS r ON r.id = s.id
WHERE s.label = :label AND s.confidence >= :confidence::numeric
ORDER BY s.confidence DESC, s.id
LIMIT 500
