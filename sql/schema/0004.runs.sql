-- Runs that nobody has to watch: what is scored may be a query or a template, chunks may be lists of keys, rows that cannot
-- be read are noted one by one, watches start runs by themselves, workers say what they do. Run by undertone.store in the
-- schema `undertone`; what the tables of scores need besides is done by scores.upgrade, for their names are only known there.

ALTER TABLE sources
    ADD COLUMN template boolean NOT NULL DEFAULT false,
    ADD COLUMN statement text,
    ADD COLUMN current_model text,
    ADD COLUMN view_name text UNIQUE,
    DROP CONSTRAINT sources_database_schema_name_relation_text_column_key,
    ADD CONSTRAINT sources_texts UNIQUE (database, schema_name, relation, text_column, template);
COMMENT ON COLUMN sources.schema_name IS 'Empty where the texts come from a saved query; relation is then its name';
COMMENT ON COLUMN sources.text_column IS 'The column, or a template that joins several, such as {title}: {body}';
COMMENT ON COLUMN sources.statement IS 'What the saved query said when a run was last planned';
COMMENT ON COLUMN sources.current_model IS 'The model, as it is named, whose scores charts and the view use';
COMMENT ON COLUMN sources.view_name IS 'The view of the current scores, scores.<view_name>';

ALTER TABLE runs
    ADD COLUMN condition text NOT NULL DEFAULT '',
    ADD COLUMN statement text,
    ADD COLUMN queue text NOT NULL DEFAULT 'scoring',
    ADD COLUMN who text NOT NULL DEFAULT '',
    ADD COLUMN watch_id bigint,
    ADD COLUMN new_by jsonb,
    ADD COLUMN new_after text,
    ADD COLUMN new_mark text,
    ADD COLUMN rows_surveyed bigint NOT NULL DEFAULT 0,
    ADD COLUMN unchanged bigint NOT NULL DEFAULT 0,
    ADD COLUMN vanished bigint NOT NULL DEFAULT 0,
    ADD COLUMN undone_at timestamptz;
COMMENT ON COLUMN runs.condition IS 'Which rows are scored: a condition in SQL; empty for all of them';
COMMENT ON COLUMN runs.queue IS 'Which workers do it: those of this queue';
COMMENT ON COLUMN runs.new_by IS 'The column, {"name", "type"}, by which new rows are told from old ones; null where all are looked at';
COMMENT ON COLUMN runs.new_after IS 'Rows from this value of it on were looked at; null for all';
COMMENT ON COLUMN runs.new_mark IS 'The largest value of it when they were';
COMMENT ON COLUMN runs.rows_surveyed IS 'Rows that were looked at so far, while the run is planned';
COMMENT ON COLUMN runs.unchanged IS 'Rows that are in no chunk, for their scores are what they would be';
COMMENT ON COLUMN runs.vanished IS 'Scores whose rows are no longer in the source, marked by this run';
CREATE INDEX runs_model ON runs (model_id, source_id);

ALTER TABLE chunks
    ALTER COLUMN last_key DROP NOT NULL,
    ADD COLUMN keys jsonb,
    ADD COLUMN failed integer NOT NULL DEFAULT 0,
    ADD COLUMN reused integer NOT NULL DEFAULT 0,
    ADD COLUMN characters bigint NOT NULL DEFAULT 0,
    ADD COLUMN seconds double precision NOT NULL DEFAULT 0,
    ADD CONSTRAINT chunks_range CHECK ((keys IS NULL) <> (last_key IS NULL));
COMMENT ON COLUMN chunks.keys IS 'The keys, where what is to be done lies far apart; then it is no range';
COMMENT ON COLUMN chunks.failed IS 'Rows that could not be read, classified or written: see failed_rows';
COMMENT ON COLUMN chunks.reused IS 'Of scored, rows whose text this model had seen before';
COMMENT ON COLUMN chunks.characters IS 'Characters that the model was given; in seconds';
CREATE INDEX chunks_finished ON chunks (finished_at) WHERE state = 'done';

CREATE TABLE failed_rows (
    run_id bigint NOT NULL,
    number integer NOT NULL,
    key jsonb NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (run_id, number) REFERENCES chunks ON DELETE CASCADE
);
COMMENT ON TABLE failed_rows IS 'Rows of a chunk that could not be scored, each with why; the rest of the chunk was';
CREATE INDEX failed_rows_chunk ON failed_rows (run_id, number);

CREATE TABLE watches (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id bigint NOT NULL REFERENCES sources,
    model text NOT NULL,
    wish jsonb NOT NULL,
    every_minutes integer CHECK (every_minutes > 0),
    cron text,
    active boolean NOT NULL DEFAULT true,
    next_at timestamptz NOT NULL,
    error text,
    who text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source_id, model),
    CHECK ((every_minutes IS NULL) <> (cron IS NULL))
);
COMMENT ON TABLE watches IS 'Sources that are kept up: a run is planned at every next_at';
COMMENT ON COLUMN watches.wish IS 'What such a run is planned from';
COMMENT ON COLUMN watches.error IS 'Why the last run could not be planned';

CREATE TABLE workers (
    name text PRIMARY KEY,
    queues text[] NOT NULL,
    threads integer NOT NULL DEFAULT 0,
    device text NOT NULL DEFAULT '',
    engine text NOT NULL DEFAULT '',
    doing text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE workers IS 'Who works, as they say themselves every few seconds; chunks tell how fast';
