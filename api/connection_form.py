"""The connection form of a provider: read it, merge into it, turn it into bytes to seal."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from api.errors import field_problems
from api.problems import INVALID, FieldProblem, ProblemError
from providers._kit.protocols import Provider, StoreConfig

_WEBHOOK_SECRET = "webhookSecret"  # noqa: S105 - the name of a field
_STORE_URL = "storeUrl"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Form:
    """A filled-in form. `generated_secret` is the webhook secret, if we made it just now."""

    config: StoreConfig
    generated_secret: SecretStr | None

    @property
    def plain(self) -> bytes:
        """The form as JSON with its secrets, to be sealed at once."""
        return json.dumps(_revealed(self.config.model_dump(mode="python", by_alias=True))).encode()


def fill_in(provider: Provider, raw: Mapping[str, Any]) -> Form:
    """Check a form against the provider's model; make a webhook secret where there is none.

    Where the shop makes the secret, none is made here: it is entered when the shop shows it.
    A made secret has no `& < > " '`: a shop may decode HTML entities in it before it signs.

    Raises:
        ProblemError: 422, naming the fields. Their values are never told.
    """
    values = _by_alias(provider, raw)
    generated = None
    if not values.get(_WEBHOOK_SECRET) and provider.manifest.makes_webhook_secret:
        generated = SecretStr(secrets.token_urlsafe(32))
        values[_WEBHOOK_SECRET] = generated
    try:
        config = provider.config_model.model_validate(values)
    except ValidationError as error:
        found = field_problems(error.errors(include_input=False), prefix=("config",))
        raise ProblemError(INVALID, _summary(found), errors=found) from None
    return Form(config, generated)


def check_part(provider: Provider, raw: Mapping[str, Any]) -> None:
    """Check a form that is not whole yet: what is missing is no fault.

    Raises:
        ProblemError: 422, naming the fields.
    """
    try:
        provider.config_model.model_validate(_by_alias(provider, raw))
    except ValidationError as error:
        wrong = [one for one in error.errors(include_input=False) if one["type"] != "missing"]
        if wrong:
            found = field_problems(wrong, prefix=("config",))
            raise ProblemError(INVALID, _summary(found), errors=found) from None


def merge(provider: Provider, kept: bytes, raw: Mapping[str, Any]) -> Form:
    """Lay the given fields over the stored form; null takes a field away.

    Raises:
        ProblemError: 422, the result is not a valid form, or it would send stored secrets to an
            address they were not given for.
    """
    stored: dict[str, Any] = json.loads(kept)
    given = _by_alias(provider, raw)
    if any(_moves(given, stored, name) for name in _addresses(provider)):
        _require_secrets(provider, given)
    merged = {name: value for name, value in {**stored, **given}.items() if value is not None}
    return fill_in(provider, merged)


def is_webhook_secret(name: str) -> bool:
    """Whether a field of a form is the secret, or one of those, that webhooks are signed with."""
    return name.lower().endswith(_WEBHOOK_SECRET.lower())


def is_same_shop(one: str, other: str) -> bool:
    """Whether two addresses are plainly one shop's: scheme, `www.` and a last slash apart."""
    return _identity(one) == _identity(other)


def shop_keys(provider: Provider, plain: bytes) -> bytes | None:
    """What names a shop beside its address: its keys, with where they are sent, if that is one
    address for all shops. None where the keys are sent to the shop itself: there a copy of the
    shop at another address has the same keys, and is another shop."""
    addresses = _addresses(provider) - {_STORE_URL}
    if not addresses:
        return None
    values: dict[str, Any] = json.loads(plain)
    keys = [one for one in _secret_fields(provider) if not is_webhook_secret(one)]
    sent_to = [_identity(str(values.get(one) or "")) for one in sorted(addresses)]
    return json.dumps([sent_to, [values.get(one) for one in keys]]).encode()


def _identity(url: str) -> tuple[str, int, str]:
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        port = parts.port
    except ValueError:
        return url, 0, ""
    default = _DEFAULT_PORTS.get(parts.scheme, 443)
    host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    return host, 443 if port in {None, default} else port or 443, parts.path.rstrip("/")


def _require_secrets(provider: Provider, given: Mapping[str, Any]) -> None:
    missing = tuple(
        FieldProblem(
            pointer=f"/config/{alias}",
            detail="Enter it again: stored secrets are never sent to a new address.",
        )
        for alias in _secret_fields(provider)
        if not is_webhook_secret(alias) and given.get(alias) is None
    )
    if missing:
        raise ProblemError(INVALID, _summary(missing), errors=missing)


def _moves(given: Mapping[str, Any], stored: Mapping[str, Any], name: str) -> bool:
    if name not in given:
        return False
    before = stored.get(name)
    return before is None or not is_same_shop(str(given[name]), str(before))


def _addresses(provider: Provider) -> set[str]:
    """The fields that say where the keys are sent."""
    schema = provider.config_model.model_json_schema(by_alias=True)
    properties = schema.get("properties", {})
    return {_STORE_URL} | {name for name, one in properties.items() if one.get("format") == "uri"}


def _secret_fields(provider: Provider) -> list[str]:
    schema = provider.config_model.model_json_schema(by_alias=True)
    return [name for name, one in schema.get("properties", {}).items() if _is_secret(one)]


def _is_secret(schema: Mapping[str, Any]) -> bool:
    branches = schema.get("anyOf", [schema])
    return any(branch.get("format") == "password" for branch in branches)


def _by_alias(provider: Provider, raw: Mapping[str, Any]) -> dict[str, Any]:
    aliases = {
        name: field.alias or name for name, field in provider.config_model.model_fields.items()
    }
    return {aliases.get(name, name): value for name, value in raw.items()}


def _revealed(value: Any) -> Any:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Mapping():
            return {name: _revealed(one) for name, one in value.items()}
        case list() | tuple():
            return [_revealed(one) for one in value]
        case _:
            return value


def _summary(found: tuple[FieldProblem, ...]) -> str:
    return "; ".join(f"{one.pointer}: {one.detail}" for one in found[:3])
