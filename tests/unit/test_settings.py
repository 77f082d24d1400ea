"""What the settings promise: the first source wins, a wrong one is named in one line, no password is ever shown."""

from __future__ import annotations

import pathlib
import re
import traceback
import typing

import pydantic
import pytest

from undertone import settings

ROOT = pathlib.Path(__file__).parents[2]
ADDRESS = "postgresql://somebody:hunter2@{host}:5432/shop"
NAMES = {name: settings.environment_name(name, info) for name, info in settings.Settings.model_fields.items()}


@pytest.fixture(autouse=True)
def work(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """An empty working directory and an empty home directory."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    return work


def write_secrets(text: str, base: pathlib.Path) -> None:
    (base / ".streamlit").mkdir(exist_ok=True)
    (base / ".streamlit" / "secrets.toml").write_text(text)


def refusal() -> str:
    """The message of what `load_settings` raises, after a look at everything that a traceback would print."""
    with pytest.raises(settings.SettingsError) as caught:
        settings.load_settings()
    printed = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "hunter2" not in printed
    assert "somebody" not in printed
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("spelling", [str.upper, str.lower, str.title])
@pytest.mark.parametrize("field", ["database_url", "model"])
def test_the_first_source_that_has_a_setting_wins(
    field: str, spelling: object, work: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(spelling)
    name = NAMES[field]

    def look() -> object:
        value = getattr(settings.load_settings(), field)
        return value.get_secret_value() if isinstance(value, pydantic.SecretStr) else value

    def value(source: str) -> str:
        return ADDRESS.format(host=source) if field == "database_url" else source

    assert look() == settings.Settings.model_fields[field].default
    write_secrets(f'{name} = "{value("home-secrets")}"', pathlib.Path.home())
    assert look() == value("home-secrets")
    write_secrets(f'{spelling(name)} = "{value("secrets")}"', work)
    assert look() == value("secrets")
    (work / ".env").write_text(f"{spelling(name)}={value('dotenv')}\n")
    assert look() == value("dotenv")
    monkeypatch.setenv(name, value("environment"))
    assert look() == value("environment")
    assert getattr(settings.load_settings(**{field: value("override")}), field) not in (None, value("environment"))


def test_what_one_source_leaves_out_comes_from_the_next(work: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_secrets("undertone_threads = 3\nUNDERTONE_DEMO = false\nUNDERTONE_PAGE_ROWS = 7", work)
    (work / ".env").write_text("UNDERTONE_PAGE_ROWS=8\nUNDERTONE_POOL_SIZE=\n")
    monkeypatch.setenv("UNDERTONE_QUERY_SLOTS", "9")
    chosen = settings.load_settings()
    found = (chosen.threads, chosen.demo, chosen.page_rows, chosen.query_slots, chosen.pool_size)
    assert found == (3, False, 8, 9, 5)


def test_what_is_not_ours_is_ignored(work: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_secrets('other = 1\nthreads = 5\n[connections.sql]\nurl = "x"\n[UNDERTONE]\nTHREADS = 6', work)
    (work / ".env").write_text("POSTGRES_PASSWORD=x\nUNDERTONE_NO_SUCH=1\nTHREADS=7\n")
    monkeypatch.setenv("UNDERTONE_NONE_EITHER", "1")
    monkeypatch.setenv("MODEL", "other")
    monkeypatch.setenv("HOME_URL", "other")
    assert settings.load_settings().model_dump() == settings.load_settings(_env_file=None).model_dump()
    assert settings.load_settings().threads == 0
    assert settings.load_settings().model == "default"


@pytest.mark.parametrize("name", ["DATABASE_URL", "STORE_URL"])
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://somebody:hunter2@host:abc/shop", "the port is a number"),
        ("postgresql://somebody:hunter2@host:/shop", "the port is a number"),
        ("postgresql://somebody:hunter2@host:70000/shop", "port"),
        ("postgresql://somebody:hunter2@host:0/shop", "port"),
        ("postgresql://somebody:hunter2@host:-5432/shop", "port"),
        ("somebody:hunter2@host:5432/shop", "not a PostgreSQL address"),
        ("host=host user=somebody password=hunter2", "not a PostgreSQL address"),
        ("hunter2", "not a PostgreSQL address"),
        ("mysql://somebody:hunter2@host:3306/shop", "not a PostgreSQL address"),
        ("postgresql+asyncpg://somebody:hunter2@host/shop", "not a PostgreSQL address"),
        ("://somebody:hunter2@host/shop", "not a PostgreSQL address"),
        ("postgresql://somebody:hunter2@host", "names no database"),
        ("postgresql://somebody:hunter2@host:5432/", "names no database"),
        ("postgresql://somebody:hunter2@/shop", "names no host"),
        ("postgresql:///shop", "names no host"),
        ("postgresql://somebody:secret@hunter2@host/shop", "%40"),
        ("postgresql://somebody:@hunter2@host:5432/shop", "%40"),
    ],
)
def test_a_malformed_address_is_one_line_that_names_the_setting_alone(
    name: str, address: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, address)
    message = refusal()
    assert message.startswith(f"{name}: ")
    assert said in message


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("postgresql://u:p@host:5432/shop", ("u", "p", "host", 5432, "shop", {})),
        ("postgres://u@host/shop", ("u", None, "host", None, "shop", {})),
        ("postgresql+psycopg2://u:p@host/shop", ("u", "p", "host", None, "shop", {})),
        ("  postgresql://u:p@host/shop\n", ("u", "p", "host", None, "shop", {})),
        ("postgresql://u:p%40%3A%2F%25@host/shop", ("u", "p@:/%", "host", None, "shop", {})),
        ("postgresql://u:p/w#:?x@host:1/shop", ("u", "p/w#:?x", "host", 1, "shop", {})),
        ("postgresql://u:p@[::1]:65535/shop", ("u", "p", "::1", 65535, "shop", {})),
        ("postgresql://u:p@/shop?host=/run/postgresql", ("u", "p", None, None, "shop", {"host": "/run/postgresql"})),
        (
            "postgresql://u:p@host/shop?sslmode=require&application_name=x",
            ("u", "p", "host", None, "shop", {"sslmode": "require", "application_name": "x"}),
        ),
    ],
)
def test_a_good_address_is_taken_apart(
    address: str, parts: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    kept = settings.load_settings().database_url
    assert kept is not None
    url = settings.parse_address(kept.get_secret_value())
    assert (url.username, url.password, url.host, url.port, url.database, dict(url.query)) == parts
    assert url.drivername == "postgresql+psycopg2"


@pytest.mark.parametrize("empty", ["", "   "])
def test_an_empty_address_is_none(empty: str, work: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty)
    (work / ".env").write_text("STORE_URL=\n")
    chosen = settings.load_settings()
    assert (chosen.database_url, chosen.store_url) == (None, None)
    assert chosen.embedded_data
    assert chosen.embedded_store
    assert chosen.needs_server


@pytest.mark.parametrize(
    ("database_url", "store_url", "needs_server"),
    [(None, "x", True), ("x", None, True), ("x", "x", False)],
)
def test_the_embedded_server_is_needed_where_one_of_the_two_is_not_named(
    database_url: str | None, store_url: str | None, needs_server: bool
) -> None:
    address = ADDRESS.format(host="host")
    chosen = settings.load_settings(
        database_url=database_url and address,
        store_url=store_url and address,
    )
    assert chosen.embedded_data is (database_url is None)
    assert chosen.embedded_store is (store_url is None)
    assert chosen.needs_server is needs_server


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNDERTONE_THREADS", "hunter2"),
        ("UNDERTONE_THREADS", "-1"),
        ("UNDERTONE_THREADS", "1.5"),
        ("UNDERTONE_PAGE_ROWS", "1001"),
        ("UNDERTONE_QUERY_SECONDS", "0"),
        ("UNDERTONE_QUERY_SECONDS", "nan"),
        ("UNDERTONE_QUERY_SECONDS", "inf"),
        ("UNDERTONE_DEMO", "hunter2"),
        ("UNDERTONE_MAX_LENGTH", "7"),
    ],
)
def test_a_wrong_number_is_one_line_that_names_the_setting(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    message = refusal()
    assert message.startswith(f"{name}: ")
    assert "should be" in message


@pytest.mark.parametrize("value", ["[1]", '{a = "hunter2"}', '"hunter2"', "2026-01-01"])
def test_a_wrong_value_in_the_secrets_is_named_alike(value: str, work: pathlib.Path) -> None:
    write_secrets(f"undertone_threads = {value}", work)
    assert refusal().startswith("UNDERTONE_THREADS: ")


@pytest.mark.parametrize("content", [b'DATABASE_URL = "hunter2', b"hunter2", b'a = "\x00hunter2"'])
def test_secrets_that_are_no_toml_are_named(content: bytes, work: pathlib.Path) -> None:
    write_secrets("", work)
    (work / ".streamlit" / "secrets.toml").write_bytes(content)
    assert "secrets.toml is not valid TOML" in refusal()


@pytest.mark.parametrize("file", [".env", ".streamlit/secrets.toml"])
def test_a_file_that_is_not_utf_8_is_said_to_be_none(file: str, work: pathlib.Path) -> None:
    write_secrets("", work)
    (work / file).write_bytes('DATABASE_URL="hünter2"\n'.encode("latin-1"))
    assert "not UTF-8" in refusal()


def test_nothing_that_is_printed_shows_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", ADDRESS.format(host="host"))
    monkeypatch.setenv("STORE_URL", ADDRESS.format(host="host"))
    chosen = settings.load_settings()
    printed = f"{chosen} {chosen!r} {chosen.model_dump()} {chosen.model_dump_json()} {chosen.database_url}"
    assert "hunter2" not in printed
    assert chosen.database_url is not None
    assert "hunter2" in chosen.database_url.get_secret_value()


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(pydantic.ValidationError):
        settings.load_settings().threads = 2  # type: ignore[misc]


@pytest.mark.parametrize(("given", "expected"), [("~/ours", "{home}/ours"), ("ours", "{cwd}/ours"), ("/a/../b", "/b")])
@pytest.mark.parametrize("field", ["home", "model_cache"])
def test_directories_are_absolute(field: str, given: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAMES[field], given)
    path = getattr(settings.load_settings(), field)
    assert str(path) == expected.format(home=pathlib.Path.home(), cwd=pathlib.Path.cwd())


@pytest.mark.parametrize("field", NAMES)
def test_every_setting_is_read_under_the_name_in_the_table(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings.load_settings().model_dump()
    if isinstance(before[field], bool):
        other = str(not before[field])
    elif isinstance(before[field], int | float):
        other = str(before[field] + 1)
    elif (choices := typing.get_args(settings.Settings.model_fields[field].annotation)) and before[field] in choices:
        other = choices[-1]
    else:
        other = ADDRESS.format(host="other") if field.endswith("_url") else "/other"
    monkeypatch.setenv(NAMES[field], other)
    after = settings.load_settings().model_dump()
    assert {name for name in after if after[name] != before[name]} == {field}


def test_the_table_lists_every_setting_once_with_a_meaning() -> None:
    rows = [line.strip("|").split(" | ") for line in settings.table().splitlines()[2:]]
    assert [row[0].strip(" `") for row in rows] == list(NAMES.values())
    assert all(len(row) == 3 and row[2].strip().endswith(".") for row in rows)
    assert len(set(NAMES.values())) == len(NAMES)


def test_the_readme_shows_this_very_table() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"<!-- settings -->\n(.*?)\n<!-- /settings -->", readme, re.DOTALL)
    assert shown == [settings.table()]
