"""Every setting of Undertone: its name, its default and its meaning, in one list.

A setting comes from, first found first: the environment, a `.env` file in the working directory, Streamlit's
`.streamlit/secrets.toml` (there or in the home directory), its default. The README's table is `table()`; a test
holds the two together.
"""

from __future__ import annotations

import os
import pathlib
from typing import Annotated, Any, Literal

import platformdirs
import pydantic
import pydantic_settings
import sqlalchemy

from undertone import errors

PREFIX = "UNDERTONE_"
EXAMPLE = "postgresql://user:password@host:5432/database"
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2")


class SettingsError(errors.UndertoneError):
    """A setting is missing or malformed; the message names it and never shows its value."""


def parse_address(text: str) -> sqlalchemy.URL:
    """The PostgreSQL address `text`, checked.

    Raises ValueError with a line that is safe to show: neither the address nor a part of it is in it.
    """
    scheme, separator, _ = text.strip().partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError(f"not a PostgreSQL address; it looks like {EXAMPLE}")
    try:
        url = sqlalchemy.make_url(text.strip())
    except (sqlalchemy.exc.ArgumentError, ValueError):
        # Neither exception may be chained: both quote the whole address.
        raise ValueError(
            f"not a valid address; it looks like {EXAMPLE}, the port is a number, and a password"
            " with @ : / or % in it is percent-encoded"
        ) from None
    if "@" in (url.host or ""):
        # What follows the first @ would be shown as the host, and is the rest of the password.
        raise ValueError(f"not a valid address; it looks like {EXAMPLE}, and an @ in a password is written %40")
    if not url.database:
        raise ValueError(f"the address names no database; it looks like {EXAMPLE}")
    if not url.host and "host" not in url.query and "service" not in url.query:
        raise ValueError(f"the address names no host; it looks like {EXAMPLE}")
    if url.port is not None and not 0 < url.port < 65536:
        raise ValueError("the port of the address is not between 1 and 65535")
    return url.set(drivername="postgresql+psycopg2")


def _checked_address(value: pydantic.SecretStr | None) -> pydantic.SecretStr | None:
    if value is None or not value.get_secret_value().strip():
        return None
    parse_address(value.get_secret_value())
    return value


def address(value: pydantic.SecretStr | None) -> sqlalchemy.URL | None:
    """The address in a setting; None where it is empty and the embedded server is meant."""
    return None if value is None else parse_address(value.get_secret_value())


Address = Annotated[pydantic.SecretStr | None, pydantic.AfterValidator(_checked_address)]


