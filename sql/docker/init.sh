#!/bin/sh
# Run once by the postgres image, as its superuser, in a new volume: the same roles and rights as the embedded server's.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres --file /undertone/cluster.sql
# Through psql's own quoting, so that any character may stand in a password.
psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres \
    --set owner="$UNDERTONE_OWNER_PASSWORD" --set reader="$UNDERTONE_READER_PASSWORD" <<'SQL'
ALTER ROLE undertone_owner PASSWORD :'owner';
ALTER ROLE undertone_reader PASSWORD :'reader';
CREATE DATABASE undertone OWNER undertone_owner;
SQL
psql --set ON_ERROR_STOP=1 --username postgres --dbname undertone --file /undertone/database.sql

# The demo shop, so that there is something to look at; parents before children.
{
    echo 'SET ROLE undertone_owner;'
    cat /demo/schema.sql
    for table in products customers orders order_items reviews support_tickets survey_answers; do
        printf "\\\\copy %s FROM '/demo/%s.csv' WITH (FORMAT csv, HEADER)\n" "$table" "$table"
    done
    echo 'RESET ROLE; ANALYZE;'
} | psql --set ON_ERROR_STOP=1 --username postgres --dbname undertone
