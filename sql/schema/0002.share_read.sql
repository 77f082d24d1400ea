-- Which share of its text a score rests on, in every table of scores. Run by undertone.store in the schema `undertone`.

DO $migration$
DECLARE
    source record;
    scored oid;
    free text;
    copies integer;
BEGIN
    -- As planning a run does (lock_names), which changes a source and its table too, in the other order.
    PERFORM pg_advisory_xact_lock(7286551004);
    FOR source IN SELECT id, name, key_columns || context_columns AS kept FROM sources ORDER BY id LOOP
        -- Null where somebody has dropped the table: the next run makes it anew.
        SELECT oid INTO scored FROM pg_class
        WHERE relnamespace = 'scores'::regnamespace AND relname = source.name AND relkind IN ('r', 'p');

        -- A column of the source that was kept under this name gives way, as it would have, had the name been taken.
        free := 'source_share_read';
        copies := 1;
        WHILE source.kept @> jsonb_build_array(jsonb_build_object('stored', free))
            OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = scored AND attname = free)
        LOOP
            copies := copies + 1;
            free := 'source_share_read_' || copies;
        END LOOP;
        IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = scored AND attname = 'share_read') THEN
            EXECUTE format('ALTER TABLE scores.%I RENAME COLUMN share_read TO %I', source.name, free);
        END IF;
        IF source.kept @> '[{"stored": "share_read"}]' THEN
            UPDATE sources AS s SET
                key_columns = (
                    SELECT coalesce(jsonb_agg(k || CASE k ->> 'stored' WHEN 'share_read'
                        THEN jsonb_build_object('stored', free) ELSE '{}' END ORDER BY n), '[]')
                    FROM jsonb_array_elements(s.key_columns) WITH ORDINALITY AS a (k, n)
                ),
                context_columns = (
                    SELECT coalesce(jsonb_agg(k || CASE k ->> 'stored' WHEN 'share_read'
                        THEN jsonb_build_object('stored', free) ELSE '{}' END ORDER BY n), '[]')
                    FROM jsonb_array_elements(s.context_columns) WITH ORDINALITY AS a (k, n)
                )
            WHERE s.id = source.id;
        END IF;

        IF scored IS NOT NULL THEN
            -- By a default, which does not rewrite a table of a hundred million rows; the few others afterwards.
            EXECUTE format('ALTER TABLE scores.%I ADD COLUMN share_read real DEFAULT 1', source.name);
            EXECUTE format('ALTER TABLE scores.%I ALTER COLUMN share_read DROP DEFAULT', source.name);
            EXECUTE format(
                'UPDATE scores.%I SET share_read = NULL WHERE truncated IS DISTINCT FROM false OR label IS NULL',
                source.name
            );
            EXECUTE format(
                'COMMENT ON COLUMN scores.%I.share_read IS %L', source.name,
                'Share of the text that the model read, 0 to 1, 1 where all of it was read; null where there was '
                'nothing to read or nobody has noted it'
            );
        END IF;
    END LOOP;
END
$migration$;
