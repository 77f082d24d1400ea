"""What the statements promise: run in an empty place they make a relation of which the same statements are told."""

from __future__ import annotations

import contextlib

import psycopg2.extensions
import pytest

from tests.unit import superuser
from undertone import database, ddl, names, relations, structure, tree

NASTY = 'say "50%"; -- {x} %s отзывы'
# Each: what is there before, the label of the relation, what makes it, and what its statements have to say.
WORLDS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "a table of everything": (
        "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok');"
        " CREATE TABLE app.other (a int, b text, PRIMARY KEY (a, b)); CREATE EXTENSION btree_gist;"
        " CREATE FUNCTION app.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "things",
        """
        CREATE TABLE things (
            id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 5) PRIMARY KEY,
            number serial, short numeric(10, 2) NOT NULL DEFAULT 0.5, words varchar(80) COLLATE "C" DEFAULT 'a''b\\c',
            feeling app.mood[], twice numeric GENERATED ALWAYS AS (short * 2) STORED, during tstzrange,
            a int, b text, up int REFERENCES things (a), UNIQUE (a), doc jsonb DEFAULT '{"x": [1]}',
            CONSTRAINT "odd ""name"" x" CHECK (short > 0 AND words <> 'x;'),
            CONSTRAINT no_overlap EXCLUDE USING gist (a WITH =, during WITH &&),
            FOREIGN KEY (a, b) REFERENCES app.other ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED
        ) WITH (fillfactor = 70);
        ALTER TABLE things ALTER COLUMN b SET STORAGE EXTERNAL;
        ALTER TABLE things ADD CONSTRAINT young CHECK (a < 9) NOT VALID;
        CREATE INDEX things_some ON things (lower(words), b DESC) WHERE a > 3;
        CREATE UNIQUE INDEX "Odd. %s" ON things USING btree (b) INCLUDE (a);
        CREATE STATISTICS things_ab (dependencies) ON a, b FROM things;
        CREATE TRIGGER note BEFORE UPDATE OF a ON things FOR EACH ROW WHEN (NEW.a > 1) EXECUTE FUNCTION app.noted('x');
        ALTER TABLE things DISABLE TRIGGER note;
        CREATE RULE nothing AS ON DELETE TO things DO INSTEAD NOTHING;
        CREATE POLICY own ON things AS RESTRICTIVE FOR UPDATE TO undertone_reader USING (a > 0) WITH CHECK (a < 5);
        CREATE POLICY "all of them" ON things USING (true);
        ALTER TABLE things ENABLE ROW LEVEL SECURITY;
        COMMENT ON TABLE things IS 'It''s \\ a "table"
        of two lines %s'; COMMENT ON COLUMN things.words IS 'Words; --'; COMMENT ON INDEX "Odd. %s" IS 'An index';
        COMMENT ON CONSTRAINT "odd ""name"" x" ON things IS 'A check'
        """,
        (
            "GENERATED ALWAYS AS IDENTITY (INCREMENT BY 5 START WITH 100)",
            "CREATE SEQUENCE things_number_seq AS integer;",
            'words character varying(80) COLLATE "C" DEFAULT',
            "GENERATED ALWAYS AS ((short * (2)::numeric)) STORED",
            "REFERENCES app.other(a, b) ON UPDATE SET NULL ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
            "NOT VALID;",
            "WITH (fillfactor='70')",
            "DISABLE TRIGGER note;",
            "CREATE STATISTICS",
            "AS RESTRICTIVE FOR UPDATE TO undertone_reader USING",
            "COMMENT ON INDEX \"Odd. %s\" IS 'An index';",
        ),
    ),
    "names of every kind": (
        f"CREATE SCHEMA {names.quoted(NASTY)}",
        f"{names.quoted(NASTY)}.{names.quoted(NASTY)}",
        f"CREATE TABLE {names.quoted(NASTY)}.{names.quoted(NASTY)} ({names.quoted(NASTY)} serial PRIMARY KEY, "
        f'"select" text UNIQUE, "Ä.b" int CHECK ("Ä.b" > 0));'
        f'CREATE INDEX ON {names.quoted(NASTY)}.{names.quoted(NASTY)} ({names.quoted(NASTY)}, "Ä.b");'
        f"COMMENT ON COLUMN {names.quoted(NASTY)}.{names.quoted(NASTY)}.\"select\" IS 'x'",
        ('"select" text', "COMMENT ON COLUMN"),
    ),
    "a table of no columns": (
        "",
        "nothing",
        "CREATE UNLOGGED TABLE nothing ()",
        ("CREATE UNLOGGED TABLE nothing ();",),
    ),
    "a table of 1,600 columns": (
        "",
        "wide",
        f"CREATE TABLE wide ({', '.join(f'c{n} int' for n in range(1600))})",
        ("c1599 integer",),
    ),
    "a partitioned table": (
        "",
        "parts",
        "CREATE TABLE parts (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
        "CREATE INDEX parts_at ON parts (at)",
        ("PARTITION BY RANGE (at);",),
    ),
    "a partition": (
        "CREATE TABLE parts (id int, at date NOT NULL CHECK (at > '2000-01-01'), PRIMARY KEY (id, at))"
        " PARTITION BY RANGE (at); CREATE INDEX parts_at ON parts (at)",
        "part",
        "CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO (MAXVALUE);"
        "ALTER TABLE part ALTER COLUMN id SET DEFAULT 7",
        ("ATTACH PARTITION part FOR VALUES FROM ('2024-01-01') TO (MAXVALUE);", "DEFAULT 7"),
    ),
    "a table that inherits": (
        "CREATE TABLE base (id int, kind text NOT NULL, CHECK (id > 0))",
        "child",
        "CREATE TABLE child (more text) INHERITS (base)",
        ("INHERIT base;",),
    ),
    "a view": (
        "CREATE TABLE base (id int, kind text)",
        '"a view"',
        "CREATE VIEW \"a view\" WITH (security_barrier) AS SELECT id, kind || '%s;' AS kind FROM base WHERE id > 1"
        ' WITH LOCAL CHECK OPTION; COMMENT ON VIEW "a view" IS \'x\'; ALTER VIEW "a view" ALTER id SET DEFAULT 3;'
        'CREATE RULE r AS ON INSERT TO "a view" DO INSTEAD NOTHING',
        ("security_barrier='true'", "check_option='local'", "SET DEFAULT 3;", "COMMENT ON VIEW"),
    ),
    "a materialised view": (
        "CREATE TABLE base (id int, kind text)",
        "kept",
        "CREATE MATERIALIZED VIEW kept AS SELECT id, count(*) FROM base GROUP BY 1 WITH NO DATA;"
        "CREATE UNIQUE INDEX ON kept (id); COMMENT ON MATERIALIZED VIEW kept IS 'x'; COMMENT ON COLUMN kept.id IS 'y'",
        ("WITH NO DATA;", "COMMENT ON MATERIALIZED VIEW"),
    ),
    "a foreign table": (
        'CREATE FOREIGN DATA WRAPPER away; CREATE SERVER "far away" FOREIGN DATA WRAPPER away',
        "there",
        "CREATE FOREIGN TABLE there (id int OPTIONS (secret 'hush') NOT NULL, CHECK (id > 0)) SERVER \"far away\""
        " OPTIONS (password 'hush'); COMMENT ON FOREIGN TABLE there IS 'x'",
        ('SERVER "far away";',),
    ),
}


