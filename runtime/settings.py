"""Settings from the environment: variables with the prefix `ENTREPOT_`, and a file `.env`.

Where Temporal is comes from the SDK's own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
`TEMPORAL_TLS…`, `TEMPORAL_API_KEY`, `TEMPORAL_CONFIG_FILE`): see `runtime.connections`.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from domain.ip_allow_list import read_network
from runtime.failures import WRONG_INPUT, CommandError
from runtime.key_file import MAKE_A_KEY, KeyFile, decode_key
from runtime.people_settings import PeopleSettings
from runtime.store_request_settings import StoreRequestSettings
from workflows.task_queues import TaskQueue

PREFIX: Final = "ENTREPOT_"
CLIENT_VARIABLES: Final = (f"{PREFIX}API_URL", f"{PREFIX}API_KEY", f"{PREFIX}API_SECRET")
"""What the command line reads to talk to an API; no settings of a process."""
_REDIS_SCHEMES = ("redis", "rediss", "valkey", "valkeys")


class SettingsError(CommandError):
    """A setting is missing or wrong. One line that names the variable and never its value."""

    exit_code = WRONG_INPUT


def _postgresql_url(value: object) -> object:
    if not isinstance(value, str):
        return value
    scheme, separator, rest = value.partition("://")
    if scheme not in {"postgresql", "postgres", "postgresql+psycopg"} or not separator:
        raise ValueError(
            "a PostgreSQL URL is needed: postgresql://role:password@host:5432/database"
        )
    return f"postgresql://{rest}"


def _http_url(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("an address like https://hub.example.com is needed")
    return value.rstrip("/")


def _redis_url(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        usable = parts.scheme in _REDIS_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("an address like redis://:password@cache.example.com:6379/0 is needed")
    return value


def _key(value: object) -> object:
    if isinstance(value, str):
        decode_key(value)
    return value


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return [word.strip() for word in value.strip("[] ").split(",") if word.strip()]
    return value


def _proxy(value: str) -> str:
    try:
        return read_network(value)
    except ValueError:
        # `*` would be everybody: each could say to come from anywhere.
        raise ValueError("addresses or networks like 10.0.0.7,10.1.0.0/16 are needed") from None


DatabaseUrl = Annotated[SecretStr, BeforeValidator(_postgresql_url)]
RedisUrl = Annotated[SecretStr, BeforeValidator(_redis_url)]
HttpUrl = Annotated[str, BeforeValidator(_http_url)]
EncryptionKey = Annotated[SecretStr, BeforeValidator(_key)]
Proxy = Annotated[str, AfterValidator(_proxy)]
Seconds = Annotated[float, Field(ge=0, le=30 * 86_400)]
CacheSeconds = Annotated[float, Field(ge=0, le=86_400)]
Slots = Annotated[int, Field(ge=1, le=1_000)]
PoolSize = Annotated[int, Field(ge=1, le=500)]


class Settings(PeopleSettings, StoreRequestSettings):
    """Everything a process of ours is told.

    Attributes:
        environment: `production` refuses to start without an encryption key.
        database_url: the database as the application role.
        migration_database_url: the same database as the owner of the tables; for `migrate`.
        reports_database_url: a standby of the same database, as the application role, for reports
            and exports; without it they are read from the database itself.
        temporal_ui_url: where people see the workflows; links are left out without it.
        encryption_key: the master key of the stored secrets, 32 bytes in hex or base64.
        encryption_key_file: a file with keys, one per line and the newest first, that is read again
            when it is replaced; in the place of `encryption_key`.
        encryption_keys_old: keys that are still read after a rotation, separated by commas.
        public_url: where shops and partners reach us; without it no webhook URL is reachable.
        default_tenant: whose the store is that the environment defines, by name or id.
        allow_private_addresses: whether stores may lie on private and loopback addresses.
        ca_file: certificate authorities (PEM) to trust for stores besides the public ones.
        provider_paths: further folders with provider folders in them, separated by commas. Their
            code runs in the hub: name only folders that you trust.
        retry_ladder_s: seconds before each try of what failed, the first try included.
        create_doubt_s: how long a create without an answer is left to the store, before it is
            looked up.
        trusted_proxies: addresses or networks whose X-Forwarded-For is believed; nobody's if empty.
        max_request_bytes: the largest body the API reads; `max_webhook_bytes` the same for shops.
        redis_url: a Redis or Valkey server that several API processes share their limits and cached
            answers on; without one each has its own.
        requests_per_minute: of a key without a limit of its own, of a person, and of an address
            where nobody has to be known.
        cache_records_s: how long answers about records are kept; 0 keeps none. `cache_analytics_s`,
            `cache_status_s` and `cache_connection_s` are how old those answers may be.
        worker_queues: the task queues a worker process serves. A process of their own keeps
            `events` quick while another one works on a large import.
        slots_interactive, slots_events, slots_pull, slots_import: activities that run at a time in
            one worker process, per task queue.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    environment: Literal["development", "production", "embedded"] = "development"
    data_dir: Path = Path(".entrepot")

    database_url: DatabaseUrl
    migration_database_url: DatabaseUrl | None = None
    reports_database_url: DatabaseUrl | None = None
    api_pool_size: PoolSize = 10
    worker_pool_size: PoolSize = 16

    temporal_ui_url: HttpUrl | None = None

    encryption_key: EncryptionKey | None = None
    encryption_key_file: Path | None = None
    encryption_keys_old: Annotated[
        tuple[EncryptionKey, ...], NoDecode, BeforeValidator(_comma_separated)
    ] = ()

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 4000
    default_tenant: Annotated[str, Field(max_length=120)] | None = None
    public_url: HttpUrl | None = None
    trusted_proxies: Annotated[tuple[Proxy, ...], NoDecode, BeforeValidator(_comma_separated)] = ()
    max_request_bytes: Annotated[int, Field(ge=1_024, le=64 * 1024 * 1024)] = 1024 * 1024
    max_webhook_bytes: Annotated[int, Field(ge=1_024, le=64 * 1024 * 1024)] = 5 * 1024 * 1024

    redis_url: RedisUrl | None = None
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    cache_records_s: CacheSeconds = 300.0
    cache_analytics_s: CacheSeconds = 60.0
    cache_status_s: CacheSeconds = 10.0
    cache_connection_s: CacheSeconds = 60.0

    allow_private_addresses: bool = False
    ca_file: Path | None = None
    provider_paths: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_comma_separated)] = ()
    retry_ladder_s: Annotated[
        tuple[Seconds, ...], NoDecode, BeforeValidator(_comma_separated), Field(min_length=1)
    ] = (0, 300, 900, 3_600, 10_800)
    create_doubt_s: Seconds = 30.0

    worker_queues: Annotated[
        tuple[TaskQueue, ...], NoDecode, BeforeValidator(_comma_separated), Field(min_length=1)
    ] = tuple(TaskQueue)
    slots_interactive: Slots = 10
    slots_events: Slots = 20
    slots_pull: Slots = 10
    slots_import: Slots = 8

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        has_key, file = self.encryption_key is not None, self.encryption_key_file
        if self.environment == "production" and not has_key and file is None:
            raise ValueError(
                f"{PREFIX}ENCRYPTION_KEY is not set: production needs a key; {MAKE_A_KEY}"
            )
        if has_key and file is not None and self.environment != "embedded":
            raise ValueError(f"give {PREFIX}ENCRYPTION_KEY or {PREFIX}ENCRYPTION_KEY_FILE")
        if file is not None and not file.is_file():
            raise ValueError(f"{PREFIX}ENCRYPTION_KEY_FILE names a file that is not there")
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ValueError(f"{PREFIX}CA_FILE names a file that is not there")
        if not all(path.is_dir() for path in self.provider_paths):
            raise ValueError(f"{PREFIX}PROVIDER_PATHS names a folder that is not there")
        return self

    def encryption_ring(self) -> tuple[bytes, ...]:
        """The keys, the one to encrypt with first.

        Raises:
            SettingsError: there is none, or the file of keys cannot be read.
        """
        file = self.encryption_key_file
        if file is not None:
            try:
                return (*KeyFile(file).read(), *self.old_keys())
            except (OSError, ValueError) as error:
                raise SettingsError(f"{PREFIX}ENCRYPTION_KEY_FILE: {error}") from None
        if self.encryption_key is None:
            raise SettingsError(f"{PREFIX}ENCRYPTION_KEY is not set; {MAKE_A_KEY}")
        return (decode_key(self.encryption_key.get_secret_value()), *self.old_keys())

    def old_keys(self) -> tuple[bytes, ...]:
        """The keys that are read and seal no more, but for those in the file."""
        return tuple(decode_key(key.get_secret_value()) for key in self.encryption_keys_old)

    def owner_url(self) -> str:
        """The database as the owner of its tables.

        Raises:
            SettingsError: only the application role is known.
        """
        if self.migration_database_url is None:
            raise SettingsError(
                f"{PREFIX}MIGRATION_DATABASE_URL is not set: "
                "give the database's URL as the role that owns the tables"
            )
        return self.migration_database_url.get_secret_value()


def load_settings(
    env_file: Path | None = Path(".env"), *, given: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings; the environment wins over the file, and `given` (by field) over both.

    Raises:
        SettingsError: one is missing, wrong or unknown.
    """
    in_file = dotenv_values(env_file) if env_file is not None else {}
    _refuse_unknown({**in_file, **os.environ})
    try:
        return Settings(_env_file=env_file, **(given or {}))
    except ValidationError as error:
        raise SettingsError(_one_line(error)) from None


def _refuse_unknown(names: Iterable[str]) -> None:
    known = [f"{PREFIX}{field.upper()}" for field in Settings.model_fields]
    known.extend(CLIENT_VARIABLES)
    for name in names:
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f": did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{name} is not a setting{hint}")


def _one_line(error: ValidationError) -> str:
    """The first thing that is wrong, without the value (which may be secret)."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    message = first["msg"].removeprefix("Value error, ").replace("\n", " ")
    if not first["loc"]:
        return message
    name = f"{PREFIX}{str(first['loc'][0]).upper()}"
    if first["type"] == "missing":
        return f"{name} is not set"
    return f"{name}: {message[0].lower()}{message[1:]}"
