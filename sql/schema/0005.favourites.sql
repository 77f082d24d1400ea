-- The tables that people want at hand. Run by undertone.store in the schema `undertone`.

CREATE TABLE favourites (
    who text NOT NULL CHECK (who <> ''),
    database text NOT NULL,
    schema_name text NOT NULL,
    relation text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (who, database, schema_name, relation)
);
COMMENT ON TABLE favourites IS 'Which tables somebody has marked, in which database; whether they are still there nobody keeps up';
COMMENT ON COLUMN favourites.who IS 'As in audit: whom the app takes somebody for';
COMMENT ON COLUMN favourites.database IS 'Where the data was: host, port and database, or embedded';
