-- What is scored, and how far it is. Run by undertone.store in the schema `undertone`.

CREATE TABLE sources (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    database text NOT NULL,
    schema_name text NOT NULL,
    relation text NOT NULL,
    text_column text NOT NULL,
    key_columns jsonb NOT NULL,
    context_columns jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (database, schema_name, relation, text_column)
);
COMMENT ON TABLE sources IS 'A text column that is scored; its scores are in scores.<name>';
COMMENT ON COLUMN sources.database IS 'Where the relation is: host, port and database of the data, or embedded';
COMMENT ON COLUMN sources.key_columns IS 'Array of {"name", "type", "stored"}: column and type in the relation, column in the scores';
COMMENT ON COLUMN sources.context_columns IS 'As key_columns: columns that are kept beside the score';

CREATE TABLE runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id bigint NOT NULL REFERENCES sources,
    model text NOT NULL,
    model_id text,
    state text NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'running', 'paused', 'cancelled', 'failed', 'finished')),
    chunk_rows integer NOT NULL CHECK (chunk_rows > 0),
    rows_total bigint,
    failures integer NOT NULL DEFAULT 0,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz
);
COMMENT ON TABLE runs IS 'One pass of a model over a source';
COMMENT ON COLUMN runs.model IS 'The model as it was named; model_id is what was loaded under that name';
COMMENT ON COLUMN runs.failures IS 'Attempts to cut it that failed; being interrupted is no failure';
CREATE INDEX runs_source ON runs (source_id, id);
CREATE INDEX runs_active ON runs (state) WHERE state IN ('planned', 'running', 'paused');

CREATE TABLE chunks (
    run_id bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    number integer NOT NULL,
    after_key jsonb,
    last_key jsonb NOT NULL,
    rows_planned integer NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    rows_read integer NOT NULL DEFAULT 0,
    scored integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    empty integer NOT NULL DEFAULT 0,
    truncated integer NOT NULL DEFAULT 0,
    worker text,
    failures integer NOT NULL DEFAULT 0,
    error text,
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (run_id, number)
);
COMMENT ON TABLE chunks IS 'A range of keys of a run: after after_key, up to and with last_key. Written in one transaction with its scores';
COMMENT ON COLUMN chunks.after_key IS 'Array of the key''s values as text; null in the first chunk';
COMMENT ON COLUMN chunks.failures IS 'Attempts that failed; being interrupted is no failure';
CREATE INDEX chunks_waiting ON chunks (run_id, number) WHERE state = 'waiting';
