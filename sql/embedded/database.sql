-- Rights inside the embedded database. Run at every start, as the superuser, in the database `undertone`.
-- Repeating it changes nothing.

REVOKE ALL ON DATABASE undertone FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE undertone TO undertone_owner;
GRANT CONNECT ON DATABASE undertone TO undertone_reader, undertone_scores_reader;

CREATE SCHEMA IF NOT EXISTS undertone AUTHORIZATION undertone_owner;
CREATE SCHEMA IF NOT EXISTS scores AUTHORIZATION undertone_owner;
ALTER SCHEMA public OWNER TO undertone_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- The reader sees the data and the scores, not Undertone's own state.
GRANT USAGE ON SCHEMA public, scores TO undertone_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public, scores TO undertone_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE undertone_owner IN SCHEMA public, scores GRANT SELECT ON TABLES TO undertone_reader;
-- The reader of scores sees the scores; what it sees of Undertone's own tables: scores.sql.
GRANT USAGE ON SCHEMA scores TO undertone_scores_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA scores TO undertone_scores_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE undertone_owner IN SCHEMA scores GRANT SELECT ON TABLES TO undertone_scores_reader;

-- READ ONLY does not stop a function that sleeps, notifies, locks, cancels other sessions or opens large objects. PUBLIC
-- may call all of them by default; afterwards the reader may call only those that are known to be harmless.
DO $$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN
        SELECT p.oid::regprocedure
        FROM pg_proc AS p
        JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE p.prokind = 'f'
          AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
          AND has_function_privilege('undertone_reader', p.oid, 'EXECUTE')
          AND (p.provolatile = 'v'
               -- What other people are asking at this moment is theirs.
               OR p.proname IN ('pg_stat_get_activity', 'pg_stat_get_backend_activity')
               OR (p.prosecdef AND n.nspname <> 'pg_catalog')
               OR p.proname ~ '_to_xml' OR p.proname IN ('txid_current', 'pg_current_xact_id'))
          AND NOT (n.nspname = 'pg_catalog' AND (
              p.proname IN ('random', 'random_normal', 'setseed', 'clock_timestamp', 'timeofday', 'gen_random_uuid',
                            'uuidv4', 'uuidv7', 'pg_is_in_recovery', 'pg_postmaster_start_time', 'pg_conf_load_time',
                            'pg_sequence_last_value', 'currval', 'lastval', 'array_shuffle', 'array_sample',
                            'current_query', 'pg_lock_status', 'pg_prepared_xact', 'pg_partition_tree',
                            'pg_partition_ancestors', 'pg_jit_available', 'pg_stat_have_stats', 'txid_status',
                            'pg_xact_status', 'pg_collation_actual_version', 'pg_database_collation_actual_version')
              OR p.proname ~ '^pg_(.*_)?size$'
              OR p.proname ~ '^(pg_stat_get_(?!(backend_)?activity$)|pg_get_|pg_show_all_settings|pg_(cursor|prepared_statement)$)'
              OR p.proname ~ '^pg_(is|last|control|current_wal)_'
              OR p.proname ~ '(in|out|recv|send)$' AND p.proname !~ '^(lo_|pg_|be_)'))
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', routine);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO undertone_owner', routine);
    END LOOP;
END $$;
