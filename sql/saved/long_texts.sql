-- name: Long texts
-- description: The longest texts of the demo shop's reviews, tickets and survey answers. A model reads long ones in windows,
--   and may not read the whole.
-- tags: texts, demo
-- parameter: least integer = 500
-- chart: {"kind": "histogram", "x": "characters", "y": [], "color": "source"}

SELECT source, id, length(text) AS characters, left(text, 200) AS beginning
FROM (
    SELECT 'reviews' AS source, id, body AS text FROM reviews
    UNION ALL
    SELECT 'support_tickets', id, body FROM support_tickets
    UNION ALL
    SELECT 'survey_answers', id, answer FROM survey_answers
) AS texts
WHERE length(text) >= :least::integer
ORDER BY characters DESC, source, id
LIMIT 1000
