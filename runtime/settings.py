"""Settings from the environment: variables with the prefix `ENTREPOT_`, and a file `.env`.

Where Temporal is comes from the SDK's own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
`TEMPORAL_TLS…`, `TEMPORAL_API_KEY`, `TEMPORAL_CONFIG_FILE`): see `runtime.connections`.
"""

import base64
import binascii
import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from runtime.failures import WRONG_INPUT, CommandError
from workflows.task_queues import TaskQueue

PREFIX: Final = "ENTREPOT_"
CLIENT_VARIABLES: Final = (f"{PREFIX}API_URL", f"{PREFIX}API_KEY", f"{PREFIX}API_SECRET")
"""What the command line reads to talk to an API; no settings of a process."""
_KEY_BYTES = 32
_MAKE_A_KEY = "python3 -c 'import secrets; print(secrets.token_hex(32))' makes one"


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


def _key(value: object) -> object:
    if isinstance(value, str):
        decode_key(value)
    return value


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return [word.strip() for word in value.strip("[] ").split(",") if word.strip()]
    return value


def decode_key(text: str) -> bytes:
    """The 32 bytes of a key written as hex or base64 (either alphabet).

    Raises:
        ValueError: it is neither, or has another length.
    """
    text = text.strip()
    try:
        if len(text) == 2 * _KEY_BYTES:
            return bytes.fromhex(text)
        padded = text + "=" * (-len(text) % 4)
        key = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError(f"a key is {_KEY_BYTES} bytes in hex or base64; {_MAKE_A_KEY}") from None
    return key


DatabaseUrl = Annotated[SecretStr, BeforeValidator(_postgresql_url)]
HttpUrl = Annotated[str, BeforeValidator(_http_url)]
EncryptionKey = Annotated[SecretStr, BeforeValidator(_key)]
Seconds = Annotated[float, Field(ge=0, le=30 * 86_400)]
Slots = Annotated[int, Field(ge=1, le=1_000)]
PoolSize = Annotated[int, Field(ge=1, le=500)]


class Settings(BaseSettings):
    """Everything a process of ours is told.

    Attributes:
        environment: `production` refuses to start without an encryption key.
        database_url: the database as the application role.
        migration_database_url: the same database as the owner of the tables; for `migrate`.
        temporal_ui_url: where people see the workflows; links are left out without it.
        encryption_key: the master key of the stored secrets, 32 bytes in hex or base64.
        encryption_keys_old: keys that are still read after a rotation, separated by commas.
        public_url: where shops and partners reach us; without it no webhook URL is reachable.
        allow_private_addresses: whether stores may lie on private and loopback addresses.
        ca_file: certificate authorities (PEM) to trust for stores besides the public ones.
        provider_paths: further folders with provider folders in them, separated by commas. Their
            code runs in the hub: name only folders that you trust.
        retry_ladder_s: seconds before each try of what failed, the first try included.
        create_doubt_s: how long a create without an answer is left to the store, before it is
            looked up.
        trusted_proxies: addresses or networks whose X-Forwarded-For is believed; nobody's if empty.
        max_request_bytes: the largest body the API reads; `max_webhook_bytes` the same for shops.
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
    api_pool_size: PoolSize = 10
    worker_pool_size: PoolSize = 16

    temporal_ui_url: HttpUrl | None = None

    encryption_key: EncryptionKey | None = None
    encryption_keys_old: Annotated[
        tuple[EncryptionKey, ...], NoDecode, BeforeValidator(_comma_separated)
    ] = ()

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 4000
    public_url: HttpUrl | None = None
    trusted_proxies: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)] = ()
    max_request_bytes: Annotated[int, Field(ge=1_024, le=64 * 1024 * 1024)] = 1024 * 1024
    max_webhook_bytes: Annotated[int, Field(ge=1_024, le=64 * 1024 * 1024)] = 5 * 1024 * 1024

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
        if self.environment == "production" and self.encryption_key is None:
            raise ValueError(
                f"{PREFIX}ENCRYPTION_KEY is not set: production needs a key; {_MAKE_A_KEY}"
            )
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ValueError(f"{PREFIX}CA_FILE names a file that is not there")
        if not all(path.is_dir() for path in self.provider_paths):
            raise ValueError(f"{PREFIX}PROVIDER_PATHS names a folder that is not there")
        return self

    def encryption_ring(self) -> tuple[bytes, ...]:
        """The keys, the one to encrypt with first.

        Raises:
            SettingsError: there is none.
        """
        if self.encryption_key is None:
            raise SettingsError(f"{PREFIX}ENCRYPTION_KEY is not set; {_MAKE_A_KEY}")
        keys = (self.encryption_key, *self.encryption_keys_old)
        return tuple(decode_key(key.get_secret_value()) for key in keys)

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
