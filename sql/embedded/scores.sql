-- What the reader of scores sees of Undertone's own tables: where scores come from and how they were made. Not the log of
-- people's statements, not their saved queries, not the job queue. Run at every start, as the owner, in the database
-- `undertone`, once its tables are there. Repeating it changes nothing.

-- Two who grant the same at once would be told that a tuple was concurrently updated.
SELECT pg_advisory_xact_lock(7286551008);
GRANT USAGE ON SCHEMA undertone TO undertone_scores_reader;
-- Column by column: what a saved query or a condition says is its author's, and who started a run is nobody's business.
REVOKE SELECT ON undertone.sources, undertone.runs, undertone.chunks FROM undertone_scores_reader;
GRANT SELECT (id, name, database, schema_name, relation, text_column, template, key_columns, context_columns, current_model,
              view_name, created_at) ON undertone.sources TO undertone_scores_reader;
GRANT SELECT (id, source_id, model, model_id, state, chunk_rows, rows_total, rows_surveyed, unchanged, vanished, created_at,
              started_at, finished_at, undone_at) ON undertone.runs TO undertone_scores_reader;
GRANT SELECT (run_id, number, state, rows_planned, rows_read, scored, unchanged, empty, truncated, failed, reused, characters,
              seconds, worker, started_at, finished_at) ON undertone.chunks TO undertone_scores_reader;
-- The functions of the job queue are nobody else's.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA undertone FROM PUBLIC;
