-- What the reader of scores sees of Undertone's own tables: where scores come from and how they were made. Not the log of
-- people's statements, not their saved queries, not the job queue. Run at every start, as the owner, in the database
-- `undertone`, once its tables are there. Repeating it changes nothing.

-- Two who grant the same at once would be told that a tuple was concurrently updated.
SELECT pg_advisory_xact_lock(7286551008);
GRANT USAGE ON SCHEMA undertone TO undertone_scores_reader;
GRANT SELECT ON undertone.sources, undertone.runs, undertone.chunks TO undertone_scores_reader;
-- The functions of the job queue are nobody else's.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA undertone FROM PUBLIC;
