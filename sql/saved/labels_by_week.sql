-- name: Labels by week
-- description: Which share of the demo shop's reviews got each label, week by week. Score the column body of reviews first,
--   with written_at as context. For another source, put its scores in place of scores.reviews_current.
-- tags: scores, time, demo
-- target: scores
-- parameter: weeks integer = 52
-- chart: {"kind": "area", "x": "week", "y": ["share"], "color": "label"}

SELECT date_trunc('week', written_at)::date AS week,
       label,
       count(*) AS texts,
       round(count(*) / sum(count(*)) OVER (PARTITION BY date_trunc('week', written_at)), 3) AS share
FROM scores.reviews_current
WHERE label IS NOT NULL
  AND written_at > (SELECT max(written_at) FROM scores.reviews_current) - make_interval(weeks => :weeks::integer)
GROUP BY date_trunc('week', written_at), label
ORDER BY 1, 2