@pytest.mark.parametrize("world", WORLDS)
def test_its_statements_make_the_same_relation_again(place: superuser.Place, world: str) -> None:
    before, label, made, said = WORLDS[world]
    with contextlib.closing(superuser.connect(place)) as connection, connection.cursor() as cursor:

        def told() -> str:
            relation = relations.find(connection, label)
            assert relation.label == label
            return ddl.statement(structure.read(connection, relation))

        if before:
            cursor.execute(before)
        cursor.execute(made)
        first = told()
        assert not [words for words in said if words not in first]
        assert "hush" not in first
        kind = relations.find(connection, label).kind
        word = {"view": "VIEW", "materialised view": "MATERIALIZED VIEW", "foreign table": "FOREIGN TABLE"}
        cursor.execute(f"DROP {word.get(kind, 'TABLE')} {label}")
        with pytest.raises(relations.CatalogError):
            relations.find(connection, label)
        cursor.execute(first)
        assert told() == first


def test_every_relation_of_the_system_can_be_told(data_pool: database.Database) -> None:
    """Each on a connection that may only read, and none leaves a setting behind."""
    with data_pool.lend() as connection:
        found = [relations.Relation(schema, name, "table", None, None, None) for schema, name in _system(connection)]
        assert len(found) > 150
        for relation in found:
            text = ddl.statement(structure.read(connection, relation))
            assert text.startswith("CREATE ")
            assert relation.label in text.splitlines()[0]
        with connection.cursor() as cursor:
            cursor.execute("SHOW search_path")
            assert cursor.fetchone() == ('"$user", public',)
        assert connection.status != psycopg2.extensions.STATUS_READY  # in a transaction of ours, as it was


def _system(connection: database.Connection) -> list[tuple[str, str]]:
    return [(node.relation.schema, node.relation.name) for node in tree.read(connection, system=True).nodes]
