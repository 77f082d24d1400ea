-- name: Duplicate texts
-- description: Texts and headlines of the demo shop that are the same but for case and punctuation, and where they are. A
--   table cannot be a parameter: for texts of your own, put their tables and columns in place of these.
-- tags: texts, quality, demo
-- parameter: least integer = 2

SELECT count(*) AS times,
       left(min(text), 200) AS text,
       string_agg(DISTINCT source, ', ') AS sources,
       min(at) AS first_at,
       max(at) AS last_at
FROM (
    SELECT 'reviews.title' AS source, title AS text, written_at AS at FROM reviews
    UNION ALL
    SELECT 'reviews.body', body, written_at FROM reviews
    UNION ALL
    SELECT 'support_tickets.subject', subject, opened_at FROM support_tickets
    UNION ALL
    SELECT 'support_tickets.body', body, opened_at FROM support_tickets
    UNION ALL
    SELECT 'survey_answers.answer', answer, answered_at FROM survey_answers
) AS texts
WHERE text ~ '[[:alnum:]]'
GROUP BY lower(regexp_replace(text, '[^[:alnum:]]+', ' ', 'g'))
HAVING count(*) >= :least::integer
ORDER BY times DESC, first_at
LIMIT 1000
