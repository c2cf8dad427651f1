"""The variables `WOOCOMMERCE_…`: a store that the environment defines, and a closer log.

`WOOCOMMERCE_SITE_URL`, `WOOCOMMERCE_CONSUMER_KEY` and `WOOCOMMERCE_CONSUMER_SECRET` come together;
`WOOCOMMERCE_WEBHOOK_SECRET` may be left out. They are read from the environment and from `.env`,
where the environment wins, as the settings are.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr

from runtime.settings import SettingsError

PROVIDER: Final = "woocommerce"

_PREFIX: Final = "WOOCOMMERCE_"
_NEEDED: Final = ("SITE_URL", "CONSUMER_KEY", "CONSUMER_SECRET")
_WEBHOOK_SECRET: Final = "WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
_DEBUG: Final = "DEBUG_LOGGING"
_YES: Final = frozenset(("1", "true", "yes", "on"))
_NO: Final = frozenset(("", "0", "false", "no", "off"))


@dataclass(frozen=True, slots=True)
class DefaultStoreSettings:
    """The store that the environment defines."""

    site_url: str
    consumer_key: SecretStr = field(repr=False)
    consumer_secret: SecretStr = field(repr=False)
    webhook_secret: SecretStr | None = field(default=None, repr=False)

    def form(self) -> dict[str, str]:
        """The connection form, filled in; secrets are plain in it."""
        filled = {
            "storeUrl": self.site_url,
            "consumerKey": self.consumer_key.get_secret_value(),
            "consumerSecret": self.consumer_secret.get_secret_value(),
        }
        if self.webhook_secret is not None:
            filled["webhookSecret"] = self.webhook_secret.get_secret_value()
        return filled


def load_default_store(env_file: Path | None = Path(".env")) -> DefaultStoreSettings | None:
    """The store that the variables define; None where none of them is set.

    Raises:
        SettingsError: some are missing, or the address is none. Names variables, never values.
    """
    found = _variables(env_file)
    given = [name for name in (*_NEEDED, _WEBHOOK_SECRET) if found.get(name)]
    if not given:
        return None
    missing = [f"{_PREFIX}{name}" for name in _NEEDED if not found.get(name)]
    if missing:
        raise SettingsError(
            f"{', '.join(missing)} not set, but {_PREFIX}{given[0]} is: a default store needs its"
            " address and both keys"
        )
    site = found["SITE_URL"].strip()
    if not _is_address(site):
        raise SettingsError(
            f"{_PREFIX}SITE_URL: the shop's home address is needed, such as https://shop.example"
        )
    secret = found.get(_WEBHOOK_SECRET)
    return DefaultStoreSettings(
        site,
        SecretStr(found["CONSUMER_KEY"]),
        SecretStr(found["CONSUMER_SECRET"]),
        SecretStr(secret) if secret else None,
    )


def load_logged_providers(env_file: Path | None = Path(".env")) -> frozenset[str]:
    """The providers whose requests are told in the log.

    Raises:
        SettingsError: the variable is neither true nor false.
    """
    told = _variables(env_file).get(_DEBUG, "").strip().lower()
    if told not in _YES | _NO:
        raise SettingsError(f"{_PREFIX}{_DEBUG}: true or false is needed")
    return frozenset((PROVIDER,)) if told in _YES else frozenset()


def _variables(env_file: Path | None) -> Mapping[str, str]:
    """What is set, by name without the prefix."""
    in_file = dotenv_values(env_file) if env_file is not None else {}
    merged = {**in_file, **{name: value for name, value in os.environ.items() if value}}
    return {
        name.removeprefix(_PREFIX): value
        for name, value in merged.items()
        if name.startswith(_PREFIX) and value
    }


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_whole and "@" not in parts.netloc and not parts.query and not parts.fragment
