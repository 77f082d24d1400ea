-- What people ask: the log of every statement, and the queries that they save. Run by undertone.store in the schema
-- `undertone`. Statements are their authors' own: no reader's account may see these tables.

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    how text NOT NULL,
    target text NOT NULL,
    database text NOT NULL,
    statement text NOT NULL,
    parameters jsonb,
    outcome text NOT NULL DEFAULT 'running' CHECK (outcome IN (
        'running', 'answered', 'truncated', 'refused', 'limited', 'cancelled', 'failed', 'lost'
    )),
    message text,
    seconds double precision,
    rows bigint,
    truncated text CHECK (truncated IN ('rows', 'bytes')),
    ends_by timestamptz NOT NULL,
    host text NOT NULL,
    process integer NOT NULL,
    process_began double precision NOT NULL
);
COMMENT ON TABLE audit IS 'One row a statement, by whomever: written before it is asked, completed afterwards';
COMMENT ON COLUMN audit.database IS 'Where the data was: host, port and database, or embedded';
COMMENT ON COLUMN audit.parameters IS 'Names, and values only where UNDERTONE_AUDIT_VALUES says so';
COMMENT ON COLUMN audit.outcome IS 'running: so far, or nobody has looked yet; lost: who asked has died meanwhile';
COMMENT ON COLUMN audit.ends_by IS 'When it must have ended by its limits; running after that is lost';
COMMENT ON COLUMN audit.host IS 'With process and process_began, in seconds since 1970, which process asks';
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_who ON audit (who, id);
CREATE INDEX audit_running ON audit (id) WHERE outcome = 'running';

CREATE TABLE saved_queries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    folded_name text NOT NULL CHECK (folded_name <> ''),
    version integer NOT NULL CHECK (version > 0),
    removed boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE saved_queries IS 'The queries that people keep; what each says is in its versions';
COMMENT ON COLUMN saved_queries.folded_name IS 'The name as it is compared: without case';
COMMENT ON COLUMN saved_queries.version IS 'The newest version';
CREATE UNIQUE INDEX saved_queries_name ON saved_queries (folded_name) WHERE NOT removed;

CREATE TABLE saved_versions (
    query_id bigint NOT NULL REFERENCES saved_queries ON DELETE CASCADE,
    version integer NOT NULL CHECK (version > 0),
    name text NOT NULL CHECK (name <> ''),
    description text NOT NULL,
    tags text[] NOT NULL,
    statement text NOT NULL,
    parameters jsonb NOT NULL,
    chart jsonb,
    target text NOT NULL,
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (query_id, version)
);
COMMENT ON TABLE saved_versions IS 'What a saved query says, and said before: a version is never changed';
COMMENT ON COLUMN saved_versions.parameters IS 'Object of {"kind", "value"} by name: what the inputs begin with';
COMMENT ON COLUMN saved_versions.removed IS 'Whether this version removed the query';
