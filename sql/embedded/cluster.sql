-- The roles and the database of the embedded server. Run at every start, as the superuser, in the database `postgres`.
-- Repeating it changes nothing. What the whole protects from: docs/security.md.

-- The owner has Undertone's own schemas and the tables that were brought in; it is nobody's superuser.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'undertone_owner') THEN
        CREATE ROLE undertone_owner;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'undertone_reader') THEN
        CREATE ROLE undertone_reader;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'undertone_scores_reader') THEN
        CREATE ROLE undertone_scores_reader;
    END IF;
END $$;
ALTER ROLE undertone_owner WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;

-- The reader asks every question about the data, the reader of scores what people ask about scores and runs.
DO $$
DECLARE
    reader text;
BEGIN
    FOREACH reader IN ARRAY ARRAY['undertone_reader', 'undertone_scores_reader'] LOOP
        EXECUTE format('ALTER ROLE %I WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT'
                       ' CONNECTION LIMIT 60', reader);
        -- A role can lift the first four of these for its own session; only the superuser can lift the last.
        EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', reader);
        EXECUTE format('ALTER ROLE %I SET statement_timeout = ''5min''', reader);
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''5min''', reader);
        EXECUTE format('ALTER ROLE %I SET lock_timeout = ''10s''', reader);
        EXECUTE format('ALTER ROLE %I SET temp_file_limit = ''2GB''', reader);
    END LOOP;
END $$;

-- Nobody but the superuser has business in the other databases.
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
