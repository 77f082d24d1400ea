-- name: check()
-- Nothing but the values that somebody gave, each as what it would be compared as.
SELECT {values};
