-- name: Unsure scores
-- description: Scores of the demo shop's reviews of which the model was least sure: the ones to look at first. Score the
--   column body of reviews before.
-- tags: scores, quality, demo
-- target: scores
-- parameter: confidence number = 0.5
-- chart: {"kind": "histogram", "x": "confidence", "y": [], "color": "label"}

SELECT id, label, round(confidence::numeric, 3) AS confidence, probabilities, truncated, scored_at
FROM scores.reviews_current
WHERE confidence < :confidence::numeric
ORDER BY confidence, id
LIMIT 1000