def default_home() -> pathlib.Path:
    """Where the embedded server lives when nobody says: the user's data directory.

    Root's is closed to every other account, and PostgreSQL refuses to run as root, so root gets a system directory.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return pathlib.Path("/var/lib/undertone")
    return pathlib.Path(platformdirs.user_data_dir("undertone", appauthor=False))


def _setting(default: Any, description: str, *, name: str | None = None, **constraints: Any) -> Any:
    alias: dict[str, Any] = {"validation_alias": pydantic.AliasChoices(name, name.lower())} if name else {}
    options = alias | constraints
    return pydantic.Field(default, description=description, **options)


class Settings(pydantic_settings.BaseSettings):
    """All settings, immutable once read. `load_settings` is the way to get one."""

    model_config = pydantic_settings.SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )

    database_url: Address = _setting(
        None,
        "The data: address of the PostgreSQL database to look into, best with a read-only account"
        " (`sql/reader_role.sql`). Empty: the embedded server with its demo shop.",
        name="DATABASE_URL",
    )
    store_url: Address = _setting(
        None,
        "The store: address of the database where Undertone keeps runs and scores; the account owns the schemas"
        " `undertone` and `scores` there. Empty: the embedded server.",
        name="STORE_URL",
    )
    store_reader_url: Address = _setting(
        None,
        "The store again, with an account that only reads it: people's statements about scores run through it. Empty:"
        " the embedded server has one; a store of your own cannot be asked unless it is also the data.",
        name="STORE_READER_URL",
    )
    home: pathlib.Path = pydantic.Field(
        default_factory=default_home,
        description="Directory of the embedded server, its passwords and its logs. Default: `undertone` in the user's"
        " data directory, `/var/lib/undertone` for root.",
    )
    postgres_account: str = _setting(
        "nobody", "The account that runs the embedded server when Undertone itself runs as root.", min_length=1
    )
    demo: bool = _setting(True, "Whether a new embedded database is filled with the demo shop.")
    model: str = _setting(
        "default",
        "The classifier: `default` (ships with Undertone, offline), a Hugging Face text-classification model's name,"
        " or a folder.",
        min_length=1,
    )
    max_length: int = _setting(
        256,
        "Tokens that the model reads at once; a longer text is read in overlapping windows of so many.",
        ge=16,
        le=8192,
    )
    text_tokens: int = _setting(
        8192, "Tokens of a text that are read at most; what is beyond is recorded as truncated.", ge=16, le=1_048_576
    )
    engine: Literal["auto", "openvino", "torch"] = _setting(
        "auto",
        "What computes the model: `openvino`, `torch`, or `auto`, the one that a short measurement finds faster.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = _setting(
        "auto", "Precision of the model: `float32`, `bfloat16`, or `auto`, the faster one."
    )
    model_cache: pathlib.Path | None = _setting(
        None, "Directory of the models that were converted for OpenVINO. Default: `models` in `UNDERTONE_HOME`."
    )
    batch_tokens: int = _setting(
        0, "Tokens that go through the model at once; 0 takes what is fast.", ge=0, le=1_048_576
    )
    threads: int = _setting(0, "Processor threads of the model; 0 takes what the machine has.", ge=0, le=1024)
    chunk_rows: int = _setting(1000, "Rows in a chunk, the unit of work of a scoring run.", ge=1, le=100_000)
    local_worker: bool = _setting(
        True, "Whether the app starts a worker of its own where the store is the embedded server."
    )
    query_seconds: float = _setting(30.0, "Seconds that a statement on SQL may take.", gt=0, le=86_400)
    query_rows: int = _setting(10_000, "Rows that a statement on SQL may return.", ge=1, le=10_000_000)
    query_bytes: int = _setting(
        64_000_000,
        "Bytes of memory that a result on SQL may take in the app; a single row a sixth of it.",
        ge=1_000,
        le=4_000_000_000,
    )
    query_slots: int = _setting(3, "Statements on SQL that may run at once.", ge=1, le=100)
    query_length: int = _setting(48 * 1024, "Bytes that a statement on SQL may be long.", ge=100, le=1_000_000)
    query_functions: str = _setting(
        "",
        "Functions that statements may call although the server says they may do more than answer: names, separated by"
        " commas.",
    )
    query_superuser: bool = _setting(
        False,
        "Whether SQL may be asked although the data's account is a superuser; nothing then holds it but Undertone.",
    )
    query_cache_seconds: int = _setting(
        60, "Seconds that an answer on SQL is kept for the same statement.", ge=0, le=86_400
    )
    export_rows: int = _setting(1_000_000, "Rows that a download may have.", ge=1, le=1_000_000_000)
    export_seconds: float = _setting(600.0, "Seconds that a download may take.", gt=0, le=86_400)
    neutralise_formulas: bool = _setting(
        True, "Whether texts that a spreadsheet would run as formulas are made harmless in CSV and Excel files."
    )
    audit_days: int = _setting(90, "Days that the log of people's statements is kept; 0: for ever.", ge=0, le=36_500)
    audit_values: bool = _setting(False, "Whether that log keeps the values of parameters, too.")
    user_header: str = _setting(
        "",
        "The header in which a proxy that signs people in names the person, such as `X-Forwarded-User`. Set it only"
        " where nobody can reach Undertone but through that proxy.",
    )
    page_rows: int = _setting(50, "Rows on one page of Tables.", ge=1, le=1_000)
    pool_size: int = _setting(5, "Connections that the app keeps to each database.", ge=1, le=100)
    connect_seconds: int = _setting(10, "Seconds to wait for a connection.", ge=1, le=600)
    upload_megabytes: int = _setting(200, "Size of a file that can be brought in on the Tables page.", ge=1, le=10_000)

    @pydantic.field_validator("home", "model_cache")
    @classmethod
    def _absolute(cls, value: pathlib.Path | None) -> pathlib.Path | None:
        if value is None:
            return None
        return pathlib.Path(os.path.abspath(value.expanduser()))  # noqa: PTH100 - resolve() would follow links

    @classmethod
    def settings_customise_sources(  # noqa: D102 - pydantic-settings calls it
        cls,
        settings_cls: type[pydantic_settings.BaseSettings],
        init_settings: pydantic_settings.PydanticBaseSettingsSource,
        env_settings: pydantic_settings.PydanticBaseSettingsSource,
        dotenv_settings: pydantic_settings.PydanticBaseSettingsSource,
        file_secret_settings: pydantic_settings.PydanticBaseSettingsSource,
    ) -> tuple[pydantic_settings.PydanticBaseSettingsSource, ...]:
        secrets = _StreamlitSecrets(settings_cls)
        return init_settings, env_settings, dotenv_settings, secrets

    @property
    def embedded_store(self) -> bool:
        """Whether the store is the embedded server."""
        return self.store_url is None

    @property
    def embedded_data(self) -> bool:
        """Whether the data is the embedded server."""
        return self.database_url is None

    @property
    def needs_server(self) -> bool:
        """Whether the embedded server has to run."""
        return self.embedded_store or self.embedded_data


class _StreamlitSecrets(pydantic_settings.TomlConfigSettingsSource):
    """`.streamlit/secrets.toml`, the user's own first overlaid by the working directory's, as Streamlit reads it.

    Read here and not by `st.secrets`, so that the command line and the worker see the same settings as the app.
    """

    def __init__(self, settings_cls: type[pydantic_settings.BaseSettings]) -> None:
        places = [base / ".streamlit" / "secrets.toml" for base in (pathlib.Path.home(), pathlib.Path.cwd())]
        super().__init__(settings_cls, toml_file=places)

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        # In the file a setting has the name that it has in the environment, in either case.
        return {str(key).upper(): value for key, value in super()._read_file(file_path).items()}

    def __call__(self) -> dict[str, Any]:
        named = {str(key).upper(): value for key, value in super().__call__().items()}
        found: dict[str, Any] = {}
        for field, info in self.settings_cls.model_fields.items():
            name = environment_name(field, info)
            if name in named:
                found[name if info.validation_alias else field] = named[name]
        return found


def environment_name(field: str, info: pydantic.fields.FieldInfo) -> str:
    """The name of a setting in the environment, as `UNDERTONE_HOME`."""
    alias = info.validation_alias
    if isinstance(alias, pydantic.AliasChoices):
        return str(alias.choices[0])
    return (PREFIX + field).upper()


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Raises SettingsError with one line that names the first wrong setting and what it should be, without its value.
    """
    try:
        return Settings(**overrides)
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        info = Settings.model_fields.get(field)
        name = environment_name(field, info) if info else field.upper()
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}: {message}") from None
    except pydantic_settings.SettingsError:
        raise SettingsError("the settings cannot be read: see the environment, .env and secrets.toml") from None
    except UnicodeDecodeError:
        raise SettingsError("the settings cannot be read: .env or .streamlit/secrets.toml is not UTF-8") from None
    except ValueError as error:  # tomllib.TOMLDecodeError
        raise SettingsError(f".streamlit/secrets.toml is not valid TOML: {error}") from None


def table() -> str:
    """The settings as the Markdown table that the README shows."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for field, info in Settings.model_fields.items():
        default = "" if info.default_factory or info.default is None else f"`{_shown(info.default)}`"
        rows.append(f"| `{environment_name(field, info)}` | {default} | {info.description} |")
    return "\n".join(rows)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
