-- name: Rating over time
-- description: Reviews of the demo shop and their average stars by month, of all products or of one category.
-- tags: demo, time
-- parameter: category text
-- chart: {"kind": "line", "x": "month", "y": ["stars"], "color": null}

SELECT date_trunc('month', r.written_at)::date AS month,
       round(avg(r.rating), 2) AS stars,
       count(*) AS reviews
FROM reviews AS r
JOIN products AS p ON p.id = r.product_id
WHERE :category::text IS NULL OR p.category = :category::text
GROUP BY 1
ORDER BY 1
